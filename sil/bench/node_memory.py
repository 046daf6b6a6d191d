"""Memory and idle load of the twelve node processes of three_body at speed 1."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass

from sil.bench.children import Memory, cpu_s, mapped_packages, memory, started_run, wait_for_processes
from sil.bench.flights import plan_of, scratch
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.bench.statistics import median

WATCH_S = 15.0
QUICK_WATCH_S = 5.0
SETTLE_S = 3.0
PEER = "python with zmq and msgspec imported"
PEER_PROGRAM = "import zmq, msgspec, time; print('ready', flush=True); time.sleep(60)"


@dataclass(frozen=True)
class Load:
    """What was seen of the node processes."""

    memories: list[Memory]
    packages: list[str]
    """With native libraries, in any of them."""
    cpu_percent: float
    busiest_percent: float
    watched_s: float


def measure(options: Options) -> Iterator[Row]:
    """node_memory_rss, node_memory_pss, idle_cpu."""
    watch_s = QUICK_WATCH_S if options.is_quick else WATCH_S
    plan = plan_of("three_body", 60)
    names = [node.name for node in plan.nodes if any(world.node_id == node.node_id for world in plan.worlds)]
    load = _watch(names, watch_s)
    peer = _peer()
    for kind, goal in (("rss", "<= 40"), ("pss", "<= 12")):
        nodes_mib = [getattr(one, f"{kind}_mib") for one in load.memories]
        yield _memory_row(kind, nodes_mib, getattr(peer, f"{kind}_mib"), goal, load.packages)
    yield Row(
        name="idle_cpu",
        value=load.cpu_percent,
        unit="% of one core",
        goal="<= 50",
        detail={
            "nodes": len(names),
            "busiest_node": load.busiest_percent,
            "watched_s": load.watched_s,
            "counts": "CPU time of the node processes, all threads, at speed 1 before the first observation",
        },
    )


def _watch(names: list[str], watch_s: float) -> Load:
    """Fly idle (the first observation comes later than this looks) and look from outside."""
    idle = ("three_body", "--duration", "55", "--speed", "1")
    with scratch() as folder, started_run(*idle, "--out", str(folder / "run")) as process:
        pids = wait_for_processes(process, names)
        time.sleep(SETTLE_S)
        before_s, started_s = [cpu_s(pid) for pid in pids], time.perf_counter()
        time.sleep(watch_s)
        used_s = [cpu_s(pid) - before for pid, before in zip(pids, before_s, strict=True)]
        watched_s = time.perf_counter() - started_s
        memories = [memory(pid) for pid in pids]
        packages = sorted({package for pid in pids for package in mapped_packages(pid)})
    return Load(
        memories, packages, 100.0 * sum(used_s) / watched_s, 100.0 * max(used_s) / watched_s, watched_s
    )


def _peer() -> Memory:
    """A bare interpreter with the two libraries that every node needs."""
    with subprocess.Popen([sys.executable, "-c", PEER_PROGRAM], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            process.stdout.readline()
            return memory(process.pid)
        finally:
            process.kill()


def _memory_row(kind: str, nodes_mib: list[float], peer_mib: float, goal: str, packages: list[str]) -> Row:
    return Row(
        name=f"node_memory_{kind}",
        value=max(nodes_mib),
        unit="MiB",
        peer=PEER,
        goal=goal,
        detail={
            "median": median(nodes_mib),
            "max": max(nodes_mib),
            "nodes": len(nodes_mib),
            "peer_mib": peer_mib,
            "nodes_to_peer": median(nodes_mib) / peer_mib,
            "value_is": "the largest node process",
            "native_packages_loaded": " ".join(packages),
        },
    )
