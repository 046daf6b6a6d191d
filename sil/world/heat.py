"""Temperature of the compute box: one lumped node with one radiator.

Theory of operation. C dT/dt = P + Q_environment - emissivity sigma A T^4, explicit steps of one second. The
time constant of the box is over an hour, so a step of a second is exact to 1e-4 of the change. The state is
whole nanokelvin, and each step uses + - * / on doubles only, which IEEE 754 rounds the same way everywhere:
no pow, no exp, no sqrt.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sil.world.constants import STEFAN_BOLTZMANN_W_M2_K4

NK_PER_K: Final = 1_000_000_000
NK_PER_MK: Final = 1_000_000


@dataclass(frozen=True)
class HeatConfig:
    """Thermal values of a compute box."""

    capacity_j_k: float = 7_200.0
    initial_temperature_mk: int = 293_000
    limit_temperature_mk: int = 333_000
    radiator_m2: float = 0.24
    emissivity: float = 0.85
    environment_mw: int = 20_000

    def initial_temperature_nk(self) -> int:
        """State at the start of the mission."""
        return self.initial_temperature_mk * NK_PER_MK


def radiated_w(config: HeatConfig, temperature_nk: int) -> float:
    """Power the radiator sends to deep space (3 K: left out, 5e-6 W/m^2)."""
    kelvin = temperature_nk / NK_PER_K
    factor = config.emissivity * STEFAN_BOLTZMANN_W_M2_K4 * config.radiator_m2
    return factor * (kelvin * kelvin) * (kelvin * kelvin)


def step_heat(config: HeatConfig, temperature_nk: int, power_mw: int) -> int:
    """Temperature after one second with power_mw dissipated in the box, nanokelvin."""
    gain_w = (power_mw + config.environment_mw) / 1000.0
    change_k = (gain_w - radiated_w(config, temperature_nk)) / config.capacity_j_k
    return temperature_nk + round(change_k * NK_PER_K)


def temperature_mk(temperature_nk: int) -> int:
    """The reading that crosses the sensor port: whole millikelvin, rounded half up."""
    return (temperature_nk + NK_PER_MK // 2) // NK_PER_MK


def equilibrium_temperature_k(config: HeatConfig, power_mw: int) -> float:
    """Temperature at which the radiator balances the gains; for design and tests, not for stepping."""
    gain_w = (power_mw + config.environment_mw) / 1000.0
    flux_factor = config.emissivity * STEFAN_BOLTZMANN_W_M2_K4 * config.radiator_m2
    return float((gain_w / flux_factor) ** 0.25)


def time_constant_s(config: HeatConfig, temperature_k: float) -> float:
    """Time constant of small changes: C / (4 emissivity sigma A T^3)."""
    slope_w_k = 4.0 * config.emissivity * STEFAN_BOLTZMANN_W_M2_K4 * config.radiator_m2 * temperature_k**3
    return config.capacity_j_k / slope_w_k
