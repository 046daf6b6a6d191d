"""Units of time. Every instant and duration inside the system is an integer count of nanoseconds.

Three clocks exist (STYLE.md, glossary): mission time belongs to the time authority and orders everything;
on-board time (OBT) is a node's own monotonic count; TAI is an estimate that the node's clock owns.
"""

from __future__ import annotations

from typing import Final

NS_PER_US: Final = 1_000
NS_PER_MS: Final = 1_000_000
NS_PER_S: Final = 1_000_000_000

NEVER_NS: Final = (1 << 63) - 1
"""A time later than any other: what a participant with nothing to do reports as its next event."""


def seconds_to_ns(seconds: float) -> int:
    """Nearest whole nanoseconds of a duration given in seconds (for configuration, never for decisions)."""
    return round(seconds * NS_PER_S)


def next_multiple_ns(now_ns: int, period_ns: int) -> int:
    """The first multiple of `period_ns` strictly after `now_ns`: periodic work stays on the common second."""
    return (now_ns // period_ns + 1) * period_ns
