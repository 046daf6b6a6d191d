"""From a checked scenario to a RunPlan: geometry tape, nodes, tables, tiles, faults: all decided here."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path

import msgspec
import numpy as np

from flightos.core.configuration import NodeConfiguration
from flightos.core.errors import ConfigError, InfrastructureError
from flightos.core.ids import is_satellite
from flightos.core.time import NS_PER_MS, NS_PER_S, seconds_to_ns
from flightos.node.toml_faults import KeyPath
from sil.data import STATIONS
from sil.plan import (
    Criteria,
    Fault,
    KernelHang,
    LinkModel,
    LinkOutage,
    NodeCrash,
    NodeWorld,
    RunPlan,
    StuckSensor,
)
from sil.scenarios.contacts import contact_plan, eclipse_forecast
from sil.scenarios.imaging import Shot, command_sequence, make_tiles, planned_shots, read_image
from sil.scenarios.leap_seconds import tai_ns_of_utc
from sil.scenarios.loader import LoadedScenario
from sil.scenarios.node_configurations import node_configurations
from sil.scenarios.schema import (
    FaultTable,
    KernelHangTable,
    LinkOutageTable,
    NodeCrashTable,
    Scenario,
)
from sil.world.elements import ElementSet, ElementSetError, PlaneConfig, default_spacing_deg, plane_elements
from sil.world.orbit import PropagationError, propagate_teme
from sil.world.radiation import DRAW_BITS, UpsetRates
from sil.world.stations import Station, StationError, load_stations
from sil.world.tape import GeometryTape, Pair, TapeError
from sil.world.tape_builder import TapeRequest, build_tape
from sil.world.topology import topology_pairs, validate_topology

_TOPOLOGY_STEP_S = 60


def build_plan(loaded: LoadedScenario, seed: int, duration_s: int | None = None) -> RunPlan:
    """Decide a run: same scenario, seed, duration and tape, same plan on every machine.

    A run cut shorter than its scenario is not asked for completeness (products_min, reference_exact). Raises
    ConfigError for a geometry that does not carry the topology, an image or a tape that does not fit;
    InfrastructureError for files that cannot be read.
    """
    wanted_s = loaded.scenario.duration_s if duration_s is None else duration_s
    if wanted_s < 1:
        raise ConfigError([f"--duration: expected at least 1 s, found {wanted_s}"])
    try:
        return _build(loaded, seed, wanted_s)
    except (ConfigError, InfrastructureError) as error:
        # The first trouble ended it; the user wants to hear of all.
        found = error.faults if isinstance(error, ConfigError) else []
        others = [fault for fault in input_faults(loaded, wanted_s) if fault not in found]
        is_more = bool(others) if isinstance(error, ConfigError) else len(others) > len(missing_files(loaded))
        if is_more:
            raise ConfigError([*found, *others]) from error
        raise


def _build(loaded: LoadedScenario, seed: int, wanted_s: int) -> RunPlan:
    """The plan, or the first trouble."""
    scenario = loaded.scenario
    _require_files(loaded)
    epoch_tai_ns = tai_ns_of_utc(scenario.constellation.epoch_utc)
    pairs = topology_pairs(scenario.topology, loaded.satellite_count)
    stations = _stations(loaded)
    tape = _tape(loaded, stations, pairs, wanted_s)
    nodes = node_configurations(scenario, loaded.satellite_count, stations, seed)
    shots = planned_shots(scenario.payload)
    tiles, scene = make_tiles(loaded, shots)
    links = _link_model(scenario)
    return RunPlan(
        scenario=loaded.name,
        seed=seed,
        duration_ns=wanted_s * NS_PER_S,
        epoch_tai_ns=epoch_tai_ns,
        port_latency_ns=_port_latency_ns(loaded, tape, links),
        nodes=nodes,
        tables=_tables(scenario, nodes, shots, tape, pairs, epoch_tai_ns),
        worlds=_worlds(loaded),
        links=links,
        tape=tape,
        tiles=tiles,
        faults=tuple(_fault(fault) for fault in scenario.faults),
        criteria=_criteria(scenario, is_whole=wanted_s >= scenario.duration_s),
        settings={
            **scenario.model_dump(mode="json"),
            "duration_flown_s": wanted_s,
            "station_places_deg": {one.name: [one.latitude_deg, one.longitude_deg] for one in stations},
        },
        scene=scene,
    )


def input_faults(loaded: LoadedScenario, duration_s: int, leave_out: Collection[str] = ()) -> list[str]:
    """Everything that is wrong with what a scenario brings along: missing files, stations, image, orbits.

    `leave_out` names tables of which keys are wrong already: what would be said on top of that does not help.
    """
    missing = missing_files(loaded)
    faults = [loaded.fault(key, f"no such file: {name}") for key, name in missing.items()]
    checks: dict[KeyPath, Callable[[], object]] = {
        ("stations", "file"): lambda: _stations(loaded),
        ("payload", "image"): lambda: read_image(loaded),
        ("constellation",): lambda: _require_orbits(loaded, duration_s),
    }
    for key, check in checks.items():
        if key in missing or key[0] in leave_out:
            continue
        try:
            check()
        except ConfigError as error:
            faults.extend(error.faults)
    return faults


def missing_files(loaded: LoadedScenario) -> dict[KeyPath, str]:
    """Files that the scenario names and that are not there, by key."""
    scenario = loaded.scenario
    named = {
        ("world", "tape"): scenario.world.tape,
        ("stations", "file"): scenario.stations.file,
        ("stations", "contact_plan"): scenario.stations.contact_plan,
        ("payload", "image"): scenario.payload.image,
    }
    return {key: name for key, name in named.items() if name is not None and not Path(name).is_file()}


def _require_files(loaded: LoadedScenario) -> None:
    """Raise InfrastructureError for files that the scenario names and that are not there."""
    missing = missing_files(loaded)
    if missing:
        lines = [loaded.fault(key, f"no such file: {name}") for key, name in missing.items()]
        raise InfrastructureError("\n".join(lines))


def _stations(loaded: LoadedScenario) -> list[Station]:
    stations = loaded.scenario.stations
    path = STATIONS if stations.file is None else Path(stations.file)
    try:
        return load_stations(path, stations.names, stations.elevation_deg_min)
    except StationError as error:
        raise ConfigError([loaded.fault(("stations", "names"), fault) for fault in error.faults]) from error


def _elements(loaded: LoadedScenario) -> list[ElementSet]:
    """The satellites: of the user's file, or a made-up plane."""
    if loaded.elements:
        return list(loaded.elements)
    plane = loaded.scenario.constellation
    spacing_deg = plane.spacing_deg
    if spacing_deg is None:
        spacing_deg = default_spacing_deg(plane.satellite_count)
    config = PlaneConfig(
        satellite_count=plane.satellite_count,
        altitude_km=plane.altitude_km,
        spacing_deg=spacing_deg,
        raan_deg=plane.raan_deg,
        epoch_utc=plane.epoch_utc,
        inclination_deg=plane.inclination_deg,
        first_argument_of_latitude_deg=plane.first_argument_of_latitude_deg,
    )
    try:
        return plane_elements(config)
    except ElementSetError as error:
        raise ConfigError([loaded.fault(("constellation",), fault) for fault in error.faults]) from error


def _tape(
    loaded: LoadedScenario, stations: list[Station], pairs: list[Pair], duration_s: int
) -> GeometryTape:
    """The pinned tape, or a new one over the run and the forecast; the topology is checked in both cases."""
    scenario = loaded.scenario
    satrecs = [element.satrec for element in _elements(loaded)]
    tape_s = duration_s + scenario.world.forecast_s
    try:
        _require_topology(loaded, satrecs, tape_s)
        if scenario.world.tape is not None:
            tape = GeometryTape.load(Path(scenario.world.tape))
            _require_fit(loaded, tape, stations, pairs, duration_s)
            return tape
        return build_tape(
            TapeRequest(
                satellites=satrecs,
                stations=stations,
                pairs=pairs,
                epoch_utc=scenario.constellation.epoch_utc,
                duration_s=tape_s,
                eclipse_model=scenario.world.eclipse_model,
                grazing_height_km_min=scenario.world.grazing_height_km_min,
            )
        )
    except TapeError as error:
        raise ConfigError([loaded.fault(("world", "tape"), str(error))]) from error
    except (PropagationError, ValueError) as error:
        raise ConfigError([loaded.fault(("constellation",), str(error))]) from error


def _require_orbits(loaded: LoadedScenario, duration_s: int) -> None:
    """Raise ConfigError when the satellites cannot be flown, or do not carry the topology."""
    satrecs = [element.satrec for element in _elements(loaded)]
    try:
        _require_topology(loaded, satrecs, duration_s + loaded.scenario.world.forecast_s)
    except (PropagationError, ValueError) as error:
        raise ConfigError([loaded.fault(("constellation",), str(error))]) from error


def _require_topology(loaded: LoadedScenario, satrecs: list[object], tape_s: int) -> None:
    """Raise ConfigError when the orbits do not carry the topology that the scenario declares."""
    scenario = loaded.scenario
    times_s = np.arange(0.0, tape_s + 1.0, _TOPOLOGY_STEP_S)
    r_teme_km, v_teme_km_s = propagate_teme(satrecs, scenario.constellation.epoch_utc, times_s)
    faults = validate_topology(
        scenario.topology, r_teme_km, v_teme_km_s, scenario.world.grazing_height_km_min
    )
    if faults:
        raise ConfigError([loaded.fault(("topology",), fault) for fault in faults])


def _require_fit(
    loaded: LoadedScenario, tape: GeometryTape, stations: list[Station], pairs: list[Pair], duration_s: int
) -> None:
    """Raise ConfigError when a pinned tape is not one of this scenario."""
    scenario, header = loaded.scenario, tape.header
    wanted = {
        "epoch_utc": (scenario.constellation.epoch_utc, header.epoch_utc),
        "satellites": (list(range(1, loaded.satellite_count + 1)), list(header.satellite_ids)),
        "stations": ([station.name for station in stations], list(header.station_names)),
        "eclipse_model": (scenario.world.eclipse_model, header.eclipse_model),
    }
    faults = [
        f"expected {key} {want}, the tape has {found}"
        for key, (want, found) in wanted.items()
        if want != found
    ]
    missing = [pair for pair in pairs if pair not in tape.edges]
    if missing:
        faults.append(f"expected edges {missing}, the tape has none of them")
    if header.duration_s < duration_s:
        faults.append(f"expected at least {duration_s} s, the tape has {header.duration_s} s")
    if faults:
        raise ConfigError([loaded.fault(("world", "tape"), fault) for fault in faults])


def _link_model(scenario: Scenario) -> LinkModel:
    links = scenario.links
    return LinkModel(
        modem_latency_ns=round(links.modem_latency_ms * NS_PER_MS),
        wire_latency_ns=round(links.wire_latency_ms * NS_PER_MS),
        acquisition_ns=seconds_to_ns(links.laser_acquisition_s),
        loss_threshold=int(links.frame_loss_ratio * 2.0**DRAW_BITS),
        queue_bytes_max=links.queue_bytes_max,
    )


def _port_latency_ns(loaded: LoadedScenario, tape: GeometryTape, links: LinkModel) -> int:
    """World to node, and back. Raises ConfigError below the lookahead, the least time any frame takes."""
    lookahead_ns = min(tape.light_time_ns_min + links.modem_latency_ns, links.wire_latency_ns)
    port_latency_ns = loaded.scenario.world.port_latency_ms * NS_PER_MS
    if port_latency_ns < lookahead_ns:
        text = f"expected at least the lookahead of {lookahead_ns / NS_PER_MS:.3f} ms"
        raise ConfigError([loaded.fault(("world", "port_latency_ms"), text)])
    return port_latency_ns


def _tables(
    scenario: Scenario,
    nodes: tuple[NodeConfiguration, ...],
    shots: list[Shot],
    tape: GeometryTape,
    pairs: list[Pair],
    epoch_tai_ns: int,
) -> dict[int, tuple[tuple[str, bytes], ...]]:
    """Tables uploaded at boot, by node: all get the contact plan, satellites also eclipses and commands."""
    encode = msgspec.msgpack.encode
    plan = encode(contact_plan(scenario, tape, pairs, epoch_tai_ns))
    tables: dict[int, tuple[tuple[str, bytes], ...]] = {}
    for node in nodes:
        entries = [("contact_plan", plan)]
        if is_satellite(node.node_id):
            entries.append(("eclipse_forecast", encode(eclipse_forecast(tape, node.node_id, epoch_tai_ns))))
            commands = command_sequence(scenario.payload, shots, node.node_id, epoch_tai_ns)
            if commands is not None:
                entries.append(("command_sequence", encode(commands)))
        tables[node.node_id] = tuple(entries)
    return tables


def _worlds(loaded: LoadedScenario) -> tuple[NodeWorld, ...]:
    """Power, heat and upset rates of each satellite."""
    scenario = loaded.scenario
    rates = UpsetRates(per_day=scenario.world.upsets_per_day, inside_ratio=scenario.world.upsets_saa_ratio)
    try:
        quiet, inside = rates.thresholds()
    except ValueError as error:
        raise ConfigError([loaded.fault(("world", "upsets_per_day"), str(error))]) from error
    power, heat = scenario.power.configuration(), scenario.heat.configuration()
    return tuple(
        NodeWorld(node_id, power, heat, quiet, inside) for node_id in range(1, loaded.satellite_count + 1)
    )


def _fault(fault: FaultTable) -> Fault:
    """A fault of the scenario in mission nanoseconds."""
    if isinstance(fault, NodeCrashTable):
        after_s = fault.restart_after_s
        return NodeCrash(
            fault.node, seconds_to_ns(fault.at_s), None if after_s is None else seconds_to_ns(after_s)
        )
    if isinstance(fault, KernelHangTable):
        return KernelHang(fault.node, seconds_to_ns(fault.at_s))
    if isinstance(fault, LinkOutageTable):
        low, high = sorted((fault.node_a, fault.node_b))
        return LinkOutage(low, high, seconds_to_ns(fault.start_s), seconds_to_ns(fault.stop_s))
    return StuckSensor(fault.node, fault.sensor, seconds_to_ns(fault.start_s), seconds_to_ns(fault.stop_s))


def _criteria(scenario: Scenario, is_whole: bool) -> Criteria:
    wanted = scenario.criteria
    return Criteria(
        products_min=wanted.products_min if is_whole else None,
        downlink_ratio_max=wanted.downlink_ratio_max,
        reference_exact=wanted.reference_exact and is_whole,
    )
