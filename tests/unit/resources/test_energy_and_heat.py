"""Formulas of `resources`: energy through the eclipse, the heating curve."""

from __future__ import annotations

import pytest

from flightos.core.configuration import HeatConfiguration
from flightos.services.resources.energy import energy_available_mj
from flightos.services.resources.heat import (
    HEAT_SECONDS_NEVER,
    heating_curve_mk,
    heating_uk_per_s,
    radiated_uw,
    seconds_until_limit,
)

CAPACITY = 600 * 3_600_000
FLOOR = CAPACITY * 7 // 10


def available(charge: int, sunlit_s: int, eclipse_s: int, computing_mw: int = 134_000) -> int:
    return energy_available_mj(charge, CAPACITY, FLOOR, 700_000, 195_000, computing_mw, sunlit_s, eclipse_s)


def test_inside_an_eclipse_the_standing_load_is_set_aside() -> None:
    charge = CAPACITY * 9 // 10
    assert available(charge, 0, 1_000) == charge - FLOOR - 195_000 * 1_000


def test_sunlight_to_come_is_counted_as_long_as_the_battery_takes_it() -> None:
    charge = CAPACITY * 9 // 10
    assert available(charge, 100, 2_145) == charge + 505_000 * 100 - 195_000 * 2_145 - FLOOR


def test_sunlight_that_a_full_battery_cannot_take_counts_only_while_it_is_spent() -> None:
    assert available(CAPACITY, 1_000, 2_145) == 134_000 * 1_000 + CAPACITY - 195_000 * 2_145 - FLOOR


def test_charge_that_falls_in_the_sun_bounds_what_may_be_spent_now() -> None:
    charge = FLOOR + 505_000 * 10
    assert available(charge, 3_000, 600, computing_mw=1_010_000) == 505_000 * 10 * 2


@pytest.mark.parametrize("charge", [0, FLOOR - 1, FLOOR])
def test_nothing_is_available_at_the_floor(charge: int) -> None:
    assert available(charge, 3_000, 0) == 0


def test_an_eclipse_too_long_for_the_battery_leaves_nothing() -> None:
    assert available(CAPACITY, 0, 20_000) == 0


def test_radiated_power_is_that_of_stefan_and_boltzmann() -> None:
    """eps 0.85, one side, 20/40/60 degC: 356.0, 463.5, 593.7 W/m^2 (reference table of the radiator)."""
    heat = HeatConfiguration(radiator_mm2=1_000_000)
    assert radiated_uw(heat, 293_150) == pytest.approx(356.0e6, rel=2e-4)
    assert radiated_uw(heat, 313_150) == pytest.approx(463.5e6, rel=2e-4)
    assert radiated_uw(heat, 333_150) == pytest.approx(593.7e6, rel=2e-4)


def test_equilibrium_of_100_w_is_301_826_k() -> None:
    heat = HeatConfiguration(radiator_mm2=250_000, environment_mw=0)
    assert heating_uk_per_s(heat, 301_820, 100_000) >= 0
    assert heating_uk_per_s(heat, 301_832, 100_000) < 0


def test_the_curve_agrees_with_slow_integration() -> None:
    heat = HeatConfiguration()
    curve = heating_curve_mk(heat, 148_800)
    for start_mk in (280_000, 293_000, 320_000, 331_000):
        temperature_k, seconds = start_mk / 1000, 0
        while temperature_k < 333.0:
            radiated_w = 0.85 * 5.670374419e-8 * 0.24 * temperature_k**4
            temperature_k += (148.8 + 20.0 - radiated_w) / 7_200
            seconds += 1
        predicted = seconds_until_limit(curve, start_mk)
        assert predicted <= seconds + 10
        assert predicted == pytest.approx(seconds, abs=20, rel=0.01)


def test_a_load_that_the_radiator_carries_never_meets_the_limit() -> None:
    curve = heating_curve_mk(HeatConfiguration(), 41_600)
    assert seconds_until_limit(curve, 293_000) == HEAT_SECONDS_NEVER


def test_at_and_above_the_limit_no_time_is_left() -> None:
    curve = heating_curve_mk(HeatConfiguration(), 148_800)
    assert seconds_until_limit(curve, 333_000) == 0
    assert seconds_until_limit(curve, 400_000) == 0
    assert seconds_until_limit(curve, 1) == (len(curve) - 1) * 10
