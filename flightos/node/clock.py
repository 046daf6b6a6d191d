"""On-board time as an integer function of mission time, and back.

Theory of operation: a node's oscillator starts at `offset_ns` and runs fast or slow by `drift_ppb`. On-board time
is monotonic over restarts, because it depends on mission time only. The drivers use both directions; services see
on-board time alone.
"""

from __future__ import annotations

from typing import Final

PPB: Final = 1_000_000_000


class OnBoardClock:
    """obt = offset + t + floor(t * drift / 10^9); exact integers, so every machine agrees."""

    def __init__(self, offset_ns: int, drift_ppb: int) -> None:
        assert abs(drift_ppb) < PPB, "a clock that stands still or runs backwards is not a clock"
        self.offset_ns = offset_ns
        self.drift_ppb = drift_ppb

    def obt_ns(self, t_mission_ns: int) -> int:
        """On-board time at a mission time."""
        return self.offset_ns + t_mission_ns + t_mission_ns * self.drift_ppb // PPB

    def mission_ns(self, obt_ns: int) -> int:
        """The earliest mission time at which on-board time has reached `obt_ns`."""
        wanted = obt_ns - self.offset_ns
        if self.drift_ppb == 0:
            return wanted
        guess = wanted * PPB // (PPB + self.drift_ppb)
        while guess + guess * self.drift_ppb // PPB < wanted:
            guess += 1
        while guess > 0 and guess - 1 + (guess - 1) * self.drift_ppb // PPB >= wanted:
            guess -= 1
        return guess
