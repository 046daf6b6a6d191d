"""State of `commanding`: what a snapshot carries."""

from __future__ import annotations

import msgspec

from flightos.core.records import ServiceState
from flightos.services.commanding.interface import CommandSequence


class PendingCommand(msgspec.Struct, frozen=True, array_like=True):
    """A dispatched command whose service has not answered yet."""

    command_id: int
    sequence_count: int
    source_id: int
    deadline_obt_ns: int


class CommandingCounters(msgspec.Struct):
    """What `ResetCounters` zeroes; names and order as in housekeeping."""

    accepted_count: int = 0
    rejected_unknown_count: int = 0
    rejected_argument_count: int = 0
    rejected_replayed_count: int = 0
    rejected_full_count: int = 0
    rejected_packets_count: int = 0
    completed_count: int = 0
    failed_count: int = 0
    unanswered_count: int = 0
    answers_unexpected_count: int = 0
    noop_count: int = 0
    sequences_activated_count: int = 0
    timed_executed_count: int = 0
    timed_late_count: int = 0


class CommandingState(ServiceState):
    """Everything that influences what happens to the next command."""

    counters_heard: dict[int, int] = msgspec.field(default_factory=dict)
    """Last anti-replay counter by source id."""
    pending: list[PendingCommand] = msgspec.field(default_factory=list)
    """Oldest, and so earliest to expire, first."""
    tai_minus_obt_ns: int | None = None
    sequence: CommandSequence = CommandSequence(())
    next_index: int = 0
    """Of the first timed command that is still to come."""
    passed_tai_ns: int = 0
    """Time of the latest timed command ever taken from a sequence: none at or before it runs again."""
    resume_obt_ns: int = 0
    """Not before this: set when more commands were due at once than one wake-up may execute."""
    counters: CommandingCounters = msgspec.field(default_factory=CommandingCounters)
