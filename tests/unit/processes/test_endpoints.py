"""The folder of a run's sockets: private, short, cleared."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from flightos.core.errors import InfrastructureError
from sil.processes import endpoints
from sil.processes.endpoints import OWNER_NAME, endpoint_folder


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A temporary folder of the user, and no other."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.setattr(endpoints, "SOCKET_PATH_BYTES_MAX", 200 + len(str(tmp_path)))
    monkeypatch.setattr(endpoints, "PLACES", ())
    return tmp_path


def test_the_folder_is_private_and_goes_away(place: Path) -> None:
    """Also when the run fails."""

    def fail() -> None:
        with endpoint_folder() as folder:
            assert folder.parent == place
            assert folder.stat().st_mode & 0o777 == 0o700
            assert (folder / OWNER_NAME).read_text() == str(os.getpid())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert list(place.iterdir()) == []


def test_what_killed_runs_left_is_cleared_and_living_ones_stay(place: Path) -> None:
    """A folder without owner is nobody's to remove."""
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for name, owner in (("fos-dead", str(ended.pid)), ("fos-alive", str(os.getpid())), ("fos-other", "")):
        (place / name).mkdir()
        (place / name / OWNER_NAME).write_text(owner)
    with endpoint_folder() as folder:
        assert sorted(path.name for path in place.iterdir() if path != folder) == ["fos-alive", "fos-other"]


def test_a_long_path_is_passed_over(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The next place is taken; without one the reasons are said."""
    monkeypatch.setattr(endpoints, "SOCKET_PATH_BYTES_MAX", 20)
    with pytest.raises(InfrastructureError, match="too long for the path of a socket"), endpoint_folder():
        pass
    assert list(place.iterdir()) == []
