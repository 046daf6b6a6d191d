"""By the wall clock: the same products as in virtual time, lateness told, every node re-executes."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from sil.rerun import rerun
from tests.integration.references import reference
from tests.integration.runs import SCENARIOS, LiveRun, fly

pytestmark = [pytest.mark.integration, pytest.mark.slow]

QUICK = SCENARIOS / "quick.toml"


def test_the_products_are_those_of_virtual_time(tmp_path: Path) -> None:
    """The trace does not repeat, and why is said; the logs of all nodes do."""
    done = fly(QUICK, tmp_path / "run", "--wall", "--seed", "3")
    wanted = reference(QUICK, tmp_path / "inputs", seed=3)
    assert done.status in (0, 1), done.stderr
    assert done.document["products_hash"] == wanted.products_hash
    assert done.document["products_delivered"] == 1
    assert done.document["trace_hash"] is None
    assert done.document["not_repeatable"] == "wall clock"
    assert done.document["wall"] is True
    assert done.document["wall_s"] >= 11.9
    lateness = done.document["lateness_us"]
    assert 0 < lateness["p50"] <= lateness["p99"] <= lateness["p100"]
    # A host too slow for the wall clock is told so, and by nothing else is the run spoiled.
    failed = {one["name"] for one in done.document["criteria"] if not one["passed"]}
    assert failed <= {"lateness"}
    assert ("lateness" in failed) == (lateness["p99"] > 50_000)
    for node_id in (1, 2, 3, 1000, 1001):
        report = rerun(tmp_path / "run", node_id)
        assert report.is_equal, report.lines()


def test_planned_and_unplanned_deaths(tmp_path: Path) -> None:
    """One node dies and comes back, another is killed from outside: the run goes on to its end, and what was logged
    re-executes."""
    with LiveRun(SCENARIOS / "quick_with_a_death.toml", tmp_path / "run", "--wall") as live:
        live.until_mission_s(1.0)
        os.kill(live.pids("sat-03")[0], signal.SIGKILL)
        done = live.ended()
        assert live.left_behind() == []
    assert done.status in (0, 1), done.stderr
    assert "process sat-03" in done.document["not_repeatable"]
    assert done.document["lives"] == 5
    assert done.document["sim_s"] == pytest.approx(6.0, abs=0.5)
    report = rerun(tmp_path / "run", 2)
    assert [life.is_equal for life in report.lives] == [True, True], report.lines()
