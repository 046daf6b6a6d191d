"""Timing of kernels: CPU time of this thread, which another program on the same cores disturbs least."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Final, TypeVar

from sil.bench.statistics import alternate, median

GIGA: Final = 1e9
Action = Callable[[], object]
Name = TypeVar("Name")


def cpu_s(contenders: Mapping[Name, Action], rounds: int) -> dict[Name, float]:
    """Median CPU seconds of this thread for each contender, after one call to warm up."""

    def timed(action: Action) -> Callable[[], float]:
        def run() -> float:
            started_s = time.thread_time()
            action()
            return time.thread_time() - started_s

        return run

    for action in contenders.values():
        action()
    taken = alternate({name: timed(action) for name, action in contenders.items()}, rounds)
    return {name: max(median(values), 1e-9) for name, values in taken.items()}
