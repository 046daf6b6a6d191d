"""Which benchmarks there are. A bench is imported when it runs, so that a missing library costs only its own rows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from importlib import import_module
from typing import Final

from flightos.core.errors import FlightosError
from sil.bench.rows import Row, skipped


@dataclass(frozen=True)
class Options:
    """How much to measure: `is_quick` gives a first impression in a fraction of the time."""

    is_quick: bool = False

    def rounds(self, whole: int) -> int:
        """Rounds of alternating measurements."""
        return 1 if self.is_quick else whole


BENCHMARKS: Final[dict[str, str]] = {
    "virtual_12": "three_body in virtual time, against real time and against simpy",
    "virtual_100": "a string of a hundred satellites in virtual time",
    "processes_12": "three_body as real processes under granted time",
    "first_telemetry": "from the command to the first telemetry on the umbilical",
    "node_memory": "memory and idle load of the node processes of three_body",
    "local_bus": "latency and rate between two processes over ipc, against raw pyzmq",
    "input_log": "what the input log costs",
    "replay": "the same hash in virtual time and as processes, seed by seed",
    "kernels": "each C kernel against its peer, and against the memory limit of the same run",
    "kernels_upsets": "random multi-bit upsets on the protection kernels, beside theory",
}
"""By name, which is also the name of the module in this package: the question that the bench answers."""

LONG: Final = frozenset({"kernels"})
"""Benches of many rows: their table has one line a row and a summary at the end; the detail is in the JSON."""


def measure(name: str, options: Options) -> Iterator[Row]:
    """The rows of one bench of BENCHMARKS, as they come."""
    yield from measure_module(name, options)


def measure_module(name: str, options: Options) -> Iterator[Row]:
    """The rows of one module of this package, as they come. What keeps it from running becomes a row that says so."""
    try:
        bench = import_module(f"sil.bench.{name}")
        yield from bench.measure(options)
    except ModuleNotFoundError as error:
        yield skipped(name, "", f"the package {error.name!r} is not installed")
    except Exception as error:  # one bench that breaks must not silence those after it
        kind = "" if isinstance(error, FlightosError) else f"{type(error).__name__}: "
        yield skipped(name, "", f"did not run: {kind}{error}")
