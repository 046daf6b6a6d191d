"""Contract of `resources`: what the node may spend, and when."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from flightos.core.dictionary import (
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.records import HousekeepingRecord, Record


class Forecast(msgspec.Struct, frozen=True, array_like=True):
    """What the node may spend on computing; frozen, with the on-board time it was made at.

    `energy_available_mj` (millijoule): energy that may be spent beyond the standing load from now until the
    end of the next eclipse without going below the charge floor. `heat_seconds` at full compute load until
    the temperature limit (10^6 when never). `charge_ok` and `heat_ok`: a task may start now.
    """

    made_obt_ns: int
    soc_ratio_e6: int
    temperature_mk: int
    sunlit_ratio_e6: int
    eclipse_starts_in_s: int
    eclipse_ends_in_s: int
    energy_available_mj: int
    heat_seconds: int
    charge_ok: bool
    heat_ok: bool


class ForecastMade(Record, frozen=True):
    """Published at 1 Hz after each power sample."""

    forecast: Forecast


class EclipseForecast(msgspec.Struct, frozen=True, array_like=True):
    """Table `eclipse_forecast` of one node: [enter, leave) in TAI ns, ordered."""

    intervals_tai_ns: tuple[tuple[int, int], ...]


class EclipseForecastActivated(Record, frozen=True):
    """From deployment."""

    table: EclipseForecast


class Sensor(IntEnum):
    """The two sensors that the forecast lives on."""

    CHARGE = 0
    TEMPERATURE = 1


class ResourcesHousekeeping(HousekeepingRecord, frozen=True):
    """The last forecast, the loads of this node by its own account, and counters since `ResetCounters`."""

    soc_ratio: float
    temperature_k: float
    sunlit_ratio: float
    array_mw: int
    load_mw: int
    compute_mw: int
    terminals_mw: int
    radio_mw: int
    imager_mw: int
    energy_available_mj: int
    heat_seconds: int
    eclipse_starts_in_s: int
    eclipse_ends_in_s: int
    charge_ok: bool
    heat_ok: bool
    charge_sensor_stuck: bool
    temperature_sensor_stuck: bool
    forecast_count: int
    charge_below_floor_count: int
    too_hot_count: int
    sensor_stuck_count: int
    sensor_recovered_count: int
    eclipse_unforeseen_count: int
    sample_refused_count: int


CHARGE_BELOW_FLOOR: Final = EventDefinition(
    id=0x0301,
    name="CHARGE_BELOW_FLOOR",
    severity=Severity.HIGH,
    text="state of charge {soc_ratio_e6}e-6 below the floor {limit_ratio_e6}e-6",
    fields=(FieldDefinition("soc_ratio_e6", "u32"), FieldDefinition("limit_ratio_e6", "u32")),
)
TOO_HOT: Final = EventDefinition(
    id=0x0302,
    name="TOO_HOT",
    severity=Severity.MEDIUM,
    text="compute box at {temperature_mk} mK, limit {limit_mk} mK: no further task starts",
    fields=(FieldDefinition("temperature_mk", "u32"), FieldDefinition("limit_mk", "u32")),
)
SENSOR_ENUM: Final = tuple((int(sensor), sensor.name) for sensor in Sensor)
SENSOR_STUCK: Final = EventDefinition(
    id=0x0303,
    name="SENSOR_STUCK",
    severity=Severity.MEDIUM,
    text="sensor {sensor} is not believed (reads {value}), dead reckoning from {estimate}",
    fields=(
        FieldDefinition("sensor", "u8", enum=SENSOR_ENUM),
        FieldDefinition("value", "i64"),
        FieldDefinition("estimate", "i64"),
    ),
)
SENSOR_RECOVERED: Final = EventDefinition(
    id=0x0304,
    name="SENSOR_RECOVERED",
    severity=Severity.INFO,
    text="sensor {sensor} is believed again: it reads {value}, dead reckoning had {estimate}",
    fields=(
        FieldDefinition("sensor", "u8", enum=SENSOR_ENUM),
        FieldDefinition("value", "i64"),
        FieldDefinition("estimate", "i64"),
    ),
)
ECLIPSE_UNFORESEEN: Final = EventDefinition(
    id=0x0305,
    name="ECLIPSE_UNFORESEEN",
    severity=Severity.MEDIUM,
    text="dark although no table says so: a whole eclipse is assumed",
    interval_ns_min=600_000_000_000,
)

DICTIONARY: Final = ServiceDictionary(
    service="resources",
    apid=0x103,
    housekeeping=HousekeepingDefinition(
        structure_id=0x03,
        fields=(
            FieldDefinition("soc_ratio", "f64", "state of charge, 1 = full", range_min=0.0, range_max=1.0),
            FieldDefinition("temperature_k", "f64", "compute box"),
            FieldDefinition("sunlit_ratio", "f64", "1 = full Sun", range_min=0.0, range_max=1.0),
            FieldDefinition("array_mw", "u32", "array output as measured"),
            FieldDefinition("load_mw", "u32", "sum of all loads by our own account"),
            FieldDefinition("compute_mw", "u32", "compute box"),
            FieldDefinition("terminals_mw", "u32", "laser terminals"),
            FieldDefinition("radio_mw", "u32", "downlink radio"),
            FieldDefinition("imager_mw", "u32", "imager"),
            FieldDefinition("energy_available_mj", "u64", "may be spent through the next eclipse"),
            FieldDefinition("heat_seconds", "u32", "full load until the temperature limit; 10^6 = never"),
            FieldDefinition("eclipse_starts_in_s", "u32", "0 inside; 10^6 = none known"),
            FieldDefinition("eclipse_ends_in_s", "u32", "of the running or next eclipse; 10^6 = none known"),
            FieldDefinition("charge_ok", "bool", "charge allows a task to start"),
            FieldDefinition("heat_ok", "bool", "temperature allows a task to start"),
            FieldDefinition("charge_sensor_stuck", "bool", "charge is dead-reckoned"),
            FieldDefinition("temperature_sensor_stuck", "bool", "temperature is dead-reckoned"),
            FieldDefinition("forecast_count", "u32", "forecasts made"),
            FieldDefinition("charge_below_floor_count", "u32", "event CHARGE_BELOW_FLOOR"),
            FieldDefinition("too_hot_count", "u32", "event TOO_HOT"),
            FieldDefinition("sensor_stuck_count", "u32", "event SENSOR_STUCK"),
            FieldDefinition("sensor_recovered_count", "u32", "event SENSOR_RECOVERED"),
            FieldDefinition("eclipse_unforeseen_count", "u32", "event ECLIPSE_UNFORESEEN"),
            FieldDefinition("sample_refused_count", "u32", "samples that were not believed"),
        ),
    ),
    events=(CHARGE_BELOW_FLOOR, TOO_HOT, SENSOR_STUCK, SENSOR_RECOVERED, ECLIPSE_UNFORESEEN),
)
