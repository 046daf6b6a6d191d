"""Drawings over time: tasks and links as lanes, charge, temperature and queue as one card per satellite."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flightos.core.ids import is_satellite
from flightos.ground.inspect import Series
from flightos.ground.report_data import APP_STEPS, GAP_STEP_RATIO, Execution, ReportData
from flightos.ground.report_svg import Drawing, TimeAxis, clock, fits
from flightos.ground.tlm import reduced

Floats = NDArray[np.float64]

WIDTH: Final = 1000.0
LABEL_WIDTH: Final = 96.0
LANE: Final = 24.0
TOP: Final = 8.0
BAR: Final = 16.0
STEP_WIDTH_MIN: Final = 2.2

CARD_WIDTH: Final = 330.0
CARD_LEFT: Final = 44.0
PANEL: Final = 56.0
INSET: Final = 5.0
PANEL_GAP: Final = 18.0
CARD_TOP: Final = 16.0
CARD_POINT_COUNT: Final = 300


def shade(
    drawing: Drawing, axis: TimeAxis, data: ReportData, node_id: int, top: float, height: float
) -> None:
    """Eclipse and silence of a satellite behind its lane."""
    for start_s, stop_s in data.eclipses.get(node_id, ()):
        if start_s < data.stop_s:
            x = axis.x(start_s)
            drawing.rect(x, top, axis.x(stop_s) - x, height, "eclipse")
    for start_s, stop_s in data.silences.get(node_id, ()):
        x = axis.x(start_s)
        tip = f"{data.name(node_id)}: no telemetry {clock(start_s)} to {clock(stop_s)}"
        drawing.rect(x, top, axis.x(stop_s) - x, height, "silence", tip)


def task_lanes(data: ReportData) -> str:
    """One lane a satellite: every execution as a bar on eclipse shading."""
    if not data.satellite_ids:
        return ""
    height = TOP + LANE * len(data.satellite_ids) + 20
    drawing = Drawing(WIDTH, height, "tasks by satellite over mission time")
    axis = TimeAxis(data.stop_s, LABEL_WIDTH, WIDTH - 8)
    for row, node_id in enumerate(data.satellite_ids):
        top = TOP + LANE * row
        shade(drawing, axis, data, node_id, top + 1, LANE - 2)
        drawing.line(LABEL_WIDTH, top + LANE, WIDTH - 8, top + LANE, "rule")
        drawing.text(LABEL_WIDTH - 8, top + 16, data.name(node_id), "lane", "end")
    axis.draw(drawing, TOP, height - 20, 10)
    rows = {node_id: row for row, node_id in enumerate(data.satellite_ids)}
    for execution in sorted(data.executions, key=lambda e: e.step in APP_STEPS):
        if execution.node_id in rows:
            _task_bar(drawing, axis, data, execution, TOP + LANE * rows[execution.node_id])
    return drawing.svg("lanes")


def _task_bar(drawing: Drawing, axis: TimeAxis, data: ReportData, execution: Execution, top: float) -> None:
    x, stop_x = axis.x(execution.start_s), axis.x(execution.stop_s)
    kind = "step" if execution.step in APP_STEPS else "task"
    tip = (
        f"{data.name(execution.node_id)}: {execution.step}, observation {execution.observation_id}, "
        f"attempt {execution.attempt}: {clock(execution.start_s)} to {clock(execution.stop_s)}, {execution.ending}"
    )
    width = max(stop_x - x, STEP_WIDTH_MIN)
    drawing.rect(x, top + (LANE - BAR) / 2, width, BAR, f"bar {kind} {execution.ending}", tip, 2)
    label = f"{execution.observation_id}"
    if fits(label, stop_x - x):
        drawing.text((x + stop_x) / 2, top + 16, label, "in-bar", "middle")


def link_lanes(data: ReportData) -> str:
    """One lane a pair of satellites and one a station: planned contacts pale, open links solid."""
    lanes = _lanes(data)
    if not lanes:
        return ""
    lane = 18.0
    height = TOP + lane * len(lanes) + 20
    drawing = Drawing(WIDTH, height, "links over mission time, planned and real")
    axis = TimeAxis(data.stop_s, LABEL_WIDTH + 40, WIDTH - 8)
    axis.draw(drawing, TOP, height - 20, 10)
    for row, (key, label) in enumerate(lanes.items()):
        top = TOP + lane * row
        drawing.text(axis.left - 8, top + 12.5, label, "lane", "end")
        for node_a, node_b, start_s, stop_s in data.contacts:
            if _lane_key(node_a, node_b) == key and start_s < data.stop_s:
                x = axis.x(start_s)
                tip = (
                    f"planned {data.name(node_a)} - {data.name(node_b)}: {clock(start_s)} to {clock(stop_s)}"
                )
                drawing.rect(x, top + 3, axis.x(stop_s) - x, 12, "planned", tip, 2)
        for link in data.links:
            if _lane_key(link.node_a_id, link.node_b_id) == key:
                x, stop_x = axis.x(link.start_s), axis.x(link.stop_s)
                ends = f"{data.name(link.node_a_id)} - {data.name(link.node_b_id)}"
                tip = f"open {ends}: {clock(link.start_s)} to {clock(link.stop_s)}"
                drawing.rect(x, top + 3, stop_x - x, 12, "open", tip, 2)
                if link.was_lost:
                    drawing.add(
                        "circle", "lost", f"lost {ends} at {clock(link.stop_s)}", cx=stop_x, cy=top + 9, r=4.5
                    )
                satellite = data.name(min(link.node_a_id, link.node_b_id))
                if len(key) == 1 and fits(satellite, stop_x - x, 9):
                    drawing.text((x + stop_x) / 2, top + 12, satellite, "in-bar", "middle")
    return drawing.svg("lanes")


def _lane_key(node_a: int, node_b: int) -> tuple[int, ...]:
    """A pair of satellites has its own lane; passes of all satellites over a station share one."""
    low, high = sorted((node_a, node_b))
    return (low, high) if is_satellite(high) else (high,)


def _lanes(data: ReportData) -> dict[tuple[int, ...], str]:
    keys = {_lane_key(a, b) for a, b, _, _ in data.contacts if is_satellite(min(a, b))}
    keys |= {_lane_key(link.node_a_id, link.node_b_id) for link in data.links if is_satellite(link.node_a_id)}
    ordered = sorted(keys, key=lambda key: (-len(key), key))
    return {key: " - ".join(data.name(node) for node in key) for key in ordered}


# --- one card per satellite -----------------------------------------------------------------------------------


def node_cards(data: ReportData) -> list[tuple[str, str]]:
    """(name, drawing) for each satellite: charge, temperature and backlog with their limits."""
    panels = (
        ("charge in %", 100.0, data.series("resources/soc_ratio"), _limit(data, "power", "soc_ratio_min")),
        (
            "compute box in K",
            1.0,
            data.series("resources/temperature_k"),
            _limit(data, "heat", "temperature_k_max"),
        ),
        ("tasks queued and running", 1.0, _backlog(data), None),
    )
    limits = [
        _range([s.value * scale for s in found.values()], limit, scale) for _, scale, found, limit in panels
    ]
    cards = []
    for node_id in data.satellite_ids:
        if not any(node_id in found for _, _, found, _ in panels):
            continue
        height = CARD_TOP + len(panels) * (PANEL + PANEL_GAP)
        drawing = Drawing(CARD_WIDTH, height, f"charge, temperature and queue of {data.name(node_id)}")
        axis = TimeAxis(data.stop_s, CARD_LEFT, CARD_WIDTH - 6)
        for index, (label, scale, found, limit) in enumerate(panels):
            top = CARD_TOP + index * (PANEL + PANEL_GAP)
            shade(drawing, axis, data, node_id, top, PANEL)
            _panel(drawing, axis, top, label, limits[index], found.get(node_id), limit, scale)
        bottom = height - PANEL_GAP
        for t_s, label in axis.ticks(5):
            drawing.text(axis.x(t_s), bottom + 13, label, "tick", axis.anchor(t_s))
        cards.append((data.name(node_id), drawing.svg("card-plot")))
    return cards


def _limit(data: ReportData, *keys: str) -> float | None:
    value = data.setting(*keys)
    return float(value) if isinstance(value, int | float) else None


def _backlog(data: ReportData) -> dict[int, Series]:
    """Tasks queued and running together."""
    running = data.series("compute/running_count")
    queued = data.series("compute/queued_count")
    joined = {}
    for node, series in queued.items():
        other = running.get(node)
        if other is not None and len(other.value) == len(series.value):
            values = series.value + other.value
            joined[node] = Series(**{**series.__dict__, "value": values})
        else:
            joined[node] = series
    return joined


def _range(values: list[Floats], limit: float | None, scale: float) -> tuple[float, float]:
    """The same y axis for all satellites, so that cards compare; it holds the limit."""
    finite = [array[np.isfinite(array)] for array in values if np.isfinite(array).any()]
    low = min((float(array.min()) for array in finite), default=0.0)
    high = max((float(array.max()) for array in finite), default=1.0)
    if limit is not None:
        low, high = min(low, limit * scale), max(high, limit * scale)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _panel(
    drawing: Drawing,
    axis: TimeAxis,
    top: float,
    label: str,
    limits: tuple[float, float],
    series: Series | None,
    limit: float | None,
    scale: float,
) -> None:
    low, high = limits

    def y(value: float) -> float:
        return top + PANEL - INSET - (value - low) / (high - low) * (PANEL - 2 * INSET)

    drawing.rect(axis.left, top, axis.right - axis.left, PANEL, "frame")
    drawing.text(axis.left, top - 4, label, "panel-label")
    for value in (low, high):
        shown = round(value) if high - low > 5 else round(value, 1)
        drawing.text(axis.left - 5, y(value) + 3.5, f"{shown:g}", "tick", "end")
    if limit is not None:
        drawing.line(axis.left, y(limit * scale), axis.right, y(limit * scale), "limit")
        is_upper = y(limit * scale) < top + PANEL / 2
        label_y = y(limit * scale) + (9 if is_upper else -3)
        drawing.text(axis.right - 3, label_y, f"limit {limit * scale:g}", "limit-label", "end")
    if series is None:
        return
    _curve(drawing, axis, *reduced(series.t_s, series.value * scale, CARD_POINT_COUNT), y)


def _curve(
    drawing: Drawing, axis: TimeAxis, t_s: Floats, values: Floats, y: Callable[[float], float]
) -> None:
    """A line that breaks where telemetry stayed away."""
    steps = np.diff(t_s, append=t_s[-1:])
    gap_s = max(GAP_STEP_RATIO * float(np.median(steps)), axis.stop_s / 40)
    points: list[tuple[float, float]] = []
    for at_s, value, step_s in zip(t_s.tolist(), values.tolist(), steps.tolist(), strict=True):
        points.append((axis.x(at_s), y(value)))
        if step_s > gap_s:
            drawing.path(points, "line")
            points = []
    drawing.path(points, "line")
