"""What the report is made of: one run folder as plain lists, with empty ones for what a killed run lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import numpy as np

from flightos.core.errors import ConfigError
from flightos.core.ids import is_satellite
from flightos.ground.inspect import Event, Run, Series, open_run
from flightos.ground.report_svg import spans

GAP_STEP_RATIO: Final = 4.5
"""Housekeeping that stays away this many times longer than usual is a gap: the node was dead or reset."""
APP_STEPS: Final = ("plan", "finish")


@dataclass(frozen=True)
class Execution:
    """One task on one node. `ending` is 'finished', 'failed', 'cancelled', or 'open' when nothing was heard."""

    node_id: int
    task_id: int
    attempt: int
    step: str
    start_s: float
    stop_s: float
    ending: str

    @property
    def observation_id(self) -> int:
        """Tasks of an observation are numbered from observation id x 256."""
        return self.task_id // 256


@dataclass(frozen=True)
class LinkSpan:
    """One link between two nodes, seen open by its lower id; `was_lost` when it ended against the plan."""

    node_a_id: int
    node_b_id: int
    start_s: float
    stop_s: float
    was_lost: bool


@dataclass
class ReportData:
    """Everything the drawings need; times are mission seconds."""

    run: Run
    stop_s: float
    events: list[Event]
    satellite_ids: list[int]
    eclipses: dict[int, list[tuple[float, float]]]
    silences: dict[int, list[tuple[float, float]]] = field(default_factory=dict)
    executions: list[Execution] = field(default_factory=list)
    links: list[LinkSpan] = field(default_factory=list)
    contacts: list[tuple[int, int, float, float]] = field(default_factory=list)

    def name(self, node_id: int) -> str:
        """A node's name."""
        return self.run.names.get(node_id, self.run.name_of(node_id))

    def series(self, parameter: str) -> dict[int, Series]:
        """One parameter by node, over the umbilical, else over the downlink."""
        try:
            found = self.run.series(f"*/{parameter}")
        except ConfigError:
            return {}
        chosen: dict[int, Series] = {}
        for series in found:
            if series.path == "umbilical" or series.node_id not in chosen:
                chosen[series.node_id] = series
        return chosen

    def setting(self, *keys: str) -> Any:
        """A value of the scenario as it was flown; None when the manifest does not tell."""
        value: Any = self.run.manifest.get("settings")
        for key in keys:
            value = value.get(key) if isinstance(value, dict) else None
        return value


def gather(run_dir: Path) -> ReportData:
    """Read a run folder."""
    run = open_run(run_dir)
    events = [event for event in run.events if event.path == "umbilical"] or run.events
    geometry = run.geometry
    ids = {int(node) for node in geometry.get("satellites") or {}}
    ids |= {node for node in run.names if is_satellite(node)}
    data = ReportData(
        run=run,
        stop_s=0.0,
        events=events,
        satellite_ids=sorted(ids | {event.node_id for event in events if is_satellite(event.node_id)}),
        eclipses={int(node): spans(value) for node, value in (geometry.get("eclipses") or {}).items()},
    )
    charge = data.series("resources/soc_ratio")
    data.stop_s = _stop_s(run, events, charge)
    data.silences = {node: list(_silences(series, data.stop_s)) for node, series in charge.items()}
    last_heard_s = {node: float(series.t_s[-1]) for node, series in charge.items() if len(series.t_s)}
    data.executions = list(_executions(events, last_heard_s, data.stop_s))
    data.links = list(_links(events, data.stop_s))
    for contact in geometry.get("contacts") or ():
        if isinstance(contact, list) and len(contact) >= 4:
            node_a, node_b, start_s, stop_s = contact[:4]
            data.contacts.append((int(node_a), int(node_b), float(start_s), float(stop_s)))
    return data


def _stop_s(run: Run, events: list[Event], charge: dict[int, Series]) -> float:
    """The end of what was flown: by the summary, else by the last thing heard."""
    stated = run.summary.get("sim_s")
    if isinstance(stated, int | float) and stated > 0:
        return float(stated)
    heard = [event.t_s for event in events] + [float(series.t_s[-1]) for series in charge.values()]
    return max([1.0, *heard])


def _silences(series: Series, stop_s: float) -> Iterator[tuple[float, float]]:
    """When a node's housekeeping stayed away."""
    if len(series.t_s) < 3:
        return
    steps = np.diff(series.t_s)
    limit_s = GAP_STEP_RATIO * float(np.median(steps))
    for index in np.flatnonzero(steps > limit_s).tolist():
        yield float(series.t_s[index]), float(series.t_s[index + 1])
    if stop_s - float(series.t_s[-1]) > limit_s:
        yield float(series.t_s[-1]), stop_s


_ENDINGS: Final = {
    "EXECUTION_FINISHED": "finished",
    "EXECUTION_FAILED": "failed",
    "EXECUTION_CANCELLED": "cancelled",
}


def _executions(events: list[Event], last_heard_s: dict[int, float], stop_s: float) -> Iterator[Execution]:
    """Every execution; one whose end was never told is drawn until its node fell silent."""
    started: dict[tuple[int, int, int], Event] = {}
    for event in events:
        if event.name != "EXECUTION_STARTED" and event.name not in _ENDINGS:
            continue
        key = (event.node_id, int(event.fields["task_id"]), int(event.fields["attempt"]))
        if event.name == "EXECUTION_STARTED":
            started[key] = event
        elif key in started:
            yield _execution(key, started.pop(key), event.t_s, _ENDINGS[event.name])
    for key, event in started.items():
        yield _execution(key, event, max(event.t_s, last_heard_s.get(key[0], stop_s)), "open")


def _execution(key: tuple[int, int, int], start: Event, stop_s: float, ending: str) -> Execution:
    node_id, task_id, attempt = key
    return Execution(node_id, task_id, attempt, str(start.fields.get("step", "")), start.t_s, stop_s, ending)


def _links(events: list[Event], stop_s: float) -> Iterator[LinkSpan]:
    """Both ends report a link; the lower id counts, and the higher one where the lower said nothing."""
    by_reporter: dict[tuple[int, int], list[Event]] = {}
    for event in events:
        if event.name in ("LINK_OPENED", "LINK_CLOSED", "LINK_LOST"):
            by_reporter.setdefault((event.node_id, int(event.fields["peer_id"])), []).append(event)
    for (reporter, peer), told in sorted(by_reporter.items()):
        if not is_satellite(min(reporter, peer)):
            continue  # a wire between a station and mission control
        if reporter < peer or (peer, reporter) not in by_reporter:
            yield from _link_spans(min(reporter, peer), max(reporter, peer), told, stop_s)


def _link_spans(node_a_id: int, node_b_id: int, told: list[Event], stop_s: float) -> Iterator[LinkSpan]:
    start_s: float | None = None
    for event in told:
        if event.name == "LINK_OPENED":
            start_s = event.t_s if start_s is None else start_s
        elif start_s is not None:
            yield LinkSpan(node_a_id, node_b_id, start_s, event.t_s, event.name == "LINK_LOST")
            start_s = None
    if start_s is not None:
        yield LinkSpan(node_a_id, node_b_id, start_s, stop_s, False)
