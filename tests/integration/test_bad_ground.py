"""Mistakes of the user and trouble with the host: every reason said, the right status, nothing half done."""

from __future__ import annotations

import json
import os
import resource
import subprocess
from pathlib import Path

import pytest

from tests.integration.references import reference
from tests.integration.runs import WAIT_S, LiveRun, command_line, environment, flightos, fly

pytestmark = [pytest.mark.integration, pytest.mark.slow]


def test_two_runs_at_once_do_not_meet(tmp_path: Path) -> None:
    """Same scenario, same working folder, same second: both come to their own trace."""
    options = ("--speed", "max", "--duration", "100")
    with (
        LiveRun("string_of_three", tmp_path / "one", *options, "--seed", "7") as one,
        LiveRun("string_of_three", tmp_path / "two", *options, "--seed", "8") as two,
    ):
        ended = one.ended(), two.ended()
        folders = {str(live.manifest()["endpoint_folder"]) for live in (one, two)}
    assert len(folders) == 2
    for seed, done in zip((7, 8), ended, strict=True):
        wanted = reference("string_of_three", tmp_path / f"inputs{seed}", seed, 100)
        assert done.document["trace_hash"] == wanted.trace_hash is not None, done.stderr


def test_a_very_long_path_to_the_run_folder_works(tmp_path: Path) -> None:
    """Sockets live elsewhere: a private folder with a short path, even when TMPDIR is long too."""
    deep = tmp_path / ("a" * 100) / ("b" * 100)
    deep.mkdir(parents=True)
    with LiveRun(
        "string_of_three",
        deep / "run",
        *("--duration", "40", "--speed", "20"),
        extra={"TMPDIR": str(deep)},
    ) as live:
        live.until_mission_s(1.0)
        endpoints = Path(live.endpoints)
        assert len(os.fsencode(endpoints / "m1234.12")) <= 107
        assert endpoints.stat().st_mode & 0o777 == 0o700
        done = live.ended()
        assert live.left_behind() == []
    assert done.document["trace_hash"], done.stderr


@pytest.mark.parametrize("mode", ["--processes", "--virtual"])
def test_a_disk_that_takes_no_more_ends_the_run(mode: str, tmp_path: Path) -> None:
    """A limit on file sizes stands for the full disk: status 3, the file, the reason, nobody left, a folder that
    opens."""

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1_200_000, 1_200_000))

    speed = ["--speed", "max"] if mode == "--processes" else []
    done = subprocess.run(
        command_line("run", "string_of_three", mode, *speed, "--out", "run"),
        cwd=tmp_path,
        env=environment(),
        preexec_fn=limit,
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    assert done.returncode == 3, done.stderr
    errors = [line for line in done.stderr.splitlines() if line.startswith("error: ")]
    assert len(errors) == 1, done.stderr
    assert "File too large" in errors[0]
    assert "Traceback" not in done.stderr
    manifest = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert manifest["state"] == "failed"
    assert "File too large" in manifest["reason"]
    assert not manifest["endpoint_folder"] or not Path(manifest["endpoint_folder"]).exists()
    status = flightos("status", "--run", "run", folder=tmp_path)
    assert (status.status, "File too large" in status.stdout) == (0, True), status.stderr


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere: an unwritable folder cannot be made")
def test_a_folder_that_cannot_be_written_is_infrastructure(tmp_path: Path) -> None:
    """Status 3 and the folder."""
    tmp_path.chmod(0o500)
    try:
        done = fly("string_of_three", tmp_path / "run", "--duration", "5")
    finally:
        tmp_path.chmod(0o700)
    assert done.status == 3
    assert "cannot make the run folder" in done.stderr


@pytest.mark.parametrize(
    ("options", "status", "words"),
    [
        (["--out", "/proc/run"], 3, "cannot make the run folder"),
        (["--set", "world.tape=gone.tape"], 3, "no such file: gone.tape"),
        (["--set", "payload.image=gone.tif"], 3, "no such file: gone.tif"),
        (["--set", "world.tape=rubbish"], 2, "expected a tape"),
        (["--set", "payload.image=rubbish"], 2, "expected a GeoTIFF or .npz image"),
        (["--operator-log", "gone.log"], 3, "gone.log: no such file"),
        (["--operator-log", "rubbish"], 3, "expected an operator log"),
        (["--wall", "--speed", "2"], 2, "speed 1 only"),
        (["--out", "."], 2, "expected a new or empty folder"),
    ],
)
def test_what_is_missing_or_wrong_is_named(
    options: list[str], status: int, words: str, tmp_path: Path
) -> None:
    """One line for one fault; nothing is started and no folder is made."""
    (tmp_path / "rubbish").write_text("rubbish")
    done = flightos("run", "string_of_three", *options, folder=tmp_path)
    assert done.status == status, done.stderr
    assert words in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert [path.name for path in tmp_path.iterdir()] == ["rubbish"]


def test_all_mistakes_of_a_scenario_are_listed_at_once(tmp_path: Path) -> None:
    """File, line, key, what was expected, and the nearest right name; status 2."""
    (tmp_path / "mine.toml").write_text(
        'extends = "string_of_three"\n'
        "durration_s = 3\n"
        'topology = "rung"\n'
        "[links]\n"
        'laser_rate_bps = "fast"\n'
        "[[faults]]\n"
        'kind = "node_crash"\n'
        "node = 77\n"
        "at_s = 1.0\n"
    )
    done = flightos("run", "mine.toml", "--set", "power.buss_w=1", folder=tmp_path)
    assert done.status == 2, done.stderr
    for words in (
        "mine.toml:2: durration_s: unknown key; did you mean 'duration_s'?",
        "mine.toml:3: topology",
        "did you mean 'ring'?",
        "mine.toml:5: links.laser_rate_bps",
        "did you mean 'bus_w'?",
    ):
        assert words in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.toml"]


def test_an_unknown_scenario_lists_the_known_ones(tmp_path: Path) -> None:
    """Status 2."""
    done = flightos("run", "three_bodies", folder=tmp_path)
    assert done.status == 2
    assert "did you mean 'three_body'?" in done.stderr
    for name in ("string_of_three", "ring_loses_one_node", "kernel_hangs"):
        assert name in done.stderr
    assert list(tmp_path.iterdir()) == []
