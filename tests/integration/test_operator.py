"""`flightos cmd` into a living run: accepted, completed, refused, and repeated to the same trace."""

from __future__ import annotations

import json
import sqlite3
from pathlib import Path
from typing import Any

import pytest

from flightos.commands.operate import find_command
from flightos.node.dictionary import service_dictionaries
from flightos.wire.command import encode_tc
from sil.processes.operator_port import send_packet
from sil.scenarios.keys import command_key
from sil.stops import read_commands
from tests.integration.references import reference
from tests.integration.runs import Ended, LiveRun, flightos, fly

pytestmark = [pytest.mark.integration, pytest.mark.slow]

SEED = 7
NOOP, RESET_COUNTERS = (
    find_command(f"commanding.{name}", service_dictionaries()) for name in ("NOOP", "ResetCounters")
)


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder for the runs of this file."""
    return tmp_path_factory.mktemp("runs")


@pytest.fixture(scope="module")
def commanded(runs: Path) -> Ended:
    """A run into which an operator types: three good commands, a forged one, and a replayed one."""
    with LiveRun(
        "string_of_three", runs / "run", "--speed", "15", "--seed", str(SEED), "--duration", "120"
    ) as live:
        live.until_mission_s(2.0)
        typed = flightos("cmd", "--run", "run", "sat-02", "health.SetMode", "mode=SAFE", folder=runs)
        assert typed.status == 0, typed.stderr
        assert "goes up to node 2 at" in typed.stdout
        for command, counter in ((NOOP, (1 << 50) - 2), (RESET_COUNTERS, (1 << 50) - 1)):
            packet = encode_tc(command, {}, counter, command_key(SEED, 2), 2)
            send_packet(Path(live.endpoints), 2, packet)
        forged = encode_tc(NOOP, {}, 1 << 50, bytes(32), 3)
        good = encode_tc(NOOP, {}, 1 << 50, command_key(SEED, 3), 3)
        for packet in (forged, good, good):
            send_packet(Path(live.endpoints), 3, packet)
        ended = live.ended()
        assert live.left_behind() == []
    return ended


def ask(run: Path, query: str) -> list[Any]:
    """Rows of the catalogue."""
    with sqlite3.connect(f"file:{run / 'catalogue.sqlite'}?mode=ro", uri=True) as catalogue:
        return catalogue.execute(query).fetchall()


def test_commands_are_accepted_and_completed(commanded: Ended, runs: Path) -> None:
    """The verification reports of all three are in the catalogue, by name."""
    assert commanded.document["trace_hash"], commanded.stderr
    rows = ask(runs / "run", "SELECT command, stages FROM commands WHERE spacecraft = 2 AND path = 0")
    assert sorted(name for name, _ in rows) == sorted(
        [f"commanding.{NOOP.name}", "commanding.ResetCounters", "health.SetMode"]
    )
    assert all({"accepted", "completed"} <= set(stages.split(",")) for _, stages in rows)


def test_forged_and_replayed_packets_are_refused_and_counted(commanded: Ended, runs: Path) -> None:
    """Of three packets one is carried out; the counters of the node say why the others were not."""
    assert commanded.document["trace_hash"]
    stages = ask(
        runs / "run", "SELECT stage, count(*) FROM verifications WHERE spacecraft = 3 AND path = 0 GROUP BY 1"
    )
    assert dict(stages).get("completed") == 1
    shown = flightos(
        "tlm", "show", "sat-03/commanding/*", "--run", "run", "--last", "1", "--json", folder=runs
    )
    assert shown.status == 0, shown.stderr
    samples = [json.loads(line) for line in shown.stdout.splitlines()]
    counts = {sample["parameter"].rpartition("/")[2]: sample["value"] for sample in samples}
    assert counts["accepted_count"] == counts["completed_count"] == counts["noop_count"] == 1
    assert counts["rejected_packets_count"] == 1, "the forged one"
    assert counts["rejected_replayed_count"] == 1


def test_a_repeated_operator_gives_the_same_trace(commanded: Ended, runs: Path, tmp_path: Path) -> None:
    """From the operator log, in virtual time and as processes; without it the trace is another one."""
    log = runs / "run" / "inputs" / "operator.log"
    commands = read_commands(log)
    assert len(commands) == 6
    options = ("--seed", str(SEED), "--duration", "120")
    wanted = commanded.document["trace_hash"]
    again = reference("string_of_three", tmp_path / "again", SEED, 120, commands=commands)
    assert again.trace_hash == wanted
    repeated = fly("string_of_three", runs / "repeated", "--operator-log", str(log), *options)
    assert repeated.document["trace_hash"] == wanted
    assert (runs / "repeated" / "inputs" / "operator.log").read_bytes() == log.read_bytes()
    assert reference("string_of_three", tmp_path / "silent", SEED, 120).trace_hash != wanted


def test_a_run_that_has_ended_takes_no_commands(commanded: Ended, runs: Path) -> None:
    """Status 3 and the reason; a mistyped command lists the nearest right name, status 2."""
    assert commanded.document["trace_hash"]
    late = flightos("cmd", "--run", "run", "2", f"commanding.{NOOP.name}", folder=runs)
    assert late.status == 3
    assert "the run has ended" in late.stderr
    wrong = flightos("cmd", "--run", "run", "2", "commanding.Nop", folder=runs)
    assert wrong.status == 2
    assert NOOP.name in wrong.stderr
