"""`flightos status`: how a run stands, from its folder alone, while it lives and afterwards."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, TextIO

from flightos.ground.archive import RAW_NAMES
from flightos.ground.inspect import open_run

PLAIN_KEYS = ("scenario", "mode", "seed")


def status(run_dir: str | Path) -> dict[str, Any]:
    """State ('running', 'passed', 'failed', 'ended without summary'), live figures, counts, nothing missing raises.

    A run whose `live.json` says so but whose summary never came was killed or still runs: `live` has its last
    beat. Raises InfrastructureError when there is no such folder.
    """
    run = open_run(run_dir)
    severities = {row["severity"]: row["n"] for row in run.catalogue(_SEVERITIES)}
    if run.summary:
        state = "passed" if run.summary.get("passed") else "failed"
    else:
        state = "running" if run.live else "ended without summary"
    return {
        "run_dir": str(run.folder),
        **{key: run.manifest.get(key, run.summary.get(key)) for key in PLAIN_KEYS},
        "state": state,
        "live": run.live,
        "nodes": len(run.names),
        "raw_bytes": {
            name: (run.folder / name).stat().st_size if (run.folder / name).is_file() else 0
            for name in RAW_NAMES
        },
        "products": len(run.products()),
        "events_by_severity": {
            name: severities.get(number, 0)
            for number, name in enumerate(("info", "low", "medium", "high"), start=1)
        },
        "bad_packets": sum(row["count"] for row in run.catalogue("SELECT count FROM faults")),
        "sequence_gaps": sum(row["count"] for row in run.catalogue("SELECT count FROM gaps WHERE path = 0")),
        "summary": run.summary,
    }


_SEVERITIES = "SELECT severity, count(*) AS n FROM events WHERE path = 0 GROUP BY severity"


def print_status(content: dict[str, Any], out: TextIO, as_json: bool = False) -> None:
    """One JSON object, or a few lines to read."""
    if as_json:
        out.write(json.dumps(content) + "\n")
        return
    heading = " ".join(str(content[key]) for key in PLAIN_KEYS if content[key] is not None)
    out.write(f"{content['run_dir']}: {content['state']} ({heading})\n")
    for key in ("nodes", "products", "bad_packets", "sequence_gaps"):
        out.write(f"  {key.replace('_', ' '):<14} {content[key]}\n")
    events = ", ".join(f"{name} {count}" for name, count in content["events_by_severity"].items())
    out.write(f"  {'events':<14} {events}\n")
    for key, value in content["live"].items():
        if isinstance(value, int | float | str):
            out.write(f"  {key.replace('_', ' '):<14} {value}\n")
