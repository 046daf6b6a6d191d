"""Link frames: what is accepted, once, and what is not."""

from __future__ import annotations

import msgspec
import pytest

from flightos.core.errors import DecodeError, EncodeError
from flightos.wire.authentication import NotAuthentic, Replayed, mac_function
from flightos.wire.frame import (
    COUNTER_BITS,
    BundleCarried,
    FrameBody,
    FrameCodec,
    FrameCounters,
    Hello,
    HopAcknowledgement,
)

KEY = bytes(range(32))
BODIES: list[FrameBody] = [
    Hello(2, 123_456_789, b"gossip"),
    HopAcknowledgement((1, 2, 3)),
    BundleCarried(7, b"x" * 1000),
]


@pytest.mark.parametrize("body", BODIES, ids=lambda body: type(body).__name__)
def test_round_trip(body: FrameBody) -> None:
    assert FrameCodec(2, KEY).decode(FrameCodec(1, KEY).encode(2, body), 5) == (1, body)


def test_a_frame_is_one_messagepack_array() -> None:
    frame = FrameCodec(1, KEY).encode(2, Hello(0, 9))
    version, source_id, destination_id, counter, body, mac = msgspec.msgpack.decode(frame)
    assert (version, source_id, destination_id, counter) == (1, 1, 2, 1)
    assert body == ["h", 0, 9, b""]
    assert mac == mac_function(KEY, b"flightos frame")(frame[:-18])


def test_a_frame_is_accepted_once_and_in_order() -> None:
    sender, receiver = FrameCodec(1, KEY), FrameCodec(2, KEY)
    first, second = sender.encode(2, BODIES[0]), sender.encode(2, BODIES[0])
    assert receiver.decode(second)[0] == 1
    for old in (first, second):
        with pytest.raises(Replayed):
            receiver.decode(old)


def test_counters_go_on_after_a_boot_and_through_a_snapshot() -> None:
    sender, receiver = FrameCodec(1, KEY), FrameCodec(2, KEY)
    receiver.decode(sender.encode(2, BODIES[0]), 44)
    assert receiver.counters.heard_obt_ns == {1: 44}
    reborn = FrameCodec(1, KEY)
    reborn.start_boot(1)
    assert receiver.decode(reborn.encode(2, BODIES[0]))[0] == 1
    assert receiver.counters.heard[1] == (1 << COUNTER_BITS) + 1
    with pytest.raises(Replayed):
        receiver.decode(sender.encode(2, BODIES[0]))
    encoded = msgspec.msgpack.encode(receiver.counters)
    restored = FrameCodec(2, KEY, msgspec.msgpack.decode(encoded, type=FrameCounters))
    with pytest.raises(Replayed):
        restored.decode(sender.encode(2, BODIES[0]))


def test_every_changed_bit_is_noticed() -> None:
    frame = FrameCodec(1, KEY).encode(2, Hello(0, 9))
    for bit in range(len(frame) * 8):
        damaged = bytearray(frame)
        damaged[bit // 8] ^= 1 << bit % 8
        with pytest.raises(DecodeError):
            FrameCodec(2, KEY).decode(bytes(damaged))


def test_strangers_and_other_links_are_refused() -> None:
    frame = FrameCodec(1, KEY).encode(2, Hello(0, 9))
    with pytest.raises(NotAuthentic):
        FrameCodec(2, bytes(32)).decode(frame)
    for other_id in (1, 3):
        with pytest.raises(DecodeError, match="another link"):
            FrameCodec(other_id, KEY).decode(frame)


def test_a_refused_frame_changes_no_counter() -> None:
    receiver = FrameCodec(2, KEY)
    with pytest.raises(DecodeError):
        receiver.decode(FrameCodec(1, KEY).encode(3, Hello(0, 9)))
    assert receiver.counters == FrameCounters()


@pytest.mark.parametrize(
    "body",
    [
        Hello(-1, 0),
        Hello(0, 1 << 63),
        Hello(0, 0, bytes(48 * 1024 + 1)),
        HopAcknowledgement((-1,)),
        HopAcknowledgement(tuple(range(1025))),
        BundleCarried(-1, b""),
    ],
    ids=lambda body: type(body).__name__,
)
def test_authentic_but_impossible_fields_are_refused(body: FrameBody) -> None:
    with pytest.raises(DecodeError, match="out of range"):
        FrameCodec(2, KEY).decode(FrameCodec(1, KEY).encode(2, body))


def test_a_key_has_a_least_size() -> None:
    with pytest.raises(EncodeError):
        FrameCodec(1, b"short")
