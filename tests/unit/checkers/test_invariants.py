"""Invariants of charge, acceptance and archive, each made to hold and made to break."""

from __future__ import annotations

from dataclasses import replace

from sil.checkers.evidence import Event, Product
from sil.checkers.invariants import (
    MESSAGE_COUNT_MAX,
    accepted_once,
    archive_is_complete,
    starts_above_floor,
    stays_above_floor,
)
from sil.plan import StuckSensor
from tests.unit.checkers.evidence_examples import DURATION_S, event, evidence, plan, series


def started(t_s: float, node_id: int) -> Event:
    return event(t_s, node_id, "EXECUTION_STARTED", task_id=256, attempt=1, step="index")


def test_start_below_the_floor_is_found() -> None:
    """0.69 is below the floor of 0.70; a start between two samples around the floor is given the benefit."""
    low = {"resources/soc_ratio": {1: series(0.69)}}
    assert [one.invariant for one in starts_above_floor(evidence([started(10.5, 1)], low))] == [
        "starts_above_floor"
    ]
    crossing = {"resources/soc_ratio": {1: series([0.71] * 11 + [0.69] * 289)}}
    assert starts_above_floor(evidence([started(10.5, 1)], crossing)) == []
    assert starts_above_floor(evidence([started(10.5, 2)], low)) == []


def test_computing_below_the_floor_is_found() -> None:
    """Idle below the floor is nobody's choice; computing for longer than a second is."""
    soc = series([0.71] * 100 + [0.69] * 200)
    idle = {"resources/soc_ratio": {1: soc}, "compute/running_count": {1: series([1.0] * 100 + [0.0] * 200)}}
    assert stays_above_floor(evidence([], idle)) == []
    shed = {"resources/soc_ratio": {1: soc}, "compute/running_count": {1: series([1.0] * 101 + [0.0] * 199)}}
    assert stays_above_floor(evidence([], shed)) == []
    busy = {"resources/soc_ratio": {1: soc}, "compute/running_count": {1: series(1.0)}}
    found = stays_above_floor(evidence([], busy))
    assert len(found) == MESSAGE_COUNT_MAX + 1, "sentences are shortened"
    assert "more at node 1" in found[-1].text


def test_node_with_a_stuck_charge_sensor_is_not_judged() -> None:
    """It cannot know; a stuck thermometer is no excuse."""
    busy = {
        "resources/soc_ratio": {1: series([0.71] * 100 + [0.69] * 100 + [0.71] * 100)},
        "compute/running_count": {1: series(1.0)},
    }
    judged = evidence([], busy)
    stuck = StuckSensor(1, "power", 90_000_000_000, 200_000_000_000)
    judged.plan = replace(plan(), faults=(stuck,))
    assert stays_above_floor(judged) == []
    judged.plan = replace(plan(), faults=(StuckSensor(1, "temperature", 0, DURATION_S * 10**9),))
    assert stays_above_floor(judged)


def test_second_acceptance_is_found() -> None:
    """By the outcome, by the events, and as a second product of the same observation."""
    judged = evidence([])
    judged.outcome.accepted = [b"a" * 16, b"b" * 16, b"a" * 16]
    assert [one.invariant for one in accepted_once(judged)] == ["accepted_once"]
    twice = [
        event(t_s, 1000, "PRODUCT_ACCEPTED_ON_GROUND", content_id="aa", observation_id=1) for t_s in (1, 2)
    ]
    assert [one.invariant for one in accepted_once(evidence(twice))] == ["accepted_once"]
    judged = evidence([])
    judged.products = [Product("aa", 1, 0, 1, b""), Product("bb", 1, 0, 2, b"")]
    assert [one.invariant for one in accepted_once(judged)] == ["same_work_same_product"]


def test_hole_in_the_archive_is_found() -> None:
    """Unless the run lost a process that nobody had planned to kill."""
    judged = evidence([])
    judged.gaps = [(1, 0x105, 3)]
    assert [one.node_id for one in archive_is_complete(judged)] == [1]
    judged.outcome.not_repeatable = "node 1 died"
    assert archive_is_complete(judged) == []
    judged.bad_packets = [("bad packet", 2)]
    assert archive_is_complete(judged)


def test_counter_totals_survive_a_reset() -> None:
    """Increments count, and what a counter shows after a reset counts from zero."""
    assert series([0, 1, 5, 5, 0, 2]).total() == 7
    assert series([3, 4, 1]).total() == 5
