"""UTC text to Julian dates. UT1 is taken equal to UTC (they differ by less than 0.9 s)."""

from datetime import UTC, datetime
from typing import Final

J2000_JD: Final = 2_451_545.0
_J2000_UTC: Final = datetime(2000, 1, 1, 12, tzinfo=UTC)
_DAY_US: Final = 86_400 * 1_000_000


def days_since_j2000(epoch_utc: str) -> float:
    """Days of UTC from 2000-01-01T12:00:00Z to an ISO 8601 time.

    The text carries its zone, such as 2026-03-20T12:00:00Z. Raises ValueError when the text is no such time.
    """
    moment = datetime.fromisoformat(epoch_utc)
    if moment.tzinfo is None:
        raise ValueError(
            f"epoch {epoch_utc!r} names no time zone; expected text such as 2026-03-20T12:00:00Z"
        )
    span = moment - _J2000_UTC
    return ((span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds) / _DAY_US


def julian_date_pair(epoch_utc: str) -> tuple[float, float]:
    """Julian date split at midnight into (whole or half day, fraction of the day), as SGP4 wants it."""
    days = days_since_j2000(epoch_utc)
    jd = J2000_JD + days
    whole = float(int(jd - 0.5)) + 0.5
    return whole, (J2000_JD - whole) + days
