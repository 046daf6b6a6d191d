"""Next hops: the routes of a node's queues, what is left out of them, and for how long.

Theory of operation. A route is asked for per queue (destination, neighbour the bundles came from) and kept while it
stays right (routes.py). Left out as a next hop are the neighbour a bundle came from, while another way exists, and
*excluded* neighbours: those whose link was lost in the middle of a contact, or never opened within `GRACE_NS` of its
start; until the link opens or that contact is over. Peers that health declared dead are left out altogether. A
*paused* neighbour (its link just returned something) keeps its routes and gets nothing for `RETRY_NS`.
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final

import msgspec

from flightos.core.records import Record
from flightos.services.network.custody import QueueName
from flightos.services.network.interface import NEIGHBOUR_EXCLUDED, ContactPlan
from flightos.services.network.routes import PlanIndex, Route, contact_at, find_route, index_plan
from flightos.services.network.state import GRACE_NS, RETRY_NS, NetworkState
from flightos.services.telemetry.interface import ReportEvent

NO_ROUTE_KNOWN: Final = Route(0, 0, 0, -1, 0, ())
"""Not computed yet; None would say that there is none."""
_PLAN_DECODER: Final = msgspec.msgpack.Decoder(ContactPlan)


class Router:
    """Routes of one node; every method is given the service's state, where routes are kept too.

    They are kept there and not here because a route may stay in use when a fresh search would find another of the
    same worth: a restored node must go on with the routes of the original.
    """

    def __init__(self, node_id: int, crossing_ns: int) -> None:
        self._node_id = node_id
        self._crossing_ns = crossing_ns
        self._index = PlanIndex({})
        self._indexed_plan = b""

    def forget(self, state: NetworkState) -> None:
        """A fact changed the topology: compute every route again when it is needed."""
        state.routes = {}

    def next_hop(self, state: NetworkState, name: QueueName, now_obt_ns: int, out: list[Record]) -> int:
        """The neighbour to whom bundles of this queue may be handed now; 0 = they wait.

        Events about neighbours that it found to exclude go to `out`.
        """
        now_tai_ns = now_obt_ns + state.tai_minus_obt_ns
        while True:
            route = self._route(state, name, now_tai_ns)
            if route is None:
                return 0
            hop = route.next_hop_id
            if hop in state.links_open:
                return 0 if state.paused and self._is_paused(state, hop, now_obt_ns) else hop
            opening_tai_ns = max(route.start_tai_ns, state.booted_obt_ns + state.tai_minus_obt_ns)
            deadline_tai_ns = opening_tai_ns + GRACE_NS
            if now_tai_ns < deadline_tai_ns:
                state.ask(deadline_tai_ns - state.tai_minus_obt_ns)
                return 0
            out.append(self._exclude(state, hop, route.stop_tai_ns))

    def exclude_until_contact_ends(self, state: NetworkState, peer_id: int, now_obt_ns: int) -> list[Record]:
        """Leave out a neighbour that was lost in the middle of a contact; outside of one there is nothing to do."""
        now_tai_ns = now_obt_ns + state.tai_minus_obt_ns
        contact = contact_at(self._plan_index(state), self._node_id, peer_id, now_tai_ns)
        return [] if contact is None else [self._exclude(state, peer_id, contact.stop_tai_ns)]

    def end_exclusions(self, state: NetworkState, now_obt_ns: int) -> None:
        """Forget the exclusions whose contact is over."""
        now_tai_ns = now_obt_ns + state.tai_minus_obt_ns
        for peer_id, until_tai_ns in list(state.excluded.items()):
            if until_tai_ns <= now_tai_ns:
                del state.excluded[peer_id]
                self.forget(state)
            else:
                state.ask(until_tai_ns - state.tai_minus_obt_ns)

    def pause(self, state: NetworkState, peer_id: int, now_obt_ns: int) -> None:
        """Hand nothing to this neighbour for a moment."""
        state.paused[peer_id] = now_obt_ns + RETRY_NS
        state.ask(now_obt_ns + RETRY_NS)

    def _is_paused(self, state: NetworkState, peer_id: int, now_obt_ns: int) -> bool:
        until_obt_ns = state.paused.get(peer_id)
        if until_obt_ns is None:
            return False
        if now_obt_ns >= until_obt_ns:
            del state.paused[peer_id]
            return False
        state.ask(until_obt_ns)
        return True

    def _exclude(self, state: NetworkState, peer_id: int, until_tai_ns: int) -> ReportEvent:
        state.excluded[peer_id] = until_tai_ns
        state.counters.neighbours_excluded_count += 1
        self.forget(state)
        state.ask(until_tai_ns - state.tai_minus_obt_ns)
        return ReportEvent(NEIGHBOUR_EXCLUDED.id, (peer_id,))

    def _route(self, state: NetworkState, name: QueueName, now_tai_ns: int) -> Route | None:
        """The route of a queue, from the cache while it stays right."""
        self._plan_index(state)
        route = state.routes.get(name, NO_ROUTE_KNOWN)
        if route is None or now_tai_ns <= route.leave_by_tai_ns:
            return route
        destination_id, came_from_id = name
        avoided = list(state.excluded)
        route = None
        if came_from_id:
            route = self._find(state, destination_id, now_tai_ns, [*avoided, came_from_id])
        if route is None:
            route = self._find(state, destination_id, now_tai_ns, avoided)
        state.routes[name] = route
        return route

    def _plan_index(self, state: NetworkState) -> PlanIndex:
        """The index of the plan in force; made when the plan changed, also by a restored snapshot."""
        plan = state.plan
        if self._indexed_plan is not plan:
            self._index = _index_of(plan)
            self._indexed_plan = plan
        return self._index

    def _find(
        self, state: NetworkState, destination_id: int, now_tai_ns: int, avoided: list[int]
    ) -> Route | None:
        state.counters.routes_computed_count += 1
        return find_route(
            self._index,
            self._node_id,
            destination_id,
            now_tai_ns,
            self._crossing_ns,
            avoided,
            state.declared,
        )


@lru_cache(maxsize=4)
def _index_of(plan: bytes) -> PlanIndex:
    """The index of an encoded plan. It is only read, so nodes of one process that fly by one plan share it."""
    return index_plan(_PLAN_DECODER.decode(plan).contacts if plan else ())
