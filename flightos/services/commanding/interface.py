"""Contract of `commanding`: the one door for orders."""

from __future__ import annotations

import msgspec

from flightos.core.records import Record


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
    """From the edge: a packet that decoded as a telecommand and whose MAC is right; counter checked by the service."""

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
    """One entry of table `command_sequence` (absolute time sequence): arguments packed as in a telecommand."""

    execute_tai_ns: int
    command_id: int
    arguments: bytes


class CommandSequence(msgspec.Struct, frozen=True, array_like=True):
    """Table `command_sequence`: ordered by time."""

    commands: tuple[TimedCommand, ...]


class CommandSequenceActivated(Record, frozen=True):
    """From deployment."""

    table: CommandSequence
