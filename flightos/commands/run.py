"""`flightos run`: decide a scenario, fly it, write its report, say how it went."""

from __future__ import annotations

import json
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flightos.commands.endings import CommandEnded, Ending, say, usage_error
from flightos.commands.runs import new_run_folder, private_files


@dataclass(frozen=True)
class RunOptions:
    """The command line of `flightos run`, as typed."""

    scenario: str
    is_virtual: bool
    is_processes: bool
    is_wall: bool
    seed: int
    duration_s: int | None
    speed: str | None
    overrides: list[str]
    operator_log: Path | None
    out: Path | None
    is_json: bool


def fly_scenario(options: RunOptions) -> Ending:
    """Fly, report, and give the exit status. What is written is for the user only."""
    with private_files():
        return _fly_scenario(options)


def _fly_scenario(options: RunOptions) -> Ending:
    mode = _mode(options)
    speed = _speed(options, mode)
    overrides = _overrides(options.overrides)
    if options.operator_log is not None and not options.operator_log.is_file():
        say(f"error: --operator-log {options.operator_log}: no such file")
        return Ending.INFRASTRUCTURE
    from sil.scenarios.builder import build_plan
    from sil.scenarios.loader import load_scenario
    from sil.stops import read_commands

    if options.operator_log is not None:
        read_commands(options.operator_log)  # what is wrong with it is said before anything starts
    started_s = time.monotonic()
    loaded = load_scenario(options.scenario, overrides)
    plan = build_plan(loaded, options.seed, options.duration_s)
    tape_s = time.monotonic() - started_s
    run_dir = new_run_folder(loaded.name, options.seed, options.out)
    how = "wall clock" if options.is_wall else "as fast as it goes" if speed is None else f"x{speed:g}"
    say(
        f"{loaded.name}: {loaded.satellite_count} satellites, {plan.duration_ns // 1_000_000_000} s of mission, "
        f"seed {plan.seed}, {mode}, {how}"
    )

    say(f"run folder: {run_dir}")

    from flightos.commands.status_line import StatusLine
    from sil.flight import fly

    with StatusLine() as watch:
        summary = fly(
            plan,
            mode=mode,
            out=run_dir,
            speed=speed,
            wall=options.is_wall,
            operator_log=options.operator_log,
            progress=watch,
        )
    summary["tape_s"] = round(tape_s, 3)
    report = _write_report(run_dir, summary)
    _tell(summary, report, options.is_json)
    if summary.get("interrupted"):
        return Ending.INTERRUPTED
    return Ending.OK if summary["passed"] else Ending.CRITERIA_FAILED


def _mode(options: RunOptions) -> str:
    """'virtual' or 'processes'. Raises CommandEnded for options that exclude each other."""
    if options.is_virtual and options.is_processes:
        raise usage_error("--virtual and --processes exclude each other")
    if options.is_virtual and options.is_wall:
        raise usage_error("--wall needs real processes: virtual time has no wall clock")
    return "virtual" if options.is_virtual else "processes"


def _speed(options: RunOptions, mode: str) -> float | None:
    """Mission seconds per wall second; None = as fast as it goes. Raises CommandEnded."""
    if mode == "virtual":
        if options.speed not in (None, "max"):
            raise usage_error("--speed paces real processes; --virtual always goes as fast as it can")
        return None
    if options.speed is None:
        return 1.0
    if options.speed == "max":
        if options.is_wall:
            raise usage_error("--wall runs at speed 1 only")
        return None
    try:
        speed = float(options.speed)
    except ValueError:
        speed = 0.0
    if not 0.001 <= speed <= 1e6:
        raise usage_error(f"--speed {options.speed}: expected a number of 0.001 to 1000000, or max")
    if options.is_wall and speed != 1.0:
        raise usage_error(f"--speed {options.speed}: --wall runs at speed 1 only")
    return speed


def _overrides(settings: list[str]) -> dict[str, str]:
    """`key=value` texts as a mapping. Raises CommandEnded naming every one that is not of that form."""
    pairs = [setting.partition("=") for setting in settings]
    wrong = [
        setting for setting, (key, equals, _) in zip(settings, pairs, strict=True) if not key or not equals
    ]
    if wrong:
        raise usage_error(
            *(f"--set {setting}: expected key=value, such as payload.image=my.tif" for setting in wrong)
        )
    return {key.strip(): value for key, _, value in pairs}


def _write_report(run_dir: Path, summary: dict[str, Any]) -> Path | None:
    """Make report.html; without it the run still counts."""
    started_s = time.monotonic()
    try:
        from flightos.ground.report import write_report

        report = Path(write_report(run_dir))
    except ModuleNotFoundError as error:
        say(f"no report: the package {error.name!r} is not installed (pip install 'flightos[all]')")
        return None
    except CommandEnded:
        raise
    except Exception as error:  # a report that cannot be drawn must not turn a good run into a failed one
        say(f"no report: {type(error).__name__}: {error}; try again with: flightos report {run_dir}")
        return None
    summary["report_s"] = round(time.monotonic() - started_s, 3)
    summary["report"] = str(report)
    return report


def _tell(summary: dict[str, Any], report: Path | None, is_json: bool) -> None:
    """The end of the run: figures for people, or one JSON object; the path of the report last."""
    if is_json:
        json.dump(summary, sys.stdout)
        sys.stdout.write("\n")
        sys.stdout.flush()
        return
    verdict = "PASS" if summary["passed"] else "FAIL"
    say(
        f"{verdict}  tasks {summary['tasks_done']}/{summary['tasks_submitted']} done, "
        f"{summary['tasks_dropped']} dropped, {summary['tasks_lost']} lost; "
        f"{summary['products_delivered']} products delivered; "
        f"{summary['bytes_downlinked']:,} of {summary['bytes_sensed']:,} bytes came down; "
        f"{summary['invariant_violations']} invariant violations; x{summary['speedup'] or 0:.0f}"
    )
    for criterion in summary.get("criteria", ()):
        if not criterion["passed"]:
            say(f"  {criterion['name']}: expected {criterion['expected']}, measured {criterion['measured']}")
    if summary.get("interrupted"):
        say(f"  interrupted after {summary['sim_s']:.0f} s of mission; what was flown is kept")
    if summary.get("lateness_us") is not None:
        lateness = summary["lateness_us"]
        say(
            f"  lateness of events: half within {lateness['p50'] / 1000:.1f} ms, 99 % within "
            f"{lateness['p99'] / 1000:.1f} ms, all within {lateness['p100'] / 1000:.1f} ms"
        )
    trace = summary["trace_hash"] or f"not repeatable: {summary['not_repeatable']};"
    say(f"trace {trace}  products {summary['products_hash']}")
    print(report if report is not None else summary["run_dir"])
