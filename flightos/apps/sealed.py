"""Sealed blocks: how tiles, results and products lie in a store, so that a flipped bit is found.

    4 bytes magic | 2 bytes header length, big-endian | header, MessagePack | body | CRC-32C of all before,
    big-endian

Every step opens its inputs with `unseal` and closes its result with `seal`; nothing between them needs to
trust memory, disk or link. CRC-32C finds every error of up to 5 flipped bits in 64 KiB (Koopman 2002), any
burst of 32.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

from flightos.apps.interface import InputCorrupt
from flightos.core.reading import UNREADABLE
from flightos.kernels.crc import crc32c

Header = TypeVar("Header", bound=msgspec.Struct)

HEADER_BYTES_MAX: Final = 0xFFFF
_PREFIX_BYTES: Final = 6
_CRC_BYTES: Final = 4


def seal(magic: bytes, header: msgspec.Struct, body: bytes) -> bytes:
    """Give the block of a header and a body. `magic` is four bytes and names the kind of block."""
    assert len(magic) == 4
    encoded = msgspec.msgpack.encode(header)
    assert len(encoded) <= HEADER_BYTES_MAX, "a header is small by design; arrays belong into the body"
    content = b"".join((magic, len(encoded).to_bytes(2, "big"), encoded, body))
    return content + crc32c(content).to_bytes(_CRC_BYTES, "big")


def unseal(magic: bytes, header_type: type[Header], block: bytes) -> tuple[Header, bytes]:
    """Give header and body of a block. Any bytes give a result or InputCorrupt."""
    if len(block) < _PREFIX_BYTES + _CRC_BYTES or block[:4] != magic:
        raise InputCorrupt(f"not a block of kind {magic.decode('ascii')}")
    content = block[:-_CRC_BYTES]
    if crc32c(content) != int.from_bytes(block[-_CRC_BYTES:], "big"):
        raise InputCorrupt(f"CRC-32C of a {magic.decode('ascii')} block does not match")
    header_end = _PREFIX_BYTES + int.from_bytes(content[4:6], "big")
    try:
        header = msgspec.msgpack.decode(content[_PREFIX_BYTES:header_end], type=header_type)
    except UNREADABLE as error:
        raise InputCorrupt(f"header of a {magic.decode('ascii')} block: {error}") from error
    return header, content[header_end:]


def is_intact(block: bytes) -> bool:
    """True when the last four bytes are the CRC-32C of all before them."""
    return len(block) > _CRC_BYTES and crc32c(block[:-_CRC_BYTES]) == int.from_bytes(
        block[-_CRC_BYTES:], "big"
    )
