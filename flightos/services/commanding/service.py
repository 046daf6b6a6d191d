"""`commanding`: the one door for orders, from the umbilical, from bundles and from the timed sequence.

A command is authentic when it arrives here (the edge checks the MAC). What is left to check is the
anti-replay counter, the dictionary and the ranges of the arguments; then it is dispatched, and its answer
reported (PUS 1).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from msgspec.structs import astuple

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.dictionary import CommandDefinition, ServiceDictionary
from flightos.core.ports import TimeSampled
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.services.commanding.interface import (
    COMMAND_FAILED,
    COMMAND_PACKET_REJECTED,
    COMMAND_REJECTED,
    COMMAND_UNANSWERED,
    COUNTERS_RESET,
    NOOP,
    NOOP_EXECUTED,
    RESET_COUNTERS,
    SEQUENCE_ACTIVATED,
    TIMED_COMMAND_LATE,
    CommandCompleted,
    CommandDispatched,
    CommandingHousekeeping,
    CommandPacketReceived,
    CommandPacketRejected,
    CommandSequenceActivated,
    ResetCounters,
)
from flightos.services.commanding.state import CommandingCounters, CommandingState, PendingCommand
from flightos.services.telemetry.interface import ReportEvent, VerificationReported, VerificationStage
from flightos.wire.layout import TEXT_BYTES_MAX, Value, layout_of

PENDING_COUNT_MAX: Final = 64
SOURCE_COUNT_MAX: Final = 64
ANSWER_NS_MAX: Final = 60 * NS_PER_S
LATE_NS_MAX: Final = 10 * NS_PER_S
EXECUTED_PER_WAKEUP_MAX: Final = 32
RESUME_NS: Final = 100 * NS_PER_MS
SEQUENCE_COUNT_MASK: Final = 0x3FFF

SATELLITE_SERVICES: Final = ("resources", "health", "scheduling", "compute", "storage")
"""Services that only a satellite has."""


class CommandingService:
    """See sdd.md.

    `dictionaries` are those of all services; commands for one this node lacks are unknown here.
    """

    name = "commanding"

    def __init__(self, configuration: NodeConfiguration, dictionaries: Sequence[ServiceDictionary]) -> None:
        self.state = CommandingState()
        self._node_id = configuration.node_id
        self._commands: dict[int, tuple[str, CommandDefinition]] = {
            command.id: (dictionary.service, command)
            for dictionary in dictionaries
            for command in dictionary.commands
            if configuration.role == Role.SATELLITE or dictionary.service not in SATELLITE_SERVICES
        }
        self.reactions: Mapping[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            CommandPacketReceived: self._receive,
            CommandPacketRejected: self._count_rejected_packet,
            CommandCompleted: self._complete,
            CommandSequenceActivated: self._activate_sequence,
            TimeSampled: self._take_time,
            WakeupReached: self._wake,
            ResetCounters: self._reset_counters,
        }
        self._here: Mapping[int, Callable[[tuple[Value, ...], int], Sequence[Record]]] = {
            NOOP.id: self._execute_noop,
            RESET_COUNTERS.id: self._execute_reset,
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record; the only thing that changes `state`."""
        handler = self.reactions.get(type(record))
        return () if handler is None else handler(record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """The next timed command or the next answer that is overdue."""
        state = self.state
        due_obt_ns: list[int] = [pending.deadline_obt_ns for pending in state.pending[:1]]
        if state.tai_minus_obt_ns is not None and state.next_index < len(state.sequence.commands):
            execute_tai_ns = state.sequence.commands[state.next_index].execute_tai_ns
            due_obt_ns.append(max(execute_tai_ns - state.tai_minus_obt_ns, state.resume_obt_ns))
        return min(due_obt_ns, default=None)

    def housekeeping(self) -> CommandingHousekeeping:
        """Frozen counters and levels."""
        state = self.state
        waiting = len(state.sequence.commands) - state.next_index
        values: tuple[int, ...] = (*astuple(state.counters), len(state.pending), waiting)
        return CommandingHousekeeping(*values)

    # --- arrival --------------------------------------------------------------------------------------------

    def _receive(self, record: CommandPacketReceived, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        sequence_count = record.counter & SEQUENCE_COUNT_MASK
        heard = state.counters_heard.get(record.source_id)
        if heard is None and len(state.counters_heard) >= SOURCE_COUNT_MAX:
            return self._reject(
                record.command_id, sequence_count, record.source_id, Refusal.QUEUE_FULL, "sources"
            )
        if heard is not None and record.counter <= heard:
            return self._reject(
                record.command_id, sequence_count, record.source_id, Refusal.REPLAYED, "counter"
            )
        state.counters_heard[record.source_id] = record.counter
        return self._execute(
            record.command_id, record.arguments, sequence_count, record.source_id, now_obt_ns
        )

    def _count_rejected_packet(self, record: CommandPacketRejected, now_obt_ns: int) -> Sequence[Record]:
        self.state.counters.rejected_packets_count += 1
        return (ReportEvent(COMMAND_PACKET_REJECTED.id, (record.reason[:TEXT_BYTES_MAX], record.refusal)),)

    def _reject(
        self, command_id: int, sequence_count: int, source_id: int, refusal: Refusal, detail: str
    ) -> Sequence[Record]:
        counters = self.state.counters
        if refusal == Refusal.UNKNOWN_COMMAND:
            counters.rejected_unknown_count += 1
        elif refusal == Refusal.REPLAYED:
            counters.rejected_replayed_count += 1
        elif refusal == Refusal.QUEUE_FULL:
            counters.rejected_full_count += 1
        else:
            counters.rejected_argument_count += 1
        stage = VerificationStage.REJECTED
        values = (command_id, source_id, int(refusal), detail[:TEXT_BYTES_MAX])
        return (
            VerificationReported(command_id, sequence_count, source_id, stage, refusal),
            ReportEvent(COMMAND_REJECTED.id, values),
        )

    # --- execution ------------------------------------------------------------------------------------------

    def _execute(
        self, command_id: int, packed: bytes, sequence_count: int, source_id: int, now_obt_ns: int
    ) -> Sequence[Record]:
        """Check one command against the dictionary, accept it and hand it on."""

        def reject(refusal: Refusal, detail: str = "") -> Sequence[Record]:
            return self._reject(command_id, sequence_count, source_id, refusal, detail)

        known = self._commands.get(command_id)
        if known is None:
            return reject(Refusal.UNKNOWN_COMMAND)
        service, definition = known
        layout = layout_of(definition.arguments)
        arguments = layout.unpack_or_none(packed)
        if arguments is None:
            return reject(Refusal.BAD_ARGUMENT, "arguments unreadable")
        faults = layout.faults(arguments)
        if faults:
            return reject(Refusal.BAD_ARGUMENT, faults[0])
        state = self.state
        execute_here = self._here.get(command_id)
        if execute_here is None and len(state.pending) >= PENDING_COUNT_MAX:
            return reject(Refusal.QUEUE_FULL, "pending commands")
        state.counters.accepted_count += 1
        accepted = VerificationReported(command_id, sequence_count, source_id, VerificationStage.ACCEPTED)
        if execute_here is None:
            deadline_obt_ns = now_obt_ns + ANSWER_NS_MAX
            state.pending.append(PendingCommand(command_id, sequence_count, source_id, deadline_obt_ns))
            return (accepted, CommandDispatched(command_id, service, arguments, sequence_count, source_id))
        state.counters.completed_count += 1
        completed = VerificationReported(command_id, sequence_count, source_id, VerificationStage.COMPLETED)
        return (accepted, *execute_here(arguments, source_id), completed)

    def _execute_noop(self, arguments: tuple[Value, ...], source_id: int) -> Sequence[Record]:
        self.state.counters.noop_count += 1
        return (ReportEvent(NOOP_EXECUTED.id, (source_id,)),)

    def _execute_reset(self, arguments: tuple[Value, ...], source_id: int) -> Sequence[Record]:
        return (ResetCounters(), ReportEvent(COUNTERS_RESET.id, (source_id,)))

    def _complete(self, record: CommandCompleted, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        key = (record.command_id, record.sequence_count, record.source_id)
        for index, pending in enumerate(state.pending):
            if (pending.command_id, pending.sequence_count, pending.source_id) == key:
                del state.pending[index]
                break
        else:
            state.counters.answers_unexpected_count += 1
            return ()
        if record.refusal:
            state.counters.failed_count += 1
            values = (record.command_id, record.source_id, record.refusal)
            return (
                VerificationReported(*key, VerificationStage.FAILED, record.refusal),
                ReportEvent(COMMAND_FAILED.id, values),
            )
        state.counters.completed_count += 1
        return (VerificationReported(*key, VerificationStage.COMPLETED),)

    # --- absolute time sequence and time-outs ---------------------------------------------------------------

    def _activate_sequence(self, record: CommandSequenceActivated, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        if record.table == state.sequence:
            # The same table again, as after a restart: what was executed stays executed.
            return ()
        state.sequence = record.table
        state.resume_obt_ns = 0
        commands = record.table.commands
        state.next_index = sum(1 for command in commands if command.execute_tai_ns <= state.passed_tai_ns)
        state.counters.sequences_activated_count += 1
        return (ReportEvent(SEQUENCE_ACTIVATED.id, (len(commands),)),)

    def _take_time(self, record: TimeSampled, now_obt_ns: int) -> Sequence[Record]:
        self.state.tai_minus_obt_ns = record.tai_minus_obt_ns
        return ()

    def _wake(self, record: WakeupReached, now_obt_ns: int) -> Sequence[Record]:
        return [*self._expire_pending(now_obt_ns), *self._execute_due(now_obt_ns)]

    def _expire_pending(self, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        produced: list[Record] = []
        while state.pending and state.pending[0].deadline_obt_ns <= now_obt_ns:
            late = state.pending.pop(0)
            state.counters.unanswered_count += 1
            stage, refusal = VerificationStage.FAILED, Refusal.ABORTED
            produced += (
                VerificationReported(late.command_id, late.sequence_count, late.source_id, stage, refusal),
                ReportEvent(COMMAND_UNANSWERED.id, (late.command_id, late.source_id)),
            )
        return produced

    def _execute_due(self, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        produced: list[Record] = []
        if state.tai_minus_obt_ns is None or now_obt_ns < state.resume_obt_ns:
            return produced
        now_tai_ns = now_obt_ns + state.tai_minus_obt_ns
        commands = state.sequence.commands
        taken_count = 0
        while state.next_index < len(commands) and commands[state.next_index].execute_tai_ns <= now_tai_ns:
            if taken_count == EXECUTED_PER_WAKEUP_MAX:
                state.resume_obt_ns = now_obt_ns + RESUME_NS
                break
            command = commands[state.next_index]
            sequence_count = state.next_index & SEQUENCE_COUNT_MASK
            state.next_index += 1
            state.passed_tai_ns = command.execute_tai_ns
            taken_count += 1
            late_ns = now_tai_ns - command.execute_tai_ns
            if late_ns > LATE_NS_MAX:
                state.counters.timed_late_count += 1
                values = (command.command_id, late_ns // NS_PER_S)
                produced.append(ReportEvent(TIMED_COMMAND_LATE.id, values))
                continue
            state.counters.timed_executed_count += 1
            produced += self._execute(
                command.command_id, command.arguments, sequence_count, self._node_id, now_obt_ns
            )
        return produced

    def _reset_counters(self, record: ResetCounters, now_obt_ns: int) -> Sequence[Record]:
        self.state.counters = CommandingCounters()
        return ()
