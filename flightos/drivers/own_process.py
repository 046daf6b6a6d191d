"""How a process of ours starts another one: the same interpreter, the same code.

`python -m` looks into the working folder first; a user who stands in another copy of the sources, or beside a
folder that happens to be called `sil`, would get children of other code. So the folder is left out (-P) and the
place from which this very process loaded the package goes first.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import flightos

PACKAGE_PLACE: Final = str(Path(flightos.__file__).resolve().parent.parent)


def module_command(module: str, *arguments: str) -> list[str]:
    """The command line of one of our modules."""
    return [sys.executable, "-P", "-m", module, *arguments]


def module_environment() -> dict[str, str]:
    """The environment that goes with it."""
    places = [PACKAGE_PLACE, *os.environ.get("PYTHONPATH", "").split(os.pathsep)]
    return {**os.environ, "PYTHONPATH": os.pathsep.join(place for place in places if place)}


@contextmanager
def living_with(folder: Path) -> Iterator[None]:
    """For the body of a process that serves a run: when the run's socket folder is gone, the run has ended (a Ctrl-C
    can come while we are still starting), and whatever fails then is no failure and nobody is left to tell."""
    try:
        yield
    except Exception:
        if folder.is_dir():
            raise
