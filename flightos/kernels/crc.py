"""Cyclic redundancy checks of frames, packets, tiles and results.

`crc16(data, previous=0xFFFF)` and `crc32c(data, previous=0)` take any contiguous buffer,
which is only read, and go on from an earlier value: `crc32c(a + b) == crc32c(b, crc32c(a))`. Only the C
module is imported, never NumPy. Without it CRC-16 comes from the standard library (whose crc_hqx is the same
polynomial) and CRC-32C from a table in Python, about a thousand times slower.
"""

from binascii import crc_hqx
from contextlib import suppress
from functools import cache
from typing import Any, Final, Protocol

CRC16_START: Final = 0xFFFF
CRC32C_START: Final = 0

Buffer = bytes | bytearray | memoryview


@cache
def _crc32c_table() -> tuple[int, ...]:
    table = []
    for byte in range(256):
        crc = byte
        for _ in range(8):
            crc = (crc >> 1) ^ (0x82F63B78 if crc & 1 else 0)
        table.append(crc)
    return tuple(table)


def crc16_reference(data: Buffer, previous: int = CRC16_START) -> int:
    """Do what `crc16` does, with the standard library only."""
    return crc_hqx(data, previous & 0xFFFF)


def crc32c_reference(data: Buffer, previous: int = CRC32C_START) -> int:
    """Do what `crc32c` does, in Python only."""
    table = _crc32c_table()
    crc = ~previous & 0xFFFFFFFF
    for byte in memoryview(data).cast("B"):
        crc = (crc >> 8) ^ table[(crc ^ byte) & 0xFF]
    return crc ^ 0xFFFFFFFF


class _Crc(Protocol):
    def __call__(self, data: Buffer, previous: int = ...) -> int: ...


def crc32c_combine_reference(first_crc: int, second_crc: int, second_byte_count: int) -> int:
    """Do what `crc32c_combine` does, in Python only."""
    power, square = 0x80000000, 0x00800000  # 1 and x^8; the highest bit is x^0
    while second_byte_count:
        if second_byte_count & 1:
            power = _multiply_modulo(power, square)
        square = _multiply_modulo(square, square)
        second_byte_count >>= 1
    return _multiply_modulo(power, first_crc) ^ second_crc


def _multiply_modulo(a: int, b: int) -> int:
    product = 0
    for position in range(31, -1, -1):
        if a >> position & 1:
            product ^= b
        b = (b >> 1) ^ (0x82F63B78 if b & 1 else 0)
    return product


class _Combine(Protocol):
    def __call__(self, first_crc: int, second_crc: int, second_byte_count: int) -> int: ...


def _bind_combine() -> _Combine:
    from flightos._fos import lib

    combine: _Combine = lib.fos_crc32c_combine
    return combine


def _bind_c() -> tuple[_Crc, _Crc]:
    """Bind the C functions once: `bytes` go straight in, other buffers through a view that copies nothing."""
    from flightos._fos import ffi, lib

    c_crc16, c_crc32c, from_buffer = lib.fos_crc16, lib.fos_crc32c, ffi.from_buffer

    def crc16(data: Buffer, previous: int = CRC16_START) -> int:
        source: Any = data if type(data) is bytes else from_buffer("uint8_t[]", data)
        crc: int = c_crc16(previous, source, len(source))
        return crc

    def crc32c(data: Buffer, previous: int = CRC32C_START) -> int:
        source: Any = data if type(data) is bytes else from_buffer("uint8_t[]", data)
        crc: int = c_crc32c(previous, source, len(source))
        return crc

    return crc16, crc32c


# CRC-16/CCITT-FALSE (CCSDS 132.0-B-3, 4.1.6): 0x1021, not reflected, no final inversion. b"123456789" gives
# 0x29B1.
crc16: _Crc = crc16_reference
# CRC-32C (RFC 3720, 12.1): Castagnoli, reflected, inverted at both ends. b"123456789" gives 0xE3069283.
crc32c: _Crc = crc32c_reference
# The CRC-32C of two pieces laid end to end, from the CRC of each and the length of the second.
crc32c_combine: _Combine = crc32c_combine_reference
with suppress(ImportError):
    crc16, crc32c = _bind_c()
    crc32c_combine = _bind_combine()
