"""What the input log costs: the same flight with and without a folder for logs and snapshots."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import count

from sil.bench.flights import fly_virtual, plan_of, scratch
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.bench.statistics import alternate, median

DURATION_S = 600
QUICK_S = 200


def measure(options: Options) -> Iterator[Row]:
    """input_log."""
    plan = plan_of("three_body", QUICK_S if options.is_quick else DURATION_S)
    numbers = count()
    with scratch() as folder:

        def fly(has_input_log: bool) -> float:
            return fly_virtual(plan, folder / str(next(numbers)), has_input_log).cpu_s

        contenders = {"with": lambda: fly(True), "without": lambda: fly(False)}
        # One flight to load and warm what both need.
        fly(True)
        cpu_s = alternate(contenders, options.rounds(7))
        logged = folder / "0" / "inputs"
        log_bytes = sum(file.stat().st_size for file in logged.glob("*.log"))
        snapshot_bytes = sum(file.stat().st_size for file in logged.glob("*.snapshot"))
    with_s, without_s = median(cpu_s["with"]), median(cpu_s["without"])
    pairs = [100.0 * (one - other) / one for one, other in zip(cpu_s["with"], cpu_s["without"], strict=True)]
    yield Row(
        name="input_log",
        value=100.0 * (with_s - without_s) / with_s,
        unit="% of CPU",
        goal="<= 5",
        detail={
            "cpu_s_with": with_s,
            "cpu_s_without": without_s,
            "pairs_smallest": min(pairs),
            "pairs_largest": max(pairs),
            "log_bytes_per_node_second": log_bytes / len(plan.nodes) / (plan.duration_ns / 1e9),
            "snapshot_bytes": snapshot_bytes,
            "rounds": len(pairs),
            "counts": "log entries and snapshots, written to files; encoding for the trace hash is needed anyway",
        },
    )
