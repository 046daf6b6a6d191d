"""Virtual time and real processes under granted time give the same trace, whatever happens in the scenario."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from sil.rerun import rerun
from tests.integration.references import reference
from tests.integration.runs import SCENARIOS, Ended, flightos, fly

pytestmark = [pytest.mark.integration, pytest.mark.slow]


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the runs of this file."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def plain(runs: Path) -> Ended:
    """The string of three as processes, with another hash seed than this process has."""
    return fly("string_of_three", runs / "plain", "--seed", "7", extra={"PYTHONHASHSEED": "5"})


@pytest.fixture(scope="module")
def troubled(runs: Path) -> Ended:
    """The string of three with faults of every kind, as processes, with the NumPy kernels."""
    extra = {"FLIGHTOS_KERNELS": "numpy", "PYTHONHASHSEED": "77"}
    return fly(SCENARIOS / "string_in_trouble.toml", runs / "troubled", "--seed", "7", extra=extra)


def test_processes_come_to_the_trace_of_virtual_time(plain: Ended, tmp_path: Path) -> None:
    """And pass their criteria, with nothing on stdout but the summary."""
    wanted = reference("string_of_three", tmp_path / "inputs", seed=7)
    assert plain.status == 0, plain.stderr
    assert plain.document["trace_hash"] == wanted.trace_hash is not None
    assert plain.document["products_hash"] == wanted.products_hash
    assert plain.document["mode"] == "processes"
    assert plain.document["sim_s"] == 300.0


def test_deaths_between_seconds_hangs_outages_and_stuck_sensors_repeat(
    troubled: Ended, tmp_path: Path
) -> None:
    """A hung worker is really killed, a crashed node really dies: the trace is that of virtual time."""
    wanted = reference(SCENARIOS / "string_in_trouble.toml", tmp_path / "inputs", seed=7)
    assert troubled.document["not_repeatable"] == "", troubled.stderr
    assert troubled.document["trace_hash"] == wanted.trace_hash is not None
    assert troubled.document["products_hash"] == wanted.products_hash
    assert troubled.document["lives"] == wanted.lives == 5 + 4
    assert troubled.document["tasks_lost"] == 0


@pytest.mark.parametrize(
    ("scenario", "duration_s"),
    [
        (SCENARIOS / "ring_in_trouble.toml", None),
        ("ring_loses_one_node", 190),
        ("kernel_hangs", 150),
    ],
)
def test_twelve_processes_come_to_the_trace_of_virtual_time(
    scenario: str | Path, duration_s: int | None, tmp_path: Path
) -> None:
    """Two of the shipped troubles of the ring, and all of them pressed into three minutes."""
    options = [] if duration_s is None else ["--duration", str(duration_s)]
    done = fly(scenario, tmp_path / "run", "--set", "compute.tile_tera_ops=12000", *options)
    wanted = reference(
        scenario, tmp_path / "inputs", duration_s=duration_s, overrides={"compute.tile_tera_ops": "12000"}
    )
    assert done.document["not_repeatable"] == "", done.stderr
    assert done.document["trace_hash"] == wanted.trace_hash is not None
    assert done.document["products_hash"] == wanted.products_hash
    assert done.document["lives"] == wanted.lives
    assert done.document["invariant_violations"] == 0, done.document["violations"]


def test_every_node_re_executes_to_its_chain(plain: Ended, troubled: Ended, runs: Path) -> None:
    """In all its lives, from what the process left on disk; killed ones too."""
    lives = {"plain": [1, 1, 1, 1, 1], "troubled": [2, 3, 2, 1, 1]}
    for run, done in (("plain", plain), ("troubled", troubled)):
        assert done.document["run_dir"] == str(runs / run)
        reports = [rerun(runs / run, node_id) for node_id in (1, 2, 3, 1000, 1001)]
        assert [len(report.lives) for report in reports] == lives[run]
        for report in reports:
            assert report.is_equal, report.lines()
            assert all(life.chain == life.chain_recorded for life in report.lives)
    typed = flightos("rerun", "troubled", "sat-02", folder=runs)
    assert typed.status == 0, typed.stderr
    assert typed.stdout.count(": equal\n") == 3


def test_diff_of_equal_runs_and_of_two_seeds(plain: Ended, runs: Path) -> None:
    """Equal: status 0 and so said, between processes and virtual time too. Another seed: status 1, the first event."""
    fly("string_of_three", runs / "virtual", "--seed", "7", "--virtual")
    equal = flightos("diff", "plain", "virtual", folder=runs)
    assert (equal.status, equal.stdout) == (0, "the runs are the same, event for event\n"), equal.stderr
    fly("string_of_three", runs / "other", "--seed", "8", "--duration", "60")
    parted = flightos("diff", "plain", "other", "--json", folder=runs)
    assert parted.status == 1
    assert parted.document["is_same"] is False
    assert any("seed differs: 7 in A, 8 in B" in line for line in parted.document["lines"])
    assert parted.document["parting"]["mission_ns"] < 5e9
    assert parted.document["parting"]["what"]


def test_the_folder_says_what_flew(plain: Ended, runs: Path) -> None:
    """Manifest, trace.hash and summary agree; the folder is private; its sockets are gone."""
    run = runs / "plain"
    manifest = json.loads((run / "manifest.json").read_text())
    assert manifest["state"] == "finished"
    assert manifest["trace_hash"] == plain.document["trace_hash"] == (run / "trace.hash").read_text().strip()
    assert run.stat().st_mode & 0o777 == 0o700
    assert not Path(manifest["endpoint_folder"]).exists()
    assert json.loads((run / "summary.json").read_text())["products_delivered"] == 4
