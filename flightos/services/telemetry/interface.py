"""Contract of `telemetry`: packets are made here and nowhere else."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from flightos.core.dictionary import (
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.records import HousekeepingRecord, Record


class VerificationStage(IntEnum):
    """Subtypes of PUS service 1 (ECSS-E-ST-70-41C, 6.1): what became of a command."""

    ACCEPTED = 1
    REJECTED = 2
    STARTED = 3
    START_FAILED = 4
    COMPLETED = 7
    FAILED = 8


FAILURE_STAGES: Final = (VerificationStage.REJECTED, VerificationStage.START_FAILED, VerificationStage.FAILED)
"""Stages whose packet ends with a refusal number."""


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
    """PUS 1 report on a command.

    `stage` is a VerificationStage, `refusal` tells why where it is a failure.
    """

    command_id: int
    sequence_count: int
    source_id: int
    stage: int
    refusal: int = 0


class DownlinkBatch(msgspec.Struct, frozen=True, array_like=True):
    """Body of a telemetry bundle: packets of one node, concatenated, oldest first."""

    packets: bytes
    packet_count: int


# --- telemetry of telemetry ---------------------------------------------------------------------------------


class TelemetryHousekeeping(HousekeepingRecord, frozen=True):
    """Counters since the last `ResetCounters`, and levels."""

    housekeeping_packets_count: int = 0
    verification_packets_count: int = 0
    events_info_count: int = 0
    events_low_count: int = 0
    events_medium_count: int = 0
    events_high_count: int = 0
    events_withheld_count: int = 0
    values_saturated_count: int = 0
    downlink_bundles_count: int = 0
    downlink_packets_count: int = 0
    downlink_dropped_count: int = 0
    downlink_waiting_bytes: int = 0
    tai_known: bool = False


EVENTS_WITHHELD: Final = EventDefinition(
    id=0x0A01,
    name="EVENTS_WITHHELD",
    severity=Severity.LOW,
    text="event {event_id:#06x} repeated {withheld_count} times more than its rate limit lets out",
    fields=(
        FieldDefinition("event_id", "u16", "the event that was held back"),
        FieldDefinition("withheld_count", "u32", "since the last report of this kind on the same event"),
    ),
)
DOWNLINK_PACKETS_DROPPED: Final = EventDefinition(
    id=0x0A02,
    name="DOWNLINK_PACKETS_DROPPED",
    severity=Severity.MEDIUM,
    text="{dropped_count} packets did not fit into the downlink's share of this period",
    fields=(FieldDefinition("dropped_count", "u32", "packets that left on the umbilical only"),),
)

DICTIONARY: Final = ServiceDictionary(
    service="telemetry",
    apid=0x10A,
    housekeeping=HousekeepingDefinition(
        structure_id=0x0A,
        fields=(
            FieldDefinition("housekeeping_packets_count", "u32", "TM(3,25) packets made"),
            FieldDefinition("verification_packets_count", "u32", "TM(1,x) packets made"),
            FieldDefinition("events_info_count", "u32", "TM(5,1) packets made"),
            FieldDefinition("events_low_count", "u32", "TM(5,2) packets made"),
            FieldDefinition("events_medium_count", "u32", "TM(5,3) packets made"),
            FieldDefinition("events_high_count", "u32", "TM(5,4) packets made"),
            FieldDefinition("events_withheld_count", "u32", "events held back by their rate limit"),
            FieldDefinition("values_saturated_count", "u32", "packets with a value cut to its field's limit"),
            FieldDefinition("downlink_bundles_count", "u32", "telemetry bundles handed to network"),
            FieldDefinition("downlink_packets_count", "u32", "packets in those bundles"),
            FieldDefinition(
                "downlink_dropped_count", "u32", "packets left out of the downlink: its share is full"
            ),
            FieldDefinition(
                "downlink_waiting_bytes", "u32", "bytes of packets that wait for the next bundle"
            ),
            FieldDefinition("tai_known", "bool", "packet times are TAI, not on-board time"),
        ),
    ),
    events=(EVENTS_WITHHELD, DOWNLINK_PACKETS_DROPPED),
)
