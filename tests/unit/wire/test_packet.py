"""Space packets against an independent implementation, and the telecommand's authentication."""

from __future__ import annotations

import pytest
from spacepackets.ecss.tc import PusTc
from spacepackets.ecss.tm import PusTm

from flightos.core.dictionary import CommandDefinition, FieldDefinition
from flightos.core.errors import DecodeError, EncodeError
from flightos.wire.authentication import NotAuthentic
from flightos.wire.command import encode_tc
from flightos.wire.packet import (
    TelemetryPacket,
    cuc_time,
    decode_tc,
    decode_tm,
    encode_tm,
    packet_stop,
    split_packets,
    time_of_cuc,
)

KEY = bytes(range(32))
PACKET = TelemetryPacket(
    apid=0x105,
    sequence_count=0x1234,
    service=3,
    subtype=25,
    message_count=0xBEEF,
    destination_id=1000,
    tai_ns=time_of_cuc(2_150_000_000, 0x8000),
    spacecraft_id=7,
    data=b"\x00\x05some data",
)
SET_LEVEL = CommandDefinition(
    0x0501,
    "SetLevel",
    "for this test",
    (
        FieldDefinition("level", "u8", range_min=1, range_max=4),
        FieldDefinition("offset_mw", "i32"),
        FieldDefinition("label", "text"),
    ),
)


def test_spacepackets_makes_the_same_telemetry_bytes() -> None:
    theirs = PusTm(
        service=3,
        message_subtype=25,
        timestamp=(2_150_000_000).to_bytes(4, "big") + b"\x80\x00",
        source_data=b"\x00\x07" + PACKET.data,
        apid=0x105,
        seq_count=0x1234,
        message_counter=0xBEEF,
        destination_id=1000,
    ).pack()
    assert encode_tm(PACKET) == bytes(theirs)
    assert decode_tm(bytes(theirs)) == PACKET


def test_spacepackets_reads_our_telecommand() -> None:
    packet = encode_tc(SET_LEVEL, (2, -5, "é"), counter=0x1_0003, key=KEY, spacecraft_id=7)
    theirs = PusTc.unpack(packet)
    assert (theirs.apid, theirs.seq_count, theirs.service, theirs.message_subtype) == (0x105, 3, 8, 1)
    assert theirs.source_id == 2000
    assert theirs.app_data[:12] == b"\x00\x07" + (0x1_0003).to_bytes(8, "big") + b"\x05\x01"


@pytest.mark.parametrize("tai_ns", [0, 1, 15_258, 15_259, 999_999_999, 2_150_000_000_123_456_789])
def test_cuc_time_is_cut_to_its_resolution(tai_ns: int) -> None:
    fields = cuc_time(tai_ns)
    assert cuc_time(time_of_cuc(*fields)) == fields
    assert abs(tai_ns - time_of_cuc(*fields)) <= 15_259


def test_every_cuc_fraction_survives() -> None:
    assert all(cuc_time(time_of_cuc(5, fraction)) == (5, fraction) for fraction in range(1 << 16))


def test_a_stream_of_packets_is_split() -> None:
    packets = [encode_tm(PACKET), encode_tc(SET_LEVEL, (1, 0, ""), 1, KEY, 7), encode_tm(PACKET)]
    assert list(split_packets(b"".join(packets))) == packets
    stream = b"".join(packets)[:-1]
    pieces = split_packets(stream)
    assert [next(pieces), next(pieces)] == packets[:2]
    with pytest.raises(DecodeError, match="truncated"):
        next(pieces)
    assert packet_stop(stream, len(packets[0])) == len(packets[0]) + len(packets[1])
    assert packet_stop(stream[:4], 0) is None


def test_every_changed_bit_of_a_packet_is_noticed() -> None:
    data = encode_tm(PACKET)
    for bit in range(len(data) * 8):
        damaged = bytearray(data)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError):
            decode_tm(bytes(damaged))


def test_telecommand_round_trip_by_name() -> None:
    packet = encode_tc(SET_LEVEL, {"label": "x", "level": 3, "offset_mw": 9}, 77, KEY, 7, source_id=1000)
    command = decode_tc(packet, KEY)
    assert (command.command_id, command.counter, command.source_id, command.spacecraft_id) == (
        0x0501,
        77,
        1000,
        7,
    )
    assert command.arguments == b"\x03\x00\x00\x00\x09\x01x"


def test_a_wrong_key_and_telemetry_are_no_telecommand() -> None:
    packet = encode_tc(SET_LEVEL, (1, 0, ""), 1, KEY, 7)
    with pytest.raises(NotAuthentic):
        decode_tc(packet, bytes(32))
    with pytest.raises(DecodeError):
        decode_tc(encode_tm(PACKET), KEY)
    with pytest.raises(DecodeError):
        decode_tm(packet)


def test_every_fault_of_the_arguments_is_named() -> None:
    with pytest.raises(EncodeError, match=r"level = 9 is above 4; offset_mw = 5000000000 is no i32"):
        encode_tc(SET_LEVEL, (9, 5_000_000_000, ""), 1, KEY, 7)
    with pytest.raises(EncodeError, match="label is missing; lable is no argument of SetLevel"):
        encode_tc(SET_LEVEL, {"level": 1, "offset_mw": 0, "lable": ""}, 1, KEY, 7)
    with pytest.raises(EncodeError):
        encode_tc(SET_LEVEL, (1, 0, ""), 1 << 64, KEY, 7)


def test_a_packet_has_a_limit() -> None:
    with pytest.raises(EncodeError):
        encode_tm(TelemetryPacket(1, 0, 3, 25, 0, 1000, 0, 7, bytes(4096)))
