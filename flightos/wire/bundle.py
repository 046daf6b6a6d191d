"""Bundles: Bundle Protocol version 7 (RFC 9171) with endpoints `ipn:node.service` (RFC 9758).

Theory of operation. The service part of the destination is the bundle's kind; the source is the node's
administrative endpoint `ipn:node.0`; reports go to dtn:none. Primary and payload carry CRC-32C. A Hop Count
block is always there; a priority above 0 travels in a private-use block (type 192, one unsigned integer),
because RFC 9171 has dropped the priority bits of version 6 and a node that does not know the block may
ignore it. A bundle whose source has no time (creation time 0) carries a Bundle Age block. The payload is
the MessagePack array [body, [attachment, ...]].

A relay never rewrites the primary block: `with_hop` copies it byte by byte, counts the hop and names the
previous node.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Final

import cbor2
import msgspec

from flightos.core.errors import DecodeError, EncodeError
from flightos.core.reading import UNREADABLE
from flightos.kernels.crc import crc32c
from flightos.wire.bundle_blocks import (
    BLOCK_COUNT_MAX,
    CRC_32C,
    NODE_NUMBER_MAX,
    VALUE_MAX,
    CanonicalBlock,
    PrimaryBlock,
    end_array,
    read_array,
    read_blocks,
    read_endpoint,
    read_unsigned,
)
from flightos.wire.bundle_form import OwnForm, has_intact_payload, read_own_form

BUNDLE_BYTES_MAX: Final = 64 * 1024 * 1024
BODY_BYTES_MAX: Final = 64 * 1024
ATTACHMENT_COUNT_MAX: Final = 64
HOP_LIMIT: Final = 128
"""Of the Hop Count block (RFC 9171, 4.4.3; at most 255): more than a string of 100 satellites needs."""
PRIORITY_MAX: Final = 3
KIND_MAX: Final = 0xFFFF

PREVIOUS_NODE_BLOCK: Final = 6
BUNDLE_AGE_BLOCK: Final = 7
HOP_COUNT_BLOCK: Final = 10
PRIORITY_BLOCK: Final = 192
"""Private use (RFC 9171, 9.1: types 192 to 255)."""

_PAYLOAD_BLOCK: Final = 1
_MUST_BE_PROCESSED: Final = 1 << 2
_DISCARD_IF_UNKNOWN: Final = 1 << 4
_KNOWN_BLOCKS: Final = (
    _PAYLOAD_BLOCK,
    PREVIOUS_NODE_BLOCK,
    BUNDLE_AGE_BLOCK,
    HOP_COUNT_BLOCK,
    PRIORITY_BLOCK,
)
_DTN_NONE: Final = (1, 0)
_MUST_NOT_BE_FRAGMENTED: Final = 1 << 2


class BundleHeader(msgspec.Struct, frozen=True, array_like=True):
    """What services need of a bundle's primary and extension blocks (RFC 9171, 4.3.1).

    Key (source, creation time, sequence) identifies it. `creation_dtn_ms` is DTN time, `lifetime_ms` from it.
    `kind` is a BundleKind; `priority` 0 (bulk) to 3 (urgent). `hop_count` is that of the Hop Count block.
    """

    source_id: int
    creation_dtn_ms: int
    sequence: int
    destination_id: int
    lifetime_ms: int
    kind: int
    priority: int
    hop_count: int = 0

    @property
    def key(self) -> tuple[int, int, int]:
        """What identifies the bundle in the whole network."""
        return (self.source_id, self.creation_dtn_ms, self.sequence)


class HopLimitReached(DecodeError):
    """The bundle has made as many hops as its source allowed."""


_encode_payload: Final = msgspec.msgpack.Encoder().encode
_decode_payload: Final = msgspec.msgpack.Decoder(tuple[bytes, tuple[bytes, ...]]).decode


def encode_bundle(header: BundleHeader, body: bytes, attachments: Sequence[bytes] = ()) -> bytes:
    """Give the bundle that the source of `header` sends. Raises EncodeError when a limit is broken."""
    if len(body) > BODY_BYTES_MAX or len(attachments) > ATTACHMENT_COUNT_MAX:
        raise EncodeError("body or attachments of a bundle above their limit")
    primary = _encode_primary(header)
    extensions = _hop_count_block(HOP_LIMIT, header.hop_count)
    if header.priority:
        extensions += _encode_block(PRIORITY_BLOCK, 3, cbor2.dumps(header.priority))
    if header.creation_dtn_ms == 0:
        extensions += _encode_block(BUNDLE_AGE_BLOCK, 4, cbor2.dumps(0))
    payload = _encode_payload((body, attachments))
    before = b"\x86\x01\x01\x00\x02" + _bytes_head(len(payload))
    crc = crc32c(b"\x44\x00\x00\x00\x00", crc32c(payload, crc32c(before)))
    bundle = b"".join(
        (b"\x9f", primary, extensions, before, payload, b"\x44", crc.to_bytes(4, "big"), b"\xff")
    )
    if len(bundle) > BUNDLE_BYTES_MAX:
        raise EncodeError(f"a bundle of {len(bundle)} bytes is above {BUNDLE_BYTES_MAX}")
    return bundle


def decode_bundle_header(data: bytes) -> BundleHeader:
    """Give the header without opening the payload or running over it: what a relay needs.

    Raises DecodeError.
    """
    form = read_own_form(data)
    if form is not None and len(data) <= BUNDLE_BYTES_MAX:
        return _header_of_form(form)
    return _header_of(data, *_read_blocks(data, checks_payload=False))


def decode_bundle(data: bytes) -> tuple[BundleHeader, bytes, tuple[bytes, ...]]:
    """Give (header, body, attachments) after all checks. Raises DecodeError."""
    form = read_own_form(data)
    if form is not None and len(data) <= BUNDLE_BYTES_MAX and has_intact_payload(data, form):
        header = _header_of_form(form)
        start, stop = form.payload_start, form.payload_stop
    else:
        primary, blocks = _read_blocks(data, checks_payload=True)
        header = _header_of(data, primary, blocks)
        start, stop = blocks[-1].data_start, blocks[-1].data_stop
    try:
        body, attachments = _decode_payload(data[start:stop])
    except UNREADABLE:
        raise DecodeError("payload layout") from None
    if len(body) > BODY_BYTES_MAX or len(attachments) > ATTACHMENT_COUNT_MAX:
        raise DecodeError("payload above its limit")
    return header, body, attachments


def with_hop(data: bytes, previous_node_id: int, dwell_ms: int = 0) -> bytes:
    """Give the bundle as this relay hands it on: hop counted, previous node named, age more by `dwell_ms`.

    Unknown blocks go on as they are unless their source wants them discarded. Raises HopLimitReached,
    DecodeError.
    """
    form = read_own_form(data)
    if form is not None and len(data) <= BUNDLE_BYTES_MAX:
        return _hop_of_form(data, form, previous_node_id)
    primary, blocks = _read_blocks(data, checks_payload=False)
    numbers = [block.number for block in blocks]
    free_number = next(number for number in range(2, BLOCK_COUNT_MAX + 3) if number not in numbers)
    previous = _previous_node_block(free_number, previous_node_id)
    parts = [b"\x9f", data[primary.start : primary.stop], previous]
    for block in blocks:
        if block.type == HOP_COUNT_BLOCK:
            limit, count = _read_hop_count(data, block)
            if count >= limit:
                raise HopLimitReached("hop limit")
            parts.append(_encode_block(HOP_COUNT_BLOCK, block.number, cbor2.dumps((limit, count + 1))))
        elif block.type == BUNDLE_AGE_BLOCK:
            age_ms, _ = read_unsigned(data, block.data_start)
            age = cbor2.dumps(min(age_ms + dwell_ms, VALUE_MAX))
            parts.append(_encode_block(BUNDLE_AGE_BLOCK, block.number, age))
        elif block.type != PREVIOUS_NODE_BLOCK and (
            block.type in _KNOWN_BLOCKS or not block.flags & _DISCARD_IF_UNKNOWN
        ):
            parts.append(data[block.start : block.stop])
    parts.append(b"\xff")
    return b"".join(parts)


def _header_of_form(form: OwnForm) -> BundleHeader:
    return BundleHeader(
        form.source_id,
        form.creation_dtn_ms,
        form.sequence,
        form.destination_id,
        form.lifetime_ms,
        form.kind,
        form.priority,
        form.hop_count,
    )


def _hop_of_form(data: bytes, form: OwnForm, previous_node_id: int) -> bytes:
    if form.hop_count >= form.hop_limit:
        raise HopLimitReached("hop limit")
    return b"".join(
        (
            b"\x9f",
            data[1 : form.primary_stop],
            _previous_node_block(form.free_number, previous_node_id),
            _hop_count_block(form.hop_limit, form.hop_count + 1),
            data[form.hop_count_stop :],
        )
    )


@lru_cache(maxsize=1024)
def _previous_node_block(number: int, node_id: int) -> bytes:
    """A relay names itself in every bundle that it hands on."""
    return _encode_block(PREVIOUS_NODE_BLOCK, number, cbor2.dumps((2, (node_id, 0))))


@lru_cache(maxsize=1024)
def _hop_count_block(limit: int, count: int) -> bytes:
    """The Hop Count block as `encode_bundle` numbers it."""
    return _encode_block(HOP_COUNT_BLOCK, 2, cbor2.dumps((limit, count)))


def _encode_primary(header: BundleHeader) -> bytes:
    if not (
        0 < header.source_id <= NODE_NUMBER_MAX
        and 0 < header.destination_id <= NODE_NUMBER_MAX
        and 0 <= header.kind <= KIND_MAX
        and 0 <= header.priority <= PRIORITY_MAX
        and 0 <= header.hop_count <= HOP_LIMIT
        and 0 <= header.creation_dtn_ms <= VALUE_MAX
        and 0 <= header.sequence <= VALUE_MAX
        and 0 <= header.lifetime_ms <= VALUE_MAX
    ):
        raise EncodeError(f"bundle header out of range: {header}")
    block = cbor2.dumps(
        (
            7,
            _MUST_NOT_BE_FRAGMENTED,
            CRC_32C,
            (2, (header.destination_id, header.kind)),
            (2, (header.source_id, 0)),
            _DTN_NONE,
            (header.creation_dtn_ms, header.sequence),
            header.lifetime_ms,
            b"\x00\x00\x00\x00",
        )
    )
    return block[:-4] + crc32c(block).to_bytes(4, "big")


def _encode_block(block_type: int, number: int, data: bytes) -> bytes:
    """One extension block without CRC; its neighbours' CRCs and the frame's MAC guard the way."""
    return cbor2.dumps((block_type, number, 0, 0, data))


def _bytes_head(length: int) -> bytes:
    if length < 24:
        return bytes((0x40 | length,))
    if length < 1 << 8:
        return bytes((0x58, length))
    if length < 1 << 16:
        return b"\x59" + length.to_bytes(2, "big")
    return b"\x5a" + length.to_bytes(4, "big")


def _read_blocks(data: bytes, checks_payload: bool) -> tuple[PrimaryBlock, list[CanonicalBlock]]:
    if len(data) > BUNDLE_BYTES_MAX:
        raise DecodeError("bundle size")
    primary, blocks = read_blocks(data, checks_payload)
    types = [block.type for block in blocks]
    for block in blocks:
        if block.type not in _KNOWN_BLOCKS:
            if block.flags & _MUST_BE_PROCESSED:
                raise DecodeError("unknown block that must be processed")
        elif types.count(block.type) > 1:
            raise DecodeError("block given twice")
        elif block.type == BUNDLE_AGE_BLOCK:
            _whole(read_unsigned(data, block.data_start)[1], block)
        elif block.type == PREVIOUS_NODE_BLOCK:
            _whole(read_endpoint(data, block.data_start)[1], block)
    if primary.creation_dtn_ms == 0 and BUNDLE_AGE_BLOCK not in types:
        raise DecodeError("neither creation time nor age")
    return primary, blocks


def _header_of(data: bytes, primary: PrimaryBlock, blocks: Sequence[CanonicalBlock]) -> BundleHeader:
    priority = hop_count = 0
    for block in blocks:
        if block.type == HOP_COUNT_BLOCK:
            hop_count = _read_hop_count(data, block)[1]
        elif block.type == PRIORITY_BLOCK and block.data_stop == block.data_start + 1:
            # Anything but a small integer is a stranger's private block: the bundle is then of ordinary
            # priority.
            value = data[block.data_start]
            priority = value if value <= PRIORITY_MAX else 0
    if primary.destination is None or primary.source is None:
        raise DecodeError("endpoint of another scheme")
    destination_id, kind = primary.destination
    source_id = primary.source[0]
    if not source_id or not destination_id or kind > KIND_MAX:
        raise DecodeError("endpoint out of range")
    return BundleHeader(
        source_id,
        primary.creation_dtn_ms,
        primary.sequence,
        destination_id,
        primary.lifetime_ms,
        kind,
        priority,
        hop_count,
    )


def _read_hop_count(data: bytes, block: CanonicalBlock) -> tuple[int, int]:
    """(limit 1..255, count 0..limit) of a Hop Count block (RFC 9171, 4.4.3)."""
    element_count, offset = read_array(data, block.data_start)
    limit, offset = read_unsigned(data, offset)
    count, offset = read_unsigned(data, offset)
    _whole(end_array(data, offset, element_count, 2), block)
    if not 1 <= limit <= 255 or count > limit:
        raise DecodeError("hop count")
    return limit, count


def _whole(offset: int, block: CanonicalBlock) -> None:
    if offset != block.data_stop:
        raise DecodeError("data of a block")
