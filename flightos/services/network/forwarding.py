"""Forwarding: which bundle is held, which leaves next and to whom, and how each ends here.

Theory of operation. Bundles wait in their queues (custody.py) until the router names a next hop whose link is open;
then they are handed to `links`, the most urgent and oldest first, at most `HANDED_COUNT_MAX` per neighbour at a
time. When the table of held bundles is full, `links` is told to hold off relays: a neighbour that gets no
acknowledgement keeps its bundle and tries another way, which is better than to take it and lose it.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heapify, heappop, heappush

from flightos.core.ports import DropContent
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.core.time import NEVER_NS
from flightos.services.links.interface import BundleHeader, ForwardBundle, HoldOffRelays
from flightos.services.network import custody
from flightos.services.network.custody import BundleKey, Carried, Custody, QueueKey, QueueName
from flightos.services.network.interface import (
    BUNDLE_DROPPED_EVENT,
    BUNDLE_STORE_FULL,
    BundleDropped,
    BundleKind,
)
from flightos.services.network.routing import Router
from flightos.services.network.state import HANDED_COUNT_MAX, HELD_BYTES_MAX, HELD_COUNT_MAX, NetworkState
from flightos.services.telemetry.interface import ReportEvent


class Forwarder:
    """What is done with held bundles; every method is given the service's state."""

    def __init__(self, node_id: int, router: Router) -> None:
        self._node_id = node_id
        self._router = router

    def hold(self, state: NetworkState, carried: Carried, now_obt_ns: int) -> Sequence[Record]:
        """Take a bundle into the table (the caller saw room), and let it go on if it may."""
        state.held[carried.bundle.key] = carried
        state.held_bytes += carried.size_bytes
        state.ask(carried.expiry_tai_ns - state.tai_minus_obt_ns)
        out = self.queue(state, carried, now_obt_ns)
        if not state.holds_off and self.is_full(state, 0):
            state.holds_off = True
            out.append(HoldOffRelays(True))
        return out

    def queue(self, state: NetworkState, carried: Carried, now_obt_ns: int) -> list[Record]:
        """Make a bundle wait, and let go what may leave now."""
        carried.custody = Custody.WAITING
        carried.hop_id = 0
        carried.came_back = False
        custody.put_in_queue(state.queues, carried)
        return self.dispatch(state, now_obt_ns)

    def dispatch(self, state: NetworkState, now_obt_ns: int) -> list[Record]:
        """Hand waiting bundles to open links, most urgent and oldest first, as far as the links' limits allow."""
        queues = state.queues
        if not queues:
            return []
        if state.excluded:
            self._router.end_exclusions(state, now_obt_ns)
        out: list[Record] = []
        heads: list[tuple[QueueKey, QueueName, int]] = []
        for name in sorted(queues):
            hop = self._router.next_hop(state, name, now_obt_ns, out)
            if hop:
                heads.append((queues[name][0], name, hop))
        heapify(heads)
        while heads:
            key, name, hop = heappop(heads)
            if state.handed_count.get(hop, 0) >= HANDED_COUNT_MAX:
                continue
            carried = state.held[custody.key_of(key)]
            custody.take_from_queue(queues, carried)
            out.append(self.hand(state, carried, hop))
            if name in queues:
                heappush(heads, (queues[name][0], name, hop))
        return out

    def hand(self, state: NetworkState, carried: Carried, hop_id: int) -> ForwardBundle:
        """The request that hands a bundle to a link; its hop is counted here (RFC 9171, 4.4.3)."""
        carried.custody = Custody.FORWARDING
        carried.hop_id = hop_id
        handed = state.handed_count
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

    def end_hop(self, state: NetworkState, key: BundleKey, peer_id: int) -> Carried | None:
        """Take back a bundle that was handed to a link; None (counted) when it was not."""
        carried = state.held.get(key)
        if carried is None or carried.custody is not Custody.FORWARDING or carried.hop_id != peer_id:
            state.counters.records_unknown_count += 1
            return None
        state.handed_count[peer_id] -= 1
        return carried

    def release(self, state: NetworkState, carried: Carried) -> list[Record]:
        """Forget a bundle that is in no queue; a relay's copy leaves the store."""
        del state.held[carried.bundle.key]
        state.held_bytes -= carried.size_bytes
        out: list[Record] = []
        if carried.content_id:
            out.append(DropContent(carried.content_id))
        if (
            state.holds_off
            and len(state.held) <= HELD_COUNT_MAX * 7 // 8
            and not self.is_full(state, HELD_BYTES_MAX // 8)
        ):
            state.holds_off = False
            out.append(HoldOffRelays(False))
        if not state.held:
            state.wakeup_obt_ns = NEVER_NS
        return out

    def drop(self, state: NetworkState, carried: Carried, refusal: Refusal) -> list[Record]:
        """Give a held bundle up."""
        out = [*self.note_dropped(state, carried, refusal), *self.release(state, carried)]
        if carried.bundle.source_id == self._node_id:
            kind = BundleKind(carried.bundle.kind)
            out.append(BundleDropped(carried.bundle.key, kind, int(refusal), carried.attachment_ids))
        return out

    def note_dropped(self, state: NetworkState, carried: Carried, refusal: Refusal) -> list[Record]:
        """Count and report a bundle that ends here."""
        counters = state.counters
        if refusal is Refusal.LIFETIME_PASSED:
            counters.dropped_lifetime_count += 1
        elif refusal is Refusal.HOP_LIMIT:
            counters.dropped_hop_limit_count += 1
        else:
            counters.dropped_missing_count += 1
        values = (*carried.bundle.key, carried.bundle.kind, int(refusal))
        return [ReportEvent(BUNDLE_DROPPED_EVENT.id, values)]

    def is_full(self, state: NetworkState, size_bytes: int) -> bool:
        """True when the table of held bundles has no room for one more of this size."""
        return len(state.held) >= HELD_COUNT_MAX or state.held_bytes + size_bytes >= HELD_BYTES_MAX

    def refuse_full(self, state: NetworkState) -> list[Record]:
        """Count and report a bundle for which there was no room."""
        state.counters.refused_store_full_count += 1
        return [ReportEvent(BUNDLE_STORE_FULL.id, (len(state.held), state.held_bytes))]
