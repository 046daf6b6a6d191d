"""`flightos status`: how a run stands, from its folder alone, while it lives and afterwards."""

from __future__ import annotations

import json
import os
from dataclasses import asdict
from pathlib import Path
from typing import Any, TextIO

from flightos.core.time import NS_PER_S
from flightos.ground.archive import RAW_NAMES
from flightos.ground.inspect import Run, open_run
from flightos.ground.report_svg import clock
from flightos.ground.verifications import last_commands

PLAIN_KEYS = ("scenario", "mode", "seed")
COMMANDS_SHOWN_MAX = 5


def status(run_dir: str | Path) -> dict[str, Any]:
    """State ('running', 'killed', 'interrupted', 'finished', 'passed', 'failed'), live figures and counts.

    `live` is the last beat of the run. Raises InfrastructureError when there is no such folder.
    """
    run = open_run(run_dir)
    severities = {row["severity"]: row["n"] for row in run.catalogue(_SEVERITIES)}
    return {
        "run_dir": str(run.folder),
        **{key: run.manifest.get(key, run.summary.get(key)) for key in PLAIN_KEYS},
        "state": _state(run),
        "reason": str(run.manifest.get("reason", "")),
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
        "commands": [asdict(command) for command in last_commands(run, COMMANDS_SHOWN_MAX)],
        "summary": run.summary,
    }


_SEVERITIES = "SELECT severity, count(*) AS n FROM events WHERE path = 0 GROUP BY severity"


def _state(run: Run) -> str:
    """The verdict once there is one; else what the manifest says, and whether its process still lives."""
    if run.summary and not run.summary.get("interrupted"):
        return "passed" if run.summary.get("passed") else "failed"
    said = str(run.manifest.get("state", "killed"))
    process_id = run.manifest.get("pid")
    if said != "running":
        return said
    if (
        isinstance(process_id, int)
        and process_id > 0
        and _is_alive(process_id, run.manifest.get("pid_start"))
    ):
        return said
    return "killed"


def _is_alive(process_id: int, start: object) -> bool:
    """True while the process that wrote the manifest is there; not one that only waits to be reaped, and not another
    one that got its id (`start`: field 22 of proc(5), where the manifest says it)."""
    try:
        os.kill(process_id, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        return True
    try:
        fields = Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return True
    return fields[0] not in "ZX" and (not start or fields[19] == start)


def print_status(content: dict[str, Any], out: TextIO, as_json: bool = False) -> None:
    """One JSON object, or a few lines to read."""
    if as_json:
        out.write(json.dumps(content) + "\n")
        return
    heading = " ".join(str(content[key]) for key in PLAIN_KEYS if content[key] is not None)
    out.write(f"{content['run_dir']}: {content['state']} ({heading})\n")
    if content["reason"]:
        out.write(f"  {content['reason']}\n")
    for name, text in _lines(content):
        out.write(f"  {name:<13} {text}\n")
    for command in content["commands"]:
        said = ", ".join(command["stages"]) + (f": {command['refusal']}" if command["refusal"] else "")
        out.write(
            f"  {'command':<13} {clock(command['t_s'])} {command['node']} {command['command']} {said}\n"
        )


def _lines(content: dict[str, Any]) -> list[tuple[str, str]]:
    """What is known, with a name a person would use; each figure once."""
    live = content["live"]
    lines = []
    if "t_mission_ns" in live and "duration_ns" in live:
        speed = f" (x{live['speed']:.0f})" if live.get("speed") else ""
        t_s, duration_s = (int(live[key]) / NS_PER_S for key in ("t_mission_ns", "duration_ns"))
        lines.append(("mission time", f"{clock(t_s)} of {clock(duration_s)}{speed}"))
    if "nodes_ok" in live:
        lines.append(("satellites", f"{live['nodes_ok']} ok, {live['nodes_fault']} at fault"))
        lines.append(("laser links", f"{live['links_up']} of {live['links_total']} up"))
        lines.append(("tasks", f"{live['tasks_done']} of {live['tasks_total']} done"))
    else:
        lines.append(("nodes", str(content["nodes"])))
    if "boot_count" in live:
        lines.append(("starts", str(int(live["boot_count"]) + 1)))
    if "frames_dropped" in live:
        dropped = f"{live['frames_dropped']} frames, {live['packets_dropped']} packets"
        lines.append(("dropped", dropped))
    events = ", ".join(f"{count} {name}" for name, count in content["events_by_severity"].items())
    lines += [
        ("products", str(content["products"])),
        ("events", events),
        ("bad packets", str(content["bad_packets"])),
        ("packet gaps", str(content["sequence_gaps"])),
    ]
    return lines
