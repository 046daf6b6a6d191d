"""What killed runs and boards leave behind is found and removed; nothing of the living is."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from flightos.commands.doctor import examine
from sil.processes.endpoints import OWNER_NAME, UNNAMED_AGE_S, stale_folders


def folder_of(place: Path, name: str, owner: int | None, age_s: float = 0.0) -> Path:
    """A folder for sockets with its owner's process id, or none."""
    folder = place / f"fos-{name}"
    folder.mkdir(mode=0o700)
    if owner is not None:
        (folder / OWNER_NAME).write_text(str(owner))
    when = folder.stat().st_mtime - age_s
    os.utime(folder, (when, when))
    return folder


def dead_process() -> int:
    """The id of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_only_what_nobody_uses_is_stale(tmp_path: Path) -> None:
    """An owner that lives, a socket that is open, a folder that is being made: all are left alone."""
    gone = folder_of(tmp_path, "gone", dead_process())
    old = folder_of(tmp_path, "old", None, UNNAMED_AGE_S + 1)
    folder_of(tmp_path, "new", None)
    folder_of(tmp_path, "mine", os.getpid())
    used = folder_of(tmp_path, "used", dead_process())
    (tmp_path / "fos-link").symlink_to(gone)
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as listener:
        listener.bind(str(used / "m1.0"))
        listener.listen(1)
        assert stale_folders(tmp_path) == [gone, old]
    assert stale_folders(tmp_path) == [gone, old, used]


def test_doctor_sweeps(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """And says how many there were."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setattr("sil.processes.endpoints.PLACES", ())
    gone = folder_of(tmp_path, "gone", dead_process())
    mine = folder_of(tmp_path, "mine", os.getpid())
    said = {finding.name: finding.detail for finding in examine()}["leftovers"]
    assert said.startswith("1 ")
    assert not gone.exists()
    assert mine.exists()
