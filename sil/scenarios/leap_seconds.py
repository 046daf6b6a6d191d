"""UTC to TAI, by the table of leap seconds (IERS Bulletin C; last entry 2017-01-01, still in force)."""

from __future__ import annotations

from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from typing import Final

from flightos.core.time import NS_PER_US

_CCSDS_EPOCH: Final = datetime(1958, 1, 1, tzinfo=UTC)
_LEAP_SECOND_DATES: Final = (
    (1972, 1), (1972, 7), (1973, 1), (1974, 1), (1975, 1), (1976, 1), (1977, 1), (1978, 1), (1979, 1),
    (1980, 1), (1981, 7), (1982, 7), (1983, 7), (1985, 7), (1988, 1), (1990, 1), (1991, 1), (1992, 7),
    (1993, 7), (1994, 7), (1996, 1), (1997, 7), (1999, 1), (2006, 1), (2009, 1), (2012, 7), (2015, 7), (2017,
    1),
)  # fmt: skip
_STEPS: Final = [datetime(year, month, 1, tzinfo=UTC) for year, month in _LEAP_SECOND_DATES]
_TAI_MINUS_UTC_S_1972: Final = 10


def tai_minus_utc_s(moment: datetime) -> int:
    """Whole seconds that TAI is ahead of UTC at a UTC time. Raises ValueError before 1972."""
    count = bisect_right(_STEPS, moment)
    if count == 0:
        raise ValueError(f"{moment.isoformat()}: expected a time from 1972 on, when leap seconds began")
    return _TAI_MINUS_UTC_S_1972 + count - 1


def tai_ns_of_utc(epoch_utc: str) -> int:
    """TAI nanoseconds since 1958-01-01 of an ISO 8601 time with its zone. Raises ValueError otherwise."""
    moment = datetime.fromisoformat(epoch_utc)
    if moment.tzinfo is None:
        raise ValueError(f"{epoch_utc!r} names no time zone; expected text such as 2026-03-20T12:00:00Z")
    elapsed = moment - _CCSDS_EPOCH + timedelta(seconds=tai_minus_utc_s(moment))
    return (elapsed // timedelta(microseconds=1)) * NS_PER_US
