"""Watchdog on other nodes, with the contact plan as an input.

Theory of operation. Any sign of life counts: a hello over a link, or a fresh view that came by gossip from
the other side of the ring. A peer is watched from its first sign on. Silence makes it suspected, longer
silence declared; silence counts only while the plan has the peer in contact with any satellite, and begins
anew when such a contact starts, with time to acquire. So a planned absence is not a failure, and a lost link
alone is none either. Stations and the ground are watched only while a link to them is open, and never
declared. Deadlines are looked at lazily: signs of life only move them away, so the earliest one is a safe
time for the next look.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache
from typing import Final

import msgspec

from flightos.core.configuration import HealthConfiguration
from flightos.core.ids import is_satellite
from flightos.core.time import NEVER_NS, NS_PER_S
from flightos.services.network.interface import ContactPlan

PEER_COUNT_MAX: Final = 2_000
"""All ids that a constellation and its stations can have."""
HOP_TOLERANCE_NS: Final = NS_PER_S
"""Gossip moves on at 1 Hz: each hop may add a second to its age."""
REACQUISITION_NS: Final = 30 * NS_PER_S
"""Twice the 15 s of a laser acquisition, from the planned start of a contact."""

Intervals = tuple[tuple[int, int], ...]


class PeerState(IntEnum):
    """What is believed of a peer."""

    WATCHED = 0
    SUSPECTED = 1
    DECLARED = 2


class Peer(msgspec.Struct, array_like=True):
    """One watched peer. `linked` matters for stations and ground only."""

    seen_obt_ns: int
    boot_count: int
    hop_count: int = 0
    state: PeerState = PeerState.WATCHED
    linked: bool = False


@lru_cache(maxsize=8)
def planned_presence(plan: ContactPlan) -> dict[int, Intervals]:
    """For each satellite, the merged intervals [start, stop) in TAI ns in which it has a satellite to talk
    to.

    The answer is shared between callers and only read.
    """
    starts: dict[int, list[tuple[int, int]]] = {}
    for contact in plan.contacts:
        if is_satellite(contact.node_a_id) and is_satellite(contact.node_b_id):
            for node_id in (contact.node_a_id, contact.node_b_id):
                starts.setdefault(node_id, []).append((contact.start_tai_ns, contact.stop_tai_ns))
    return {node_id: merge(sorted(intervals)) for node_id, intervals in sorted(starts.items())}


def merge(intervals: list[tuple[int, int]]) -> Intervals:
    """Union of intervals that are sorted by start."""
    merged: list[tuple[int, int]] = []
    for start, stop in intervals:
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(merged[-1][1], stop))
        else:
            merged.append((start, stop))
    return tuple(merged)


def silence_begins_tai_ns(presence: Intervals | None, seen_tai_ns: int, now_tai_ns: int) -> int:
    """From when on silence counts against a peer, in TAI ns; NEVER_NS while the plan has it out of contact.

    `presence` is None for a peer that the plan does not name: nothing excuses it.
    """
    if presence is None:
        return seen_tai_ns
    for start_tai_ns, stop_tai_ns in presence:
        if start_tai_ns <= now_tai_ns < stop_tai_ns:
            if start_tai_ns <= seen_tai_ns:
                return seen_tai_ns
            return max(seen_tai_ns, start_tai_ns + REACQUISITION_NS)
    return NEVER_NS


def next_presence_tai_ns(presence: Intervals, now_tai_ns: int) -> int:
    """When the plan has the peer in contact again; NEVER_NS when not any more."""
    for start_tai_ns, _ in presence:
        if start_tai_ns > now_tai_ns:
            return start_tai_ns
    return NEVER_NS


def deadline_of(peer: Peer, limits: HealthConfiguration) -> int:
    """How much silence the peer's next step downward takes, in ns; NEVER_NS when there is none."""
    if peer.state is PeerState.DECLARED:
        return NEVER_NS
    limit_ns = limits.suspect_ns if peer.state is PeerState.WATCHED else limits.declare_ns
    return limit_ns + peer.hop_count * HOP_TOLERANCE_NS
