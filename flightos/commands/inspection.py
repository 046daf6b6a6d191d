"""`flightos status`, `top` and `tlm`: what a run sent, while it lives and afterwards, from its folder alone."""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from flightos.commands.endings import say, usage_error
from flightos.commands.runs import find_run

PLOT_SUFFIXES: Final = (".png", ".svg", ".pdf")
BOTH_PATHS: Final = "both"


@dataclass(frozen=True)
class Choice:
    """Which samples: NODE/service/field with * and ?, limits in mission seconds, which of the two paths."""

    pattern: str
    from_s: float | None
    to_s: float | None
    path: str

    @property
    def path_or_none(self) -> str | None:
        """None means both."""
        return None if self.path == BOTH_PATHS else self.path


def show_status(run: Path | None, is_json: bool) -> None:
    """How a run stands."""
    from flightos.ground.status import print_status, status

    print_status(status(find_run(run)), sys.stdout, as_json=is_json)


def list_telemetry(run: Path | None, choice: Choice, is_json: bool) -> None:
    """Parameters with number and range of their samples."""
    from flightos.ground.inspect import open_run
    from flightos.ground.tlm import list_parameters, print_parameters

    rows = list_parameters(open_run(find_run(run)), choice.pattern, choice.path_or_none)
    print_parameters(rows, sys.stdout, as_json=is_json)


def show_telemetry(run: Path | None, choice: Choice, last: int, follow: bool, is_json: bool) -> None:
    """Samples; with `follow` new ones too, until the run has ended or Ctrl-C."""
    from flightos.ground.inspect import open_run
    from flightos.ground.tlm import print_samples, show

    folder = find_run(run)
    seen: dict[tuple[str, str, str], float] = {}
    count = last or None
    while True:
        opened = open_run(folder)
        from_s = choice.from_s if not seen else min(seen.values())
        samples = show(opened, choice.pattern, from_s, choice.to_s, count, choice.path_or_none)
        fresh = [
            sample
            for sample in samples
            if sample.t_s > seen.get((sample.node, sample.parameter, sample.path), float("-inf"))
        ]
        print_samples(fresh, sys.stdout, as_json=is_json)
        sys.stdout.flush()
        if not follow or opened.summary:
            return
        for sample in fresh:
            seen[sample.node, sample.parameter, sample.path] = sample.t_s
        count = None if seen else count
        time.sleep(1.0)


def plot_telemetry(run: Path | None, choice: Choice, out: Path | None) -> None:
    """A chart in the terminal, or a picture file whose path is printed."""
    from flightos.ground.inspect import open_run
    from flightos.ground.tlm import plot_png, plot_text

    opened = open_run(find_run(run))
    if out is None:
        print(plot_text(opened, choice.pattern, choice.from_s, choice.to_s, choice.path_or_none))
        return
    if out.suffix.lower() not in PLOT_SUFFIXES:
        raise usage_error(f"--out {out}: expected a file name ending in {', '.join(PLOT_SUFFIXES)}")
    print(plot_png(opened, choice.pattern, out, choice.from_s, choice.to_s))


def export_telemetry(run: Path | None, choice: Choice, file_format: str, out: Path | None) -> None:
    """Samples as CSV, JSON lines or Parquet, to a file or stdout."""
    from flightos.ground.inspect import open_run
    from flightos.ground.tlm import export

    opened = open_run(find_run(run))
    where = sys.stdout if out is None else out
    count = export(
        opened, choice.pattern, file_format, where, choice.from_s, choice.to_s, choice.path_or_none
    )
    say(f"{count} samples" + (f" in {out}" if out is not None else ""))


# --- top ------------------------------------------------------------------------------------------------------

MODE: Final = "health/mode"
TOP_COLUMNS: Final = (
    ("mode", MODE, "{:.0f}"),
    ("charge", "resources/soc_ratio", "{:.3f}"),
    ("sun", "resources/sunlit_ratio", "{:.2f}"),
    ("temp K", "resources/temperature_k", "{:.1f}"),
    ("load W", "resources/load_mw", "{:.0f}"),
    ("running", "compute/running_count", "{:.0f}"),
    ("queued", "compute/queued_count", "{:.0f}"),
    ("done", "scheduling/task_done_count", "{:.0f}"),
    ("links", "links/links_open", "{:.0f}"),
    ("bundles", "network/bundles_waiting", "{:.0f}"),
    ("products", "storage/product_released_count", "{:.0f}"),
)
_SCALES: Final = {"resources/load_mw": 0.001}


def watch_status(run: Path | None, period_s: float) -> None:
    """A table of the nodes that refreshes in place until the run ends or Ctrl-C; once when stdout is no terminal."""
    from flightos.ground.inspect import open_run
    from flightos.ground.status import status

    folder = find_run(run)
    is_terminal = sys.stdout.isatty()
    while True:
        opened = open_run(folder)
        stand = status(folder)
        mode = opened.dictionary.parameters.get(MODE) if opened.dictionary is not None else None
        labels = {} if mode is None else {MODE: dict(mode.enum)}
        table = top_lines(latest_values(opened), opened.names, labels)
        lines = [f"{stand['run_dir']}: {stand['state']}", *table]
        sys.stdout.write(("\x1b[H\x1b[2J" if is_terminal else "") + "\n".join(lines) + "\n")
        sys.stdout.flush()
        if stand["state"] != "running" or not is_terminal:
            return
        time.sleep(period_s)


def latest_values(opened: object) -> dict[int, dict[str, float]]:
    """The newest value of each column's parameter by node, from the umbilical."""
    from flightos.ground.inspect import Run

    assert isinstance(opened, Run)
    wanted = [parameter for _, parameter, _ in TOP_COLUMNS]
    marks = ", ".join("?" * len(wanted))
    rows = opened.query(
        "SELECT spacecraft, parameter::VARCHAR, arg_max(value, t_tai_ns) FROM telemetry "
        f"WHERE path = 0 AND parameter IN ({marks}) GROUP BY ALL",
        wanted,
    )
    values: dict[int, dict[str, float]] = {}
    for node_id, parameter, value in rows:
        values.setdefault(node_id, {})[parameter] = value
    return values


def top_lines(
    values: dict[int, dict[str, float]], names: dict[int, str], labels: dict[str, dict[int, str]]
) -> Sequence[str]:
    """The table as lines: one node a line, a dash where nothing was heard, states by name."""
    width = max((len(name) for name in names.values()), default=4)
    lines = [" ".join([f"{'node':<{width}}", *(f"{title:>8}" for title, _, _ in TOP_COLUMNS)])]
    for node_id in sorted(values):
        cells = []
        for _, parameter, form in TOP_COLUMNS:
            value = values[node_id].get(parameter)
            text = "-" if value is None else form.format(value * _SCALES.get(parameter, 1.0))
            if value is not None and int(value) in labels.get(parameter, {}):
                text = labels[parameter][int(value)][:8].lower()
            cells.append(f"{text:>8}")
        lines.append(" ".join([f"{names.get(node_id, str(node_id)):<{width}}", *cells]))
    return lines
