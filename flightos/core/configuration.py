"""What one node is: frozen facts made from its TOML (or a scenario) before it starts; services only read them."""

from __future__ import annotations

from enum import StrEnum
from typing import Final

import msgspec

NS: Final = 1_000_000_000


class Role(StrEnum):
    """Which services a node has."""

    SATELLITE = "satellite"
    STATION = "station"
    GROUND = "ground"


class TerminalConfiguration(msgspec.Struct, frozen=True):
    """One laser terminal, radio or wire. `peer_ids` are those it may point at; a wire needs no acquisition."""

    index: int
    kind: str
    """'laser', 'radio' or 'wire'."""
    peer_ids: tuple[int, ...]
    rate_bps: int
    acquisition_ns: int
    tracking_mw: int
    sending_mw: int
    key: bytes
    """Link authentication key of 32 bytes, shared by all nodes of the run."""


class PowerConfiguration(msgspec.Struct, frozen=True):
    """Electric power; energies in mJ, powers in mW, ratios in millionths."""

    array_mw: int = 700_000
    battery_mj: int = 600 * 3_600_000
    soc_ratio_e6_start: int = 900_000
    soc_ratio_e6_min: int = 700_000
    bus_mw: int = 120_000
    imager_mw: int = 40_000


class HeatConfiguration(msgspec.Struct, frozen=True):
    """Compute box as one lumped node."""

    capacity_j_per_k: int = 7_200
    temperature_mk_start: int = 293_000
    temperature_mk_max: int = 333_000
    radiator_mm2: int = 240_000
    emissivity_e6: int = 850_000
    environment_mw: int = 20_000


class ComputeConfiguration(msgspec.Struct, frozen=True):
    """Compute box. Busy power is `mw_per_tops` x rate; idle power a tenth of it."""

    rate_tops: int
    mw_per_tops: int = 200
    slot_count: int = 1
    queue_count_max: int = 64
    budget_factor_e3: int = 2_000
    """Watchdog: the worker is killed at this many thousandths of the modelled duration ..."""
    budget_ns_min: int = 10 * NS
    """... but not before this time."""
    step_duration_ns: int = 200_000_000
    """Modelled duration of an app step (plan, finish)."""


class SchedulingConfiguration(msgspec.Struct, frozen=True):
    """Limits of scheduling."""

    attempts_max: int = 4
    observation_count_max: int = 64
    hop_count_max: int = 11
    """How far a view travels: the long way round a ring of 12 whose other side is broken. With less, neighbours of a
    broken link would lose sight of each other and declare each other dead."""
    gossip_ns: int = NS
    view_age_ns_max: int = 60 * NS
    replica_timeout_ns: int = 20 * NS
    result_margin_ns: int = 120 * NS
    """A task is tried elsewhere when its result is later than expected by more than this."""


class HealthConfiguration(msgspec.Struct, frozen=True):
    """Limits of health."""

    suspect_ns: int = 25 * NS
    declare_ns: int = 45 * NS
    """After this long without a sign of life of any kind (direct or by gossip) a peer is declared dead."""
    limit_persistence_count: int = 3


class NodeConfiguration(msgspec.Struct, frozen=True):
    """One node. `neighbour_ids` are the permanent laser neighbours in the order of its terminals."""

    node_id: int
    name: str
    role: Role
    terminals: tuple[TerminalConfiguration, ...]
    neighbour_ids: tuple[int, ...]
    has_imager: bool = False
    storage_bytes: int = 2_500_000_000_000
    obt_offset_ns: int = 0
    drift_ppb: int = 0
    modem_latency_ns: int = 10_000_000
    command_key: bytes = b""
    """MAC key of telecommands, 32 bytes."""
    app_names: tuple[str, ...] = ("surface_watch",)
    tile_tera_ops: int = 100_000
    """Modelled cost of one tile: a stand-in for a foundation-model pass over a full scene."""
    power: PowerConfiguration = PowerConfiguration()
    heat: HeatConfiguration = HeatConfiguration()
    compute: ComputeConfiguration = ComputeConfiguration(rate_tops=1)
    scheduling: SchedulingConfiguration = SchedulingConfiguration()
    health: HealthConfiguration = HealthConfiguration()
    downlink_period_ns: int = 10 * NS
    downlink_bytes_max: int = 4096
    snapshot_period_ns: int = 300 * NS
    """A snapshot carries the tiles that a node holds, up to a megabyte; a restart replays what came after it, at a
    thousand times its pace. Five minutes keep both small."""
