"""Flights for measuring: plans, temporary folders, and one timed flight in virtual time with everything on."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory

from flightos.core.time import NS_PER_S
from flightos.ground.dictionary import current_document
from flightos.ground.receive import Receiver
from sil.bench.statistics import median
from sil.folder import RunFolder, RunOptions
from sil.outcome import Outcome
from sil.plan import RunPlan
from sil.scenarios.builder import build_plan
from sil.scenarios.loader import load_scenario
from sil.virtual.flight import VirtualFlight

SEED = 7


@dataclass(frozen=True)
class Flown:
    """One flight, measured: wall and CPU seconds of the flight with its archive closed; no plan, no report."""

    plan: RunPlan
    wall_s: float
    cpu_s: float
    outcome: Outcome
    folder: Path

    @property
    def sim_s(self) -> float:
        """Mission seconds flown."""
        return self.plan.duration_ns / NS_PER_S


def plan_of(
    scenario: str,
    duration_s: int | None = None,
    seed: int = SEED,
    overrides: Mapping[str, str] | None = None,
) -> RunPlan:
    """The plan of a shipped scenario."""
    return build_plan(load_scenario(scenario, overrides), seed, duration_s)


@contextmanager
def scratch() -> Iterator[Path]:
    """A folder that is gone afterwards; on the disk on which temporary files of this machine live."""
    with TemporaryDirectory(prefix="flightos-bench-") as name:
        yield Path(name)


def fly_virtual(plan: RunPlan, out: Path, has_input_log: bool = True) -> Flown:
    """Fly in this process with trace hash and archive, and with input log and snapshots unless told otherwise."""
    document = current_document()
    folder = RunFolder.create(out, plan, RunOptions(mode="virtual", dictionary=document))
    gc.collect()
    started_s, started_cpu_s = time.perf_counter(), time.process_time()
    receiver = Receiver(folder.path, document, plan.epoch_tai_ns)
    flight = VirtualFlight(plan, folder.inputs if has_input_log else None, receiver)
    outcome = flight.run()
    receiver.close()
    wall_s, cpu_s = time.perf_counter() - started_s, time.process_time() - started_cpu_s
    return Flown(plan, wall_s, cpu_s, outcome, folder.path)


def virtual_detail(flights: list[Flown]) -> dict[str, float | int | str]:
    """What a virtual figure needs beside it: load and cost per node-second, medians over the flights.

    A node is a satellite; stations and mission control fly along and are not counted as nodes.
    """
    plan = flights[0].plan
    node_s = len(plan.worlds) * flights[0].sim_s
    records = median([flown.outcome.record_count for flown in flights])
    cpu_s = median([flown.cpu_s for flown in flights])
    return {
        "sim_s": flights[0].sim_s,
        "satellites": len(plan.worlds),
        "stations_and_ground": len(plan.nodes) - len(plan.worlds),
        "records_per_node_second": records / node_s,
        "cpu_us_per_node_second": cpu_s * 1e6 / node_s,
        "cpu_us_per_record": cpu_s * 1e6 / records,
        "sim_s_per_cpu_s": flights[0].sim_s / cpu_s,
        "cpu_s": cpu_s,
        "wall_s": median([flown.wall_s for flown in flights]),
        "rounds": len(flights),
        "on": "trace hash, input log, snapshots, archive (packets, Parquet, catalogue)",
    }
