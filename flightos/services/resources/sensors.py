"""Belief in a sensor: when its readings cannot be true, dead reckoning takes its place.

Theory of operation. A reading is believed when it lies in the physical range and moved by no more than
physics allows. A reading that stays exactly the same while our own loads say that it must move collects
*drift*: what the quantity should have changed by since then. When the drift passes a limit the sensor is
stuck, and the estimate goes on from the last believed reading by dead reckoning. A stuck sensor is believed
again after a few readings in a row that are in range and move. Values are integers in fine units: mJ of
charge, uK of temperature.
"""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

STRIKE_COUNT_MAX: Final = 3
"""Impossible readings in a row after which the sensor is stuck; fewer are bridged by dead reckoning."""
RECOVERY_COUNT: Final = 5


class SensorLimits(msgspec.Struct, frozen=True):
    """What is possible for one sensor, in its reading's unit; `fine_per_unit` fine units make one."""

    reading_min: int
    reading_max: int
    change_per_s_max: int
    freeze_fine: int
    fine_per_unit: int


class Belief(IntEnum):
    """What one reading changed."""

    SAME = 0
    STUCK = 1
    RECOVERED = 2


class SensorTrack(msgspec.Struct, array_like=True):
    """What is believed of one sensor. `estimate_fine` is the reckoned value, `reading` the last one that
    came."""

    estimate_fine: int
    reading: int = 0
    fresh: bool = True
    stuck: bool = False
    drift_fine: int = 0
    drift_fine_min: int = 0
    drift_fine_max: int = 0
    strike_count: int = 0
    recovery_count: int = 0
    sampled_obt_ns: int = 0


def follow(
    track: SensorTrack, limits: SensorLimits, reading: int, elapsed_s: int, change_fine: int
) -> Belief:
    """Take in a reading that the fast path did not accept at once: equal to the last, impossible, or
    distrusted.

    `change_fine` is what dead reckoning expects the quantity to have changed by in the `elapsed_s` seconds
    since the last reading, already held within the physical range by the caller.
    """
    possible = limits.reading_min <= reading <= limits.reading_max
    if track.fresh and possible:
        track.fresh = False
        track.reading = reading
        track.estimate_fine = reading * limits.fine_per_unit
        return Belief.SAME
    moved = reading - track.reading
    near = abs(moved) <= limits.change_per_s_max * elapsed_s
    track.estimate_fine += change_fine
    track.reading = reading
    if track.stuck:
        return _reconsider(track, limits, reading, possible and near and moved != 0)
    if possible and moved == 0 and track.strike_count == 0:
        return _watch_freeze(track, limits, reading, change_fine)
    return _strike(track, limits, reading, possible and near)


def _reconsider(track: SensorTrack, limits: SensorLimits, reading: int, plausible: bool) -> Belief:
    """A stuck sensor: count plausible readings in a row."""
    track.recovery_count = track.recovery_count + 1 if plausible else 0
    if track.recovery_count < RECOVERY_COUNT:
        return Belief.SAME
    accept(track, limits, reading)
    return Belief.RECOVERED


def _watch_freeze(track: SensorTrack, limits: SensorLimits, reading: int, change_fine: int) -> Belief:
    """The reading stands still: believed until dead reckoning says that it must have moved."""
    track.drift_fine += change_fine
    track.drift_fine_min = min(track.drift_fine_min, track.drift_fine)
    track.drift_fine_max = max(track.drift_fine_max, track.drift_fine)
    # The span, not the drift itself: a box that heats and cools in turns comes back to where it was.
    if track.drift_fine_max - track.drift_fine_min <= limits.freeze_fine:
        track.estimate_fine = reading * limits.fine_per_unit
        return Belief.SAME
    track.stuck = True
    track.recovery_count = 0
    track.estimate_fine = reading * limits.fine_per_unit + track.drift_fine
    return Belief.STUCK


def _strike(track: SensorTrack, limits: SensorLimits, reading: int, plausible: bool) -> Belief:
    """An impossible reading, or one that follows such: back to belief on the next plausible one that moves
    on."""
    if plausible and abs(reading * limits.fine_per_unit - track.estimate_fine) <= (
        limits.change_per_s_max * limits.fine_per_unit * (STRIKE_COUNT_MAX + 1)
    ):
        accept(track, limits, reading)
        return Belief.SAME
    track.strike_count += 1
    if track.strike_count < STRIKE_COUNT_MAX:
        return Belief.SAME
    track.stuck = True
    track.recovery_count = 0
    return Belief.STUCK


def accept(track: SensorTrack, limits: SensorLimits, reading: int) -> None:
    """Believe this reading."""
    track.reading = reading
    track.estimate_fine = reading * limits.fine_per_unit
    track.fresh = False
    track.stuck = False
    track.drift_fine = track.drift_fine_min = track.drift_fine_max = 0
    track.strike_count = 0
    track.recovery_count = 0
