"""Telemetry record by record: packets, rate limits, the downlink's share, snapshot."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from flightos.core.configuration import NodeConfiguration, Role, TerminalConfiguration
from flightos.core.dictionary import (
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.errors import EncodeError
from flightos.core.ids import GROUND_ID
from flightos.core.ports import EmitPacket, NodeBooted, TimeSampled
from flightos.core.records import HousekeepingRecord, Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import ResetCounters
from flightos.services.network.interface import BundleKind, SendBundle
from flightos.services.telemetry.interface import (
    DICTIONARY,
    DOWNLINK_PACKETS_DROPPED,
    EVENTS_WITHHELD,
    CollectHousekeeping,
    DownlinkBatch,
    HousekeepingCollected,
    ReportEvent,
    TelemetryHousekeeping,
    VerificationReported,
    VerificationStage,
)
from flightos.services.telemetry.service import DOWNLINK_BUNDLES_PER_PERIOD_MAX, TelemetryService
from flightos.services.telemetry.state import TelemetryState
from flightos.wire.layout import layout_of
from flightos.wire.packet import TelemetryPacket, decode_tm, split_packets

TAI_MINUS_OBT_NS = 2_150_000_000 * NS_PER_S
SPOKE = EventDefinition(0x0601, "SPOKE", Severity.LOW, "said {word}", (FieldDefinition("word", "text"),))
OFTEN = EventDefinition(0x0602, "OFTEN", Severity.INFO, "again", (), interval_ns_min=5 * NS_PER_S)


class ToyHousekeeping(HousekeepingRecord, frozen=True):
    """What the toy service reports."""

    count: int
    ratio: float
    on: bool


TOY = ServiceDictionary(
    "toy",
    0x106,
    HousekeepingDefinition(
        0x06,
        (FieldDefinition("count", "u16"), FieldDefinition("ratio", "f32"), FieldDefinition("on", "bool")),
    ),
    (SPOKE, OFTEN),
)


def service(role: Role = Role.SATELLITE, bytes_max: int = 4096) -> TelemetryService:
    terminal = TerminalConfiguration(0, "laser", (2,), 1, 1, 1, 1, bytes(32))
    configuration = NodeConfiguration(7, "seven", role, (terminal,), (2,), downlink_bytes_max=bytes_max)
    telemetry = TelemetryService(configuration, (TOY, DICTIONARY))
    telemetry.handle(NodeBooted(0, False), 0)
    telemetry.handle(TimeSampled(TAI_MINUS_OBT_NS, 100), 0)
    return telemetry


def packets(produced: Sequence[Record]) -> list[TelemetryPacket]:
    return [decode_tm(record.packet) for record in produced if isinstance(record, EmitPacket)]


def bundles(produced: Sequence[Record]) -> list[list[TelemetryPacket]]:
    found = []
    for record in produced:
        if isinstance(record, SendBundle):
            assert (record.destination_id, record.kind) == (GROUND_ID, BundleKind.TELEMETRY)
            batch = msgspec.msgpack.decode(record.body, type=DownlinkBatch)
            found.append([decode_tm(packet) for packet in split_packets(batch.packets)])
            assert len(found[-1]) == batch.packet_count
    return found


def test_housekeeping_is_a_packet_of_service_3() -> None:
    telemetry = service()
    record = HousekeepingCollected("toy", ToyHousekeeping(300, 0.5, True))
    (first,) = packets(telemetry.handle(record, 5 * NS_PER_S))
    (second,) = packets(telemetry.handle(record, 6 * NS_PER_S))
    assert (first.apid, first.service, first.subtype, first.spacecraft_id) == (0x106, 3, 25, 7)
    assert first.tai_ns == TAI_MINUS_OBT_NS + 5 * NS_PER_S
    assert first.destination_id == GROUND_ID
    assert first.data == b"\x00\x06" + layout_of(TOY.housekeeping.fields).pack((300, 0.5, True))
    assert (first.sequence_count, second.sequence_count) == (0, 1)
    assert (first.message_count, second.message_count) == (0, 1)


def test_events_and_housekeeping_share_the_sequence_of_their_apid() -> None:
    telemetry = service()
    telemetry.handle(HousekeepingCollected("toy", ToyHousekeeping(0, 0.0, False)), 1)
    (event,) = packets(telemetry.handle(ReportEvent(SPOKE.id, ("hello",)), 2))
    assert (event.service, event.subtype, event.apid) == (5, Severity.LOW, 0x106)
    assert (event.sequence_count, event.message_count) == (1, 0)
    assert event.data == b"\x06\x01\x05hello"


def test_sequence_counts_wrap() -> None:
    telemetry = service()
    telemetry.state.sequence_counts[0x106] = 0x3FFF
    (last,) = packets(telemetry.handle(ReportEvent(SPOKE.id, ("a",)), 1))
    (first,) = packets(telemetry.handle(ReportEvent(SPOKE.id, ("a",)), 2))
    assert (last.sequence_count, first.sequence_count) == (0x3FFF, 0)


def test_a_value_beyond_its_field_is_sent_as_the_limit_and_counted() -> None:
    telemetry = service()
    (packet,) = packets(telemetry.handle(HousekeepingCollected("toy", ToyHousekeeping(70_000, 1.0, True)), 1))
    assert layout_of(TOY.housekeeping.fields).unpack(packet.data[2:])[0] == 65_535
    (event,) = packets(telemetry.handle(ReportEvent(SPOKE.id, ("x" * 70,)), 1))
    assert event.data[2:] == b"\x40" + b"x" * 64
    assert telemetry.housekeeping().values_saturated_count == 2


@pytest.mark.parametrize(
    "record",
    [
        ReportEvent(0x0666, ()),
        ReportEvent(SPOKE.id, ()),
        HousekeepingCollected("nobody", ToyHousekeeping(0, 0.0, False)),
        HousekeepingCollected("toy", TelemetryHousekeeping()),
    ],
)
def test_what_no_dictionary_declares_is_a_bug(record: Record) -> None:
    with pytest.raises(EncodeError):
        service().handle(record, 1)


@pytest.mark.parametrize("stage", VerificationStage)
def test_verifications_name_the_telecommand(stage: VerificationStage) -> None:
    record = VerificationReported(0x0601, 0x1_0005, 1000, stage, Refusal.BAD_ARGUMENT)
    (packet,) = packets(service().handle(record, 1))
    assert (packet.apid, packet.service, packet.subtype, packet.destination_id) == (0x106, 1, stage, 1000)
    refusal = b"" if stage in (1, 3, 7) else b"\x00\x0d"
    assert packet.data == b"\x19\x06" + b"\xc0\x05" + b"\x06\x01" + refusal


def test_a_repeated_event_is_held_back_and_told_of() -> None:
    telemetry = service()
    seen = [len(packets(telemetry.handle(ReportEvent(OFTEN.id), t_s * NS_PER_S))) for t_s in range(1, 9)]
    assert seen == [1, 0, 0, 0, 0, 1, 0, 0]
    assert telemetry.housekeeping().events_withheld_count == 6
    produced = telemetry.handle(WakeupReached(), 10 * NS_PER_S)
    assert [record for record in produced if isinstance(record, ReportEvent)] == [
        ReportEvent(EVENTS_WITHHELD.id, (OFTEN.id, 6))
    ]
    assert telemetry.state.events_withheld == {}


def test_it_wakes_on_whole_seconds_and_asks_for_housekeeping() -> None:
    telemetry = service()
    assert telemetry.next_wakeup_obt_ns() == NS_PER_S
    assert telemetry.handle(WakeupReached(), NS_PER_S) == [CollectHousekeeping(NS_PER_S)]
    assert telemetry.next_wakeup_obt_ns() == 2 * NS_PER_S


def test_the_downlink_gets_events_and_one_housekeeping_per_period() -> None:
    telemetry = service()
    telemetry.handle(ReportEvent(SPOKE.id, ("early",)), NS_PER_S // 2)
    sent: list[list[TelemetryPacket]] = []
    emitted = 0
    for second in range(1, 21):
        produced = list(telemetry.handle(WakeupReached(), second * NS_PER_S))
        record = HousekeepingCollected("toy", ToyHousekeeping(second, 0.0, False))
        produced += telemetry.handle(record, second * NS_PER_S)
        sent += bundles(produced)
        emitted += len(packets(produced))
    assert emitted == 20
    assert [[packet.service for packet in batch] for batch in sent] == [[5, 3], [3]]
    assert [batch[-1].data[2:4] for batch in sent] == [b"\x00\x09", b"\x00\x13"]


def test_a_full_share_drops_counts_and_says_so() -> None:
    telemetry = service(bytes_max=100)
    produced: list[Record] = []
    for _ in range(60):
        produced += telemetry.handle(ReportEvent(SPOKE.id, ("x" * 60,)), 1)
    assert len(packets(produced)) == 60
    assert len(bundles(produced)) == DOWNLINK_BUNDLES_PER_PERIOD_MAX - 1
    produced = list(telemetry.handle(WakeupReached(), 10 * NS_PER_S))
    assert len(bundles(produced)) == 1
    dropped_count = 60 - DOWNLINK_BUNDLES_PER_PERIOD_MAX
    assert ReportEvent(DOWNLINK_PACKETS_DROPPED.id, (dropped_count,)) in produced
    assert telemetry.housekeeping().downlink_dropped_count == dropped_count
    assert telemetry.housekeeping().downlink_waiting_bytes == 0


@pytest.mark.parametrize("role", [Role.STATION, Role.GROUND])
def test_stations_and_ground_use_the_umbilical_only(role: Role) -> None:
    telemetry = service(role)
    produced = list(telemetry.handle(ReportEvent(SPOKE.id, ("x",)), 1))
    produced += telemetry.handle(WakeupReached(), 10 * NS_PER_S)
    assert len(packets(produced)) == 1
    assert bundles(produced) == []


def test_the_packet_says_whether_its_time_is_tai() -> None:
    telemetry = service()
    (known,) = telemetry.handle(HousekeepingCollected("toy", ToyHousekeeping(0, 0.0, False)), 1)
    telemetry.state = TelemetryState()
    (unknown,) = telemetry.handle(HousekeepingCollected("toy", ToyHousekeeping(0, 0.0, False)), 1)
    assert isinstance(known, EmitPacket)
    assert isinstance(unknown, EmitPacket)
    assert (known.packet[6], unknown.packet[6]) == (0x21, 0x20)


def test_reset_zeroes_counters_and_keeps_sequences() -> None:
    telemetry = service(Role.GROUND)
    telemetry.handle(ReportEvent(SPOKE.id, ("x",)), 1)
    telemetry.handle(ResetCounters(), 2)
    assert telemetry.housekeeping() == TelemetryHousekeeping(tai_known=True)
    assert telemetry.state.sequence_counts == {0x106: 1}


def test_a_restored_service_goes_on_with_the_same_packets() -> None:
    original, restored = service(), service()
    for step in range(3):
        original.handle(ReportEvent(OFTEN.id), step)
        original.handle(HousekeepingCollected("toy", ToyHousekeeping(step, 0.0, True)), step)
    restored.state = msgspec.msgpack.decode(msgspec.msgpack.encode(original.state), type=TelemetryState)
    for record in (WakeupReached(), ReportEvent(SPOKE.id, ("x",)), ReportEvent(OFTEN.id)):
        assert list(original.handle(record, 10 * NS_PER_S)) == list(restored.handle(record, 10 * NS_PER_S))
    assert original.housekeeping() == restored.housekeeping()


def test_the_dictionary_names_the_fields_of_the_record() -> None:
    names = tuple(field.name for field in DICTIONARY.housekeeping.fields)
    assert names == TelemetryHousekeeping.__struct_fields__
