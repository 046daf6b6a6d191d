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
from heapq import heapify, heappop, heappush
from typing import Any, Final

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.ports import DropContent, NodeBooted, TimeSampled
from flightos.core.records import Record, ServiceState, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NEVER_NS, NS_PER_MS, NS_PER_S
from flightos.services.commanding.interface import ResetCounters
from flightos.services.health.interface import PeerDeclared, PeerRecovered
from flightos.services.links.interface import (
    BundleArrived,
    BundleForwarded,
    BundleHeader,
    BundleRepeated,
    BundleReturned,
    ForwardBundle,
    HoldOffRelays,
    LinkClosed,
    LinkOpened,
)
from flightos.services.network import custody
from flightos.services.network.custody import BundleKey, Carried, Custody, QueueKey, QueueName
from flightos.services.network.interface import (
    BUNDLE_DROPPED_EVENT,
    BUNDLE_SENT_AGAIN,
    BUNDLE_STORE_FULL,
    NEIGHBOUR_EXCLUDED,
    BundleDelivered,
    BundleDropped,
    BundleKind,
    ConfirmDelivery,
    ContactPlan,
    ContactPlanActivated,
    NetworkHousekeeping,
    OpenBundle,
    SendBundle,
)
from flightos.services.network.routes import PlanIndex, Route, contact_at, find_route, index_plan
from flightos.services.telemetry.interface import ReportEvent
from flightos.wire.bundle import HOP_LIMIT

HELD_COUNT_MAX: Final = 1024
HELD_BYTES_MAX: Final = 4 * 1024 * 1024 * 1024
"""Bundles of others and of this node together; the store itself is larger, the rest is for tiles and products."""
HANDED_COUNT_MAX: Final = 32
"""Bundles handed to one link and not acknowledged: twice its window, so that the link never runs dry."""
SEEN_COUNT_MAX: Final = 4096
GRACE_NS: Final = 30 * NS_PER_S
"""A contact that has not become a link after this long (twice an acquisition) is avoided."""
RESEND_NS_MIN: Final = 120 * NS_PER_S
RESEND_NS_MAX: Final = 1800 * NS_PER_S
RETRY_NS: Final = NS_PER_S
"""Pause after a link returned a bundle although it is open."""


class NetworkCounters(msgspec.Struct, array_like=True):
    """Counters of `NetworkHousekeeping`, in its order."""

    bundles_made_count: int = 0
    bundles_delivered_count: int = 0
    bundles_relayed_count: int = 0
    bundles_forwarded_count: int = 0
    bundles_returned_count: int = 0
    bundles_confirmed_count: int = 0
    bundles_sent_again_count: int = 0
    duplicates_count: int = 0
    refused_store_full_count: int = 0
    dropped_lifetime_count: int = 0
    dropped_hop_limit_count: int = 0
    dropped_missing_count: int = 0
    records_unknown_count: int = 0
    routes_computed_count: int = 0
    neighbours_excluded_count: int = 0
    plans_activated_count: int = 0


class NetworkState(ServiceState):
    """Everything that influences what `network` does; routes are derived."""

    held: dict[BundleKey, Carried] = {}
    queues: dict[QueueName, list[QueueKey]] = {}
    """Waiting bundles by (destination, neighbour they came from)."""
    held_bytes: int = 0
    seen: dict[BundleKey, None] = {}
    """Bundles delivered here, oldest first."""
    links_open: dict[int, None] = {}
    handed_count: dict[int, int] = {}
    """By neighbour."""
    excluded: dict[int, int] = {}
    """Neighbours avoided as next hop, until this TAI time or until their link opens."""
    declared: dict[int, None] = {}
    paused: dict[int, int] = {}
    """Neighbours that get nothing until this on-board time, because their link returned something."""
    contact_count: int = 0
    plan: bytes = b""
    """The contact plan in force, as MessagePack: snapshots copy it, the index is derived from it."""
    next_sequence: int = 0
    booted_obt_ns: int = 0
    tai_minus_obt_ns: int = 0
    holds_off: bool = False
    wakeup_obt_ns: int = NEVER_NS
    counters: NetworkCounters = msgspec.field(default_factory=NetworkCounters)


NO_ROUTE_KNOWN: Final = Route(0, 0, 0, -1, 0, ())
"""Not computed yet; None would say that there is none."""
_PLAN_DECODER: Final = msgspec.msgpack.Decoder(ContactPlan)
_PLAN_ENCODER: Final = msgspec.msgpack.Encoder()


class NetworkService:
    """Store and forward of one node; see the module's theory of operation."""

    name: Final = "network"

    def __init__(self, configuration: NodeConfiguration) -> None:
        self._node_id = configuration.node_id
        self._crossing_ns = configuration.modem_latency_ns
        self.state = NetworkState()
        self._index = PlanIndex({})
        self._indexed_plan = b""
        self._routes: dict[QueueName, Route | None] = {}
        self._on: dict[type[Record], Callable[[Any, int], Sequence[Record]]] = {
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
        return self._on[type(record)](record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """When a lifetime may end, a route may change or a bundle is to be sent again; None while idle."""
        due = self.state.wakeup_obt_ns
        return None if due == NEVER_NS else due

    def housekeeping(self) -> NetworkHousekeeping:
        """Counters and levels."""
        state = self.state
        waiting = sum(len(queue) for queue in state.queues.values())
        forwarding = sum(state.handed_count.values())
        values: tuple[int, ...] = (
            *msgspec.structs.astuple(state.counters),
            waiting,
            forwarding,
            len(state.held) - waiting - forwarding,
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
        if self._is_full(record.size_bytes):
            refused = int(Refusal.STORE_FULL)
            return (
                *self._refuse_full(),
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
        return self._hold(carried, now_obt_ns)

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
            return (*self._note_dropped(carried, Refusal.LIFETIME_PASSED), drop)
        if bundle.hop_count >= HOP_LIMIT:
            return (*self._note_dropped(carried, Refusal.HOP_LIMIT), drop)
        if self._is_full(record.size_bytes):
            return (*self._refuse_full(), drop)
        state.counters.bundles_relayed_count += 1
        return self._hold(carried, now_obt_ns)

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
            out.extend(self._queue(held, now_obt_ns))
        return out

    def _take_repeated(self, record: BundleRepeated, now_obt_ns: int) -> Sequence[Record]:
        """Bytes that came again leave the store, unless they are those of a bundle still held."""
        held = self.state.held.get(record.bundle_key)
        if held is not None and held.content_id == record.content_id:
            return ()
        return (DropContent(record.content_id),)

    def _hold(self, carried: Carried, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.held[carried.bundle.key] = carried
        state.held_bytes += carried.size_bytes
        self._ask(carried.expiry_tai_ns - state.tai_minus_obt_ns)
        out = self._queue(carried, now_obt_ns)
        if not state.holds_off and self._is_full(0):
            state.holds_off = True
            out.append(HoldOffRelays(True))
        return out

    # --- bundles out ----------------------------------------------------------------------------------------

    def _queue(self, carried: Carried, now_obt_ns: int) -> list[Record]:
        """Make a bundle wait, and let go what may leave now."""
        carried.custody = Custody.WAITING
        carried.hop_id = 0
        carried.came_back = False
        custody.put_in_queue(self.state.queues, carried)
        return self._dispatch(now_obt_ns)

    def _dispatch(self, now_obt_ns: int) -> list[Record]:
        """Hand waiting bundles to open links, most urgent and oldest first, as far as the links' limits allow."""
        state = self.state
        queues = state.queues
        if not queues:
            return []
        if state.excluded:
            self._end_exclusions(now_obt_ns)
        out: list[Record] = []
        heads: list[tuple[QueueKey, QueueName, int]] = []
        for name in sorted(queues):
            hop = self._next_hop(name, now_obt_ns, out)
            if hop:
                heads.append((queues[name][0], name, hop))
        heapify(heads)
        while heads:
            key, name, hop = heappop(heads)
            if state.handed_count.get(hop, 0) >= HANDED_COUNT_MAX:
                continue
            carried = state.held[custody.key_of(key)]
            custody.take_from_queue(queues, carried)
            out.append(self._hand(carried, hop))
            if name in queues:
                heappush(heads, (queues[name][0], name, hop))
        return out

    def _hand(self, carried: Carried, hop_id: int) -> ForwardBundle:
        carried.custody = Custody.FORWARDING
        carried.hop_id = hop_id
        handed = self.state.handed_count
        handed[hop_id] = handed.get(hop_id, 0) + 1
        bundle = carried.bundle
        header = BundleHeader(
            bundle.source_id,
            bundle.creation_dtn_ms,
            bundle.sequence,
            bundle.destination_id,
            bundle.lifetime_ms,
            bundle.kind,
            bundle.priority,
            bundle.hop_count + 1,
        )
        return ForwardBundle(
            hop_id, header, carried.content_id, carried.body, carried.attachment_ids, carried.size_bytes
        )

    def _take_forwarded(self, record: BundleForwarded, now_obt_ns: int) -> Sequence[Record]:
        carried = self._end_hop(record.bundle_key, record.peer_id)
        if carried is None:
            return ()
        state = self.state
        state.counters.bundles_forwarded_count += 1
        if carried.came_back:
            carried.came_from_id = record.peer_id
            return self._queue(carried, now_obt_ns)
        if not carried.wants_acknowledgement or carried.confirmed:
            return [*self._release(carried), *self._dispatch(now_obt_ns)]
        carried.custody = Custody.UNCONFIRMED
        route = self._routes.get(custody.queue_name(carried))
        on_the_way_ns = 0 if route is None else route.arrival_tai_ns - now_obt_ns - state.tai_minus_obt_ns
        patience_ns = min(RESEND_NS_MIN << min(carried.resend_count, 8), RESEND_NS_MAX)
        carried.resend_due_obt_ns = now_obt_ns + max(0, on_the_way_ns) + patience_ns
        self._ask(carried.resend_due_obt_ns)
        return self._dispatch(now_obt_ns)

    def _take_returned(self, record: BundleReturned, now_obt_ns: int) -> Sequence[Record]:
        carried = self._end_hop(record.bundle_key, record.peer_id)
        if carried is None:
            return ()
        state = self.state
        state.counters.bundles_returned_count += 1
        if carried.confirmed:
            return [*self._release(carried), *self._dispatch(now_obt_ns)]
        if record.refusal == Refusal.UNKNOWN_CONTENT:
            return [*self._drop(carried, Refusal.UNKNOWN_CONTENT), *self._dispatch(now_obt_ns)]
        if carried.came_back:
            carried.came_from_id = record.peer_id
        state.paused[record.peer_id] = now_obt_ns + RETRY_NS
        self._ask(now_obt_ns + RETRY_NS)
        self._ask(carried.expiry_tai_ns - state.tai_minus_obt_ns)
        return self._queue(carried, now_obt_ns)

    def _end_hop(self, key: BundleKey, peer_id: int) -> Carried | None:
        """Take back a bundle that was handed to a link; None (counted) when it was not."""
        state = self.state
        carried = state.held.get(key)
        if carried is None or carried.custody is not Custody.FORWARDING or carried.hop_id != peer_id:
            state.counters.records_unknown_count += 1
            return None
        state.handed_count[peer_id] -= 1
        return carried

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
        return self._release(carried)

    # --- end of a bundle ------------------------------------------------------------------------------------

    def _release(self, carried: Carried) -> list[Record]:
        """Forget a bundle that is in no queue; a relay's copy leaves the store."""
        state = self.state
        del state.held[carried.bundle.key]
        state.held_bytes -= carried.size_bytes
        out: list[Record] = []
        if carried.content_id:
            out.append(DropContent(carried.content_id))
        if (
            state.holds_off
            and len(state.held) <= HELD_COUNT_MAX * 7 // 8
            and not self._is_full(HELD_BYTES_MAX // 8)
        ):
            state.holds_off = False
            out.append(HoldOffRelays(False))
        if not state.held:
            state.wakeup_obt_ns = NEVER_NS
        return out

    def _drop(self, carried: Carried, refusal: Refusal) -> list[Record]:
        """Give a held bundle up."""
        out = [*self._note_dropped(carried, refusal), *self._release(carried)]
        if carried.bundle.source_id == self._node_id:
            kind = BundleKind(carried.bundle.kind)
            out.append(BundleDropped(carried.bundle.key, kind, int(refusal), carried.attachment_ids))
        return out

    def _note_dropped(self, carried: Carried, refusal: Refusal) -> list[Record]:
        counters = self.state.counters
        if refusal is Refusal.LIFETIME_PASSED:
            counters.dropped_lifetime_count += 1
        elif refusal is Refusal.HOP_LIMIT:
            counters.dropped_hop_limit_count += 1
        else:
            counters.dropped_missing_count += 1
        values = (*carried.bundle.key, carried.bundle.kind, int(refusal))
        return [ReportEvent(BUNDLE_DROPPED_EVENT.id, values)]

    def _is_full(self, size_bytes: int) -> bool:
        state = self.state
        return len(state.held) >= HELD_COUNT_MAX or state.held_bytes + size_bytes >= HELD_BYTES_MAX

    def _refuse_full(self) -> list[Record]:
        state = self.state
        state.counters.refused_store_full_count += 1
        return [ReportEvent(BUNDLE_STORE_FULL.id, (len(state.held), state.held_bytes))]

    # --- routes ---------------------------------------------------------------------------------------------

    def _next_hop(self, name: QueueName, now_obt_ns: int, out: list[Record]) -> int:
        """The neighbour to whom bundles of this queue may be handed now; 0 = they wait."""
        state = self.state
        now_tai_ns = now_obt_ns + state.tai_minus_obt_ns
        while True:
            route = self._route(name, now_tai_ns)
            if route is None:
                return 0
            hop = route.next_hop_id
            if hop in state.links_open:
                return 0 if state.paused and self._is_paused(hop, now_obt_ns) else hop
            opening_tai_ns = max(route.start_tai_ns, state.booted_obt_ns + state.tai_minus_obt_ns)
            deadline_tai_ns = opening_tai_ns + GRACE_NS
            if now_tai_ns < deadline_tai_ns:
                self._ask(deadline_tai_ns - state.tai_minus_obt_ns)
                return 0
            out.extend(self._exclude(hop, route.stop_tai_ns))

    def _route(self, name: QueueName, now_tai_ns: int) -> Route | None:
        """The route of a queue, from the cache while it stays right."""
        state = self.state
        self._plan_index()
        route = self._routes.get(name, NO_ROUTE_KNOWN)
        if route is not NO_ROUTE_KNOWN and (route is None or now_tai_ns <= route.leave_by_tai_ns):
            return route
        destination_id, came_from_id = name
        state.counters.routes_computed_count += 1
        avoided = [*state.excluded, came_from_id] if came_from_id else list(state.excluded)
        route = self._find(destination_id, now_tai_ns, avoided)
        if route is None and came_from_id:
            route = self._find(destination_id, now_tai_ns, list(state.excluded))
        self._routes[name] = route
        return route

    def _plan_index(self) -> PlanIndex:
        """The index of the plan in force; made when the plan changed, also by a restored snapshot."""
        plan = self.state.plan
        if self._indexed_plan is not plan:
            self._index = index_plan(_PLAN_DECODER.decode(plan).contacts if plan else ())
            self._indexed_plan = plan
            self._routes = {}
        return self._index

    def _find(self, destination_id: int, now_tai_ns: int, avoided: list[int]) -> Route | None:
        return find_route(
            self._index,
            self._node_id,
            destination_id,
            now_tai_ns,
            self._crossing_ns,
            avoided,
            self.state.declared,
        )

    def _exclude(self, peer_id: int, until_tai_ns: int) -> list[Record]:
        state = self.state
        state.excluded[peer_id] = until_tai_ns
        state.counters.neighbours_excluded_count += 1
        self._routes = {}
        self._ask(until_tai_ns - state.tai_minus_obt_ns)
        return [ReportEvent(NEIGHBOUR_EXCLUDED.id, (peer_id,))]

    def _end_exclusions(self, now_obt_ns: int) -> None:
        state = self.state
        now_tai_ns = now_obt_ns + state.tai_minus_obt_ns
        for peer_id, until_tai_ns in list(state.excluded.items()):
            if until_tai_ns <= now_tai_ns:
                del state.excluded[peer_id]
                self._routes = {}
            else:
                self._ask(until_tai_ns - state.tai_minus_obt_ns)

    def _is_paused(self, peer_id: int, now_obt_ns: int) -> bool:
        paused = self.state.paused
        until_obt_ns = paused.get(peer_id)
        if until_obt_ns is None:
            return False
        if now_obt_ns >= until_obt_ns:
            del paused[peer_id]
            return False
        self._ask(until_obt_ns)
        return True

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
        state.plan = _PLAN_ENCODER.encode(record.plan)
        state.contact_count = len(record.plan.contacts)
        state.counters.plans_activated_count += 1
        state.excluded = {}
        self._routes = {}
        return self._dispatch(now_obt_ns)

    def _open_link(self, record: LinkOpened, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.links_open[record.peer_id] = None
        state.paused.pop(record.peer_id, None)
        if state.excluded.pop(record.peer_id, None) is not None:
            self._routes = {}
        return self._dispatch(now_obt_ns)

    def _close_link(self, record: LinkClosed, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.links_open.pop(record.peer_id, None)
        out: list[Record] = []
        if not record.planned:
            now_tai_ns = now_obt_ns + state.tai_minus_obt_ns
            contact = contact_at(self._plan_index(), self._node_id, record.peer_id, now_tai_ns)
            if contact is not None:
                out.extend(self._exclude(record.peer_id, contact.stop_tai_ns))
        out.extend(self._dispatch(now_obt_ns))
        return out

    def _declare(self, record: PeerDeclared, now_obt_ns: int) -> Sequence[Record]:
        self.state.declared[record.peer_id] = None
        self._routes = {}
        return self._dispatch(now_obt_ns)

    def _recover(self, record: PeerRecovered, now_obt_ns: int) -> Sequence[Record]:
        self.state.declared.pop(record.peer_id, None)
        self._routes = {}
        return self._dispatch(now_obt_ns)

    # --- time -----------------------------------------------------------------------------------------------

    def _ask(self, due_obt_ns: int) -> None:
        """Be woken not later than this."""
        if due_obt_ns < self.state.wakeup_obt_ns:
            self.state.wakeup_obt_ns = due_obt_ns

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
                out.extend(self._drop(carried, Refusal.LIFETIME_PASSED))
                continue
            self._ask(carried.expiry_tai_ns - state.tai_minus_obt_ns)
            if carried.custody is Custody.UNCONFIRMED:
                if carried.resend_due_obt_ns > now_obt_ns:
                    self._ask(carried.resend_due_obt_ns)
                else:
                    out.append(self._send_again(carried))
        out.extend(self._dispatch(now_obt_ns))
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
