"""Everything a node can touch outside itself, as records: what devices report, and what is asked of them.

Drivers implement this border; services never see a driver. Bytes of tiles, results and bundles stay on the
driver's side: services name them by content id. The order of inputs with equal time is (source id, sequence):
peers use their node id, devices of the node the reserved ids below.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from flightos.core.ids import SELF_SOURCE_ID, ContentId
from flightos.core.records import Record

SOURCE_WORKERS: Final = SELF_SOURCE_ID
SOURCE_IMAGER: Final = SELF_SOURCE_ID + 1
SOURCE_WAKEUPS: Final = SELF_SOURCE_ID + 2
SERVICE_RECORD_BYTES_MAX: Final = 64 * 1024
"""Nothing above this size enters a service."""


class TerminalState(IntEnum):
    """What a laser terminal or radio is doing."""

    STOWED = 0
    POINTING = 1
    ACQUIRING = 2
    TRACKING = 3
    LOST = 4


class WorkFailure(IntEnum):
    """Why a worker gave no result."""

    TIMED_OUT = 1
    CRASHED = 2
    CORRUPT_INPUT = 3
    CORRUPT_RESULT = 4
    INPUT_MISSING = 5
    REFUSED = 6


# --- inputs: what devices report to the node -----------------------------------------------------------------


class NodeBooted(Record, frozen=True):
    """First record of each life. `boot_count` starts at 0; `restored` tells that a snapshot was replayed."""

    boot_count: int
    restored: bool


class TimeSampled(Record, frozen=True):
    """The time source (GNSS receiver): TAI nanoseconds since 1958-01-01 minus on-board time, with its quality."""

    tai_minus_obt_ns: int
    uncertainty_ns: int


class PowerSampled(Record, frozen=True):
    """Power unit at 1 Hz; charge in millionths of the usable energy, powers in mW."""

    soc_ratio_e6: int
    array_mw: int
    load_mw: int
    sunlit_ratio_e6: int


class TemperatureSampled(Record, frozen=True):
    """Compute box temperature in mK at 1 Hz."""

    temperature_mk: int


class RadiationSampled(Record, frozen=True):
    """Radiation monitor, on change: inside the South Atlantic Anomaly or not; upsets counted so far."""

    in_saa: bool
    upset_count: int


class TerminalReported(Record, frozen=True):
    """A terminal changed its state. Light time is one way, without modem latency; 0 unless tracking."""

    terminal_index: int
    peer_id: int
    state: TerminalState
    light_time_ns: int
    rate_bps: int


class FrameReceived(Record, frozen=True):
    """One frame from a terminal, as bytes; the node's edge decodes it."""

    terminal_index: int
    peer_id: int
    data: bytes


class ContentArrived(Record, frozen=True):
    """Bytes that a device of the node (imager, worker) puts into the store; for the edge only, any size."""

    data: bytes


class ImageCaptured(Record, frozen=True):
    """The imager put a tile into the store."""

    observation_id: int
    tile_index: int
    tile_id: ContentId
    size_bytes: int


class ImageFailed(Record, frozen=True):
    """The imager gave nothing."""

    observation_id: int
    tile_index: int


class WorkFinished(Record, frozen=True):
    """A worker's result is in the store. `inline` holds it too when it was asked for and is small."""

    work_id: int
    result_id: ContentId
    size_bytes: int
    inline: bytes


class WorkFailed(Record, frozen=True):
    """A worker gave no result."""

    work_id: int
    reason: WorkFailure


class CommandReceived(Record, frozen=True):
    """One authenticated-or-not PUS telecommand packet from the umbilical, as bytes."""

    packet: bytes


class TableUploaded(Record, frozen=True):
    """A table at boot or from the ground, as MessagePack bytes."""

    table_name: str
    content: bytes


# --- requests: what the node asks of its devices -------------------------------------------------------------


class PointTerminal(Record, frozen=True):
    """Turn a terminal to a peer and acquire it; peer 0 stows it."""

    terminal_index: int
    peer_id: int


class TransmitFrame(Record, frozen=True):
    """Hand encoded bytes to a terminal; made by the node's edge, not by services."""

    terminal_index: int
    peer_id: int
    data: bytes


class CaptureImage(Record, frozen=True):
    """Expose the imager; `ImageCaptured` follows after `exposure_ns`."""

    observation_id: int
    tile_index: int
    exposure_ns: int


class StartWork(Record, frozen=True):
    """Run an app step or kernel in a worker. Inputs are content ids of the store.

    `duration_ns` is the modelled time to finish; at `budget_ns` the watchdog kills the worker.
    """

    work_id: int
    app: str
    step: str
    parameters: bytes
    input_ids: tuple[ContentId, ...]
    duration_ns: int
    budget_ns: int
    wants_inline: bool


class AbortWork(Record, frozen=True):
    """Kill the worker of this work, without an answer."""

    work_id: int


class ReportLoads(Record, frozen=True):
    """What the node's units draw from now on, in mW; the world integrates it."""

    bus_mw: int
    compute_mw: int
    terminals_mw: int
    radio_mw: int
    imager_mw: int


class StoreBytes(Record, frozen=True):
    """Keep these bytes in the store (a product's parts, a bundle's attachment made on board)."""

    content_id: ContentId
    data: bytes


class DropContent(Record, frozen=True):
    """Forget stored bytes."""

    content_id: ContentId


class EmitPacket(Record, frozen=True):
    """A telemetry packet leaves on the umbilical."""

    packet: bytes


class AcceptProduct(Record, frozen=True):
    """Ground only: write an accepted product into the run folder and the catalogue."""

    content_id: ContentId
    observation_id: int
    tile_index: int
    source_id: int
    size_bytes: int


class ArchiveDownlink(Record, frozen=True):
    """Ground only: packets that arrived over the downlink, concatenated, for the raw log and the archive."""

    source_id: int
    packets: bytes


# --- between a node's host and the world, outside the node's bus ---------------------------------------------


class LoadsReported(Record, frozen=True):
    """To the world: what a node draws."""

    node_id: int
    load_mw: int
    compute_mw: int


class TerminalPointed(Record, frozen=True):
    """To the world: a terminal was turned to a peer (0 = stowed)."""

    node_id: int
    terminal_index: int
    peer_id: int


class NodeLifeChanged(Record, frozen=True):
    """To the world: a node died or came back (the authority tells it)."""

    node_id: int
    alive: bool


class UpsetStruck(Record, frozen=True):
    """From the world to a node's memory: a particle flips one bit of what a worker holds, if one is busy."""

    selector: int
    bit_index: int


NodeInput = (
    NodeBooted
    | TimeSampled
    | PowerSampled
    | TemperatureSampled
    | RadiationSampled
    | TerminalReported
    | FrameReceived
    | ContentArrived
    | ImageCaptured
    | ImageFailed
    | WorkFinished
    | WorkFailed
    | CommandReceived
    | TableUploaded
)
"""Every record that can enter a node from outside: what the input log holds."""

HostInput = NodeInput | UpsetStruck
"""What can be sent to a node's host."""

WorldInput = LoadsReported | TerminalPointed | NodeLifeChanged
"""What can be sent to the world."""
