"""The watchdog on peers: signs of life in, steps of suspicion out (theory of operation: peers.py)."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from flightos.core.configuration import HealthConfiguration
from flightos.core.ids import is_satellite
from flightos.core.records import Record
from flightos.core.time import NEVER_NS, NS_PER_S
from flightos.services.health.interface import (
    PEER_DECLARED,
    PEER_REBOOTED,
    PEER_RECOVERED,
    PEER_SUSPECTED,
    PeerDeclared,
    PeerRecovered,
    PeerSuspected,
)
from flightos.services.health.peers import (
    HOP_TOLERANCE_NS,
    PEER_COUNT_MAX,
    Peer,
    PeerState,
    deadline_of,
    next_presence_tai_ns,
    silence_begins_tai_ns,
)
from flightos.services.health.state import HealthState
from flightos.services.telemetry.interface import ReportEvent

_WATCHED: Final = PeerState.WATCHED  # looked at for every sign of life: a name costs less than a member


def look_no_later_than(state: HealthState, obt_ns: int) -> None:
    """Plan the next look at timers, rounded up to a whole second."""
    rounded_obt_ns = -(-obt_ns // NS_PER_S) * NS_PER_S
    planned = state.next_look_obt_ns
    if planned is None or rounded_obt_ns < planned:
        state.next_look_obt_ns = rounded_obt_ns


class PeerWatchdog:
    """Steps peers of `HealthState` by signs of life and by silence."""

    def __init__(self, node_id: int, limits: HealthConfiguration) -> None:
        self._node_id = node_id
        self._limits = limits

    def hear(
        self, state: HealthState, peer_id: int, boot_count: int, hop_count: int, now_obt_ns: int
    ) -> Sequence[Record]:
        """A sign of life, direct (0 hops) or by gossip."""
        peer = state.peers.get(peer_id)
        if peer is None:
            self._meet(state, peer_id, boot_count, hop_count, now_obt_ns)
            return ()
        if boot_count == peer.boot_count and peer.state is _WATCHED:
            peer.seen_obt_ns = now_obt_ns
            peer.hop_count = hop_count
            return ()
        if boot_count < peer.boot_count:
            # An old view that still travels is no sign of the present life.
            return ()
        return self._welcome(state, peer_id, peer, boot_count, hop_count, now_obt_ns)

    def _meet(
        self, state: HealthState, peer_id: int, boot_count: int, hop_count: int, now_obt_ns: int
    ) -> None:
        """The first sign of a peer: from now on it is watched."""
        if peer_id == self._node_id:
            return
        if len(state.peers) >= PEER_COUNT_MAX:
            state.peer_refused_count += 1
            return
        state.peers[peer_id] = Peer(now_obt_ns, boot_count, hop_count, linked=hop_count == 0)
        look_no_later_than(state, now_obt_ns + self._limits.suspect_ns + hop_count * HOP_TOLERANCE_NS)

    def _welcome(
        self,
        state: HealthState,
        peer_id: int,
        peer: Peer,
        boot_count: int,
        hop_count: int,
        now_obt_ns: int,
    ) -> Sequence[Record]:
        """A peer that was silent, or that lives a new life."""
        out: list[Record] = []
        silent_s = (now_obt_ns - peer.seen_obt_ns) // NS_PER_S
        if peer.state is not PeerState.WATCHED:
            state.recovery_count += 1
            out.append(PeerRecovered(peer_id, boot_count))
            out.append(ReportEvent(PEER_RECOVERED.id, (peer_id, silent_s, boot_count)))
        if boot_count > peer.boot_count:
            state.reboot_count += 1
            out.append(ReportEvent(PEER_REBOOTED.id, (peer_id, boot_count)))
        peer.state = PeerState.WATCHED
        peer.seen_obt_ns = now_obt_ns
        peer.boot_count = boot_count
        peer.hop_count = hop_count
        look_no_later_than(state, now_obt_ns + self._limits.suspect_ns + hop_count * HOP_TOLERANCE_NS)
        return out

    def look(self, state: HealthState, now_obt_ns: int, out: list[Record]) -> None:
        """Look at every peer's timer."""
        for peer_id, peer in state.peers.items():
            # A station without a link is absent by plan.
            if peer.linked or is_satellite(peer_id):
                self._look_at(state, peer_id, peer, now_obt_ns, out)

    def _look_at(
        self, state: HealthState, peer_id: int, peer: Peer, now_obt_ns: int, out: list[Record]
    ) -> None:
        """Step a silent peer down, or plan when to look at it again."""
        while True:
            limit_ns = deadline_of(peer, self._limits)
            if peer.state is PeerState.SUSPECTED and not is_satellite(peer_id):
                return
            begins_obt_ns = _silence_begins_obt_ns(state, peer_id, peer, now_obt_ns)
            if limit_ns == NEVER_NS or begins_obt_ns == NEVER_NS:
                return
            if begins_obt_ns + limit_ns > now_obt_ns:
                look_no_later_than(state, begins_obt_ns + limit_ns)
                return
            silent_s = (now_obt_ns - peer.seen_obt_ns) // NS_PER_S
            if peer.state is PeerState.WATCHED:
                peer.state = PeerState.SUSPECTED
                state.suspicion_count += 1
                out.append(PeerSuspected(peer_id))
                out.append(ReportEvent(PEER_SUSPECTED.id, (peer_id, silent_s)))
            else:
                peer.state = PeerState.DECLARED
                state.declaration_count += 1
                out.append(PeerDeclared(peer_id))
                out.append(ReportEvent(PEER_DECLARED.id, (peer_id, silent_s)))

    def open_link(self, state: HealthState, peer_id: int, now_obt_ns: int) -> None:
        """A station that answers is watched from now on; for a satellite a link is no more than a link."""
        peer = state.peers.get(peer_id)
        if peer is not None and not is_satellite(peer_id):
            peer.linked = True
            peer.state = PeerState.WATCHED
            peer.seen_obt_ns = now_obt_ns
            look_no_later_than(state, now_obt_ns + self._limits.suspect_ns)

    def close_link(self, state: HealthState, peer_id: int) -> None:
        """A station out of contact is not watched; a satellite stays so, gossip may come the other way round."""
        peer = state.peers.get(peer_id)
        if peer is not None and not is_satellite(peer_id):
            peer.linked = False
            peer.state = PeerState.WATCHED

    def restart(self, state: HealthState, now_obt_ns: int) -> None:
        """Silence while this node was down says nothing about the others."""
        for peer_id, peer in state.peers.items():
            peer.seen_obt_ns = now_obt_ns
            peer.linked = peer.linked and is_satellite(peer_id)
        state.next_look_obt_ns = None
        look_no_later_than(state, now_obt_ns + self._limits.suspect_ns)


def _silence_begins_obt_ns(state: HealthState, peer_id: int, peer: Peer, now_obt_ns: int) -> int:
    """From when on silence counts, by the contact plan; NEVER_NS while the peer's absence is planned."""
    presence = state.presence.get(peer_id)
    tai_minus_obt_ns = state.tai_minus_obt_ns
    if presence is None or tai_minus_obt_ns is None:
        return peer.seen_obt_ns
    now_tai_ns = now_obt_ns + tai_minus_obt_ns
    begins_tai_ns = silence_begins_tai_ns(presence, peer.seen_obt_ns + tai_minus_obt_ns, now_tai_ns)
    if begins_tai_ns != NEVER_NS:
        return begins_tai_ns - tai_minus_obt_ns
    returns_tai_ns = next_presence_tai_ns(presence, now_tai_ns)
    if returns_tai_ns != NEVER_NS:
        look_no_later_than(state, returns_tai_ns - tai_minus_obt_ns)
    return NEVER_NS
