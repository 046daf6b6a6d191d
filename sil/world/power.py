"""Array, battery and loads of a node, in whole milliwatts and millijoules, one second at a time.

Theory of operation. charge += array - load, once a second, held between 0 and the capacity. All integers:
no rounding, so the charge after a day is the same on every machine, and energy that the full battery could
not take is counted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

MJ_PER_WH: Final = 3_600_000
"""Millijoules in a watt hour."""


@dataclass(frozen=True)
class PowerConfig:
    """Power values of a spacecraft; the defaults are those of the scenario three_body.

    The array tracks the Sun: it gives array_peak_mw x sunlit_ratio. A terminal draws its power while it
    acquires or tracks, the radio while it sends, the imager while it images; compute draws busy power on
    busy slots and a tenth of it when idle.
    """

    array_peak_mw: int = 700_000
    capacity_mj: int = 600 * MJ_PER_WH
    initial_soc_e6: int = 900_000
    floor_soc_e6: int = 700_000
    bus_mw: int = 120_000
    terminal_mw: int = 30_000
    radio_mw: int = 25_000
    imager_mw: int = 40_000
    busy_mw_per_tops: int = 200
    idle_mw_per_tops: int = 20

    def initial_charge_mj(self) -> int:
        """Charge at the start of the mission."""
        return self.capacity_mj * self.initial_soc_e6 // 1_000_000

    def soc_e6(self, charge_mj: int) -> int:
        """State of charge in millionths (0 = empty, 1,000,000 = full), rounded down."""
        return charge_mj * 1_000_000 // self.capacity_mj


@dataclass(frozen=True)
class Activity:
    """What a node does during one second: the loads that follow from it."""

    tracking_terminal_count: int = 0
    sending: bool = False
    imaging: bool = False
    busy_ratio_e6: int = 0


class BatteryStep(NamedTuple):
    """Charge after a second; what could not be stored, and what was wanted but not there (0 unless empty)."""

    charge_mj: int
    unused_mj: int
    unserved_mj: int


def compute_load_mw(config: PowerConfig, rate_tops: int, busy_ratio_e6: int) -> int:
    """Draw of the compute box with this share of its rate busy; all of it becomes heat in the box."""
    assert 0 <= busy_ratio_e6 <= 1_000_000, "a share of the compute rate"
    idle_mw = rate_tops * config.idle_mw_per_tops
    return idle_mw + (rate_tops * config.busy_mw_per_tops - idle_mw) * busy_ratio_e6 // 1_000_000


def node_load_mw(config: PowerConfig, rate_tops: int, activity: Activity) -> int:
    """Draw of the whole spacecraft: bus, compute, terminals, radio, imager."""
    return (
        config.bus_mw
        + compute_load_mw(config, rate_tops, activity.busy_ratio_e6)
        + config.terminal_mw * activity.tracking_terminal_count
        + (config.radio_mw if activity.sending else 0)
        + (config.imager_mw if activity.imaging else 0)
    )


def array_mw(config: PowerConfig, sunlit_ratio_e6: int) -> int:
    """Array output for a share of sunlight, rounded down."""
    return config.array_peak_mw * sunlit_ratio_e6 // 1_000_000


def step_battery(charge_mj: int, load_mw: int, array_output_mw: int, capacity_mj: int) -> BatteryStep:
    """Advance the battery by one second; charge stays within 0..capacity_mj."""
    assert 0 <= charge_mj <= capacity_mj, "charge lies in the battery"
    wanted_mj = charge_mj + array_output_mw - load_mw
    stored_mj = min(max(wanted_mj, 0), capacity_mj)
    return BatteryStep(stored_mj, max(wanted_mj - capacity_mj, 0), max(-wanted_mj, 0))
