"""Link frame: one crossing of one link, authenticated, with a counter that never falls.

Theory of operation. A frame is the MessagePack array [version, source id, destination id, counter, body,
mac]. The MAC covers every byte before its own two-byte head. The counter is `boot_count << 40 | n` for each
pair of neighbours, so that it rises over restarts without any storage; a receiver takes only what is above
the last one it heard (CCSDS 355.0-B-2, 4.1.1.3). Codecs hold their counters as plain state, which a
snapshot carries.
"""

from __future__ import annotations

from typing import Final

import msgspec

from flightos.core.errors import DecodeError, EncodeError
from flightos.core.reading import UNREADABLE
from flightos.wire.authentication import MAC_BYTES, Replayed, mac_function, require_authentic
from flightos.wire.bundle import BUNDLE_BYTES_MAX

FRAME_VERSION: Final = 1
FRAME_OVERHEAD_BYTES_MAX: Final = 128
FRAME_BYTES_MAX: Final = BUNDLE_BYTES_MAX + FRAME_OVERHEAD_BYTES_MAX
GOSSIP_BYTES_MAX: Final = 48 * 1024
ACKNOWLEDGED_COUNT_MAX: Final = 1024
COUNTER_BITS: Final = 40
"""Frames of one boot to one neighbour: 2^40, enough for 348 years at 100 frames a second."""
BOOT_COUNT_MAX: Final = (1 << 23) - 1
NODE_ID_MAX: Final = 0xFFFF


class Hello(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """Sign of life at 1 Hz, with gossip."""

    boot_count: int
    obt_ns: int
    gossip: bytes = b""


class HopAcknowledgement(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """Frames with a bundle that were received and kept, by their link sequence."""

    sequences: tuple[int, ...]


class BundleCarried(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """One bundle in one frame; `bundle` is its RFC 9171 encoding."""

    link_sequence: int
    bundle: bytes


FrameBody = Hello | HopAcknowledgement | BundleCarried


class FrameCounters(msgspec.Struct):
    """What must survive in a snapshot.

    Counters by peer id, and the on-board time of the last authentic frame.
    """

    boot_count: int = 0
    sent: dict[int, int] = msgspec.field(default_factory=dict)
    heard: dict[int, int] = msgspec.field(default_factory=dict)
    heard_obt_ns: dict[int, int] = msgspec.field(default_factory=dict)


_PURPOSE: Final = b"flightos frame"
_HEAD_OF_SIX: Final = b"\x96"
_MAC_HEAD: Final = bytes((0xC4, MAC_BYTES))
_TAIL_BYTES: Final = len(_MAC_HEAD) + MAC_BYTES

# Shared by all codecs of a process: in virtual time hundreds of nodes then use the same few cache lines.
_encode: Final = msgspec.msgpack.Encoder().encode
_decode: Final = msgspec.msgpack.Decoder(tuple[int, int, int, int, FrameBody, bytes]).decode


class FrameCodec:
    """Encodes and decodes the frames of one node. `key` is the link key that all nodes of the run share."""

    def __init__(self, node_id: int, key: bytes, counters: FrameCounters | None = None) -> None:
        assert 0 < node_id <= NODE_ID_MAX
        self.node_id = node_id
        self.counters = FrameCounters() if counters is None else counters
        self._mac = mac_function(key, _PURPOSE)

    def start_boot(self, boot_count: int) -> None:
        """Begin a new life: counters go on above every one of an earlier boot."""
        assert 0 <= boot_count <= BOOT_COUNT_MAX
        if boot_count != self.counters.boot_count:
            self.counters.boot_count = boot_count
            self.counters.sent.clear()

    def encode(self, peer_id: int, body: FrameBody) -> bytes:
        """Give the frame to `peer_id`. Raises EncodeError when the body is larger than a frame may be."""
        counters = self.counters
        counter = counters.sent.get(peer_id, counters.boot_count << COUNTER_BITS) + 1
        signed = _HEAD_OF_SIX + _encode((FRAME_VERSION, self.node_id, peer_id, counter, body))[1:]
        if len(signed) > FRAME_BYTES_MAX - _TAIL_BYTES:
            raise EncodeError(f"a frame of {len(signed)} bytes is above {FRAME_BYTES_MAX}")
        counters.sent[peer_id] = counter
        return signed + _MAC_HEAD + self._mac(signed)

    def decode(self, data: bytes, now_obt_ns: int = 0) -> tuple[int, FrameBody]:
        """Give (peer id, body) of an authentic, new frame for this node.

        Raises NotAuthentic, Replayed or another DecodeError; counters change only for a frame that is
        accepted.
        """
        size_bytes = len(data)
        if not _TAIL_BYTES < size_bytes <= FRAME_BYTES_MAX:
            raise DecodeError("frame size")
        tail = size_bytes - _TAIL_BYTES
        if data[:1] != _HEAD_OF_SIX or data[tail : tail + 2] != _MAC_HEAD:
            raise DecodeError("not a frame")
        mac = data[tail + 2 :]
        require_authentic(self._mac(data[:tail]), mac)
        try:
            version, source_id, destination_id, counter, body, last = _decode(data)
        except UNREADABLE:
            raise DecodeError("frame layout") from None
        if last != mac:
            raise DecodeError("frame layout")
        if version != FRAME_VERSION:
            raise DecodeError("frame version")
        if destination_id != self.node_id or source_id == self.node_id:
            raise DecodeError("frame of another link")
        if not 0 < source_id <= NODE_ID_MAX or not _is_within_limits(body):
            raise DecodeError("frame field out of range")
        if not self.counters.heard.get(source_id, -1) < counter < 1 << 63:
            raise Replayed("replayed")
        self.counters.heard[source_id] = counter
        self.counters.heard_obt_ns[source_id] = now_obt_ns
        return source_id, body


def _is_within_limits(body: FrameBody) -> bool:
    if type(body) is BundleCarried:
        return 0 <= body.link_sequence < 1 << 63
    if type(body) is Hello:
        return (
            0 <= body.boot_count <= BOOT_COUNT_MAX
            and 0 <= body.obt_ns < 1 << 63
            and len(body.gossip) <= GOSSIP_BYTES_MAX
        )
    assert type(body) is HopAcknowledgement
    sequences = body.sequences
    return len(sequences) <= ACKNOWLEDGED_COUNT_MAX and all(0 <= sequence < 1 << 63 for sequence in sequences)
