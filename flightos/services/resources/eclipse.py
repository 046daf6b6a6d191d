"""When the node will be dark: the uploaded table, checked against the light that is measured.

Theory of operation. The table names eclipses in TAI; the next one is found by a pointer that only moves on.
The world may break the prediction: darkness in what the table calls sunlight is bridged for a few seconds
(penumbra, sampling), then the table is not believed until light returns, and a whole eclipse is assumed to
start now, each second anew. Without a table, or without time, the same is assumed: the careful side. A table
without a further eclipse promises sunlight.
"""

from __future__ import annotations

from typing import Final

import msgspec

from flightos.core.time import NS_PER_S
from flightos.services.resources.state import ECLIPSE_ASSUMED_S, ResourcesState

SUNLIGHT_ASSUMED_S: Final = 5_700
"""About one orbit: how far a table without a further eclipse is taken for a promise of sunlight."""
DARK_COUNT_MAX: Final = 3


class Outlook(msgspec.Struct, frozen=True, gc=False):
    """Seconds of sunlight to come, then seconds of eclipse; `known` is False when no eclipse is in sight."""

    sunlit_s: int
    eclipse_s: int
    known: bool = True
    unforeseen: bool = False
    """True once, when darkness that no table foresaw is taken for an eclipse."""


ASSUMED: Final = Outlook(0, ECLIPSE_ASSUMED_S)
ASSUMED_NOW: Final = Outlook(0, ECLIPSE_ASSUMED_S, unforeseen=True)


def look_ahead(state: ResourcesState, now_obt_ns: int, sunlit_ratio_e6: int) -> Outlook:
    """The outlook at an on-board time, with sunlight as measured (millionths)."""
    if state.intervals_tai_ns is None or state.tai_minus_obt_ns is None:
        return ASSUMED
    now_tai_ns = now_obt_ns + state.tai_minus_obt_ns
    intervals = state.intervals_tai_ns
    index = state.interval_index
    while index < len(intervals) and intervals[index][1] <= now_tai_ns:
        index += 1
    state.interval_index = index
    known = index < len(intervals)
    # Sunlight is rounded down, eclipse up.
    if known and intervals[index][0] <= now_tai_ns:
        state.dark_count = 0
        return Outlook(0, -((now_tai_ns - intervals[index][1]) // NS_PER_S))
    if sunlit_ratio_e6 == 0:
        state.dark_count += 1
        if state.dark_count >= DARK_COUNT_MAX:
            return ASSUMED_NOW if state.dark_count == DARK_COUNT_MAX else ASSUMED
    else:
        state.dark_count = 0
    if not known:
        return Outlook(SUNLIGHT_ASSUMED_S, 0, known=False)
    enter_tai_ns, leave_tai_ns = intervals[index]
    return Outlook((enter_tai_ns - now_tai_ns) // NS_PER_S, -((enter_tai_ns - leave_tai_ns) // NS_PER_S))
