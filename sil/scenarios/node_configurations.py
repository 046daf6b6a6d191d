"""Configurations of all nodes of a scenario: satellites 1..N, mission control 1000, stations from 1001 on.

Terminals have fixed places: a satellite's 0 is the laser to its previous neighbour, 1 the laser to the next
(without peer at an end of a string), 2 the radio; a station's 0 is its radio, 1 its wire; mission control has
one wire per station.
"""

from __future__ import annotations

from collections.abc import Sequence

from flightos.core.configuration import (
    NodeConfiguration,
    Role,
    TerminalConfiguration,
)
from flightos.core.ids import GROUND_ID
from flightos.core.time import NS_PER_MS, NS_PER_S
from sil.scenarios.keys import command_key, drift_ppb, link_key
from sil.scenarios.schema import Scenario
from sil.world.stations import Station

_OBT_OFFSET_S_PER_ID = 1_000
"""On-board clocks of nodes differ, as they do; by whole seconds, so that their seconds coincide."""


def node_configurations(
    scenario: Scenario, satellite_count: int, stations: Sequence[Station], seed: int
) -> tuple[NodeConfiguration, ...]:
    """All nodes, in order of id."""
    station_ids = tuple(station.station_id for station in stations)
    satellites = [
        _satellite(scenario, node_id, satellite_count, station_ids, seed) for node_id in _ids(satellite_count)
    ]
    ground = _node(
        scenario, GROUND_ID, "ground", Role.GROUND, _ground_wires(scenario, station_ids, seed), seed
    )
    on_ground = [
        _node(
            scenario,
            station.station_id,
            station.name.lower().replace(" ", "-"),
            Role.STATION,
            _station_terminals(scenario, satellite_count, seed),
            seed,
        )
        for station in stations
    ]
    return (*satellites, ground, *on_ground)


def _ids(satellite_count: int) -> range:
    return range(1, satellite_count + 1)


def _neighbours(topology: str, node_id: int, satellite_count: int) -> tuple[int | None, int | None]:
    """Previous and next satellite along the plane; None beyond the ends of a string."""
    previous = node_id - 1 if node_id > 1 else None
    following = node_id + 1 if node_id < satellite_count else None
    if topology == "ring":
        previous = previous or satellite_count
        following = following or 1
    return previous, following


def _satellite(
    scenario: Scenario, node_id: int, satellite_count: int, station_ids: tuple[int, ...], seed: int
) -> NodeConfiguration:
    links, compute = scenario.links, scenario.compute
    both = _neighbours(scenario.topology, node_id, satellite_count)
    neighbour_ids = tuple(peer for peer in both if peer is not None)
    key = link_key(seed)
    lasers = [
        TerminalConfiguration(
            index=index,
            kind="laser",
            peer_ids=() if peer is None else (peer,),
            rate_bps=links.laser_rate_bps,
            acquisition_ns=round(links.laser_acquisition_s * NS_PER_S),
            tracking_mw=round(links.laser_tracking_w * 1_000),
            sending_mw=0,
            key=key,
        )
        for index, peer in enumerate(both)
    ]
    radio = _radio(scenario, 2, station_ids, round(links.radio_sending_w * 1_000), key)
    rates = compute.rate_tops
    return NodeConfiguration(
        node_id=node_id,
        name=f"sat-{node_id:02d}",
        role=Role.SATELLITE,
        terminals=(*lasers, radio),
        neighbour_ids=neighbour_ids,
        has_imager=node_id in scenario.payload.imagers,
        storage_bytes=compute.storage_bytes,
        obt_offset_ns=node_id * _OBT_OFFSET_S_PER_ID * NS_PER_S,
        drift_ppb=drift_ppb(seed, node_id),
        modem_latency_ns=round(links.modem_latency_ms * NS_PER_MS),
        command_key=command_key(seed, node_id),
        app_names=(scenario.payload.app,),
        tile_tera_ops=compute.tile_tera_ops,
        power=scenario.power.configuration(),
        heat=scenario.heat.configuration(),
        compute=compute.configuration(rates[0] if len(rates) == 1 else rates[node_id - 1]),
        downlink_period_ns=scenario.telemetry.downlink_period_s * NS_PER_S,
    )


def _node(
    scenario: Scenario,
    node_id: int,
    name: str,
    role: Role,
    terminals: tuple[TerminalConfiguration, ...],
    seed: int,
) -> NodeConfiguration:
    """A node on the ground: its clock is disciplined, so it does not drift."""
    return NodeConfiguration(
        node_id=node_id,
        name=name,
        role=role,
        terminals=terminals,
        neighbour_ids=(),
        obt_offset_ns=node_id * _OBT_OFFSET_S_PER_ID * NS_PER_S,
        modem_latency_ns=round(scenario.links.modem_latency_ms * NS_PER_MS),
        command_key=command_key(seed, node_id),
        app_names=(scenario.payload.app,),
        tile_tera_ops=scenario.compute.tile_tera_ops,
    )


def _station_terminals(
    scenario: Scenario, satellite_count: int, seed: int
) -> tuple[TerminalConfiguration, ...]:
    key = link_key(seed)
    return (
        _radio(scenario, 0, tuple(_ids(satellite_count)), 0, key),
        _wire(scenario, 1, GROUND_ID, key),
    )


def _ground_wires(
    scenario: Scenario, station_ids: Sequence[int], seed: int
) -> tuple[TerminalConfiguration, ...]:
    key = link_key(seed)
    return tuple(_wire(scenario, index, station_id, key) for index, station_id in enumerate(station_ids))


def _radio(
    scenario: Scenario, index: int, peer_ids: tuple[int, ...], sending_mw: int, key: bytes
) -> TerminalConfiguration:
    return TerminalConfiguration(
        index=index,
        kind="radio",
        peer_ids=peer_ids,
        rate_bps=scenario.links.radio_rate_bps,
        acquisition_ns=round(scenario.links.radio_acquisition_s * NS_PER_S),
        tracking_mw=0,
        sending_mw=sending_mw,
        key=key,
    )


def _wire(scenario: Scenario, index: int, peer_id: int, key: bytes) -> TerminalConfiguration:
    return TerminalConfiguration(
        index=index,
        kind="wire",
        peer_ids=(peer_id,),
        rate_bps=scenario.links.wire_rate_bps,
        acquisition_ns=0,
        tracking_mw=0,
        sending_mw=0,
        key=key,
    )
