"""Contract of `commanding`: the one door for orders."""

from __future__ import annotations

from typing import Final

import msgspec

from flightos.core.dictionary import (
    CommandDefinition,
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.records import HousekeepingRecord, Record
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S


class CommandDispatched(Record, frozen=True):
    """An accepted command for one service: its dictionary id, arguments in order, and whom to answer."""

    command_id: int
    service: str
    arguments: tuple[int | float | bool | str | bytes, ...]
    sequence_count: int
    source_id: int


class CommandCompleted(Record, frozen=True):
    """From the service that executed it. `refusal` 0 = success."""

    command_id: int
    sequence_count: int
    source_id: int
    refusal: int = 0


class ResetCounters(Record, frozen=True):
    """To every service: set the counters of housekeeping to zero."""


class CommandPacketReceived(Record, frozen=True):
    """From the edge.

    A packet that decoded as a telecommand and whose MAC is right; counter checked by the service.
    """

    apid: int
    command_id: int
    arguments: bytes
    counter: int
    source_id: int


class CommandPacketRejected(Record, frozen=True):
    """From the edge: bytes that are no telecommand, or not authentic."""

    reason: str
    refusal: int


class TimedCommand(msgspec.Struct, frozen=True, array_like=True):
    """One entry of table `command_sequence` (absolute time sequence).

    Arguments packed as in a telecommand.
    """

    execute_tai_ns: int
    command_id: int
    arguments: bytes


class CommandSequence(msgspec.Struct, frozen=True, array_like=True):
    """Table `command_sequence`: ordered by time."""

    commands: tuple[TimedCommand, ...]


class CommandSequenceActivated(Record, frozen=True):
    """From deployment."""

    table: CommandSequence


# --- commands, events, housekeeping -------------------------------------------------------------------------

_REFUSALS: Final = tuple((int(refusal), refusal.name) for refusal in Refusal)
_COMMAND: Final = FieldDefinition("command_id", "u16", "dictionary id")
_SOURCE: Final = FieldDefinition("source_id", "u16", "who sent it; the node itself for the sequence")
_REFUSAL: Final = FieldDefinition("refusal", "u8", "why", enum=_REFUSALS)

NOOP: Final = CommandDefinition(0x0101, "NOOP", "Do nothing but answer: proves the way up and down")
RESET_COUNTERS: Final = CommandDefinition(
    0x0102, "ResetCounters", "Set the housekeeping counters of every service to zero"
)

COMMAND_REJECTED: Final = EventDefinition(
    id=0x0101,
    name="COMMAND_REJECTED",
    severity=Severity.LOW,
    text="command {command_id:#06x} from {source_id} rejected: {refusal} {detail}",
    fields=(_COMMAND, _SOURCE, _REFUSAL, FieldDefinition("detail", "text", "first fault found")),
    interval_ns_min=NS_PER_S,
)
COMMAND_PACKET_REJECTED: Final = EventDefinition(
    id=0x0102,
    name="COMMAND_PACKET_REJECTED",
    severity=Severity.MEDIUM,
    text="bytes on a command port rejected: {reason}",
    fields=(FieldDefinition("reason", "text", "what is wrong with them"), _REFUSAL),
    interval_ns_min=NS_PER_S,
)
COMMAND_FAILED: Final = EventDefinition(
    id=0x0103,
    name="COMMAND_FAILED",
    severity=Severity.LOW,
    text="command {command_id:#06x} from {source_id} failed: {refusal}",
    fields=(_COMMAND, _SOURCE, _REFUSAL),
)
COMMAND_UNANSWERED: Final = EventDefinition(
    id=0x0104,
    name="COMMAND_UNANSWERED",
    severity=Severity.MEDIUM,
    text="command {command_id:#06x} from {source_id} was never answered by its service",
    fields=(_COMMAND, _SOURCE),
)
NOOP_EXECUTED: Final = EventDefinition(
    id=0x0105,
    name="NOOP_EXECUTED",
    severity=Severity.INFO,
    text="no operation, for {source_id}",
    fields=(_SOURCE,),
)
COUNTERS_RESET: Final = EventDefinition(
    id=0x0106,
    name="COUNTERS_RESET",
    severity=Severity.INFO,
    text="counters of all services set to zero, for {source_id}",
    fields=(_SOURCE,),
)
SEQUENCE_ACTIVATED: Final = EventDefinition(
    id=0x0107,
    name="SEQUENCE_ACTIVATED",
    severity=Severity.INFO,
    text="command sequence of {command_count} commands in force",
    fields=(FieldDefinition("command_count", "u32", "commands in the table, past ones included"),),
)
TIMED_COMMAND_LATE: Final = EventDefinition(
    id=0x0108,
    name="TIMED_COMMAND_LATE",
    severity=Severity.MEDIUM,
    text="timed command {command_id:#06x} left out: {late_s} s late",
    fields=(_COMMAND, FieldDefinition("late_s", "u32", "age when it was found")),
    interval_ns_min=NS_PER_S,
)


class CommandingHousekeeping(HousekeepingRecord, frozen=True):
    """Counters since the last `ResetCounters`, and levels."""

    accepted_count: int
    rejected_unknown_count: int
    rejected_argument_count: int
    rejected_replayed_count: int
    rejected_full_count: int
    rejected_packets_count: int
    completed_count: int
    failed_count: int
    unanswered_count: int
    answers_unexpected_count: int
    noop_count: int
    sequences_activated_count: int
    timed_executed_count: int
    timed_late_count: int
    commands_pending: int
    timed_waiting: int


DICTIONARY: Final = ServiceDictionary(
    service="commanding",
    apid=0x101,
    housekeeping=HousekeepingDefinition(
        structure_id=0x01,
        fields=(
            FieldDefinition("accepted_count", "u32", "commands accepted, timed ones included"),
            FieldDefinition("rejected_unknown_count", "u32", "no such command on this node"),
            FieldDefinition("rejected_argument_count", "u32", "arguments unreadable or out of range"),
            FieldDefinition("rejected_replayed_count", "u32", "counter not above the last one of the source"),
            FieldDefinition("rejected_full_count", "u32", "too many unanswered commands or sources"),
            FieldDefinition("rejected_packets_count", "u32", "bytes that are no authentic telecommand"),
            FieldDefinition("completed_count", "u32", "commands completed"),
            FieldDefinition("failed_count", "u32", "commands that their service refused"),
            FieldDefinition("unanswered_count", "u32", "commands given up without an answer"),
            FieldDefinition("answers_unexpected_count", "u32", "answers to no pending command"),
            FieldDefinition("noop_count", "u32", "NOOP executed"),
            FieldDefinition("sequences_activated_count", "u32", "command sequences activated"),
            FieldDefinition("timed_executed_count", "u32", "timed commands put to execution"),
            FieldDefinition("timed_late_count", "u32", "timed commands left out because too late"),
            FieldDefinition("commands_pending", "u16", "dispatched and not answered yet"),
            FieldDefinition("timed_waiting", "u32", "timed commands still to come"),
        ),
    ),
    events=(
        COMMAND_REJECTED,
        COMMAND_PACKET_REJECTED,
        COMMAND_FAILED,
        COMMAND_UNANSWERED,
        NOOP_EXECUTED,
        COUNTERS_RESET,
        SEQUENCE_ACTIVATED,
        TIMED_COMMAND_LATE,
    ),
    commands=(NOOP, RESET_COUNTERS),
)
