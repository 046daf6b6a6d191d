"""What a scenario file may say: one model per table, units in the names, defaults that fly.

Loading is in `loader.py`, checks of relations between keys in `relations.py`, and making a run of it in
`builder.py`.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from flightos.node.configuration import HeatTable, NotNegative, Positive, PowerTable, Ratio, SlotTable
from flightos.node.toml_faults import Table

RateTops = Annotated[int, Field(ge=1, le=1_000_000)]
SatelliteId = Annotated[int, Field(ge=1, le=999)]
DURATION_S_MAX = 14 * 86_400


class Constellation(Table):
    """Satellites of one plane, evenly spaced, ids 1..N; or those of `world.elements`, in file order."""

    satellite_count: Annotated[int, Field(ge=2, le=999)] = 12
    """Not used when `world.elements` names a file: then the file's satellites fly."""
    altitude_km: Annotated[float, Field(ge=160.0, le=2_000.0)] = 500.0
    spacing_deg: Annotated[float | None, Field(gt=0.0, le=180.0)] = None
    """Along the orbit; without it 30, or 360 / N for more than twelve."""
    raan_deg: Annotated[float, Field(ge=-360.0, le=360.0)] = 0.0
    first_argument_of_latitude_deg: Annotated[float, Field(ge=-360.0, le=360.0)] = 0.0
    inclination_deg: Annotated[float | None, Field(ge=0.0, le=180.0)] = None
    """Without it: sun-synchronous at that height."""
    epoch_utc: str = "2026-03-20T12:00:00Z"
    """Mission time 0."""


class World(Table):
    """Inputs of the world that a user may replace, and its constants."""

    elements: str | None = None
    """File with element sets (TLE, or OMM as .csv or .xml) in place of the made-up plane."""
    tape: str | None = None
    """Geometry tape to fly instead of computing one."""
    eclipse_model: Literal["cylinder", "conical"] = "cylinder"
    grazing_height_km_min: Annotated[float, Field(ge=0.0, le=1_000.0)] = 80.0
    forecast_s: Annotated[int, Field(ge=0, le=86_400)] = 5_700
    """The tape, contact plan and eclipse forecast reach this far beyond the end of the run, so that nodes can
    look ahead to the end of the next eclipse."""
    port_latency_ms: Annotated[int, Field(ge=1, le=500)] = 20
    """World to node and node to world; at least the shortest light time plus modem latency."""
    upsets_per_day: NotNegative = 0.0
    """Per satellite, averaged over the orbit, in the memory that holds tiles and results."""
    upsets_saa_ratio: Ratio = 0.9
    """Share of the upsets that falls inside the South Atlantic Anomaly."""


class Stations(Table):
    """Ground stations by name, from the shipped list or a user's CSV."""

    file: str | None = None
    names: Annotated[list[str], Field(min_length=1, max_length=64)] = ["Svalbard", "Troll", "Punta Arenas"]
    elevation_deg_min: Annotated[float, Field(ge=0.0, lt=90.0)] = 10.0
    contact_s_min: Annotated[int, Field(ge=0, le=3_600)] = 30
    """Shorter contacts are not planned: most of them would go by in acquisition."""
    contact_plan: str | None = None
    """CSV (node_a_id, node_b_id, start_s, stop_s, rate_bps) in place of the planned station contacts."""


class Links(Table):
    """Terminals and what light does between them."""

    laser_rate_bps: Annotated[int, Field(ge=1_000)] = 100_000_000_000
    laser_acquisition_s: NotNegative = 15.0
    laser_tracking_w: NotNegative = 30.0
    radio_rate_bps: Annotated[int, Field(ge=1_000)] = 1_200_000_000
    radio_acquisition_s: NotNegative = 2.0
    radio_sending_w: NotNegative = 25.0
    wire_rate_bps: Annotated[int, Field(ge=1_000)] = 1_000_000_000
    wire_latency_ms: Annotated[float, Field(ge=1.0, le=2_000.0)] = 20.0
    modem_latency_ms: Annotated[float, Field(ge=1.0, le=1_000.0)] = 10.0
    frame_loss_ratio: Ratio = 0.0
    queue_bytes_max: Annotated[int, Field(ge=65_536)] = 64 * 1024 * 1024


class Telemetry(Table):
    """What satellites send to the ground of themselves."""

    downlink_period_s: Annotated[int, Field(ge=1, le=3_600)] = 10
    """Events, and the housekeeping of the last second of each period, go into telemetry bundles this often."""


class Compute(SlotTable):
    """The compute boxes."""

    rate_tops: Annotated[list[RateTops], Field(min_length=1, max_length=999)] = [400]
    """One value for all satellites, or one for each."""
    tile_tera_ops: Annotated[int, Field(ge=1)] = 100_000
    """Modelled cost of one tile."""
    storage_bytes: Annotated[int, Field(ge=1_000_000)] = 2_500_000_000_000


class Burst(Table):
    """A satellite passes over the scene and takes these tiles, `interval_s` apart."""

    at_s: NotNegative
    satellite: SatelliteId
    tiles: Annotated[list[Annotated[int, Field(ge=0, le=65_535)]], Field(min_length=1, max_length=256)]


class Payload(Table):
    """What is imaged, by whom, when, and with which app it is processed."""

    image: str | None = None
    """GeoTIFF or .npz in place of the shipped Landsat-7 scene."""
    bands: list[str] = ["blue", "green", "red", "nir", "swir1", "swir2"]
    """What the planes of the image are, in order; green, nir, swir1 and swir2 are needed."""
    pixel_size_m: Annotated[float, Field(gt=0.0, le=100_000.0)] = 28.5
    plant_burn: bool = True
    """Plant the synthetic burn of known mask."""
    tile_rows: Annotated[int, Field(ge=1, le=64)] = 4
    tile_columns: Annotated[int, Field(ge=1, le=64)] = 4
    imagers: list[SatelliteId] = [1]
    app: str = "surface_watch"
    interval_s: NotNegative = 2.0
    priority: Annotated[int, Field(ge=0, le=3)] = 1
    deadline_s: Annotated[int, Field(ge=1, le=DURATION_S_MAX)] = 1_200
    bursts: list[Burst] = []


class NodeCrashTable(Table):
    """kill -9 of a node; it stays dead without restart_after_s."""

    kind: Literal["node_crash"]
    node: int
    at_s: NotNegative
    restart_after_s: Positive | None = None


class KernelHangTable(Table):
    """The first kernel that starts on the node from at_s on never returns."""

    kind: Literal["kernel_hang"]
    node: int
    at_s: NotNegative


class LinkOutageTable(Table):
    """No light between two nodes."""

    kind: Literal["link_outage"]
    node_a: int
    node_b: int
    start_s: NotNegative
    stop_s: NotNegative


class StuckSensorTable(Table):
    """A sensor repeats its last value."""

    kind: Literal["stuck_sensor"]
    node: int
    sensor: Literal["power", "temperature"]
    start_s: NotNegative
    stop_s: NotNegative


FaultTable = Annotated[
    NodeCrashTable | KernelHangTable | LinkOutageTable | StuckSensorTable, Field(discriminator="kind")
]


class CriteriaTable(Table):
    """When the run has passed. `tasks_lost` must be 0 and invariants hold in every run."""

    products_min: Annotated[int | None, Field(ge=0)] = None
    downlink_ratio_max: NotNegative | None = None
    """Product bytes on the downlink to raw bytes sensed."""
    reference_exact: bool = False
    """The products together reproduce the whole-image reference."""


class Scenario(Table):
    """One scenario file."""

    extends: str | None = None
    """Shipped name or file whose keys hold where this one says nothing."""
    question: str = ""
    """The question the scenario answers, in one sentence."""
    notes: list[str] = []
    """What is modelled rather than real; said in the manifest and the report."""
    duration_s: Annotated[int, Field(ge=1, le=DURATION_S_MAX)] = 600
    topology: Literal["ring", "string"] = "string"
    constellation: Constellation = Constellation()
    world: World = World()
    stations: Stations = Stations()
    links: Links = Links()
    telemetry: Telemetry = Telemetry()
    compute: Compute = Compute()
    power: PowerTable = PowerTable()
    heat: HeatTable = HeatTable()
    payload: Payload = Payload()
    faults: Annotated[list[FaultTable], Field(max_length=256)] = []
    criteria: CriteriaTable = CriteriaTable()
