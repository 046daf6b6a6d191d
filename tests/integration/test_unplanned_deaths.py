"""kill -9 from outside: the run goes on without a node or a worker, ends with a reason without anybody else, and
leaves no process behind."""

from __future__ import annotations

import os
import signal
from pathlib import Path

import pytest

from tests.integration.runs import Ended, LiveRun, flightos

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def fly_and_kill(tmp_path: Path, part: str, *options: str) -> Ended:
    """Start a run, kill everybody who plays a part once it is under way, and wait for its end."""
    with LiveRun("string_of_three", tmp_path / "run", "--seed", "7", *options) as live:
        live.until_mission_s(2.0)
        live.until(lambda: bool(live.pids(part)), f"{part} lives")
        for pid in live.pids(part):
            os.kill(pid, signal.SIGKILL)
        ended = live.ended()
        assert live.left_behind() == []
    return ended


def test_a_run_goes_on_without_a_node(tmp_path: Path) -> None:
    """The others fly to the end; the trace does not count, and why is said to the user and in the folder."""
    done = fly_and_kill(tmp_path, "sat-03", "--speed", "40", "--duration", "90")
    assert done.status in (0, 1), done.stderr
    reason = done.document["not_repeatable"]
    assert reason.startswith("process sat-03 (pid ")
    assert "died unplanned at" in reason
    assert "signal 9" in reason
    assert reason in done.stderr
    assert done.document["trace_hash"] is None
    assert done.document["products_hash"]
    assert done.document["sim_s"] == 90.0
    assert done.document["lives"] == 4
    assert done.document["tasks_lost"] == 0
    assert (tmp_path / "run" / "trace.hash").read_text() == f"null: {reason}\n"
    alive, dead = (flightos("rerun", "run", node, folder=tmp_path) for node in ("1", "3"))
    assert (alive.status, dead.status) == (0, 0), alive.stderr + dead.stderr
    assert ": equal" in alive.stdout
    assert "no trace to compare with" in dead.stdout


def test_two_nodes_die_in_the_same_moment(tmp_path: Path) -> None:
    """Both deaths are taken in; mission control and the node that is left fly to the end."""
    with LiveRun("string_of_three", tmp_path / "run", "--speed", "40", "--duration", "60") as live:
        live.until_mission_s(2.0)
        for pid in live.pids("sat-01") + live.pids("sat-02"):
            os.kill(pid, signal.SIGKILL)
        done = live.ended()
        assert live.left_behind() == []
    assert done.status in (0, 1), done.stderr
    assert done.document["lives"] == 3
    assert done.document["sim_s"] == 60.0
    assert "died unplanned" in done.document["not_repeatable"]


def test_a_run_goes_on_without_its_workers(tmp_path: Path) -> None:
    """What they worked on is failed and repeated; everything is delivered all the same."""
    done = fly_and_kill(tmp_path, "worker", "--speed", "40", "--duration", "160")
    assert done.status == 0, done.stderr
    assert "worker" in done.document["not_repeatable"]
    assert done.document["trace_hash"] is None
    assert done.document["products_delivered"] == 4


@pytest.mark.parametrize(
    ("part", "words"),
    [
        ("world", "process world (pid "),
        ("ground", "process ground (pid "),
        ("fork server", "the fork server of the run (pid "),
        ("worker server", "the worker server of the run (pid "),
        ("archive", "the archive of the run (pid "),
    ],
)
def test_a_run_ends_without_anybody_else(part: str, words: str, tmp_path: Path) -> None:
    """Status 3, the name of the dead and how it died; the folder opens and says that the run has failed."""
    done = fly_and_kill(tmp_path, part, "--speed", "10")
    assert done.status == 3, done.stderr
    assert done.stdout == ""
    last = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(last) == 1, done.stderr
    assert words in last[0]
    assert "killed by signal 9" in last[0]
    assert "Traceback" not in done.stderr
    status = flightos("status", "--run", "run", folder=tmp_path)
    assert status.status == 0, status.stderr
    assert "failed" in status.stdout
    assert words in status.stdout


def test_nobody_survives_the_run_itself(tmp_path: Path) -> None:
    """kill -9 of the command: every process ends, the folder opens as killed, the next run clears the sockets."""
    with LiveRun("string_of_three", tmp_path / "run", "--speed", "10") as live:
        live.until_mission_s(2.0)
        assert {process.part for process in live.processes()} >= {"sat-01", "ground", "world", "archive"}
        live.send(signal.SIGKILL)
        assert live.ended().status == -signal.SIGKILL
        assert live.left_behind() in ([], [live.endpoints])
    assert "killed" in flightos("status", "--run", "run", folder=tmp_path).stdout
    assert flightos("report", "run", folder=tmp_path).status == 0
    done = flightos("run", "string_of_three", "--duration", "2", "--speed", "max", folder=tmp_path)
    assert done.status in (0, 1), done.stderr
    assert not Path(live.endpoints).exists()
