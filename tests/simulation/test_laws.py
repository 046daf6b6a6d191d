"""Laws of a flying constellation: whatever the seed and the faults, the invariants hold."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.time import NS_PER_S
from sil.plan import Fault, NodeCrash
from sil.rerun import rerun
from tests.simulation.faults import fault_schedules
from tests.simulation.simulate import simulate

pytestmark = pytest.mark.simulation


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_tile_becomes_a_product(seed: int, tmp_path: Path) -> None:
    """Without faults the smallest constellation passes all of its criteria, whatever the seed."""
    run = simulate("string_of_three", seed, None, tmp_path)
    assert run.violations == []
    assert [one for one in run.summary["criteria"] if not one["passed"]] == []
    assert run.summary["passed"]
    assert run.summary["tasks_done"] == run.summary["tasks_submitted"] == 16
    assert run.summary["products_delivered"] == 4
    assert run.summary["reference"]["is_exact"]
    assert run.outcome.notes["frames_checked"] != 0


@settings(max_examples=6, deadline=None, derandomize=True)
@given(seed=st.integers(1, 1000), faults=fault_schedules())
def test_no_fault_schedule_breaks_an_invariant(seed: int, faults: tuple[Fault, ...]) -> None:
    """Deaths, restarts, hangs, outages and stuck sensors: nothing admitted is lost, nothing is accepted twice, and
    every life of every node re-executes to its chain."""
    with TemporaryDirectory() as folder:
        run = simulate("string_of_three", seed, None, Path(folder), faults)
        assert run.violations == []
        assert run.summary["tasks_lost"] == 0
        for node_id in run.folder.node_ids():
            report = rerun(run.folder.path, node_id)
            assert report.is_equal, report.lines()


def test_restart_keeps_what_the_node_owned(tmp_path: Path) -> None:
    """The owner of all tiles dies in mid-work and boots 15 s later, before anybody declares it dead: it finishes
    everything itself and nobody takes over."""
    crash = NodeCrash(1, 52 * NS_PER_S, 15 * NS_PER_S)
    run = simulate("string_of_three", 4, None, tmp_path, [crash])
    assert run.violations == []
    assert run.summary["lives"] == 6
    assert run.summary["products_delivered"] == 4
    assert run.evidence.named("OBSERVATION_TAKEN_OVER") == []
    assert {event.node_id for event in run.evidence.named("OBSERVATION_COMPLETED")} == {1}
    booted = [event.fields for event in run.evidence.named("NODE_BOOTED") if event.node_id == 1]
    assert [(one["boot_count"], one["restored"]) for one in booted] == [(0, False), (1, True)]


def test_standby_finishes_what_a_dead_owner_had_begun(tmp_path: Path) -> None:
    """The owner dies for ever in mid-work: its standby takes over and every tile comes down."""
    run = simulate("string_of_three", 5, None, tmp_path, [NodeCrash(1, 52 * NS_PER_S)])
    assert run.violations == []
    assert run.summary["tasks_lost"] == 0
    assert run.summary["products_delivered"] == 4
    assert {event.node_id for event in run.evidence.named("OBSERVATION_TAKEN_OVER")} == {2}


def test_loss_of_both_owners_is_seen(tmp_path: Path) -> None:
    """The checkers can fail: owner and standby die together for ever, and the tasks they took along are lost."""
    faults = [NodeCrash(1, 52 * NS_PER_S), NodeCrash(2, 52 * NS_PER_S)]
    run = simulate("string_of_three", 6, None, tmp_path, faults)
    assert run.summary["tasks_lost"] > 0
    assert {one.invariant for one in run.violations} == {"no_task_lost"}
    assert not run.summary["passed"]


HARD_TIMES = {
    "three frames in ten are lost": {"links.frame_loss_ratio": "0.3"},
    "the compute box gets hot at once": {
        "heat.temperature_k_max": "300",
        "heat.capacity_j_per_k": "300",
        "compute.mw_per_tops": "1000",
    },
    "the battery is empty at the start": {
        "power.soc_ratio_start": "0.72",
        "power.battery_wh": "40",
        "power.array_w": "250",
    },
    "the battery cannot carry the bus": {
        "power.soc_ratio_start": "0.705",
        "power.battery_wh": "10",
        "power.array_w": "160",
    },
}


@pytest.mark.parametrize("circumstances", HARD_TIMES)
def test_hard_times_break_no_invariant(circumstances: str, tmp_path: Path) -> None:
    """Products may be missing, but nothing is lost without a word and nothing runs that may not."""
    run = simulate("string_of_three", 8, None, tmp_path, overrides=HARD_TIMES[circumstances])
    assert run.violations == []
    assert run.summary["tasks_lost"] == 0
    refused = len(run.evidence.named("OBSERVATION_REFUSED"))
    assert refused + run.summary["observations_imaged"] == 4, "every command is carried out or refused"


@pytest.mark.slow
@pytest.mark.parametrize(
    "scenario",
    [
        "three_body",
        "node_restarts",
        "kernel_hangs",
        "ring_loses_one_node",
        "ring_with_outage",
        "sensor_sticks",
    ],
)
def test_shipped_scenarios_pass(scenario: str, tmp_path: Path) -> None:
    """Every shipped scenario of the ring answers its question with yes, and every node re-executes."""
    run = simulate(scenario, 7, None, tmp_path)
    assert run.violations == []
    assert [one for one in run.summary["criteria"] if not one["passed"]] == []
    assert run.summary["upsets_found"] <= run.summary["upsets_hit_work"] <= run.summary["upsets_struck"]
    for node_id in run.folder.node_ids():
        assert rerun(run.folder.path, node_id).is_equal, node_id
