"""Commanding record by record: acceptance, dispatch, verification, the timed sequence."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from flightos.core.configuration import NodeConfiguration, Role, TerminalConfiguration
from flightos.core.dictionary import (
    CommandDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
)
from flightos.core.ports import TimeSampled
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import (
    COMMAND_PACKET_REJECTED,
    COMMAND_REJECTED,
    COMMAND_UNANSWERED,
    DICTIONARY,
    NOOP,
    RESET_COUNTERS,
    TIMED_COMMAND_LATE,
    CommandCompleted,
    CommandDispatched,
    CommandingHousekeeping,
    CommandPacketReceived,
    CommandPacketRejected,
    CommandSequence,
    CommandSequenceActivated,
    ResetCounters,
    TimedCommand,
)
from flightos.services.commanding.service import (
    ANSWER_NS_MAX,
    EXECUTED_PER_WAKEUP_MAX,
    LATE_NS_MAX,
    PENDING_COUNT_MAX,
    CommandingService,
)
from flightos.services.commanding.state import CommandingState
from flightos.services.scheduling.interface import DICTIONARY as SCHEDULING
from flightos.services.scheduling.interface import REQUEST_OBSERVATION
from flightos.services.telemetry.interface import ReportEvent, VerificationReported, VerificationStage
from flightos.wire.command import pack_arguments
from flightos.wire.layout import Value

OPERATOR = 2000
TAI_MINUS_OBT_NS = 2_150_000_000 * NS_PER_S
SET_LEVEL = CommandDefinition(
    0x0601, "SetLevel", "for these tests", (FieldDefinition("level", "u8", range_max=3),)
)
TOY = ServiceDictionary("toy", 0x106, HousekeepingDefinition(6, ()), (), (SET_LEVEL,))


def service(role: Role = Role.SATELLITE) -> CommandingService:
    terminal = TerminalConfiguration(0, "laser", (2,), 1, 1, 1, 1, bytes(32))
    return CommandingService(
        NodeConfiguration(7, "seven", role, (terminal,), (2,)), (DICTIONARY, SCHEDULING, TOY)
    )


def packet(command: CommandDefinition, arguments: bytes = b"", counter: int = 1) -> CommandPacketReceived:
    return CommandPacketReceived(0x100 | command.id >> 8, command.id, arguments, counter, OPERATOR)


def stages(produced: Sequence[Record]) -> list[tuple[int, int]]:
    return [(record.stage, record.refusal) for record in produced if isinstance(record, VerificationReported)]


def activate(commanding: CommandingService, commands: list[TimedCommand]) -> Sequence[Record]:
    table = CommandSequenceActivated(CommandSequence(tuple(commands)))
    return commanding.handle(table, 0)


def noop_at(t_s: int) -> TimedCommand:
    return TimedCommand(TAI_MINUS_OBT_NS + t_s * NS_PER_S, NOOP.id, b"")


def test_noop_is_accepted_and_completed() -> None:
    commanding = service()
    produced = commanding.handle(packet(NOOP), 5)
    assert stages(produced) == [(VerificationStage.ACCEPTED, 0), (VerificationStage.COMPLETED, 0)]
    assert commanding.housekeeping().noop_count == 1


def test_reset_counters_reaches_every_service() -> None:
    commanding = service()
    produced = commanding.handle(packet(RESET_COUNTERS), 5)
    assert ResetCounters() in produced
    commanding.handle(ResetCounters(), 5)
    assert commanding.housekeeping().accepted_count == 0


def test_an_observation_is_requested_from_scheduling() -> None:
    values: tuple[Value, ...] = tuple(
        "surface_watch" if field.type == "text" else 2 for field in REQUEST_OBSERVATION.arguments
    )
    produced = service().handle(packet(REQUEST_OBSERVATION, pack_arguments(REQUEST_OBSERVATION, values)), 5)
    assert produced[1] == CommandDispatched(REQUEST_OBSERVATION.id, "scheduling", values, 1, OPERATOR)


def test_a_command_of_another_service_is_dispatched_and_its_answer_reported() -> None:
    commanding = service()
    produced = commanding.handle(packet(SET_LEVEL, b"\x02"), 5)
    assert produced[1] == CommandDispatched(SET_LEVEL.id, "toy", (2,), 1, OPERATOR)
    assert stages(produced) == [(VerificationStage.ACCEPTED, 0)]
    answer = CommandCompleted(SET_LEVEL.id, 1, OPERATOR)
    assert stages(commanding.handle(answer, 6)) == [(VerificationStage.COMPLETED, 0)]
    assert commanding.handle(answer, 7) == ()
    assert commanding.housekeeping().answers_unexpected_count == 1


def test_a_refusal_of_the_service_is_a_failed_command() -> None:
    commanding = service()
    commanding.handle(packet(SET_LEVEL, b"\x02"), 5)
    answer = CommandCompleted(SET_LEVEL.id, 1, OPERATOR, Refusal.WRONG_MODE)
    assert stages(commanding.handle(answer, 6)) == [(VerificationStage.FAILED, Refusal.WRONG_MODE)]
    assert commanding.housekeeping().failed_count == 1


@pytest.mark.parametrize(
    ("record", "refusal", "detail"),
    [
        (packet(CommandDefinition(0x0677, "Nothing", "")), Refusal.UNKNOWN_COMMAND, ""),
        (packet(SET_LEVEL, b""), Refusal.BAD_ARGUMENT, "arguments unreadable"),
        (packet(SET_LEVEL, b"\x01\x02"), Refusal.BAD_ARGUMENT, "arguments unreadable"),
        (packet(SET_LEVEL, b"\x09"), Refusal.BAD_ARGUMENT, "level = 9 is above 3"),
    ],
)
def test_bad_commands_are_rejected_with_the_reason(
    record: CommandPacketReceived, refusal: Refusal, detail: str
) -> None:
    commanding = service()
    produced = commanding.handle(record, 5)
    assert stages(produced) == [(VerificationStage.REJECTED, refusal)]
    values = (record.command_id, OPERATOR, refusal, detail)
    assert produced[-1] == ReportEvent(COMMAND_REJECTED.id, values)
    assert commanding.state.counters_heard == {OPERATOR: 1}


def test_a_counter_counts_once_for_each_source() -> None:
    commanding = service()
    commanding.handle(packet(NOOP, counter=5), 1)
    for counter in (5, 4):
        produced = commanding.handle(packet(NOOP, counter=counter), 2)
        assert stages(produced) == [(VerificationStage.REJECTED, Refusal.REPLAYED)]
    other = CommandPacketReceived(0x101, NOOP.id, b"", 1, 1000)
    assert stages(commanding.handle(other, 3))[0] == (VerificationStage.ACCEPTED, 0)
    assert commanding.housekeeping().rejected_replayed_count == 2


def test_a_satellites_command_is_unknown_on_the_ground() -> None:
    produced = service(Role.STATION).handle(packet(REQUEST_OBSERVATION, b""), 1)
    assert stages(produced) == [(VerificationStage.REJECTED, Refusal.UNKNOWN_COMMAND)]


def test_rejected_packets_are_counted_and_told() -> None:
    commanding = service()
    produced = commanding.handle(CommandPacketRejected("not authentic", Refusal.NOT_AUTHENTIC), 1)
    assert produced == (ReportEvent(COMMAND_PACKET_REJECTED.id, ("not authentic", Refusal.NOT_AUTHENTIC)),)
    assert commanding.housekeeping().rejected_packets_count == 1


def test_unanswered_commands_are_bounded_and_expire() -> None:
    commanding = service()
    for counter in range(1, PENDING_COUNT_MAX + 1):
        commanding.handle(packet(SET_LEVEL, b"\x01", counter), 0)
    produced = commanding.handle(packet(SET_LEVEL, b"\x01", 100), 0)
    assert stages(produced) == [(VerificationStage.REJECTED, Refusal.QUEUE_FULL)]
    assert commanding.next_wakeup_obt_ns() == ANSWER_NS_MAX
    produced = commanding.handle(WakeupReached(), ANSWER_NS_MAX)
    assert stages(produced) == [(VerificationStage.FAILED, Refusal.ABORTED)] * PENDING_COUNT_MAX
    assert ReportEvent(COMMAND_UNANSWERED.id, (SET_LEVEL.id, OPERATOR)) in produced
    assert commanding.next_wakeup_obt_ns() is None


def test_timed_commands_run_at_their_tai_time() -> None:
    commanding = service()
    activate(commanding, [noop_at(10), noop_at(20)])
    assert commanding.next_wakeup_obt_ns() is None, "no TAI estimate yet"
    commanding.handle(TimeSampled(TAI_MINUS_OBT_NS, 100), 0)
    assert commanding.next_wakeup_obt_ns() == 10 * NS_PER_S
    produced = commanding.handle(WakeupReached(), 10 * NS_PER_S)
    assert stages(produced) == [(VerificationStage.ACCEPTED, 0), (VerificationStage.COMPLETED, 0)]
    assert {record.source_id for record in produced if isinstance(record, VerificationReported)} == {7}
    assert commanding.next_wakeup_obt_ns() == 20 * NS_PER_S
    commanding.handle(TimeSampled(TAI_MINUS_OBT_NS + 500, 100), 11 * NS_PER_S)
    assert commanding.next_wakeup_obt_ns() == 20 * NS_PER_S - 500


def test_what_is_too_late_is_left_out_and_told() -> None:
    commanding = service()
    commanding.handle(TimeSampled(TAI_MINUS_OBT_NS, 100), 0)
    activate(commanding, [noop_at(1), noop_at(30)])
    produced = commanding.handle(WakeupReached(), 30 * NS_PER_S)
    assert ReportEvent(TIMED_COMMAND_LATE.id, (NOOP.id, 29)) in produced
    assert commanding.housekeeping().timed_late_count == 1
    assert commanding.housekeeping().timed_executed_count == 1
    assert LATE_NS_MAX < 29 * NS_PER_S


def test_the_same_table_again_repeats_nothing() -> None:
    commanding = service()
    commanding.handle(TimeSampled(TAI_MINUS_OBT_NS, 100), 0)
    activate(commanding, [noop_at(1), noop_at(5)])
    commanding.handle(WakeupReached(), NS_PER_S)
    activate(commanding, [noop_at(1), noop_at(5)])
    assert commanding.next_wakeup_obt_ns() == 5 * NS_PER_S
    activate(commanding, [noop_at(1), noop_at(3), noop_at(5)])
    assert commanding.next_wakeup_obt_ns() == 3 * NS_PER_S


def test_a_burst_of_timed_commands_is_spread() -> None:
    commanding = service()
    commanding.handle(TimeSampled(TAI_MINUS_OBT_NS, 100), 0)
    activate(commanding, [noop_at(1)] * (EXECUTED_PER_WAKEUP_MAX + 5))
    commanding.handle(WakeupReached(), NS_PER_S)
    assert commanding.housekeeping().timed_executed_count == EXECUTED_PER_WAKEUP_MAX
    again_obt_ns = commanding.next_wakeup_obt_ns()
    assert again_obt_ns is not None
    assert again_obt_ns > NS_PER_S
    commanding.handle(WakeupReached(), again_obt_ns)
    assert commanding.housekeeping().timed_executed_count == EXECUTED_PER_WAKEUP_MAX + 5
    assert commanding.next_wakeup_obt_ns() is None


def test_a_restored_service_goes_on() -> None:
    original, restored = service(), service()
    original.handle(TimeSampled(TAI_MINUS_OBT_NS, 100), 0)
    activate(original, [noop_at(1), noop_at(5)])
    original.handle(packet(SET_LEVEL, b"\x01", counter=9), 3)
    restored.state = msgspec.msgpack.decode(msgspec.msgpack.encode(original.state), type=CommandingState)
    for record in (packet(NOOP, counter=9), WakeupReached(), CommandCompleted(SET_LEVEL.id, 9, OPERATOR)):
        assert list(original.handle(record, NS_PER_S)) == list(restored.handle(record, NS_PER_S))
    assert original.housekeeping() == restored.housekeeping()


def test_the_dictionary_names_the_fields_of_the_record() -> None:
    names = tuple(field.name for field in DICTIONARY.housekeeping.fields)
    assert names == CommandingHousekeeping.__struct_fields__
