"""Invariants of charge, acceptance and archive. Each function gives the violations of one of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Final

import numpy as np

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.time import NS_PER_S
from sil.checkers.evidence import Evidence, Series, Violation
from sil.plan import StuckSensor

MESSAGE_COUNT_MAX: Final = 8
"""Further violations of one invariant at one node are counted in the last sentence."""
_SENSOR_LAG_NS: Final = 120 * NS_PER_S
"""After a stuck sensor recovers, the node needs this long to believe it again."""
PPM: Final = 1_000_000


def accepted_once(evidence: Evidence) -> list[Violation]:
    """The ground accepts each content id once, and one content id for each observation: the same work gives the
    same product, whoever did it."""
    violations = []
    for content_id, times in Counter(evidence.outcome.accepted).items():
        if times > 1:
            violations.append(
                Violation("accepted_once", f"product {content_id.hex()} was accepted {times} times")
            )
    of_observation: dict[int, list[str]] = {}
    for product in evidence.products:
        of_observation.setdefault(product.observation_id, []).append(product.content_id)
    for observation_id, content_ids in of_observation.items():
        if len(content_ids) > 1:
            text = f"observation {observation_id} has {len(content_ids)} different products: {content_ids}"
            violations.append(Violation("same_work_same_product", text))
    by_event = Counter(event.fields["content_id"] for event in evidence.named("PRODUCT_ACCEPTED_ON_GROUND"))
    for content_id, times in by_event.items():
        if times > 1:
            violations.append(
                Violation("accepted_once", f"product {content_id} was reported accepted {times} times")
            )
    return violations


def starts_above_floor(evidence: Evidence) -> list[Violation]:
    """Nothing starts to execute while charge is below the floor: kernels and app steps alike."""
    configurations = _satellites(evidence)
    violations = []
    for event in evidence.named("EXECUTION_STARTED"):
        node = configurations.get(event.node_id)
        around = evidence.series("resources/soc_ratio", event.node_id).at(event.t_tai_ns)
        if node is None or around is None:
            continue
        # Housekeeping is one second apart and the decision lies between two of them: charge was below the floor
        # for certain only when it was so in both.
        floor_ratio = node.power.soc_ratio_e6_min / PPM
        if max(around) < floor_ratio:
            text = (
                f"task {event.fields['task_id']} started on node {event.node_id} at charge {max(around):.6f},"
                f" floor {floor_ratio:.6f}, mission {_mission_s(evidence, event.t_tai_ns):.3f} s"
            )
            violations.append(Violation("starts_above_floor", text, event.node_id))
    return shortened(violations)


def stays_above_floor(evidence: Evidence) -> list[Violation]:
    """Charge does not go below the floor by the node's own choice: never while its compute box is working.

    A node whose charge sensor is stuck by a planned fault cannot know, and is not judged until it can again.
    """
    violations = []
    for node_id, node in _satellites(evidence).items():
        soc, running = _sampled_together(
            evidence.series("resources/soc_ratio", node_id), evidence.series("compute/running_count", node_id)
        )
        below = soc.value < node.power.soc_ratio_e6_min / PPM
        working = running.value > 0
        # What started above the floor and is not shed within a second of going below it is a choice.
        chosen = below & working
        chosen[1:] &= chosen[:-1].copy()
        chosen[:1] = False
        for start_tai_ns, stop_tai_ns in _stuck_intervals(evidence, node_id):
            chosen &= ~((soc.t_tai_ns >= start_tai_ns) & (soc.t_tai_ns < stop_tai_ns))
        for index in np.flatnonzero(chosen).tolist():
            text = (
                f"node {node_id} was computing at charge {soc.value[index]:.6f}, floor"
                f" {node.power.soc_ratio_e6_min / PPM:.6f}, mission"
                f" {_mission_s(evidence, int(soc.t_tai_ns[index])):.0f} s"
            )
            violations.append(Violation("stays_above_floor", text, node_id))
    return shortened(violations)


def archive_is_complete(evidence: Evidence) -> list[Violation]:
    """No umbilical packet is missing or unreadable. An unplanned death takes packets along and is not judged."""
    violations = [
        Violation("archive_is_complete", f"{count} umbilical packets: {cause}")
        for cause, count in evidence.bad_packets
    ]
    if not evidence.outcome.not_repeatable:
        violations += [
            Violation("archive_is_complete", f"{count} gaps in the packets of APID {apid:#05x}", node_id)
            for node_id, apid, count in evidence.gaps
        ]
    return shortened(violations)


def shortened(violations: Sequence[Violation]) -> list[Violation]:
    """At most MESSAGE_COUNT_MAX sentences for each invariant and node; the last tells how many more there are."""
    kept: list[Violation] = []
    counts: Counter[tuple[str, int]] = Counter()
    for violation in violations:
        key = (violation.invariant, violation.node_id)
        counts[key] += 1
        if counts[key] <= MESSAGE_COUNT_MAX:
            kept.append(violation)
    for (invariant, node_id), count in counts.items():
        if count > MESSAGE_COUNT_MAX:
            kept.append(
                Violation(invariant, f"... and {count - MESSAGE_COUNT_MAX} more at node {node_id}", node_id)
            )
    return kept


def _satellites(evidence: Evidence) -> dict[int, NodeConfiguration]:
    return {node.node_id: node for node in evidence.plan.nodes if node.role == Role.SATELLITE}


def _sampled_together(one: Series, other: Series) -> tuple[Series, Series]:
    """Two parameters at the times that both have."""
    times, places, other_places = np.intersect1d(one.t_tai_ns, other.t_tai_ns, return_indices=True)
    return Series(times, one.value[places]), Series(times, other.value[other_places])


def _stuck_intervals(evidence: Evidence, node_id: int) -> list[tuple[int, int]]:
    epoch_tai_ns = evidence.plan.epoch_tai_ns
    return [
        (epoch_tai_ns + fault.start_ns, epoch_tai_ns + fault.stop_ns + _SENSOR_LAG_NS)
        for fault in evidence.plan.faults
        if isinstance(fault, StuckSensor) and fault.node_id == node_id and fault.sensor == "power"
    ]


def _mission_s(evidence: Evidence, t_tai_ns: int) -> float:
    return (t_tai_ns - evidence.plan.epoch_tai_ns) / NS_PER_S
