"""The battery of a satellite, in whole millijoules, one second at a time.

Theory of operation. charge += array - load, once a second, held between 0 and the capacity. All integers:
no rounding, so the charge after a day is the same on every machine, and energy that the full battery could
not take is counted. Loads are what the node itself reports (`ReportLoads`).
"""

from __future__ import annotations

from typing import NamedTuple


class BatteryStep(NamedTuple):
    """Charge after a second; what could not be stored, and what was wanted but not there (0 unless empty)."""

    charge_mj: int
    unused_mj: int
    unserved_mj: int


def step_battery(charge_mj: int, load_mw: int, array_output_mw: int, capacity_mj: int) -> BatteryStep:
    """Advance the battery by one second; charge stays within 0..capacity_mj."""
    assert 0 <= charge_mj <= capacity_mj, "charge lies in the battery"
    wanted_mj = charge_mj + array_output_mw - load_mw
    stored_mj = min(max(wanted_mj, 0), capacity_mj)
    return BatteryStep(stored_mj, max(wanted_mj - capacity_mj, 0), max(-wanted_mj, 0))
