"""What the input log costs: the same flight with and without a folder for logs and snapshots."""

from __future__ import annotations

import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from flightos.host.keeping import InputLog, read_log, read_snapshot
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
        cpu_s = alternate(contenders, options.rounds(9))
        logged = folder / "0" / "inputs"
        rewritten_s = median([rewrite_s(logged, folder) for _ in range(3)])
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
            "rewritten_percent": 100.0 * rewritten_s / with_s,
            "log_bytes_per_node_second": log_bytes / len(plan.nodes) / (plan.duration_ns / 1e9),
            "snapshot_bytes": snapshot_bytes,
            "rounds": len(pairs),
            "counts": "log entries and snapshots, written to files; encoding for the trace hash is needed anyway",
            "rewritten": "CPU for taking and writing the same entries once more, outside a flight: quieter"
            " than a difference",
        },
    )


def rewrite_s(inputs: Path, out: Path) -> float:
    """CPU seconds for giving all entries of a flight to fresh input logs, and for keeping each last snapshot."""
    used_s = 0.0
    for file in sorted(inputs.glob("*.0.log")):
        node_id = int(file.name.split(".")[0])
        header, entries = read_log(inputs, node_id, 0)
        snapshot = read_snapshot(inputs, node_id, 0)
        started_s = time.process_time()
        log = InputLog(out, header.configuration, 0, False)
        for obt_ns, entry in entries:
            log.append(obt_ns, entry)
        if snapshot is not None:
            log.keep(snapshot)
        log.close()
        used_s += time.process_time() - started_s
    return used_s
