"""From typing `flightos run three_body` to the first telemetry on the umbilical."""

from __future__ import annotations

import time
from collections.abc import Iterator

from flightos.core.errors import InfrastructureError
from sil.bench.children import started_run
from sil.bench.flights import scratch
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.bench.statistics import median

SAID = b"first telemetry"


def measure(options: Options) -> Iterator[Row]:
    """first_telemetry."""
    taken_s = [_once() for _ in range(options.rounds(5))]
    yield Row(
        name="first_telemetry",
        value=median(taken_s),
        unit="s",
        goal="<= 5",
        detail={
            "slowest_s": max(taken_s),
            "fastest_s": min(taken_s),
            "rounds": len(taken_s),
            "from": "start of a fresh interpreter with the command line, real processes at speed 1",
            "to": "the line on stderr that says that telemetry has come",
        },
    )


def _once() -> float:
    with scratch() as folder:
        started_s = time.perf_counter()
        with started_run("three_body", "--duration", "60", "--out", str(folder / "run")) as process:
            assert process.stderr is not None
            for line in process.stderr:
                if SAID in line:
                    return time.perf_counter() - started_s
    raise InfrastructureError("the run ended before any telemetry came")
