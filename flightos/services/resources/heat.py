"""How long the compute box may run at full load before it meets its temperature limit.

Theory of operation. The box is one lumped node: C dT/dt = P + Q - emissivity sigma A T^4. At full load the
right side depends on T alone, so all heatings follow one curve. The curve is walked once, backwards in time
from the limit, in steps of 10 s and in integers; afterwards each question is one bisection. Nothing is
integrated at 1 Hz. Source: lumped node and Stefan-Boltzmann law with sigma = 5.670374419e-8 W m^-2 K^-4
(CODATA 2018).
"""

from __future__ import annotations

from bisect import bisect_left
from functools import lru_cache
from typing import Final

from flightos.core.configuration import HeatConfiguration

HEAT_SECONDS_NEVER: Final = 1_000_000
STEP_S: Final = 10
STEP_COUNT_MAX: Final = 1_440
"""Four hours: longer than two orbits, over which no forecast of load holds."""


def radiated_uw(heat: HeatConfiguration, temperature_mk: int) -> int:
    """What the radiator sends to deep space, in microwatts, rounded down.

    5670374419e-17 W m^-2 K^-4 x 1e-6 (emissivity) x 1e-6 (mm^2) x 1e-12 (mK^4) x 1e6 (microwatts) = 1e-35.
    """
    return 5_670_374_419 * heat.emissivity_e6 * heat.radiator_mm2 * temperature_mk**4 // 10**35


def heating_uk_per_s(heat: HeatConfiguration, temperature_mk: int, compute_mw: int) -> int:
    """Rate of change of the box's temperature in microkelvin per second, rounded down."""
    gain_uw = (compute_mw + heat.environment_mw) * 1000
    return (gain_uw - radiated_uw(heat, temperature_mk)) // heat.capacity_j_per_k


@lru_cache(maxsize=64)
def heating_curve_mk(heat: HeatConfiguration, compute_mw: int) -> tuple[int, ...]:
    """Temperatures in mK, ascending, 10 s apart, that end at the limit; empty when this load never reaches
    it."""
    temperature_uk = heat.temperature_mk_max * 1000
    temperatures_mk = [heat.temperature_mk_max]
    for _ in range(STEP_COUNT_MAX):
        rate_uk_per_s = heating_uk_per_s(heat, temperature_uk // 1000, compute_mw)
        if rate_uk_per_s <= 0:
            # Only at the limit itself can this be: below it the radiator sends less.
            return ()
        temperature_uk -= rate_uk_per_s * STEP_S
        if temperature_uk <= 0:
            break
        temperatures_mk.append(temperature_uk // 1000)
    temperatures_mk.reverse()
    return tuple(temperatures_mk)


def seconds_until_limit(curve_mk: tuple[int, ...], temperature_mk: int) -> int:
    """Seconds at full load until the limit; the curve's length when colder, HEAT_SECONDS_NEVER without a
    curve."""
    if not curve_mk:
        return HEAT_SECONDS_NEVER
    return (len(curve_mk) - 1 - min(bisect_left(curve_mk, temperature_mk), len(curve_mk) - 1)) * STEP_S
