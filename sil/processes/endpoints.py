"""The private folder in which the sockets of one run meet: short enough for a Unix socket, gone after the run."""

from __future__ import annotations

import os
import shutil
import stat
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from flightos.core.errors import InfrastructureError

PREFIX: Final = "fos-"
OWNER_NAME: Final = "owner"
"""Holds the process id of the run: a folder whose owner is gone was left by a kill, and the next run clears it."""
UNNAMED_AGE_S: Final = 60.0
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
            sweep(Path(place))
            return Path(tempfile.mkdtemp(prefix=PREFIX, dir=place))
        except OSError as error:
            reasons.append(f"{place}: {error.strerror}")
    raise InfrastructureError(f"no place for the sockets of the run ({'; '.join(reasons)}); set TMPDIR")


def sweep(place: Path) -> int:
    """Remove what runs of this user that were killed have left; gives how many folders."""
    stale = stale_folders(place)
    for folder in stale:
        shutil.rmtree(folder, ignore_errors=True)
    return len(stale)


def stale_folders(place: Path) -> list[Path]:
    """Folders for sockets, of this user, that nobody uses: their owner is gone and no socket in them is open.

    A folder without an owner's name may be one that is being made: it counts once it is old.
    """
    open_paths = _open_socket_paths()
    found = []
    for folder in sorted(place.glob(f"{PREFIX}*")):
        try:
            about = folder.lstat()
            if about.st_uid != os.getuid() or not stat.S_ISDIR(about.st_mode):
                continue
            owner = folder / OWNER_NAME
            if owner.exists():
                is_left = not _is_alive(int(owner.read_text()))
            else:
                is_left = time.time() - about.st_mtime > UNNAMED_AGE_S
            if is_left and not any(path.startswith(f"{folder}{os.sep}") for path in open_paths):
                found.append(folder)
        except (OSError, ValueError):
            continue
    return found


def _open_socket_paths() -> list[str]:
    """Paths of the Unix sockets that are open here (proc(5), /proc/net/unix); empty where nothing tells."""
    try:
        lines = Path("/proc/net/unix").read_text().splitlines()
    except OSError:
        return []
    return [fields[7] for line in lines[1:] if len(fields := line.split(maxsplit=7)) == 8]


def _is_alive(process_id: int) -> bool:
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        state = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0]
    except (OSError, IndexError):
        return True
    return state not in "ZX"  # one that only waits to be reaped is dead
