"""What crosses between the participants of a flight: taken from the flight itself, for a peer to repeat.

Input logs give the wake-ups and outside records of each node; link shapers, watched while they work, give each
frame's sender, receiver, size and latency.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from unittest.mock import patch

from flightos.core.ports import FrameReceived
from flightos.drivers.shaper import LinkShaper, ShaperDrop
from flightos.host.keeping import read_log
from sil.bench.flights import fly_virtual
from sil.bench.statistics import thinned
from sil.plan import RunPlan

SAMPLE_COUNT_MAX = 4096


@dataclass
class NodeTraffic:
    """Of one node, over the whole flight."""

    node_id: int
    wakeups: int = 0
    frames_received: int = 0
    records_from_devices: int = 0
    """Sensor samples of the world, commands, ends of work and exposures."""


@dataclass
class Traffic:
    """Of a flight. `latencies_ns` and `sizes_bytes` are even samples of all frames that were delivered."""

    sim_s: int
    port_latency_ns: int
    nodes: list[NodeTraffic]
    record_count: int
    latencies_ns: list[int] = field(default_factory=list)
    sizes_bytes: list[int] = field(default_factory=list)

    def message_count(self) -> int:
        """Frames and device records together."""
        return sum(node.frames_received + node.records_from_devices for node in self.nodes)


@contextmanager
def watched_shapers(frames: list[tuple[int, int]]) -> Iterator[None]:
    """While this lasts, shapers of new flights put (latency in ns, size in bytes) of each delivered frame here."""

    class WatchedShaper(LinkShaper):
        def offer(self, size_bytes: int, t_mission_ns: int) -> int | ShaperDrop:
            due_ns = super().offer(size_bytes, t_mission_ns)
            if not isinstance(due_ns, ShaperDrop):
                frames.append((due_ns - t_mission_ns, size_bytes))
            return due_ns

    # The name is bound where shapers are made.
    with patch("sil.members.LinkShaper", WatchedShaper):
        yield


def observe(plan: RunPlan, out: Path) -> Traffic:
    """Fly the plan once, untimed, and count."""
    frames: list[tuple[int, int]] = []
    with watched_shapers(frames):
        flown = fly_virtual(plan, out)
    nodes = [_count(flown.folder / "inputs", node.node_id) for node in plan.nodes]
    sample = thinned(frames, SAMPLE_COUNT_MAX)
    return Traffic(
        sim_s=int(flown.sim_s),
        port_latency_ns=plan.port_latency_ns,
        nodes=nodes,
        record_count=flown.outcome.record_count,
        latencies_ns=[latency_ns for latency_ns, _ in sample],
        sizes_bytes=[size_bytes for _, size_bytes in sample],
    )


def _count(inputs: Path, node_id: int) -> NodeTraffic:
    traffic = NodeTraffic(node_id)
    _, entries = read_log(inputs, node_id, 0)
    for _, entry in entries:
        if isinstance(entry, int):
            traffic.wakeups += 1
        elif isinstance(entry, FrameReceived):
            traffic.frames_received += 1
        else:
            traffic.records_from_devices += 1
    return traffic
