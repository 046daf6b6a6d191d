"""Run folders: which run a command means."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flightos.core.errors import ConfigError

RUNS_FOLDER: Final = Path("runs")
MANIFEST: Final = "manifest.json"


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
