"""The private folder in which the sockets of one run meet: short enough for a Unix socket, gone after the run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from flightos.core.errors import InfrastructureError

PREFIX: Final = "fos-"
OWNER_NAME: Final = "owner"
"""Holds the process id of the run: a folder whose owner is gone was left by a kill, and the next run clears it."""
SOCKET_PATH_BYTES_MAX: Final = 107
"""sizeof(sun_path) - 1, unix(7)."""
NAME_BYTES_MAX: Final = 16
"""Longest name of a socket: m<member>.<boot>."""
PLACES: Final = ("/tmp", "/var/tmp", "/dev/shm")
"""Tried when the user's own temporary folder has too long a path."""


@contextmanager
def endpoint_folder() -> Iterator[Path]:
    """A new folder, 0700, removed at the end. Raises InfrastructureError when there is no place for one."""
    own = tempfile.gettempdir()
    folder = _make([own, *(place for place in PLACES if place != own)])
    try:
        (folder / OWNER_NAME).write_text(str(os.getpid()))
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _make(places: list[str]) -> Path:
    reasons = []
    for place in places:
        # mkdtemp adds eight characters to the prefix.
        length = len(os.fsencode(place)) + 1 + len(PREFIX) + 8 + 1 + NAME_BYTES_MAX
        if length > SOCKET_PATH_BYTES_MAX:
            reasons.append(f"{place}: too long for the path of a socket")
            continue
        try:
            _clear(Path(place))
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        except OSError as error:
            reasons.append(f"{place}: {error.strerror}")
    raise InfrastructureError(f"no place for the sockets of the run ({'; '.join(reasons)}); set TMPDIR")


def _clear(place: Path) -> None:
    """Remove what runs of this user that were killed have left."""
    for folder in place.glob(f"{PREFIX}*"):
        try:
            owner = int((folder / OWNER_NAME).read_text())
            if folder.stat().st_uid == os.getuid() and not _is_alive(owner):
                shutil.rmtree(folder, ignore_errors=True)
        except (OSError, ValueError):
            continue


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    return True
