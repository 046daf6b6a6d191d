"""No byte over a closed contact: every frame that a node received is traced back to the moment it left.

The input logs hold every frame with its time of arrival. Going back by modem latency and light time gives the moment
at which the last bit left; then the geometry tape must show line of sight, and no planned outage may cover it. This
uses nothing of what the sender decided with.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import is_satellite
from flightos.core.ports import FrameReceived, RadiationSampled
from flightos.core.time import NS_PER_S
from flightos.host.keeping import read_log
from flightos.node.clock import OnBoardClock
from sil.checkers.evidence import Evidence, Violation
from sil.checkers.invariants import shortened
from sil.folder import INPUTS
from sil.plan import RunPlan

EDGE_NS: Final = 10_000
"""On-board time is rounded to 1 ns, and a frame that may not overtake another waits a few: edges are this wide."""
WALL_EDGE_NS: Final = NS_PER_S
"""Where real time passed, a frame may be taken in late: up to where such a run is declared invalid."""


class ContactChecker:
    """Knows when light passes between two nodes."""

    def __init__(self, plan: RunPlan, edge_ns: int = EDGE_NS) -> None:
        self._plan = plan
        self._edge_ns = edge_ns
        self._outages = plan.outages()
        self._edges = {pair: index for index, pair in enumerate(plan.tape.edges)}
        self._configurations = {node.node_id: node for node in plan.nodes}
        self.upset_counts: dict[int, int] = {}
        """Upsets that the radiation monitors had counted at the end, by node."""
        self.frame_count = 0

    def check(self, inputs: Path) -> list[Violation]:
        """Judge every input log in a folder."""
        violations: list[Violation] = []
        names = sorted(path.name.split(".")[:2] for path in inputs.glob("*.*.log"))
        for node_id, boot in sorted((int(node), int(boot)) for node, boot in names):
            if node_id in self._configurations:
                violations += self._check_log(inputs, self._configurations[node_id], boot)
        return shortened(violations)

    def _check_log(self, inputs: Path, node: NodeConfiguration, boot: int) -> list[Violation]:
        violations = []
        clock = OnBoardClock(node.obt_offset_ns, node.drift_ppb)
        for obt_ns, entry in read_log(inputs, node.node_id, boot)[1]:
            if type(entry) is RadiationSampled:
                self.upset_counts[node.node_id] = entry.upset_count
            elif type(entry) is FrameReceived:
                self.frame_count += 1
                due_ns = clock.mission_ns(obt_ns)
                if not self._was_open(node.node_id, entry.peer_id, due_ns):
                    text = (
                        f"a frame from {entry.peer_id} reached node {node.node_id} at mission {due_ns / NS_PER_S:.6f} s"
                        " although no light passed when it left"
                    )
                    violations.append(Violation("no_frame_over_closed_contact", text, node.node_id))
        return violations

    def _was_open(self, node_id: int, peer_id: int, due_ns: int) -> bool:
        if not (is_satellite(node_id) or is_satellite(peer_id)):
            return True  # stations and mission control are joined by wires
        pair = (min(node_id, peer_id), max(node_id, peer_id))
        edge = self._edges.get(pair)
        if edge is None:
            return False
        tape, edge_ns = self._plan.tape, self._edge_ns
        sent_ns = due_ns - self._plan.links.modem_latency_ns
        left_ns = sent_ns - tape.light_time_ns(edge, sent_ns)
        left_ns = sent_ns - tape.light_time_ns(edge, left_ns)
        if any(start + edge_ns <= left_ns < stop - edge_ns for start, stop in self._outages.get(pair, ())):
            return False
        return tape.is_visible(edge, left_ns - edge_ns) or tape.is_visible(edge, left_ns + edge_ns)


def no_frame_over_closed_contact(evidence: Evidence) -> list[Violation]:
    """Judge the input logs of a run's folder."""
    if evidence.run_dir is None:
        return []
    checker = ContactChecker(evidence.plan, WALL_EDGE_NS if evidence.outcome.not_repeatable else EDGE_NS)
    violations = checker.check(evidence.run_dir / INPUTS)
    evidence.outcome.notes["frames_checked"] = checker.frame_count
    evidence.outcome.notes["upsets_struck"] = sum(checker.upset_counts.values())
    return violations
