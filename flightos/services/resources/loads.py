"""What the node's units draw, by our own account of what is switched on."""

from __future__ import annotations

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.ports import ReportLoads, TerminalState


class Switches(msgspec.Struct):
    """What is on. `terminal_states` by terminal index; `station_ids` are stations with an open link,
    ascending."""

    compute_mw: int
    terminal_states: list[int]
    station_ids: list[int] = []
    imager_on: bool = False


def idle_compute_mw(configuration: NodeConfiguration) -> int:
    """Draw of the compute box with nothing to do: a tenth of full load."""
    return full_compute_mw(configuration) // 10


def full_compute_mw(configuration: NodeConfiguration) -> int:
    """Draw of the compute box with all slots busy."""
    return configuration.compute.rate_tops * configuration.compute.mw_per_tops


def initial_switches(configuration: NodeConfiguration) -> Switches:
    """Right after power-on: terminals stowed, nothing computes."""
    return Switches(
        compute_mw=idle_compute_mw(configuration),
        terminal_states=[int(TerminalState.STOWED)] * len(configuration.terminals),
    )


def sum_loads(configuration: NodeConfiguration, switches: Switches) -> ReportLoads:
    """Loads by kind, in mW. A laser draws while it acquires or tracks, a radio while a station answers it."""
    terminals_mw = 0
    radio_mw = 0
    for terminal, state in zip(configuration.terminals, switches.terminal_states, strict=True):
        if terminal.kind == "laser" and state in (TerminalState.ACQUIRING, TerminalState.TRACKING):
            terminals_mw += terminal.tracking_mw
        elif terminal.kind == "radio" and any(peer in terminal.peer_ids for peer in switches.station_ids):
            radio_mw += terminal.sending_mw
    return ReportLoads(
        bus_mw=configuration.power.bus_mw,
        compute_mw=switches.compute_mw,
        terminals_mw=terminals_mw,
        radio_mw=radio_mw,
        imager_mw=configuration.power.imager_mw if switches.imager_on else 0,
    )
