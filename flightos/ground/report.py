"""`report.html`: one page that says whether a run passed, and shows why; it needs nothing outside itself.

Everything is drawn as SVG when the page is written, so that it opens from a disk without network or script, prints,
and follows the reader's choice of light or dark. What a killed run lacks is left out, never invented.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import jinja2

from flightos.core.dictionary import Severity
from flightos.ground.archive import write_file
from flightos.ground.inspect import Event
from flightos.ground.report_data import ReportData, gather
from flightos.ground.report_map import ground_map, ring_view
from flightos.ground.report_scene import scene_findings
from flightos.ground.report_svg import amount, clock
from flightos.ground.report_time import link_lanes, node_cards, task_lanes

REPORT_NAME: Final = "report.html"
WORST_EVENT_COUNT: Final = 24
EVENTS_OF_A_KIND_COUNT: Final = 3
REPRODUCTION_KEYS: Final = (
    "seed",
    "commit",
    "mode",
    "speed",
    "scale",
    "tape_hash",
    "dictionary_hash",
    "trace_hash",
    "products_hash",
)
VERDICTS: Final = {True: "PASS", False: "FAIL", None: "UNFINISHED"}


def write_report(run_dir: str | Path) -> Path:
    """Write `report.html` into a run folder, finished or not, and say where it is."""
    folder = Path(run_dir)
    data = gather(folder)
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("flightos.ground", "templates"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    environment.filters |= {"clock": clock, "amount": amount}
    page = environment.get_template("report.html.j2").render(_context(data))
    path = folder / REPORT_NAME
    write_file(path, page.encode())
    return path


def _context(data: ReportData) -> dict[str, Any]:
    run = data.run
    summary, manifest = run.summary, run.manifest
    passed = bool(summary["passed"]) if "passed" in summary else None
    return {
        "title": str(summary.get("scenario") or manifest.get("scenario") or run.folder.name),
        "question": str(data.setting("question") or ""),
        "notes": [str(note) for note in data.setting("notes") or manifest.get("notes") or ()],
        "verdict": VERDICTS[passed],
        "criteria": [_criterion(item) for item in summary.get("criteria") or ()],
        "facts": _facts(summary, manifest),
        "figures": _figures(summary, data),
        "bytes": _bytes(summary),
        "ring": ring_view(data),
        "map": ground_map(data),
        "tasks": task_lanes(data),
        "links": link_lanes(data),
        "cards": node_cards(data),
        "scene": scene_findings(data),
        "reference": _reference(summary),
        "events": _worst(data.events),
        "event_counts": _severity_counts(data.events),
        "has_silence": any(data.silences.values()),
        "reproduce": _reproduce(summary, manifest),
        "manifest": json.dumps(manifest, indent=1, ensure_ascii=False, sort_keys=True),
    }


def _criterion(item: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "name": str(item.get("name", "")).replace("_", " "),
        "expected": _said(item.get("expected")),
        "measured": _said(item.get("measured")),
        "passed": bool(item.get("passed")),
    }


def _said(value: object) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if value is None:
        return "-"
    return amount(value) if isinstance(value, int | float) else str(value)


def _facts(summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The line under the title."""
    facts = []
    for key in ("mode", "seed", "nodes"):
        value = summary.get(key, manifest.get(key))
        if isinstance(value, int | str):
            facts.append((key, str(value)))
    started = manifest.get("started_utc") or manifest.get("utc")
    if started:
        facts.append(("started", str(started)))
    return facts


def _figures(summary: Mapping[str, Any], data: ReportData) -> list[tuple[str, str, str]]:
    """(figure, what it is, a remark) for the tiles; only what the summary states."""
    figures = [(clock(data.stop_s), "mission time", "")]
    if "speedup" in summary:
        wall = summary.get("wall_s")
        remark = f"{wall:.3g} s of wall time" if isinstance(wall, int | float) else ""
        speedup = amount(float(f"{summary['speedup']:.3g}"))
        figures.append((f"{speedup}\N{MULTIPLICATION SIGN}", "real time", remark))
    if "tasks_done" in summary:
        remark = f"{summary.get('tasks_dropped', 0)} dropped, {summary.get('tasks_lost', 0)} lost"
        figures.append(
            (f"{summary['tasks_done']} of {summary.get('tasks_submitted', '?')}", "tasks done", remark)
        )
    if "products_delivered" in summary:
        figures.append((str(summary["products_delivered"]), "products accepted", "each once, on the ground"))
    elif data.run.products():
        figures.append((str(len(data.run.products())), "products accepted", "so far"))
    ratio = _bytes(summary)
    if ratio:
        figures.append(
            (f"{100 * ratio['ratio']:.3g} %", "of sensed bytes sent", "products only, without telemetry")
        )
    if summary.get("upsets_struck"):
        hit, found = summary.get("upsets_hit_work", 0), summary.get("upsets_found", 0)
        remark = f"{hit} hit work in progress, of which checksums found {found}"
        figures.append((str(summary["upsets_struck"]), "upsets", remark))
    if "invariant_violations" in summary:
        figures.append((str(summary["invariant_violations"]), "invariant violations", ""))
    return figures


def _bytes(summary: Mapping[str, Any]) -> dict[str, Any]:
    """Sensed against downlinked; empty when nothing was sensed."""
    sensed, downlinked = summary.get("bytes_sensed"), summary.get("bytes_downlinked")
    if not isinstance(sensed, int) or not isinstance(downlinked, int) or not sensed:
        return {}
    return {
        "sensed": amount(sensed, "B"),
        "downlinked": amount(downlinked, "B"),
        "ratio": downlinked / sensed,
        "width": max(0.3, 100 * min(1.0, downlinked / sensed)),
    }


def _reference(summary: Mapping[str, Any]) -> str:
    """What the checker says of all products together; empty when it did not look."""
    reference = summary.get("reference")
    if not isinstance(reference, Mapping):
        return ""
    text = str(reference.get("text", ""))
    precision, recall = reference.get("burn_precision_ratio"), reference.get("burn_recall_ratio")
    if isinstance(precision, float) and isinstance(recall, float):
        text += f"; planted burn found with precision {precision:.3f} and recall {recall:.3f}"
    return text


def _worst(events: list[Event]) -> list[tuple[Event, int]]:
    """The most severe kinds of event, a few of each in order of time; with the last how many more like it came.

    INFO is shown only where nothing is worse.
    """
    worse = [event for event in events if event.severity > Severity.INFO] or events
    by_kind: dict[tuple[int, str], list[Event]] = {}
    for event in worse:
        by_kind.setdefault((-event.severity, event.name), []).append(event)
    rows = []
    for _, alike in sorted(by_kind.items(), key=lambda item: (item[0][0], item[1][0].t_s)):
        shown = alike[:EVENTS_OF_A_KIND_COUNT]
        rows += [(event, 0) for event in shown[:-1]] + [(shown[-1], len(alike) - len(shown))]
    return rows[:WORST_EVENT_COUNT]


def _severity_counts(events: list[Event]) -> list[tuple[str, int]]:
    counts = Counter(event.severity for event in events)
    return [(severity.name, counts.get(int(severity), 0)) for severity in reversed(Severity)]


def _reproduce(summary: Mapping[str, Any], manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """What it takes to fly the same again."""
    rows = []
    for key in (
        "seed",
        "commit",
        "mode",
        "speed",
        "scale",
        "tape_hash",
        "dictionary_hash",
        "trace_hash",
        "products_hash",
    ):
        value = summary.get(key, manifest.get(key))
        if value is not None:
            rows.append((key.replace("_", " "), str(value)))
    versions = manifest.get("versions")
    if isinstance(versions, Mapping):
        rows += [(f"version of {name}", str(version)) for name, version in versions.items()]
    return rows
