"""The machine index: how fast this machine runs plain Python, so that absolute budgets can be read elsewhere."""

from __future__ import annotations

import time
from typing import Final

from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.bench.statistics import median

ITERATIONS: Final = 1_000_000
REFERENCE_ITERATIONS: Final = 10_000_000
REFERENCE_S: Final = 1.0
"""The machine on which the budgets were set takes this long for REFERENCE_ITERATIONS (a slow core)."""


def loop() -> int:
    """The fixed work: integer arithmetic, a comparison and a store in each iteration."""
    total = 0
    for index in range(ITERATIONS):
        total = (total + index * 3) & 0xFFFFFF
    return total


def machine_index(options: Options) -> Row:
    """CPU seconds for the reference number of iterations; `detail` says how often the loop was timed."""
    rounds = options.rounds(5)
    taken_s = []
    waited_s = []
    for _ in range(rounds):
        started_s, started_cpu_s = time.perf_counter(), time.process_time()
        loop()
        taken_s.append(time.process_time() - started_cpu_s)
        waited_s.append(time.perf_counter() - started_s)
    scale = REFERENCE_ITERATIONS / ITERATIONS
    value = median(taken_s) * scale
    return Row(
        name="machine_index",
        value=value,
        unit="s",
        detail={
            "loop": f"CPU seconds for {REFERENCE_ITERATIONS:,} iterations of a fixed pure-Python loop",
            "reference_ratio": value / REFERENCE_S,
            "wall_s": median(waited_s) * scale,
            "rounds": rounds,
        },
    )
