"""Lasers and radios as the world sees them: who points at whom, and how far each pair has come.

Two terminals that point at each other, with line of sight and no outage, acquire for the longer acquisition time of
the two and then track. A pair that loses light, or whose other end turns away or dies, is lost and begins again.
"""

from __future__ import annotations

from flightos.core.ports import TerminalReported, TerminalState
from sil.plan import RunPlan


class Terminals:
    """State of every pointed terminal; keys are (node id, terminal index) and directed pairs (node id, peer id)."""

    def __init__(self, plan: RunPlan) -> None:
        self._tape = plan.tape
        self._outages = plan.outages()
        self._terminals = {
            (node.node_id, terminal.index): terminal for node in plan.nodes for terminal in node.terminals
        }
        self._peer_of: dict[tuple[int, int], int] = {}
        self._order: list[tuple[int, int, int]] | None = None
        """Node, terminal and peer of every pointed terminal, in order; None after one was turned."""
        self._index_of: dict[tuple[int, int], int] = {}
        self._state: dict[tuple[int, int], TerminalState] = {}
        self._acquiring_since_ns: dict[tuple[int, int], int] = {}

    def point(self, node_id: int, terminal_index: int, peer_id: int) -> None:
        """A terminal turns to a peer (0 = stowed): whatever it tracked is lost to it. Asking again for the same peer
        makes the next step report the state again."""
        self._order = None
        key = (node_id, terminal_index)
        old_peer = self._peer_of.pop(key, 0)
        if old_peer:
            self._index_of.pop((node_id, old_peer), None)
            self._state.pop((node_id, old_peer), None)
            if old_peer != peer_id:
                self._acquiring_since_ns.pop(_pair(node_id, old_peer), None)
        if peer_id:
            self._peer_of[key] = peer_id
            self._index_of[(node_id, peer_id)] = terminal_index

    def kill(self, node_id: int) -> None:
        """A dead node's terminals point nowhere."""
        for key in [key for key in self._peer_of if key[0] == node_id]:
            self.point(node_id, key[1], 0)

    def step(self, t_ns: int) -> list[tuple[int, TerminalReported]]:
        """Advance every pointed terminal; gives what changed, by node id, in order of node and terminal."""
        reports: list[tuple[int, TerminalReported]] = []
        if self._order is None:
            self._order = sorted((*key, peer_id) for key, peer_id in self._peer_of.items())
        for node_id, index, peer_id in self._order:
            state = self._next_state(node_id, peer_id, t_ns)
            if self._state.get((node_id, peer_id)) != state:
                self._state[(node_id, peer_id)] = state
                reports.append((node_id, self._report(node_id, index, peer_id, state, t_ns)))
        return reports

    def _next_state(self, node_id: int, peer_id: int, t_ns: int) -> TerminalState:
        pair = _pair(node_id, peer_id)
        is_answered = (peer_id, node_id) in self._index_of
        if not (is_answered and self._passes_light(pair, t_ns)):
            self._acquiring_since_ns.pop(pair, None)
            had_light = self._state.get((node_id, peer_id)) in (TerminalState.TRACKING, TerminalState.LOST)
            return TerminalState.LOST if had_light else TerminalState.POINTING
        since_ns = self._acquiring_since_ns.setdefault(pair, t_ns)
        acquisition_ns = max(self._acquisition_ns(node_id, peer_id), self._acquisition_ns(peer_id, node_id))
        return TerminalState.TRACKING if t_ns - since_ns >= acquisition_ns else TerminalState.ACQUIRING

    def _acquisition_ns(self, node_id: int, peer_id: int) -> int:
        return self._terminals[(node_id, self._index_of[(node_id, peer_id)])].acquisition_ns

    def _passes_light(self, pair: tuple[int, int], t_ns: int) -> bool:
        if not self._tape.is_visible(pair, t_ns):
            return False
        outages = self._outages.get(pair)
        return outages is None or not any(start <= t_ns < stop for start, stop in outages)

    def _report(
        self, node_id: int, index: int, peer_id: int, state: TerminalState, t_ns: int
    ) -> TerminalReported:
        if state != TerminalState.TRACKING:
            return TerminalReported(index, peer_id, state, 0, 0)
        light_time_ns = self._tape.light_time_ns(_pair(node_id, peer_id), t_ns)
        return TerminalReported(
            index, peer_id, state, light_time_ns, self._terminals[(node_id, index)].rate_bps
        )


def _pair(node_a: int, node_b: int) -> tuple[int, int]:
    return (node_a, node_b) if node_a < node_b else (node_b, node_a)
