"""Network: carries bundles from source to destination, over contacts that come and go.

Theory of operation. A bundle of this node or of a neighbour is held until its next hop acknowledged it. The next
hop is that of the earliest arrival over the contact plan (routes.py), leaving out neighbours whose link is closed
although it should be open and peers that health declared dead. Bundles leave when the next hop's link is open, by
priority, then age, at most `HANDED_COUNT_MAX` at a time per neighbour, so that a more urgent bundle overtakes.
A bundle is not sent back to the neighbour it came from while another way exists: around a broken ring that is what
keeps two neighbours from passing it to and fro. Nothing is woken while nothing waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.ports import DropContent, NodeBooted, TimeSampled
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NEVER_NS, NS_PER_MS
from flightos.services.commanding.interface import ResetCounters
from flightos.services.health.interface import PeerDeclared, PeerRecovered
from flightos.services.links.interface import (
    BundleArrived,
    BundleForwarded,
    BundleHeader,
    BundleRepeated,
    BundleReturned,
    LinkClosed,
    LinkOpened,
)
from flightos.services.network import custody
from flightos.services.network.custody import Carried, Custody
from flightos.services.network.forwarding import Forwarder
from flightos.services.network.interface import (
    BUNDLE_SENT_AGAIN,
    BundleDelivered,
    BundleDropped,
    BundleKind,
    ConfirmDelivery,
    ContactPlanActivated,
    NetworkHousekeeping,
    OpenBundle,
    SendBundle,
)
from flightos.services.network.routing import Router
from flightos.services.network.state import (
    RESEND_NS_MAX,
    RESEND_NS_MIN,
    SEEN_COUNT_MAX,
    NetworkCounters,
    NetworkState,
)
from flightos.services.telemetry.interface import ReportEvent
from flightos.wire.bundle import HOP_LIMIT


class NetworkService:
    """Store and forward of one node; see the module's theory of operation."""

    name: Final = "network"

    def __init__(self, configuration: NodeConfiguration) -> None:
        self._node_id = configuration.node_id
        self._router = Router(configuration.node_id, configuration.modem_latency_ns)
        self._forwarder = Forwarder(configuration.node_id, self._router)
        self.state = NetworkState()
        self.reactions: dict[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            NodeBooted: self._boot,
            TimeSampled: self._take_time,
            ContactPlanActivated: self._take_plan,
            SendBundle: self._send,
            BundleArrived: self._take_arrived,
            BundleForwarded: self._take_forwarded,
            BundleReturned: self._take_returned,
            BundleRepeated: self._take_repeated,
            ConfirmDelivery: self._confirm,
            LinkOpened: self._open_link,
            LinkClosed: self._close_link,
            PeerDeclared: self._declare,
            PeerRecovered: self._recover,
            WakeupReached: self._wake,
            ResetCounters: self._reset_counters,
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record; the table in the constructor names the reaction."""
        return self.reactions[type(record)](record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """When a lifetime may end, a route may change or a bundle is to be sent again; None while idle."""
        due = self.state.wakeup_obt_ns
        return None if due == NEVER_NS else due

    def housekeeping(self) -> NetworkHousekeeping:
        """Counters and levels."""
        state = self.state
        held = len(state.held)
        waiting = forwarding = 0
        if held:
            waiting = sum(map(len, state.queues.values()))
            forwarding = sum(state.handed_count.values())
        values: tuple[int, ...] = (
            *msgspec.structs.astuple(state.counters),
            waiting,
            forwarding,
            held - waiting - forwarding,
            state.held_bytes,
            len(state.links_open),
            state.contact_count,
        )
        return NetworkHousekeeping(*values)

    # --- bundles in -----------------------------------------------------------------------------------------

    def _send(self, record: SendBundle, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        now_tai_ns = now_obt_ns + state.tai_minus_obt_ns
        bundle = BundleHeader(
            self._node_id,
            max(0, (now_tai_ns - custody.DTN_EPOCH_TAI_NS) // NS_PER_MS),
            state.next_sequence,
            record.destination_id,
            record.lifetime_ms,
            int(record.kind),
            record.priority,
        )
        state.next_sequence += 1
        if record.destination_id == self._node_id:
            here = BundleDelivered(
                self._node_id, record.kind, record.body, record.attachment_ids, record.size_bytes, bundle.key
            )
            state.counters.bundles_delivered_count += 1
            return (here,)
        if self._forwarder.is_full(state, record.size_bytes):
            refused = int(Refusal.STORE_FULL)
            return (
                *self._forwarder.refuse_full(state),
                BundleDropped(bundle.key, record.kind, refused, record.attachment_ids),
            )
        state.counters.bundles_made_count += 1
        carried = Carried(
            bundle,
            b"",
            record.body,
            record.attachment_ids,
            record.size_bytes,
            custody.expiry_tai_ns(bundle),
            record.wants_acknowledgement,
        )
        return self._forwarder.hold(state, carried, now_obt_ns)

    def _take_arrived(self, record: BundleArrived, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        bundle = record.bundle
        drop = DropContent(record.content_id)
        if bundle.destination_id == self._node_id:
            return self._deliver(record, drop)
        held = state.held.get(bundle.key)
        if held is not None:
            return self._take_again(held, record, drop, now_obt_ns)
        expiry = custody.expiry_tai_ns(bundle)
        carried = Carried(
            bundle, record.content_id, b"", (), record.size_bytes, expiry, came_from_id=record.peer_id
        )
        if expiry <= now_obt_ns + state.tai_minus_obt_ns:
            return (*self._forwarder.note_dropped(state, carried, Refusal.LIFETIME_PASSED), drop)
        if bundle.hop_count >= HOP_LIMIT:
            return (*self._forwarder.note_dropped(state, carried, Refusal.HOP_LIMIT), drop)
        if self._forwarder.is_full(state, record.size_bytes):
            return (*self._forwarder.refuse_full(state), drop)
        state.counters.bundles_relayed_count += 1
        return self._forwarder.hold(state, carried, now_obt_ns)

    def _deliver(self, record: BundleArrived, drop: DropContent) -> Sequence[Record]:
        """Open a bundle for this node, once; but a product again, since its acknowledgement may have been lost.

        The acceptor of products accepts each content once and acknowledges each arrival.
        """
        state = self.state
        key = record.bundle.key
        if key in state.seen:
            state.counters.duplicates_count += 1
            if record.bundle.kind != BundleKind.PRODUCT:
                return (drop,)
        else:
            state.seen[key] = None
            if len(state.seen) > SEEN_COUNT_MAX:
                del state.seen[next(iter(state.seen))]
            state.counters.bundles_delivered_count += 1
        return (OpenBundle(record.bundle, record.content_id),)

    def _take_again(
        self, held: Carried, record: BundleArrived, drop: DropContent, now_obt_ns: int
    ) -> Sequence[Record]:
        """A bundle that is already held: a second copy, or one that a neighbour could not bring further."""
        self.state.counters.duplicates_count += 1
        out: list[Record] = [] if record.content_id == held.content_id else [drop]
        if held.custody is Custody.FORWARDING and held.hop_id == record.peer_id:
            held.came_back = True
            held.bundle = record.bundle
        elif held.custody is Custody.UNCONFIRMED:
            held.bundle = record.bundle
            held.came_from_id = record.peer_id
            out.extend(self._forwarder.queue(self.state, held, now_obt_ns))
        return out

    def _take_repeated(self, record: BundleRepeated, now_obt_ns: int) -> Sequence[Record]:
        """Bytes that came again leave the store, unless they are those of a bundle still held."""
        held = self.state.held.get(record.bundle_key)
        if held is not None and held.content_id == record.content_id:
            return ()
        return (DropContent(record.content_id),)

    # --- bundles out ----------------------------------------------------------------------------------------

    def _take_forwarded(self, record: BundleForwarded, now_obt_ns: int) -> Sequence[Record]:
        carried = self._forwarder.end_hop(self.state, record.bundle_key, record.peer_id)
        if carried is None:
            return ()
        state = self.state
        state.counters.bundles_forwarded_count += 1
        if carried.came_back and not carried.confirmed:
            carried.came_from_id = record.peer_id
            return self._forwarder.queue(state, carried, now_obt_ns)
        if carried.confirmed or not carried.wants_acknowledgement:
            return [
                *self._forwarder.release(state, carried),
                *self._forwarder.dispatch(state, now_obt_ns),
            ]
        carried.custody = Custody.UNCONFIRMED
        route = state.routes.get(custody.queue_name(carried))
        on_the_way_ns = 0 if route is None else route.arrival_tai_ns - now_obt_ns - state.tai_minus_obt_ns
        patience_ns = min(RESEND_NS_MIN << min(carried.resend_count, 8), RESEND_NS_MAX)
        carried.resend_due_obt_ns = now_obt_ns + max(0, on_the_way_ns) + patience_ns
        state.ask(carried.resend_due_obt_ns)
        state.ask(carried.expiry_tai_ns - state.tai_minus_obt_ns)
        return self._forwarder.dispatch(state, now_obt_ns)

    def _take_returned(self, record: BundleReturned, now_obt_ns: int) -> Sequence[Record]:
        carried = self._forwarder.end_hop(self.state, record.bundle_key, record.peer_id)
        if carried is None:
            return ()
        state = self.state
        state.counters.bundles_returned_count += 1
        if carried.confirmed:
            return [
                *self._forwarder.release(state, carried),
                *self._forwarder.dispatch(state, now_obt_ns),
            ]
        if record.refusal == Refusal.UNKNOWN_CONTENT:
            return [
                *self._forwarder.drop(state, carried, Refusal.UNKNOWN_CONTENT),
                *self._forwarder.dispatch(state, now_obt_ns),
            ]
        if carried.came_back:
            carried.came_from_id = record.peer_id
        self._router.pause(state, record.peer_id, now_obt_ns)
        state.ask(carried.expiry_tai_ns - state.tai_minus_obt_ns)
        return self._forwarder.queue(state, carried, now_obt_ns)

    def _confirm(self, record: ConfirmDelivery, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        carried = state.held.get(record.bundle_key)
        if carried is None:
            state.counters.records_unknown_count += 1
            return ()
        state.counters.bundles_confirmed_count += 1
        if carried.custody is Custody.FORWARDING:
            carried.confirmed = True
            return ()
        if carried.custody is Custody.WAITING:
            custody.take_from_queue(state.queues, carried)
        return self._forwarder.release(state, carried)

    # --- what others tell -----------------------------------------------------------------------------------

    def _boot(self, record: NodeBooted, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.next_sequence = max(state.next_sequence, record.boot_count << 32)
        state.booted_obt_ns = now_obt_ns
        return ()

    def _take_time(self, record: TimeSampled, now_obt_ns: int) -> Sequence[Record]:
        self.state.tai_minus_obt_ns = record.tai_minus_obt_ns
        return ()

    def _take_plan(self, record: ContactPlanActivated, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.plan = msgspec.msgpack.encode(record.plan)
        state.contact_count = len(record.plan.contacts)
        state.counters.plans_activated_count += 1
        state.excluded = {}
        self._router.forget(state)
        return self._forwarder.dispatch(state, now_obt_ns)

    def _open_link(self, record: LinkOpened, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.links_open[record.peer_id] = None
        state.paused.pop(record.peer_id, None)
        if state.excluded.pop(record.peer_id, None) is not None:
            self._router.forget(state)
        return self._forwarder.dispatch(state, now_obt_ns)

    def _close_link(self, record: LinkClosed, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.links_open.pop(record.peer_id, None)
        out: list[Record] = []
        if not record.planned:
            out.extend(self._router.exclude_until_contact_ends(state, record.peer_id, now_obt_ns))
        out.extend(self._forwarder.dispatch(state, now_obt_ns))
        return out

    def _declare(self, record: PeerDeclared, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.declared[record.peer_id] = None
        self._router.forget(state)
        return self._forwarder.dispatch(state, now_obt_ns)

    def _recover(self, record: PeerRecovered, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.declared.pop(record.peer_id, None)
        self._router.forget(state)
        return self._forwarder.dispatch(state, now_obt_ns)

    # --- time -----------------------------------------------------------------------------------------------

    def _wake(self, record: WakeupReached, now_obt_ns: int) -> Sequence[Record]:
        """End lifetimes, send again what was not confirmed, route again; then ask for the next time."""
        state = self.state
        out: list[Record] = []
        now_tai_ns = now_obt_ns + state.tai_minus_obt_ns
        state.wakeup_obt_ns = NEVER_NS
        for carried in list(state.held.values()):
            if carried.custody is Custody.FORWARDING:
                continue
            if carried.expiry_tai_ns <= now_tai_ns:
                if carried.custody is Custody.WAITING:
                    custody.take_from_queue(state.queues, carried)
                out.extend(self._forwarder.drop(state, carried, Refusal.LIFETIME_PASSED))
                continue
            state.ask(carried.expiry_tai_ns - state.tai_minus_obt_ns)
            if carried.custody is Custody.UNCONFIRMED:
                if carried.resend_due_obt_ns > now_obt_ns:
                    state.ask(carried.resend_due_obt_ns)
                else:
                    out.append(self._send_again(carried))
        out.extend(self._forwarder.dispatch(state, now_obt_ns))
        return out

    def _send_again(self, carried: Carried) -> ReportEvent:
        """Put an unconfirmed bundle back into its queue, as new."""
        carried.resend_count += 1
        carried.resend_due_obt_ns = NEVER_NS
        carried.came_from_id = 0
        carried.bundle = msgspec.structs.replace(carried.bundle, hop_count=0)
        carried.custody = Custody.WAITING
        custody.put_in_queue(self.state.queues, carried)
        self.state.counters.bundles_sent_again_count += 1
        return ReportEvent(BUNDLE_SENT_AGAIN.id, (*carried.bundle.key, carried.bundle.kind))

    def _reset_counters(self, record: ResetCounters, now_obt_ns: int) -> Sequence[Record]:
        self.state.counters = NetworkCounters()
        return ()
