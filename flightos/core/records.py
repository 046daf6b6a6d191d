"""The base of every record, and what a service is.

A record is a *fact* (past tense, `TaskFinished`) or a *request* (imperative, `PlaceTask`). Records are frozen
MessagePack structs: array-like and tagged with their class name, so that one encoding serves the wire, the input
log and the hash chains.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import msgspec


class Record(msgspec.Struct, frozen=True, array_like=True, tag=True):
    """Something that happened, or something to be done."""


class HousekeepingRecord(msgspec.Struct, frozen=True, array_like=True):
    """Frozen counters and levels of one service: only integers, booleans and floats, one telemetry packet each."""


class ServiceState(msgspec.Struct):
    """What snapshot and restore carry; only MessagePack-able members."""


class Service(Protocol):
    """One responsibility of the node: records in, records out, time as an argument."""

    state: Any
    """A ServiceState of the service's own type."""

    @property
    def name(self) -> str:
        """The word for it in routes, dictionary and commands."""
        ...

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record; the only thing that changes `state`."""
        ...

    def next_wakeup_obt_ns(self) -> int | None:
        """When `WakeupReached` shall be delivered, if ever."""
        ...

    def housekeeping(self) -> HousekeepingRecord:
        """Frozen counters and levels, for the 1 Hz housekeeping packet."""
        ...


class WakeupReached(Record, frozen=True):
    """The time that a service asked for with `next_wakeup_obt_ns` has come; delivered to that service only."""
