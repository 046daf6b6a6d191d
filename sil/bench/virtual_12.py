"""three_body in virtual time: mission seconds per wall second, and the same messages carried by simpy."""

from __future__ import annotations

import gc
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from sil.bench.flights import Flown, fly_virtual, plan_of, scratch, virtual_detail
from sil.bench.registry import Options
from sil.bench.rows import Row, missing_peer, skipped
from sil.bench.statistics import alternate, median
from sil.bench.traffic import Traffic, observe
from sil.plan import RunPlan

GOAL = ">= 1000"
RATIO_GOAL = ">= 1"
QUICK_S = 300


def measure(options: Options) -> Iterator[Row]:
    """virtual_12, virtual_12_vs_simpy, virtual_12_vs_simpy_records."""
    plan = plan_of("three_body", QUICK_S if options.is_quick else None)
    reason = missing_peer("simpy")
    with scratch() as folder:
        if reason is None:
            yield from _beside_simpy(plan, folder, options)
            return
        yield _row([fly_virtual(plan, folder / str(index)) for index in range(options.rounds(5))])
    yield skipped("virtual_12_vs_simpy", "x", reason, "simpy", RATIO_GOAL)


def _row(flights: list[Flown]) -> Row:
    value = median([flown.sim_s / flown.wall_s for flown in flights])
    return Row(
        name="virtual_12",
        value=value,
        unit="mission s / wall s",
        goal=GOAL,
        detail=virtual_detail(flights),
    )


def _beside_simpy(plan: RunPlan, folder: Path, options: Options) -> Iterator[Row]:
    from sil.bench.simpy_model import run_model

    traffic = observe(plan, folder / "observed")
    numbers = count()
    flights: list[Flown] = []
    delivered: dict[bool, int] = {}

    def fly() -> float:
        flights.append(fly_virtual(plan, folder / str(next(numbers))))
        return flights[-1].cpu_s

    def simpy_s(per_record: bool) -> float:
        gc.collect()
        started_s = time.process_time()
        delivered[per_record], _ = run_model(traffic, per_record)
        return time.process_time() - started_s

    contenders = {"flightos": fly, "simpy": lambda: simpy_s(False), "records": lambda: simpy_s(True)}
    cpu_s = {name: median(values) for name, values in alternate(contenders, options.rounds(5)).items()}
    yield _row(flights)
    for suffix, per_record, goal in (("", False, RATIO_GOAL), ("_records", True, None)):
        peer_s = cpu_s["records" if per_record else "simpy"]
        yield Row(
            name=f"virtual_12_vs_simpy{suffix}",
            value=traffic.sim_s / cpu_s["flightos"],
            unit="mission s / CPU s",
            peer="simpy",
            ratio=peer_s / cpu_s["flightos"],
            goal=goal,
            detail=_peer_detail(traffic, peer_s, delivered[per_record], per_record),
        )


def _peer_detail(
    traffic: Traffic, peer_s: float, delivered: int, per_record: bool
) -> dict[str, float | int | str]:
    node_s = len(traffic.nodes) * traffic.sim_s
    detail: dict[str, float | int | str] = {
        "simpy_sim_s_per_cpu_s": traffic.sim_s / peer_s,
        "simpy_nodes": len(traffic.nodes),
        "simpy_events_delivered": delivered,
        "messages_per_node_second": traffic.message_count() / node_s,
        "wakeups_per_node_second": sum(node.wakeups for node in traffic.nodes) / node_s,
        "message_bytes_median": median(traffic.sizes_bytes) if traffic.sizes_bytes else 0,
        "latency_ms_median": median(traffic.latencies_ns) / 1e6 if traffic.latencies_ns else 0,
        "simpy_does": "periodic 1 Hz work without content, messages of the flight's number, size and latency, "
        "a BLAKE2b trace of every message",
        "simpy_does_not": "services, records, encoding, authentication, wake-ups in the trace, input log, archive, "
        "world",
        "times": "ratio of CPU seconds; the flight does everything the peer leaves out",
    }
    if per_record:
        detail["simpy_also"] = "one event for each record that the flight delivered on its software buses"
    return detail
