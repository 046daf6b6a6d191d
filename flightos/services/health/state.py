"""State of `health`: what snapshot and restore carry."""

from __future__ import annotations

from typing import Final

from flightos.core.records import ServiceState
from flightos.services.health.interface import Mode
from flightos.services.health.peers import Intervals, Peer


class HealthState(ServiceState):
    """Everything that snapshot and restore carry."""

    booted_obt_ns: int = -1
    forecast_obt_ns: int = 0
    forecast_silent: bool = False
    mode: Mode = Mode.NOMINAL
    mode_commanded: bool = False
    persistence: list[int] = []
    peers: dict[int, Peer] = {}
    presence: dict[int, Intervals] = {}
    tai_minus_obt_ns: int | None = None
    next_look_obt_ns: int | None = None
    in_saa: bool = False
    upset_level: int = 0
    suspicion_count: int = 0
    declaration_count: int = 0
    recovery_count: int = 0
    reboot_count: int = 0
    mode_change_count: int = 0
    transition_refused_count: int = 0
    command_refused_count: int = 0
    peer_refused_count: int = 0
    work_timed_out_count: int = 0
    work_crashed_count: int = 0
    work_corrupt_count: int = 0
    work_other_count: int = 0
    work_failed_in_row_count: int = 0
    workers_failing_count: int = 0
    forecast_silent_count: int = 0


COUNTERS: Final = tuple(
    field
    for field in HealthState.__struct_fields__
    if field.endswith("_count") and field != "work_failed_in_row_count"
)
