"""Block structure of a bundle: where each block lies, its CRC, its endpoints (RFC 9171, 4.2 and 4.3).

A bundle's grammar is small (unsigned integers, byte and text strings, arrays), so it is read here head by
head: that gives the byte ranges over which the CRCs run, keeps the primary block untouched when a bundle
goes on, and cannot recurse. Definite and indefinite arrays are both taken; everything else that RFC 9171
forbids is a DecodeError.
"""

from __future__ import annotations

from typing import Final, NamedTuple

from flightos.core.errors import DecodeError
from flightos.kernels.crc import crc16, crc32c

BLOCK_COUNT_MAX: Final = 32
VALUE_MAX: Final = (1 << 63) - 1
NODE_NUMBER_MAX: Final = (1 << 32) - 1

CRC_NONE: Final = 0
CRC_16_X25: Final = 1
CRC_32C: Final = 2

_UNSIGNED: Final = 0
_BYTES: Final = 2
_TEXT: Final = 3
_ARRAY: Final = 4
_INDEFINITE: Final = -1
_BREAK: Final = 0xFF

_IS_FRAGMENT: Final = 1 << 0
_BITS_REVERSED: Final = bytes(int(f"{byte:08b}"[::-1], 2) for byte in range(256))


class PrimaryBlock(NamedTuple):
    """Fields of the primary block that matter here; an endpoint of scheme dtn is None.

    `stop` is the offset of the block after it.
    """

    flags: int
    destination: tuple[int, int] | None
    source: tuple[int, int] | None
    creation_dtn_ms: int
    sequence: int
    lifetime_ms: int
    start: int
    stop: int


class CanonicalBlock(NamedTuple):
    """One block after the primary.

    Its data is `bundle[data_start:data_stop]`, the whole `bundle[start:stop]`.
    """

    type: int
    number: int
    flags: int
    crc_type: int
    data_start: int
    data_stop: int
    start: int
    stop: int


def crc16_x25(data: bytes) -> int:
    """CRC-16/X.25 (RFC 9171, 4.2.1): the polynomial of `crc16`, reflected. b"123456789" gives 0x906E."""
    reflected = crc16(data.translate(_BITS_REVERSED))
    return (_BITS_REVERSED[reflected & 0xFF] << 8 | _BITS_REVERSED[reflected >> 8]) ^ 0xFFFF


def read_head(data: bytes, offset: int) -> tuple[int, int, int]:
    """Read the head of a CBOR item (RFC 8949, 3): major type, argument (-1 = indefinite), next offset.

    Raises DecodeError for a truncated or reserved head.
    """
    if offset >= len(data):
        raise DecodeError("bundle is truncated")
    first = data[offset]
    information = first & 0x1F
    if information < 24:
        return first >> 5, information, offset + 1
    if information < 28:
        stop = offset + 1 + (1 << (information - 24))
        if stop > len(data):
            raise DecodeError("bundle is truncated")
        return first >> 5, int.from_bytes(data[offset + 1 : stop], "big"), stop
    if information == 31:
        return first >> 5, _INDEFINITE, offset + 1
    raise DecodeError("reserved CBOR head")


def read_unsigned(data: bytes, offset: int) -> tuple[int, int]:
    """Read an unsigned integer of at most 63 bits: value, next offset."""
    if offset < len(data) and data[offset] < 24:
        return data[offset], offset + 1
    major, value, offset = read_head(data, offset)
    if major != _UNSIGNED or not 0 <= value <= VALUE_MAX:
        raise DecodeError("not an unsigned integer")
    return value, offset


def read_array(data: bytes, offset: int) -> tuple[int, int]:
    """Read the head of an array: element count (-1 = indefinite), next offset."""
    major, count, offset = read_head(data, offset)
    if major != _ARRAY:
        raise DecodeError("not an array")
    return count, offset


def read_bytes(data: bytes, offset: int) -> tuple[int, int]:
    """Read the head of a definite byte string: the offsets where its bytes start and stop."""
    major, length, start = read_head(data, offset)
    if major != _BYTES or length < 0 or start + length > len(data):
        raise DecodeError("not a byte string")
    return start, start + length


def end_array(data: bytes, offset: int, count: int, count_read: int) -> int:
    """Check that an array of `count` elements ends here; gives the offset after it."""
    if count == _INDEFINITE:
        if offset >= len(data) or data[offset] != _BREAK:
            raise DecodeError("array without its end")
        return offset + 1
    if count != count_read:
        raise DecodeError("array of another length")
    return offset


def read_endpoint(data: bytes, offset: int) -> tuple[tuple[int, int] | None, int]:
    """Read an endpoint id: (node, service) of scheme ipn (RFC 9758, 5), None for scheme dtn; next offset."""
    count, offset = read_array(data, offset)
    scheme, offset = read_unsigned(data, offset)
    if scheme == 1:
        major, argument, offset = read_head(data, offset)
        if major == _TEXT and argument >= 0:
            offset += argument
        elif major != _UNSIGNED or argument != 0:
            raise DecodeError("endpoint of scheme dtn")
        return None, end_array(data, offset, count, 2)
    if scheme != 2:
        raise DecodeError("endpoint scheme")
    part_count, offset = read_array(data, offset)
    parts: list[int] = []
    while len(parts) < 3 and (
        len(parts) < part_count or (part_count == _INDEFINITE and data[offset : offset + 1] != b"\xff")
    ):
        part, offset = read_unsigned(data, offset)
        parts.append(part)
    offset = end_array(data, offset, part_count, len(parts))
    if len(parts) == 3 and parts[0] == 0:
        del parts[0]  # the default allocator in the three-element form
    if len(parts) != 2 or parts[0] > NODE_NUMBER_MAX:
        raise DecodeError("endpoint of scheme ipn")
    return (parts[0], parts[1]), end_array(data, offset, count, 2)


def read_crc(data: bytes, start: int, offset: int, crc_type: int, checks: bool = True) -> int:
    """Read and, unless `checks` is False, verify the CRC field of the block that began at `start`.

    The CRC runs over the block with its own bytes zeroed (RFC 9171, 4.2.2), so that the end of an indefinite
    array counts too. Gives the offset after the field.
    """
    value_start, value_stop = read_bytes(data, offset)
    length = 2 if crc_type == CRC_16_X25 else 4
    if value_stop - value_start != length:
        raise DecodeError("length of CRC")
    if checks:
        ends_indefinite = data[start] == (_ARRAY << 5 | 31)
        zeroed = bytes(length) + (b"\xff" if ends_indefinite else b"")
        if crc_type == CRC_16_X25:
            expected = crc16_x25(data[start:value_start] + zeroed)
        else:
            expected = crc32c(zeroed, crc32c(data[start:value_start]))
        if expected != int.from_bytes(data[value_start:value_stop], "big"):
            raise DecodeError("CRC of a block")
    return value_stop


def read_primary(data: bytes, start: int) -> PrimaryBlock:
    """Read the primary block (RFC 9171, 4.3.1).

    Its CRC is required; fragments are refused; unknown flags ignored.
    """
    count, offset = read_array(data, start)
    version, offset = read_unsigned(data, offset)
    if version != 7:
        raise DecodeError("bundle protocol version")
    flags, offset = read_unsigned(data, offset)
    crc_type, offset = read_unsigned(data, offset)
    if flags & _IS_FRAGMENT:
        raise DecodeError("bundle is a fragment")
    if crc_type not in (CRC_16_X25, CRC_32C):
        raise DecodeError("primary block without CRC")
    destination, offset = read_endpoint(data, offset)
    source, offset = read_endpoint(data, offset)
    _, offset = read_endpoint(data, offset)
    time_count, offset = read_array(data, offset)
    creation_dtn_ms, offset = read_unsigned(data, offset)
    sequence, offset = read_unsigned(data, offset)
    offset = end_array(data, offset, time_count, 2)
    lifetime_ms, offset = read_unsigned(data, offset)
    offset = end_array(data, read_crc(data, start, offset, crc_type), count, 9)
    return PrimaryBlock(flags, destination, source, creation_dtn_ms, sequence, lifetime_ms, start, offset)


def read_canonical(data: bytes, start: int, checks_payload: bool) -> CanonicalBlock:
    """Read one canonical block (RFC 9171, 4.3.2); the CRC of a payload is verified only when wanted."""
    count, offset = read_array(data, start)
    block_type, offset = read_unsigned(data, offset)
    number, offset = read_unsigned(data, offset)
    flags, offset = read_unsigned(data, offset)
    crc_type, offset = read_unsigned(data, offset)
    if crc_type > CRC_32C:
        raise DecodeError("type of CRC")
    data_start, data_stop = read_bytes(data, offset)
    offset = data_stop
    if crc_type != CRC_NONE:
        offset = read_crc(data, start, offset, crc_type, checks_payload or block_type != 1)
    offset = end_array(data, offset, count, 5 if crc_type == CRC_NONE else 6)
    return CanonicalBlock(block_type, number, flags, crc_type, data_start, data_stop, start, offset)


def read_blocks(data: bytes, checks_payload: bool) -> tuple[PrimaryBlock, list[CanonicalBlock]]:
    """Read all blocks in order; the payload is the last and has number 1. Raises DecodeError."""
    count, offset = read_array(data, 0)
    primary = read_primary(data, offset)
    offset = primary.stop
    blocks: list[CanonicalBlock] = []
    numbers: list[int] = [0]
    while not blocks or blocks[-1].type != 1:
        if len(blocks) >= BLOCK_COUNT_MAX:
            raise DecodeError("too many blocks")
        block = read_canonical(data, offset, checks_payload)
        if block.number in numbers or (block.type == 1) != (block.number == 1):
            raise DecodeError("block number")
        numbers.append(block.number)
        blocks.append(block)
        offset = block.stop
    if end_array(data, offset, count, len(blocks) + 1) != len(data):
        raise DecodeError("bytes after the bundle")
    return primary, blocks
