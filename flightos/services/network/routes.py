"""Routes: the earliest arrival over a contact plan, as pure functions.

Theory of operation. A contact lets frames pass both ways in [start, stop). A bundle may wait anywhere, so leaving a
node later never brings it earlier, and Dijkstra over (arrival time, node) is exact (earliest arrival over a contact
graph: CCSDS 734.3-B-1, 2.3, without volumes). One crossing costs the contact's light time and a constant, the modem
latency. Everything is integer nanoseconds of TAI; equal arrivals are ordered by hop count, then by node id.

A route stays right without being computed again until its `leave_by_tai_ns`: a path that waits for a contact still
meets that contact, and no later contact of the plan can be better, since all of them were considered; a path that
never waits is at most its own delay (well under a second) longer than the best.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from heapq import heappop, heappush
from typing import Final

import msgspec

from flightos.core.time import NEVER_NS
from flightos.services.network.interface import Contact


class Passage(msgspec.Struct, frozen=True):
    """All contacts of one pair, in order of start, seen from one end."""

    peer_id: int
    contacts: tuple[Contact, ...]
    stops_tai_ns: tuple[int, ...]
    """Latest stop of the contacts up to and with each: what may be bisected even if contacts overlap."""


class PlanIndex(msgspec.Struct, frozen=True):
    """A contact plan by node: its passages in order of the peer's id."""

    passages: dict[int, tuple[Passage, ...]]


class Route(msgspec.Struct, frozen=True, array_like=True):
    """The way of the earliest arrival from one node to one destination."""

    next_hop_id: int
    start_tai_ns: int
    """Start of the first contact ..."""
    stop_tai_ns: int
    """... and its stop."""
    leave_by_tai_ns: int
    """Until this time the route need not be computed again."""
    arrival_tai_ns: int
    node_ids: tuple[int, ...]
    """The nodes after the source, the destination included."""


NO_NODES: Final[Collection[int]] = ()


def index_plan(contacts: Collection[Contact]) -> PlanIndex:
    """Sort a plan's contacts by node and pair."""
    by_pair: dict[tuple[int, int], list[Contact]] = {}
    for contact in contacts:
        by_pair.setdefault((contact.node_a_id, contact.node_b_id), []).append(contact)
        by_pair.setdefault((contact.node_b_id, contact.node_a_id), []).append(contact)
    passages: dict[int, list[Passage]] = {}
    for pair in sorted(by_pair):
        ordered = sorted(by_pair[pair], key=lambda contact: contact.start_tai_ns)
        stops: list[int] = []
        latest = 0
        for contact in ordered:
            latest = max(latest, contact.stop_tai_ns)
            stops.append(latest)
        passages.setdefault(pair[0], []).append(Passage(pair[1], tuple(ordered), tuple(stops)))
    return PlanIndex({node: tuple(passages[node]) for node in passages})


def first_crossing(passage: Passage, at_tai_ns: int, crossing_ns: int) -> tuple[int, Contact | None]:
    """Earliest arrival at the passage's peer when ready at `at_tai_ns`, and the contact it takes.

    A frame must arrive before the contact stops. (NEVER_NS, None) when no contact is left.
    """
    best = NEVER_NS
    taken: Contact | None = None
    contacts = passage.contacts
    for index in range(bisect_right(passage.stops_tai_ns, at_tai_ns), len(contacts)):
        contact = contacts[index]
        leave = contact.start_tai_ns if contact.start_tai_ns > at_tai_ns else at_tai_ns
        if leave >= best:
            break
        arrival = leave + contact.light_time_ns + crossing_ns
        if arrival < best and arrival <= contact.stop_tai_ns:
            best = arrival
            taken = contact
    return best, taken


def contact_at(index: PlanIndex, node_id: int, peer_id: int, at_tai_ns: int) -> Contact | None:
    """The contact of two nodes that covers an instant."""
    for passage in index.passages.get(node_id, ()):
        if passage.peer_id == peer_id:
            first = bisect_right(passage.stops_tai_ns, at_tai_ns)
            for contact in passage.contacts[first:]:
                if contact.start_tai_ns > at_tai_ns:
                    return None
                if contact.stop_tai_ns > at_tai_ns:
                    return contact
    return None


def find_route(
    index: PlanIndex,
    source_id: int,
    destination_id: int,
    at_tai_ns: int,
    crossing_ns: int,
    excluded_neighbours: Collection[int] = NO_NODES,
    excluded_nodes: Collection[int] = NO_NODES,
) -> Route | None:
    """The route of the earliest arrival, or None.

    `crossing_ns` is added to the light time of every contact. Excluded neighbours are not used as the first hop,
    excluded nodes not at all (unless one is the destination).
    """
    assert source_id != destination_id
    came: dict[int, tuple[int, Contact, int]] = {}
    arrivals = {source_id: at_tai_ns}
    settled: dict[int, None] = {}
    heap = [(at_tai_ns, 0, source_id)]
    while heap:
        now, hops, node = heappop(heap)
        if node in settled:
            continue
        if node == destination_id:
            return _trace(came, source_id, destination_id, now, crossing_ns)
        settled[node] = None
        for passage in index.passages.get(node, ()):
            peer = passage.peer_id
            if peer in settled or (peer in excluded_nodes and peer != destination_id):
                continue
            if node == source_id and peer in excluded_neighbours:
                continue
            arrival, contact = first_crossing(passage, now, crossing_ns)
            if contact is not None and arrival < arrivals.get(peer, NEVER_NS):
                arrivals[peer] = arrival
                came[peer] = (node, contact, now)
                heappush(heap, (arrival, hops + 1, peer))
    return None


def _trace(
    came: dict[int, tuple[int, Contact, int]],
    source_id: int,
    destination_id: int,
    arrival_tai_ns: int,
    crossing_ns: int,
) -> Route:
    """Walk back from the destination, carrying the latest time to leave each node with the same path."""
    leave_by = NEVER_NS
    nodes: list[int] = []
    node = destination_id
    contact: Contact | None = None
    while node != source_id:
        nodes.append(node)
        node, contact, ready = came[node]
        delay = contact.light_time_ns + crossing_ns
        if ready < contact.start_tai_ns:
            leave_by = contact.start_tai_ns
        else:
            leave_by = min(contact.stop_tai_ns, leave_by) - delay
    assert contact is not None
    nodes.reverse()
    return Route(nodes[0], contact.start_tai_ns, contact.stop_tai_ns, leave_by, arrival_tai_ns, tuple(nodes))
