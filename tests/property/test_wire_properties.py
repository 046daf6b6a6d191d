"""Laws of the wire: what is encoded is decoded, and any bytes give a record or a DecodeError."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.dictionary import FieldDefinition
from flightos.core.errors import DecodeError
from flightos.wire.authentication import mac_function
from flightos.wire.bundle import (
    BundleHeader,
    decode_bundle,
    decode_bundle_header,
    encode_bundle,
    with_hop,
)
from flightos.wire.frame import BundleCarried, FrameCodec, Hello, HopAcknowledgement
from flightos.wire.layout import INTEGER_BITS, Layout, Value, integer_range
from flightos.wire.packet import (
    TelemetryPacket,
    cuc_time,
    decode_tc,
    decode_tm,
    encode_command_packet,
    encode_tm,
    split_packets,
    time_of_cuc,
    with_crc,
)

KEY = bytes(range(32))
QUICK = settings(max_examples=60, deadline=None)
COUNTS = st.integers(0, (1 << 63) - 1)


@st.composite
def headers(draw: st.DrawFn) -> BundleHeader:
    return BundleHeader(
        source_id=draw(st.integers(1, 0xFFFF)),
        creation_dtn_ms=draw(COUNTS),
        sequence=draw(COUNTS),
        destination_id=draw(st.integers(1, 0xFFFF)),
        lifetime_ms=draw(COUNTS),
        kind=draw(st.integers(0, 0xFFFF)),
        priority=draw(st.integers(0, 3)),
    )


FRAME_BODIES = st.one_of(
    st.builds(Hello, st.integers(0, 1000), COUNTS, st.binary(max_size=200)),
    st.builds(HopAcknowledgement, st.lists(COUNTS, max_size=20).map(tuple)),
    st.builds(BundleCarried, COUNTS, st.binary(max_size=300)),
)


def is_total(decode: Callable[[bytes], object], data: bytes) -> None:
    """The decoder gives something or DecodeError; anything else fails the test."""
    with suppress(DecodeError):
        decode(data)


@QUICK
@given(
    header=headers(), body=st.binary(max_size=300), attachments=st.lists(st.binary(max_size=300), max_size=4)
)
def test_bundles_round_trip_and_pass_relays(
    header: BundleHeader, body: bytes, attachments: list[bytes]
) -> None:
    bundle = encode_bundle(header, body, attachments)
    assert decode_bundle(bundle) == (header, body, tuple(attachments))
    forwarded = with_hop(bundle, 7)
    assert decode_bundle_header(forwarded).key == header.key
    assert decode_bundle(forwarded)[1:] == (body, tuple(attachments))


@QUICK
@given(
    header=headers(),
    cut=st.integers(0, 400),
    flips=st.lists(st.tuples(st.integers(0, 399), st.integers(0, 255)), max_size=4),
)
def test_damaged_bundles_are_a_header_or_a_decode_error(
    header: BundleHeader, cut: int, flips: list[tuple[int, int]]
) -> None:
    data = bytearray(encode_bundle(header, b"body", [b"attachment" * 5]))
    for offset, value in flips:
        data[offset % len(data)] = value
    damaged = bytes(data[: cut or None])
    is_total(decode_bundle, damaged)
    is_total(decode_bundle_header, damaged)
    is_total(lambda data: with_hop(data, 7), damaged)


@QUICK
@given(data=st.binary(max_size=300))
def test_any_bytes_give_a_record_or_a_decode_error(data: bytes) -> None:
    codec = FrameCodec(2, KEY)
    for decode in (decode_bundle, decode_bundle_header, decode_tm, codec.decode):
        is_total(decode, data)
        is_total(decode, b"\x9f" + data)
    is_total(lambda data: decode_tc(data, KEY), data)
    is_total(lambda data: list(split_packets(data)), data)
    is_total(decode_tm, with_crc(data))


@QUICK
@given(inner=st.binary(max_size=200))
def test_authentic_nonsense_is_a_decode_error(inner: bytes) -> None:
    """Even the holder of the key cannot make the decoder do anything else."""
    signed = b"\x96" + inner
    frame = signed + b"\xc4\x10" + mac_function(KEY, b"flightos frame")(signed)
    is_total(FrameCodec(2, KEY).decode, frame)


@QUICK
@given(body=FRAME_BODIES, boot_count=st.integers(0, 1000))
def test_frames_round_trip(body: Hello | HopAcknowledgement | BundleCarried, boot_count: int) -> None:
    sender = FrameCodec(1, KEY)
    sender.start_boot(boot_count)
    assert FrameCodec(2, KEY).decode(sender.encode(2, body)) == (1, body)


@QUICK
@given(
    seconds=st.integers(0, (1 << 32) - 1),
    fraction=st.integers(0, 0xFFFF),
    service=st.integers(0, 255),
    data=st.binary(max_size=300),
)
def test_telemetry_packets_round_trip(seconds: int, fraction: int, service: int, data: bytes) -> None:
    tai_ns = time_of_cuc(seconds, fraction)
    assert cuc_time(tai_ns) == (seconds, fraction)
    packet = TelemetryPacket(0x10B, 3, service, 1, 4, 1000, tai_ns, 5, data)
    encoded = encode_tm(packet)
    assert decode_tm(encoded) == packet
    assert list(split_packets(encoded * 3)) == [encoded] * 3


@QUICK
@given(
    command_id=st.integers(0, 0xFFFF),
    counter=st.integers(0, (1 << 64) - 1),
    arguments=st.binary(max_size=100),
)
def test_telecommands_round_trip(command_id: int, counter: int, arguments: bytes) -> None:
    command = decode_tc(encode_command_packet(command_id, arguments, counter, KEY, 7), KEY)
    assert (command.command_id, command.counter, command.arguments) == (command_id, counter, arguments)


def values_of(field_type: str) -> st.SearchStrategy[Value]:
    if field_type in INTEGER_BITS:
        return st.integers(*integer_range(field_type))
    by_type: dict[str, st.SearchStrategy[Value]] = {
        "f32": st.floats(width=32, allow_nan=False),
        "f64": st.floats(allow_nan=False),
        "bool": st.booleans(),
        "text": st.text(max_size=16),
        "content_id": st.binary(min_size=16, max_size=16),
    }
    return by_type[field_type]


TYPES = (*INTEGER_BITS, "f32", "f64", "bool", "text", "content_id")


@QUICK
@given(data=st.data(), types=st.lists(st.sampled_from(TYPES), max_size=8))
def test_layouts_round_trip(data: st.DataObject, types: list[str]) -> None:
    layout = Layout([FieldDefinition(f"field_{index}", name) for index, name in enumerate(types)])
    values = tuple(data.draw(values_of(name)) for name in types)
    packed = layout.pack(values)
    assert len(packed) <= layout.size_bytes_max
    assert layout.unpack(packed) == values
    assert layout.pack(layout.unpack(layout.pack_saturated(values))) == packed
    is_total(layout.unpack, packed[:-1])


@QUICK
@given(number=st.integers(), field_type=st.sampled_from(tuple(INTEGER_BITS)))
def test_saturated_integers_are_the_nearest(number: int, field_type: str) -> None:
    layout = Layout([FieldDefinition("count", field_type)])
    low, high = integer_range(field_type)
    assert layout.unpack(layout.pack_saturated((number,))) == (min(max(number, low), high),)
