"""A run, decided: what scenario, seed and options became before anything starts.

`sil/scenarios` makes a RunPlan; `sil/virtual` and `sil/processes` fly it. Nothing here depends on how it is flown.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import msgspec

from flightos.core.configuration import HeatConfiguration, NodeConfiguration, PowerConfiguration
from sil.world.tape import GeometryTape


class NodeCrash(msgspec.Struct, frozen=True, tag="node_crash"):
    """The node's process dies (kill -9) at `at_ns`; it comes back after `restart_after_ns`, or never (None)."""

    node_id: int
    at_ns: int
    restart_after_ns: int | None = None


class KernelHang(msgspec.Struct, frozen=True, tag="kernel_hang"):
    """The first kernel that starts on the node at or after `at_ns` never returns."""

    node_id: int
    at_ns: int


class LinkOutage(msgspec.Struct, frozen=True, tag="link_outage"):
    """No light passes between two nodes in [start_ns, stop_ns)."""

    node_a_id: int
    node_b_id: int
    start_ns: int
    stop_ns: int


class StuckSensor(msgspec.Struct, frozen=True, tag="stuck_sensor"):
    """A sensor ('power' or 'temperature') repeats its last value in [start_ns, stop_ns)."""

    node_id: int
    sensor: str
    start_ns: int
    stop_ns: int


Fault = NodeCrash | KernelHang | LinkOutage | StuckSensor


class NodeWorld(msgspec.Struct, frozen=True):
    """What the world must know of a satellite: its power and heat, and its upset rate as expected upsets per
    second, scaled by 2^63, outside and inside the South Atlantic Anomaly."""

    node_id: int
    power: PowerConfiguration
    heat: HeatConfiguration
    upset_threshold_quiet: int = 0
    upset_threshold_saa: int = 0


class LinkModel(msgspec.Struct, frozen=True):
    """Physics and limits of links, the same for all of one kind."""

    modem_latency_ns: int = 10_000_000
    """Interleaver, coding and framing of one hop, both ends together; part of the lookahead."""
    wire_latency_ns: int = 20_000_000
    """One way between a station and mission control."""
    acquisition_ns: int = 15_000_000_000
    loss_threshold: int = 0
    """A frame is lost when a 63-bit draw is below this."""
    queue_bytes_max: int = 64 * 1024 * 1024


class Criteria(msgspec.Struct, frozen=True):
    """When the run has passed; None = not asked."""

    tasks_lost_max: int = 0
    products_min: int | None = None
    downlink_ratio_max: float | None = None
    invariant_violations_max: int = 0
    reference_exact: bool = False
    """All tiles together must reproduce the whole-image reference."""


@dataclass(frozen=True)
class RunPlan:
    """Everything a run needs, in memory. Times are mission time in ns; mission time 0 is `epoch_tai_ns`."""

    scenario: str
    seed: int
    duration_ns: int
    epoch_tai_ns: int
    port_latency_ns: int
    """World to node and node to world; one constant in all modes, at least the lookahead."""
    nodes: tuple[NodeConfiguration, ...]
    """Satellites, stations and ground, in order of id."""
    tables: dict[int, tuple[tuple[str, bytes], ...]]
    """By node id: tables uploaded at boot, as (name, MessagePack)."""
    worlds: tuple[NodeWorld, ...]
    links: LinkModel
    tape: GeometryTape
    tiles: tuple[bytes, ...]
    """Encoded tiles (flightos.apps.tiles), by tile index."""
    faults: tuple[Fault, ...] = ()
    criteria: Criteria = field(default_factory=Criteria)
    settings: dict[str, object] = field(default_factory=dict)
    """The scenario as read, for manifest and report."""
    scene: dict[str, object] = field(default_factory=dict)
    """Reference results of the flown image (whole-image figures, planted burn) for checkers and report."""

    def outages(self) -> dict[tuple[int, int], list[tuple[int, int]]]:
        """Planned outages by pair (lower id first) as [start, stop) in mission ns."""
        by_pair: dict[tuple[int, int], list[tuple[int, int]]] = {}
        for fault in self.faults:
            if isinstance(fault, LinkOutage):
                pair = (min(fault.node_a_id, fault.node_b_id), max(fault.node_a_id, fault.node_b_id))
                by_pair.setdefault(pair, []).append((fault.start_ns, fault.stop_ns))
        return by_pair

    def lookahead_ns(self) -> int:
        """The least time between a cause at one participant and its effect at another."""
        return min(
            self.tape.light_time_ns_min + self.links.modem_latency_ns,
            self.links.wire_latency_ns,
            self.port_latency_ns,
        )
