"""`flightos bench`: rows as they come, one JSON object a line or a table for people."""

from __future__ import annotations

from flightos.commands.endings import say, usage_error
from flightos.node.toml_faults import nearest


def run_benchmarks(name: str | None, is_json: bool, is_quick: bool) -> None:
    """Run one benchmark, or all; each begins with the machine index. Raises CommandEnded for an unknown name."""
    from sil.bench import BENCHMARKS, Options, measure
    from sil.bench.machine import machine_index
    from sil.bench.registry import LONG
    from sil.bench.rows import Row, json_line, summary_lines, table_lines

    if name is not None and name not in BENCHMARKS:
        known = [f"  {one:<16} {question}" for one, question in BENCHMARKS.items()]
        raise usage_error(f"unknown benchmark {name!r}; {nearest(name, list(BENCHMARKS))}", *known)

    def show(row: Row, is_detailed: bool) -> None:
        print(json_line(row) if is_json else "\n".join(table_lines(row, is_detailed)), flush=True)

    options = Options(is_quick)
    for one in BENCHMARKS if name is None else (name,):
        say(f"{one}: {BENCHMARKS[one]}")
        rows = [machine_index(options)]
        show(rows[0], one not in LONG)
        for row in measure(one, options):
            show(row, one not in LONG)
            rows.append(row)
        if one in LONG:
            for line in summary_lines(rows):
                (say if is_json else print)(line)
