"""The folder of a run: what is in it before anything flies, and how it says how it ended."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest

from flightos.core.errors import InfrastructureError
from flightos.core.ids import content_id
from flightos.core.time import NS_PER_S
from sil.folder import RunFolder, RunOptions, safe, write_durable
from sil.outcome import LifeTrace, Outcome
from sil.scenery import geometry, scene_archive
from tests.unit.checkers.evidence_examples import DURATION_S, plan


def make(tmp_path: Path) -> RunFolder:
    return RunFolder.create(tmp_path / "run", plan(), RunOptions("virtual", dictionary={"version": 1}))


def test_new_folder_says_what_flies(tmp_path: Path) -> None:
    """Scenario, seed, hashes and versions are there before the first event, large integers as text."""
    folder = make(tmp_path)
    manifest = json.loads((folder.path / "manifest.json").read_text())
    assert (manifest["scenario"], manifest["seed"], manifest["mode"]) == ("string_of_three", 1, "virtual")
    assert manifest["tape_hash"] == plan().tape.hash()
    assert manifest["epoch_tai_ns"] == str(plan().epoch_tai_ns)
    assert {"python", "numpy", "pyzmq", "flightos"} <= set(manifest["versions"])
    assert len(manifest["dictionary_hash"]) == 64
    assert manifest["notes"] == plan().settings["notes"]
    assert RunFolder.open(folder.path).state() == "running"


def test_run_ends_with_trace_and_hash(tmp_path: Path) -> None:
    """Finished, interrupted or without a hash: the folder says which and why."""
    folder = make(tmp_path)
    life = LifeTrace(1, 0, b"c" * 16, ((0, b"12345678"), (1, b"abcdefgh")))
    folder.finish(plan(), Outcome([life], end_ns=DURATION_S * NS_PER_S))
    opened = RunFolder.open(folder.path)
    assert opened.state() == "finished"
    assert opened.trace() == {(1, 0): life}
    assert (folder.path / "trace.hash").read_text().strip() == opened.manifest["trace_hash"]
    folder.finish(plan(), Outcome([life], not_repeatable="interrupted", interrupted=True))
    assert RunFolder.open(folder.path).state() == "interrupted"
    assert (folder.path / "trace.hash").read_text() == "null: interrupted\n"


def test_folder_of_a_dead_process_was_killed(tmp_path: Path) -> None:
    """The manifest still says running, but nobody is."""
    folder = make(tmp_path)
    with subprocess.Popen([sys.executable, "-c", ""]) as process:
        folder.manifest |= {"pid": process.pid}
    assert folder.state() == "killed"
    folder.manifest |= {"pid": os.getpid(), "pid_start": "1"}
    assert folder.state() == "killed", "another process has the same number now"


def test_what_is_no_run_is_refused(tmp_path: Path) -> None:
    """With the path and the reason."""
    with pytest.raises(InfrastructureError, match="expected the folder of a run"):
        RunFolder.open(tmp_path)
    (tmp_path / "manifest.json").write_text("[]")
    with pytest.raises(InfrastructureError, match="expected a manifest"):
        RunFolder.open(tmp_path)


def test_geometry_covers_the_run() -> None:
    """Tracks every ten seconds, eclipses and contacts within the run, a name for each node."""
    found = json.loads(json.dumps(geometry(plan())))
    assert sorted(found["satellites"]) == ["1", "2", "3"]
    track = found["satellites"]["2"]
    assert track["t_s"] == list(range(0, DURATION_S + 1, 10))
    assert len(track["lat_deg"]) == len(track["lon_deg"]) == len(track["t_s"])
    assert all(-90 <= latitude <= 90 for latitude in track["lat_deg"])
    assert all(0 <= start < stop <= DURATION_S for _, _, start, stop in found["contacts"])
    assert {(a, b) for a, b, _, _ in found["contacts"]} >= {(1, 2), (2, 3)}
    assert set(found["names"]) == {"1", "2", "3", "1000", "1001"}


def test_scene_is_the_flown_image_for_the_eye() -> None:
    """True colour in bytes, and the cuts cover it once."""
    with np.load(BytesIO(scene_archive(plan()))) as file:
        rgb, tiles = file["rgb"], file["tiles"]
    assert rgb.dtype == np.uint8
    assert rgb.shape == (plan().scene["rows"], plan().scene["columns"], 3)
    assert rgb.max() == 255
    covered = np.zeros(rgb.shape[:2], dtype=np.int64)
    for row0, row1, col0, col1 in tiles:
        covered[row0:row1, col0:col1] += 1
    assert (covered == 1).all()


def test_json_keeps_large_integers_as_text() -> None:
    """2^53 is the last that readers keep."""
    value = {"t": (1 << 53) + 1, "n": [1 << 53, -(1 << 60)], "b": b"\x01\xff", "ok": True, 7: None}
    wanted = {"t": str((1 << 53) + 1), "n": [1 << 53, str(-(1 << 60))], "b": "01ff", "ok": True, "7": None}
    assert safe(value) == wanted


def test_durable_write_replaces_whole_files(tmp_path: Path) -> None:
    """Old or new, and nothing is left beside it."""
    path = tmp_path / "file"
    for content in (b"old", b"new" * 1000):
        write_durable(path, content)
        assert content_id(path.read_bytes()) == content_id(content)
    assert [one.name for one in tmp_path.iterdir()] == ["file"]
