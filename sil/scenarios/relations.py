"""What must hold between the keys of a scenario: judged once each key alone is right."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from flightos.apps.interface import AppError
from flightos.apps.registry import APPS, describe
from flightos.core.ids import GROUND_ID, STATION_ID_MIN
from flightos.node.toml_faults import KeyPath, nearest
from sil.scenarios.leap_seconds import tai_ns_of_utc
from sil.scenarios.schema import (
    KernelHangTable,
    LinkOutageTable,
    NodeCrashTable,
    Scenario,
    StuckSensorTable,
)

Report = Callable[[KeyPath, str], None]


def check_relations(scenario: Scenario, satellite_count: int, report: Report) -> None:
    """Report every relation that does not hold, with the key it concerns."""
    _check_constellation(scenario, satellite_count, report)
    _check_budget(scenario, report)
    _check_payload(scenario, satellite_count, report)
    _check_faults(scenario, satellite_count, report)


def _check_constellation(scenario: Scenario, satellite_count: int, report: Report) -> None:
    """Epoch and numbers of satellites."""
    try:
        tai_ns_of_utc(scenario.constellation.epoch_utc)
    except ValueError as error:
        report(("constellation", "epoch_utc"), f"expected a time such as 2026-03-20T12:00:00Z, found {error}")
    rates = len(scenario.compute.rate_tops)
    if rates not in (1, satellite_count):
        report(
            ("compute", "rate_tops"), f"expected 1 value or one for each of {satellite_count}, found {rates}"
        )
    if scenario.topology == "ring" and satellite_count < 3:
        report(("topology",), f"expected at least 3 satellites for a ring, found {satellite_count}")
    names = scenario.stations.names
    twice = sorted(name for index, name in enumerate(names) if name in names[:index])
    if twice:
        report(("stations", "names"), f"expected each station once, found {twice} again")


def _check_budget(scenario: Scenario, report: Report) -> None:
    """Charge and heat that leave room to work."""
    power, heat = scenario.power, scenario.heat
    if power.soc_ratio_start < power.soc_ratio_min:
        report(
            ("power", "soc_ratio_start"),
            f"expected at least soc_ratio_min = {power.soc_ratio_min}, found {power.soc_ratio_start}",
        )
    if heat.temperature_k_start >= heat.temperature_k_max:
        report(
            ("heat", "temperature_k_start"),
            f"expected less than temperature_k_max = {heat.temperature_k_max}, "
            f"found {heat.temperature_k_start}",
        )


def _check_payload(scenario: Scenario, satellite_count: int, report: Report) -> None:
    """An app that exists, imagers that exist, bursts by imagers, tiles that exist and are taken once."""
    payload = scenario.payload
    try:
        describe(payload.app)
    except AppError as error:
        hint = str(error) if "." in payload.app else nearest(payload.app, [known.name for known in APPS])
        report(("payload", "app"), f"unknown app {payload.app!r}; {hint}")
    for index, satellite in enumerate(payload.imagers):
        if satellite > satellite_count:
            report(
                ("payload", "imagers", index),
                f"expected a satellite of 1..{satellite_count}, found {satellite}",
            )
    tile_count = payload.tile_rows * payload.tile_columns
    taken: dict[int, int] = {}
    for index, burst in enumerate(payload.bursts):
        if burst.satellite not in payload.imagers:
            report(
                ("payload", "bursts", index, "satellite"),
                f"expected one of payload.imagers = {payload.imagers}, found {burst.satellite}",
            )
        for tile in burst.tiles:
            if tile >= tile_count:
                report(
                    ("payload", "bursts", index, "tiles"),
                    f"expected tiles of 0..{tile_count - 1} ({payload.tile_rows} x {payload.tile_columns}), "
                    f"found {tile}",
                )
            elif tile in taken:
                report(
                    ("payload", "bursts", index, "tiles"),
                    f"expected each tile once, found {tile} again (first in bursts.{taken[tile]})",
                )
            else:
                taken[tile] = index
    products_min = scenario.criteria.products_min
    if products_min is not None and products_min > len(taken):
        report(
            ("criteria", "products_min"),
            f"expected at most {len(taken)}, the number of tiles imaged, found {products_min}",
        )
    if scenario.criteria.reference_exact and len(taken) < tile_count:
        report(
            ("criteria", "reference_exact"),
            f"expected all {tile_count} tiles to be imaged, found {len(taken)}",
        )


def _check_faults(scenario: Scenario, satellite_count: int, report: Report) -> None:
    """Faults that hit something, in intervals that exist."""
    stations = range(STATION_ID_MIN, STATION_ID_MIN + len(scenario.stations.names))
    for index, fault in enumerate(scenario.faults):
        if isinstance(fault, NodeCrashTable | KernelHangTable | StuckSensorTable):
            if not 1 <= fault.node <= satellite_count:
                report(
                    ("faults", index, "node"),
                    f"expected a satellite of 1..{satellite_count}, found {fault.node}",
                )
        else:
            _check_outage(fault, index, satellite_count, stations, scenario.topology, report)
        if isinstance(fault, LinkOutageTable | StuckSensorTable) and fault.stop_s <= fault.start_s:
            report(
                ("faults", index, "stop_s"),
                f"expected more than start_s = {fault.start_s}, found {fault.stop_s}",
            )


def _check_outage(
    fault: LinkOutageTable,
    index: int,
    satellite_count: int,
    stations: Sequence[int],
    topology: str,
    report: Report,
) -> None:
    """An outage hits a link that the scenario has."""
    low, high = sorted((fault.node_a, fault.node_b))
    is_laser = (low >= 1 and high <= satellite_count and high - low == 1) or (
        topology == "ring" and (low, high) == (1, satellite_count)
    )
    is_radio = 1 <= low <= satellite_count and high in stations
    is_wire = low == GROUND_ID and high in stations
    if not (is_laser or is_radio or is_wire):
        report(
            ("faults", index, "node_b"),
            f"expected two nodes with a link between them, found {fault.node_a} and {fault.node_b}",
        )
