"""The five kinds of trouble that are not ordinary refusals (STYLE.md, section C)."""

from __future__ import annotations

from collections.abc import Sequence


class FlightosError(Exception):
    """Root of every error that flightos raises on purpose."""


class DecodeError(FlightosError):
    """Bytes from outside that are not what they should be; raised only in `wire`, caught only in `node`."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class EncodeError(FlightosError):
    """A record of ours that does not fit its format: a bug, never the peer's fault."""


class ConfigError(FlightosError):
    """Every fault of a configuration or table, found before anything starts or is activated."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


class DriverError(FlightosError):
    """A device that does not answer as it should; stays in `drivers` and becomes a record."""


class InfrastructureError(FlightosError):
    """The host cannot carry the run: a port, a disk, a missing file or process."""
