"""`flightos rerun` and `flightos diff`: lives played again, and where two runs part."""

from __future__ import annotations

from pathlib import Path

import msgspec

from flightos.commands.endings import Ending, say
from flightos.commands.listing import print_json
from flightos.commands.runs import find_run


def rerun_node(run: Path, node: str, is_json: bool) -> Ending:
    """Play a node again; status 1 when it does not come to the recorded hash."""
    from sil.folder import RunFolder
    from sil.rerun import rerun

    folder = find_run(run)
    report = rerun(folder, RunFolder.open(folder).node_id_of(node))
    if is_json:
        print_json(msgspec.to_builtins(report))
    else:
        print("\n".join(report.lines()))
    if report.is_equal is None:
        say("the run left no trace to compare with")
    return Ending.CRITERIA_FAILED if report.is_equal is False else Ending.OK


def diff_runs(first: Path, second: Path, is_json: bool) -> Ending:
    """Compare two runs; status 1 when they differ."""
    from sil.diff import diff

    report = diff(find_run(first), find_run(second))
    if is_json:
        print_json(msgspec.to_builtins(report))
    else:
        print("\n".join(report.lines))
    return Ending.OK if report.is_same else Ending.CRITERIA_FAILED
