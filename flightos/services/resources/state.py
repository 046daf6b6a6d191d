"""State of `resources`: what snapshot and restore carry."""

from __future__ import annotations

from typing import Final

from flightos.core.configuration import NodeConfiguration
from flightos.core.ports import ReportLoads
from flightos.core.records import ServiceState
from flightos.services.health.interface import Mode
from flightos.services.resources.interface import Forecast
from flightos.services.resources.loads import Switches, initial_switches, sum_loads
from flightos.services.resources.sensors import SensorTrack

ECLIPSE_ASSUMED_S: Final = 2_190
"""Longest eclipse of a low orbit (36.45 min at 325 km), assumed to start now when no table can be believed."""


class ResourcesState(ServiceState):
    """Everything that snapshot and restore carry."""

    switches: Switches
    charge: SensorTrack
    temperature: SensorTrack
    loads: ReportLoads
    forecast: Forecast
    reported: bool = False
    tai_minus_obt_ns: int | None = None
    intervals_tai_ns: tuple[tuple[int, int], ...] | None = None
    interval_index: int = 0
    mode: Mode = Mode.NOMINAL
    array_mw: int = 0
    dark_count: int = 0
    below_floor: bool = False
    forecast_count: int = 0
    charge_below_floor_count: int = 0
    too_hot_count: int = 0
    sensor_stuck_count: int = 0
    sensor_recovered_count: int = 0
    eclipse_unforeseen_count: int = 0
    sample_refused_count: int = 0


COUNTERS: Final = tuple(
    field for field in ResourcesState.__struct_fields__ if field.endswith("_count") and field != "dark_count"
)


def fine_charge_mj(configuration: NodeConfiguration) -> int:
    """Millijoules in a millionth of the battery: the fine unit of the charge sensor."""
    return max(configuration.power.battery_mj // 1_000_000, 1)


def initial_state(configuration: NodeConfiguration) -> ResourcesState:
    """Right after power-on: nothing is known, so nothing may be spent."""
    switches = initial_switches(configuration)
    soc_ratio_e6 = configuration.power.soc_ratio_e6_start
    temperature_mk = configuration.heat.temperature_mk_start
    return ResourcesState(
        switches=switches,
        charge=SensorTrack(soc_ratio_e6 * fine_charge_mj(configuration)),
        temperature=SensorTrack(temperature_mk * 1000),
        loads=sum_loads(configuration, switches),
        forecast=Forecast(
            made_obt_ns=0,
            soc_ratio_e6=soc_ratio_e6,
            temperature_mk=temperature_mk,
            sunlit_ratio_e6=0,
            eclipse_starts_in_s=0,
            eclipse_ends_in_s=ECLIPSE_ASSUMED_S,
            energy_available_mj=0,
            heat_seconds=0,
            charge_ok=False,
            heat_ok=True,
        ),
    )
