"""Contract of `resources`: what the node may spend, and when."""

from __future__ import annotations

import msgspec

from flightos.core.records import Record


class Forecast(msgspec.Struct, frozen=True, array_like=True):
    """What the node may spend on computing; frozen, with the on-board time it was made at.

    `energy_available_mj` (millijoule): energy that may be spent beyond the standing load from now until the end of
    the next eclipse without going below the charge floor. `heat_seconds` at full compute load until the
    temperature limit (10^6 when never). `charge_ok` and `heat_ok`: a task may start now.
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
