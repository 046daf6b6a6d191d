"""Contract of `telemetry`: packets are made here and nowhere else."""

from __future__ import annotations

import msgspec

from flightos.core.records import HousekeepingRecord, Record


class ReportEvent(Record, frozen=True):
    """Any service reports an event of its dictionary; `values` are in the order of the definition's fields."""

    event_id: int
    values: tuple[int | float | bool | str | bytes, ...] = ()


class CollectHousekeeping(Record, frozen=True):
    """Once a second, to the bus: ask every service for its housekeeping record."""

    obt_ns: int


class HousekeepingCollected(Record, frozen=True):
    """The bus's answer for one service: the record is a plain struct, packed by its dictionary layout."""

    service: str
    housekeeping: HousekeepingRecord


class VerificationReported(Record, frozen=True):
    """PUS 1 report on a command: stage 'accepted', 'started', 'completed' or 'failed' with a refusal number."""

    command_id: int
    sequence_count: int
    source_id: int
    stage: int
    refusal: int = 0


class DownlinkBatch(msgspec.Struct, frozen=True, array_like=True):
    """Body of a telemetry bundle: packets of one node, concatenated, oldest first."""

    packets: bytes
    packet_count: int
