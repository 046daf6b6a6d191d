"""Run folders: where a new run goes, and which run a command means."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from flightos.core.errors import ConfigError, InfrastructureError

RUNS_FOLDER: Final = Path("runs")
MANIFEST: Final = "manifest.json"
_SAME_SECOND_MAX: Final = 100


@contextmanager
def private_files() -> Iterator[None]:
    """What this process and its children write meanwhile is for the user only: input logs hold keys."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def new_run_folder(scenario: str, seed: int, out: Path | None) -> Path:
    """Make the folder of a new run, private to the user: `out`, or runs/<scenario>-<utc>-<seed>.

    Raises ConfigError when `out` is there and not empty, InfrastructureError when the folder cannot be made.
    """
    if out is not None:
        return _given_folder(out)
    stamp = datetime.now(UTC).strftime("%Y%m%dT%H%M%SZ")
    try:
        RUNS_FOLDER.mkdir(mode=0o700, exist_ok=True)
        for count in range(1, _SAME_SECOND_MAX):
            # Two runs started in the same second do not meet: the second one gets a number.
            suffix = "" if count == 1 else f".{count}"
            folder = RUNS_FOLDER / f"{scenario}-{stamp}-{seed}{suffix}"
            try:
                folder.mkdir(mode=0o700)
            except FileExistsError:
                continue
            return folder
    except OSError as error:
        raise InfrastructureError(
            f"{RUNS_FOLDER.resolve()}: cannot make a run folder: {error.strerror}"
        ) from error
    raise InfrastructureError(f"{RUNS_FOLDER.resolve()}: {_SAME_SECOND_MAX} runs in one second")


def _given_folder(out: Path) -> Path:
    try:
        if out.is_dir() and any(out.iterdir()):
            raise ConfigError([f"--out {out}: expected a new or empty folder, found files in it"])
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        out.chmod(0o700)
    except OSError as error:
        raise InfrastructureError(f"--out {out}: cannot make the run folder: {error.strerror}") from error
    if not os.access(out, os.W_OK | os.X_OK):
        raise InfrastructureError(f"--out {out}: cannot write into the run folder")
    return out


def find_run(wanted: Path | None) -> Path:
    """The folder of a run: given as a path or as a name under runs/; without one, the newest.

    Raises ConfigError saying what there is.
    """
    if wanted is not None:
        for folder in (wanted, RUNS_FOLDER / wanted):
            if (folder / MANIFEST).is_file():
                return folder
        names = [run.name for run in known_runs()]
        last = (
            f"; the last runs are: {', '.join(names[-5:])}"
            if names
            else f"; there are none under {RUNS_FOLDER}/"
        )
        raise ConfigError([f"{wanted}: no run folder (no {MANIFEST} in it){last}"])
    runs = known_runs()
    if not runs:
        raise ConfigError([f"no run under {RUNS_FOLDER.resolve()}; fly one with: flightos run three_body"])
    return runs[-1]


def known_runs() -> list[Path]:
    """Run folders under runs/, oldest first by the time of their manifest."""
    manifests = sorted(
        RUNS_FOLDER.glob(f"*/{MANIFEST}"), key=lambda path: (path.stat().st_mtime_ns, path.name)
    )
    return [path.parent for path in manifests]
