"""Small made-up evidence: a plan of three satellites without a flight, and events as the catalogue holds them."""

from __future__ import annotations

from functools import cache
from typing import Any

import numpy as np

from flightos.core.time import NS_PER_S
from sil.checkers.evidence import Event, Evidence, Series
from sil.outcome import Outcome
from sil.plan import RunPlan
from sil.scenarios.builder import build_plan
from sil.scenarios.loader import load_scenario

DURATION_S = 300


@cache
def plan() -> RunPlan:
    """The smallest shipped scenario; satellites 1 to 3, charge floor 0.70, deadline 240 s."""
    return build_plan(load_scenario("string_of_three"), seed=1, duration_s=DURATION_S)


def tai_ns(t_s: float) -> int:
    """TAI of a mission time."""
    return plan().epoch_tai_ns + round(t_s * NS_PER_S)


def event(t_s: float, source_id: int, name: str, /, severity: int = 1, **fields: Any) -> Event:
    """One event at a mission time."""
    return Event(tai_ns(t_s), source_id, name, severity, fields)


def series(value: float | list[float], until_s: int = DURATION_S) -> Series:
    """A parameter at 1 Hz from mission time 0: constant, or the given values."""
    values = [value] * until_s if isinstance(value, float | int) else value
    times = np.array([tai_ns(second) for second in range(len(values))], dtype=np.int64)
    return Series(times, np.array(values, dtype=np.float64))


def evidence(
    events: list[Event],
    housekeeping: dict[str, dict[int, Series]] | None = None,
    dead: dict[int, int] | None = None,
) -> Evidence:
    """Evidence of a flight of DURATION_S; `dead` gives the second at which a node fell silent."""
    silent = dead or {}
    alive = {node_id: series(0.0, silent.get(node_id, DURATION_S)) for node_id in (1, 2, 3)}
    found = {"executive/boot_count": alive, **(housekeeping or {})}
    outcome = Outcome(end_ns=DURATION_S * NS_PER_S)
    return Evidence(plan(), outcome, sorted(events, key=lambda one: one.t_tai_ns), housekeeping=found)


def admitted(
    observation_id: int, owner_id: int, at_s: float, task_count: int = 2, epoch: int = 1
) -> list[Event]:
    """An observation that was imaged, admitted with a standby, and planned."""
    standby_id = 2 if owner_id != 2 else 1
    fields = {"observation_id": observation_id, "tile_index": 0}
    return [
        event(at_s, owner_id, "OBSERVATION_IMAGED", **fields, size_bytes=1000),
        event(at_s + 0.1, owner_id, "OBSERVATION_ADMITTED", **fields, standby_id=standby_id),
        event(
            at_s + 0.3,
            owner_id,
            "OBSERVATION_PLANNED",
            observation_id=observation_id,
            task_count=task_count,
            epoch_counter=epoch,
        ),
    ]


def done(t_s: float, owner_id: int, observation_id: int, index: int) -> Event:
    """A task that ended well."""
    return event(t_s, owner_id, "TASK_DONE", task_id=observation_id * 256 + index, node_id=owner_id)


def dropped(t_s: float, owner_id: int, observation_id: int, index: int, refusal: int = 7) -> Event:
    """A task that was given up."""
    return event(
        t_s, owner_id, "TASK_DROPPED", severity=2, task_id=observation_id * 256 + index, refusal=refusal
    )
