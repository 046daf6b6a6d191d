"""How a run is going, told to whoever watches: the status line of `flightos run`, and `live.json`."""

from __future__ import annotations

from collections.abc import Callable

import msgspec


class Progress(msgspec.Struct, frozen=True):
    """One look at a run. Ages nothing, decides nothing; figures come from the umbilical."""

    t_mission_ns: int
    duration_ns: int
    nodes_ok: int
    nodes_fault: int
    links_up: int
    links_total: int
    tasks_done: int
    tasks_total: int
    products: int
    """Products the ground accepted."""
    speed: float
    """Mission seconds per wall second since the last look; at the end of the run, over all of it."""
    is_first_telemetry: bool = False
    """True from the first umbilical packet on."""


OnProgress = Callable[[Progress], None]


def ignore_progress(_progress: Progress) -> None:
    """Nobody watches."""
