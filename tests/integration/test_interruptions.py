"""Ctrl-C and SIGTERM: status 130, a folder that opens, nobody left behind."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import pytest

from sil.rerun import rerun
from tests.integration.runs import Ended, LiveRun, flightos

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def opens(folder: Path) -> None:
    """Every command that reads works on an interrupted run, which says what it is."""
    for command in (["status", "--run", "run"], ["tlm", "ls", "--run", "run"], ["report", "run"]):
        done = flightos(*command, folder=folder)
        assert done.status == 0, (command, done.stderr)
        if command[0] == "status":
            assert "interrupted" in done.stdout
        if command[0] == "tlm":
            assert "resources/soc_ratio" in done.stdout


@pytest.mark.parametrize("how", ["command", "terminal", "terminate"])
def test_a_run_of_processes_ends_in_order(how: str, tmp_path: Path) -> None:
    """Ctrl-C to the command alone, to the whole foreground group, and SIGTERM: the lives end at one horizon and
    re-execute to their chains."""
    with LiveRun("string_of_three", tmp_path / "run", "--speed", "20") as live:
        live.until_mission_s(4.0)
        if how == "command":
            live.send(signal.SIGINT)
        elif how == "terminal":
            live.send_to_group(signal.SIGINT)
        else:
            live.send(signal.SIGTERM)
        done = live.ended()
        assert live.left_behind() == []
        manifest = live.manifest()
    assert done.status == 130, done.stderr
    assert "Traceback" not in done.stderr
    assert manifest["state"] == "interrupted"
    assert done.document["interrupted"] is True
    assert done.document["not_repeatable"] == "interrupted"
    assert 4.0 <= done.document["sim_s"] < 300.0
    for node_id in (1, 2, 3, 1000, 1001):
        report = rerun(tmp_path / "run", node_id)
        assert report.is_equal, report.lines()
    if how == "command":
        opens(tmp_path)


def test_a_second_time_ends_at_once(tmp_path: Path) -> None:
    """One member is stopped, so that an orderly end would wait for it: pressing again leaves nobody either."""
    with LiveRun("string_of_three", tmp_path / "run", "--speed", "20") as live:
        live.until_mission_s(4.0)
        os.kill(live.pids("sat-02")[0], signal.SIGSTOP)
        live.send_to_group(signal.SIGINT)
        time.sleep(0.3)  # the first one is on its way; had it ended the run, the second one would find nobody
        assert live.process.poll() is None
        live.send_to_group(signal.SIGINT)
        started_s = time.monotonic()
        done = live.ended()
        assert time.monotonic() - started_s < 60.0, "the stuck member was waited for"
        assert live.left_behind() == []
        assert live.manifest()["state"] == "interrupted"
    assert done.status == 130, done.stderr
    assert "Traceback" not in done.stderr
    opens(tmp_path)


def test_many_times_leave_nobody_behind(tmp_path: Path) -> None:
    """Whoever leans on the keys gets the same end."""
    with LiveRun("string_of_three", tmp_path / "run", "--speed", "20") as live:
        live.until_mission_s(4.0)
        while live.process.poll() is None:
            live.send_to_group(signal.SIGINT)
            time.sleep(0.02)
        done = live.ended()
        assert live.left_behind() == []
        assert live.manifest()["state"] == "interrupted"
    # Pressed again while the interpreter goes down, it dies of the signal, which a shell shows as 130 too.
    assert done.status in (130, -signal.SIGINT), done.stderr


def test_a_run_that_is_just_starting_ends(tmp_path: Path) -> None:
    """Before the first grant: no summary yet, but a folder that says what happened."""
    with LiveRun("string_of_three", tmp_path / "run", "--speed", "20") as live:
        live.until(lambda: has_endpoints(live), "the sockets are there")
        live.endpoints = str(live.manifest()["endpoint_folder"])
        live.send_to_group(signal.SIGINT)
        done = live.ended()
        assert live.left_behind() == []
        assert live.manifest()["state"] == "interrupted"
    assert done.status == 130, done.stderr
    assert "Traceback" not in done.stderr


def has_endpoints(live: LiveRun) -> bool:
    """True once the run has said where its sockets are."""
    try:
        return bool(live.manifest()["endpoint_folder"])
    except (OSError, ValueError):
        return False


def test_virtual_time_ends_in_order(tmp_path: Path) -> None:
    """The same for one process: what was flown re-executes."""
    options = ("--virtual", "--duration", "40000", "--seed", "7")
    with LiveRun("string_of_three", tmp_path / "run", *options) as live:
        live.until_mission_s(20.0)
        live.send_to_group(signal.SIGINT)
        done: Ended = live.ended()
        assert live.manifest()["state"] == "interrupted"
    assert done.status == 130, done.stderr
    assert done.document["interrupted"] is True
    report = rerun(tmp_path / "run", 2)
    assert report.is_equal, report.lines()
