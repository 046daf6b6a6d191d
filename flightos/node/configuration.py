"""The file of one node (`flightos node NODE.toml`): what a board must know of itself, checked before it starts.

Every fault is listed at once with file, line, key and the nearest right name. Keys are not written in the file: it
names files that hold them, which only the node's user may read. The tables of power, heat and compute serve
scenarios too.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field

from flightos.core.configuration import (
    ComputeConfiguration,
    HeatConfiguration,
    NodeConfiguration,
    PowerConfiguration,
    Role,
    TerminalConfiguration,
)
from flightos.core.errors import ConfigError, InfrastructureError
from flightos.core.ids import is_satellite, is_station
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.node.toml_faults import (
    Document,
    KeyPath,
    Table,
    apply_overrides,
    read_document,
    validate,
)

Ratio = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0)]
NotNegative = Annotated[float, Field(ge=0.0)]
NodeId = Annotated[int, Field(ge=1, le=1_999)]
Address = Annotated[str, Field(pattern=r"^tcp://[^:/\s]+:\d{1,5}$|^ipc://\S+$")]

KEY_BYTES: Final = 32
LOOPBACK: Final = ("tcp://127.0.0.1:", "tcp://localhost:", "ipc://")


class PowerTable(Table):
    """Array, battery and standing loads."""

    array_w: NotNegative = 700.0
    battery_wh: Positive = 600.0
    soc_ratio_start: Ratio = 0.90
    soc_ratio_min: Ratio = 0.70
    bus_w: NotNegative = 120.0
    imager_w: NotNegative = 40.0

    def configuration(self) -> PowerConfiguration:
        """In mW, mJ and millionths."""
        return PowerConfiguration(
            array_mw=round(self.array_w * 1_000),
            battery_mj=round(self.battery_wh * 3_600_000),
            soc_ratio_e6_start=round(self.soc_ratio_start * 1_000_000),
            soc_ratio_e6_min=round(self.soc_ratio_min * 1_000_000),
            bus_mw=round(self.bus_w * 1_000),
            imager_mw=round(self.imager_w * 1_000),
        )


class HeatTable(Table):
    """Compute box as one lumped node."""

    capacity_j_per_k: Annotated[int, Field(ge=1)] = 7_200
    temperature_k_start: Annotated[float, Field(ge=150.0, le=500.0)] = 293.0
    temperature_k_max: Annotated[float, Field(ge=150.0, le=500.0)] = 333.0
    radiator_m2: Annotated[float, Field(ge=0.0, le=1_000.0)] = 0.24
    emissivity: Ratio = 0.85
    environment_w: NotNegative = 20.0

    def configuration(self) -> HeatConfiguration:
        """In mK, mm2, mW and millionths."""
        return HeatConfiguration(
            capacity_j_per_k=self.capacity_j_per_k,
            temperature_mk_start=round(self.temperature_k_start * 1_000),
            temperature_mk_max=round(self.temperature_k_max * 1_000),
            radiator_mm2=round(self.radiator_m2 * 1_000_000),
            emissivity_e6=round(self.emissivity * 1_000_000),
            environment_mw=round(self.environment_w * 1_000),
        )


class SlotTable(Table):
    """Limits of a compute box, the same for boards and scenarios."""

    mw_per_tops: Annotated[int, Field(ge=0)] = 200
    queue_count_max: Annotated[int, Field(ge=1, le=4_096)] = 64
    budget_factor: Annotated[float, Field(ge=1.0, le=100.0)] = 2.0
    """The watchdog kills a worker at this many times the modelled duration ..."""
    budget_s_min: Positive = 10.0
    """... but not before this time."""

    def configuration(self, rate_tops: int) -> ComputeConfiguration:
        """With the rate of one box."""
        return ComputeConfiguration(
            rate_tops=rate_tops,
            mw_per_tops=self.mw_per_tops,
            queue_count_max=self.queue_count_max,
            budget_factor_e3=round(self.budget_factor * 1_000),
            budget_ns_min=round(self.budget_s_min * NS_PER_S),
        )


class ComputeTable(SlotTable):
    """The compute box of this board."""

    rate_tops: Annotated[int, Field(ge=1, le=1_000_000)] = 40


class TerminalTable(Table):
    """One laser terminal, radio or wire, in the order of their indices."""

    kind: Literal["laser", "radio", "wire"] = "wire"
    peers: list[NodeId] = []
    rate_bps: Annotated[int, Field(ge=1_000)] = 1_000_000_000
    acquisition_s: NotNegative = 0.0
    tracking_w: NotNegative = 0.0
    sending_w: NotNegative = 0.0


class NetworkTable(Table):
    """Where this node listens, where its peers do, and where its umbilical goes."""

    listen: Address = "tcp://127.0.0.1:7000"
    public: bool = False
    """Said on purpose when `listen` is not the loopback."""
    umbilical: Address = "tcp://127.0.0.1:7900"
    peers: dict[str, Address] = {}
    """Addresses by node id."""
    modem_latency_ms: Annotated[float, Field(ge=0.0, le=1_000.0)] = 10.0


class KeysTable(Table):
    """Files with 64 hexadecimal digits each."""

    link_file: str = "link.key"
    command_file: str = "command.key"


class StoreTable(Table):
    """Where the node keeps contents, journal and input logs."""

    folder: str = "data"
    size_bytes: Annotated[int, Field(ge=1_000_000)] = 64_000_000_000


class SensorsTable(Table):
    """Files of the board that hold a number; without them the world model (or nothing) speaks."""

    temperature_file: str | None = None
    """Thousandths of a degree Celsius, as Linux thermal zones give them."""
    power_file: str | None = None
    """Microwatts, as Linux power sensors give them."""


class NodeTable(Table):
    """The whole file."""

    node_id: NodeId = 1
    name: Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,32}$")] = "board"
    role: Literal["satellite", "station"] = "satellite"
    has_imager: bool = False
    apps: list[str] = ["surface_watch"]
    tile_tera_ops: Annotated[int, Field(ge=1)] = 100_000
    worker_count: Annotated[int, Field(ge=1, le=64)] = 1
    network: NetworkTable = NetworkTable()
    keys: KeysTable = KeysTable()
    store: StoreTable = StoreTable()
    sensors: SensorsTable = SensorsTable()
    compute: ComputeTable = ComputeTable()
    power: PowerTable = PowerTable()
    heat: HeatTable = HeatTable()
    terminals: Annotated[list[TerminalTable], Field(max_length=64)] = []
    tables: dict[str, str] = {}
    """Files of tables loaded at boot, MessagePack, by table name."""


@dataclass(frozen=True)
class BoardConfiguration:
    """A checked node file: the node itself, and what its drivers need."""

    node: NodeConfiguration
    listen: str
    umbilical: str
    peer_addresses: Mapping[int, str]
    store_folder: Path
    worker_count: int
    temperature_file: Path | None = None
    power_file: Path | None = None
    table_files: Mapping[str, Path] = field(default_factory=dict)


def load_node(path: Path, overrides: Mapping[str, str] | None = None) -> BoardConfiguration:
    """Load and check a node file; its file names are relative to it.

    Raises ConfigError with every fault, InfrastructureError when a file it names cannot be read.
    """
    document = apply_overrides(read_document(path), overrides or {})
    table, faults = validate(NodeTable, document)
    if table is not None:
        _check_relations(table, lambda key, text: faults.append(document.fault(key, text)))
    if faults or table is None:
        raise ConfigError(faults)
    folder = path.parent
    keys = _read_keys(table, folder, document)
    return BoardConfiguration(
        node=_node_configuration(table, *keys),
        listen=table.network.listen,
        umbilical=table.network.umbilical,
        peer_addresses={int(peer): address for peer, address in table.network.peers.items()},
        store_folder=folder / table.store.folder,
        worker_count=table.worker_count,
        temperature_file=_optional(table.sensors.temperature_file),
        power_file=_optional(table.sensors.power_file),
        table_files={name: folder / file for name, file in table.tables.items()},
    )


def _optional(name: str | None) -> Path | None:
    return None if name is None else Path(name)


def _check_relations(table: NodeTable, report: Callable[[KeyPath, str], None]) -> None:
    """What must hold between the keys of a node file."""
    fits, ids = {
        "satellite": (is_satellite(table.node_id), "1..999"),
        "station": (is_station(table.node_id), "1001..1999"),
    }[table.role]
    if not fits:
        report(("node_id",), f"expected {ids} for the role {table.role}, found {table.node_id}")
    if not table.network.listen.startswith(LOOPBACK) and not table.network.public:
        report(("network", "listen"), "expected network.public = true to listen beyond this machine")
    for peer in table.network.peers:
        if not peer.isdigit() or not 1 <= int(peer) <= 1_999 or int(peer) == table.node_id:
            report(("network", "peers", peer), f"expected the id of another node, found {peer!r}")
    for index, terminal in enumerate(table.terminals):
        if terminal.kind == "wire" and len(terminal.peers) != 1:
            report(("terminals", index, "peers"), f"expected one peer of a wire, found {terminal.peers}")
        for peer_id in terminal.peers:
            if str(peer_id) not in table.network.peers:
                report(
                    ("terminals", index, "peers"), f"expected an address of node {peer_id} in network.peers"
                )
    if table.power.soc_ratio_start < table.power.soc_ratio_min:
        report(
            ("power", "soc_ratio_start"),
            f"expected at least soc_ratio_min = {table.power.soc_ratio_min}, found {table.power.soc_ratio_start}",
        )


def _read_keys(table: NodeTable, folder: Path, document: Document) -> tuple[bytes, bytes]:
    """The link key and the command key. Raises InfrastructureError or ConfigError."""
    keys = []
    for name, file in (("link_file", table.keys.link_file), ("command_file", table.keys.command_file)):
        try:
            text = (folder / file).read_text(encoding="ascii").strip()
        except (OSError, UnicodeDecodeError) as error:
            raise InfrastructureError(document.fault(("keys", name), f"cannot be read: {error}")) from error
        try:
            key = bytes.fromhex(text)
        except ValueError:
            key = b""
        if len(key) != KEY_BYTES:
            raise ConfigError(
                [document.fault(("keys", name), f"expected {2 * KEY_BYTES} hexadecimal digits")]
            )
        keys.append(key)
    return keys[0], keys[1]


def _node_configuration(table: NodeTable, link_key: bytes, command_key: bytes) -> NodeConfiguration:
    terminals = tuple(
        TerminalConfiguration(
            index=index,
            kind=terminal.kind,
            peer_ids=tuple(terminal.peers),
            rate_bps=terminal.rate_bps,
            acquisition_ns=round(terminal.acquisition_s * NS_PER_S),
            tracking_mw=round(terminal.tracking_w * 1_000),
            sending_mw=round(terminal.sending_w * 1_000),
            key=link_key,
        )
        # A board alone still has one: it carries the key with which frames are checked.
        for index, terminal in enumerate(table.terminals or [TerminalTable(kind="radio")])
    )
    lasers = [terminal for terminal in terminals if terminal.kind == "laser"]
    return NodeConfiguration(
        node_id=table.node_id,
        name=table.name,
        role=Role(table.role),
        terminals=terminals,
        neighbour_ids=tuple(peer for terminal in lasers for peer in terminal.peer_ids),
        has_imager=table.has_imager,
        storage_bytes=table.store.size_bytes,
        modem_latency_ns=round(table.network.modem_latency_ms * NS_PER_MS),
        command_key=command_key,
        app_names=tuple(table.apps),
        tile_tera_ops=table.tile_tera_ops,
        power=table.power.configuration(),
        heat=table.heat.configuration(),
        compute=table.compute.configuration(table.compute.rate_tops),
    )
