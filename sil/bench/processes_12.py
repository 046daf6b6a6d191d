"""three_body as real processes under granted time, as fast as the grants come."""

from __future__ import annotations

import os
from collections.abc import Iterator

from sil.bench.flights import plan_of, scratch
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.bench.statistics import median
from sil.flight import fly

QUICK_S = 300


def measure(options: Options) -> Iterator[Row]:
    """processes_12."""
    plan = plan_of("three_body", QUICK_S if options.is_quick else None)
    speeds, cpu_s, records, hashes = [], [], 0, []
    with scratch() as folder:
        for index in range(options.rounds(3)):
            before_s = _cpu_s()
            summary = fly(plan, "processes", folder / str(index))
            cpu_s.append(_cpu_s() - before_s)
            speeds.append(float(summary["speedup"]))
            records = int(summary["records"])
            hashes.append(summary["trace_hash"])
    sim_s = plan.duration_ns / 1e9
    yield Row(
        name="processes_12",
        value=median(speeds),
        unit="mission s / wall s",
        goal=">= 50",
        detail={
            "sim_s": sim_s,
            "satellites": len(plan.worlds),
            "records_per_node_second": records / len(plan.worlds) / sim_s,
            "sim_s_per_cpu_s": sim_s / median(cpu_s),
            "cpu_s_all_processes": median(cpu_s),
            "slowest": min(speeds),
            "fastest": max(speeds),
            "rounds": len(speeds),
            "equal_trace_hashes": len(set(hashes)) == 1 and None not in hashes,
            "cpu": "of all processes of the run, start, archive and checkers included",
        },
    )


def _cpu_s() -> float:
    """CPU seconds of this process and of those of its descendants that have been waited for."""
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system
