"""Concatenated CCSDS space packets become one batch of columns, found and checked in bulk.

Theory of operation. Packets reach the archive by the hundred thousand, so nothing is done packet by packet
that can be done for all: starts and lengths become arrays, the checksum runs over all packets of one length
at a time, two bytes a step, and only what arrived as several packets in one piece is walked. A piece whose
lengths do not add up keeps its packets up to the break; the rest is counted as bad and forgotten, because
nothing tells where the next packet would begin. Layout: CCSDS 133.0-B-2, 4.1 (primary header) and
ECSS-E-ST-70-41C, 7.4.3.1 (telemetry secondary header with CUC 4+2 time); CRC-16 of CCSDS 132.0-B-3, 4.1.6
in the last two bytes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flightos.core.time import NS_PER_S
from flightos.wire.packet import TIME_REFERENCE_MASK, TIME_REFERENCE_TAI

PRIMARY_HEADER_BYTES: Final = 6
SERVICE_OFFSET: Final = 7
TIME_REFERENCE_OFFSET: Final = 6
SUBTYPE_OFFSET: Final = 8
DESTINATION_OFFSET: Final = 11
TIME_OFFSET: Final = 13
SPACECRAFT_OFFSET: Final = 19
USER_DATA_OFFSET: Final = 21
"""First byte after the spacecraft id."""
CRC_BYTES: Final = 2
PACKET_BYTES_MIN: Final = USER_DATA_OFFSET + CRC_BYTES
TELEMETRY_BITS: Final = 0x08
"""Version 0, telemetry, with secondary header: the upper five bits of the first byte."""

Bytes = NDArray[np.uint8]
Integers = NDArray[np.int64]


@dataclass(frozen=True)
class PacketBatch:
    """Good packets in order of arrival. All arrays have one entry a packet, but `buffer` holds all bytes."""

    buffer: Bytes
    starts: Integers
    lengths: Integers
    receive_tai_ns: Integers
    bad_count: int

    def byte(self, offset: int) -> Bytes:
        """The byte at `offset` of each packet."""
        return self.buffer[self.starts + offset]

    def word(self, offset: int) -> NDArray[np.uint16]:
        """The big-endian 16-bit word at `offset` of each packet."""
        upper = self.buffer[self.starts + offset].astype(np.uint16) * np.uint16(256)
        return upper + self.buffer[self.starts + offset + 1]

    def rows(self, indices: Integers, length: int) -> Bytes:
        """The packets of `indices`, all of `length` bytes, as the rows of a C-ordered matrix."""
        windows = np.lib.stride_tricks.sliding_window_view(self.buffer, length)
        return np.ascontiguousarray(windows[self.starts[indices]])

    def packet(self, index: int) -> bytes:
        """One packet's bytes."""
        start = int(self.starts[index])
        return self.buffer[start : start + int(self.lengths[index])].tobytes()


def split(pieces: Sequence[bytes], receive_tai_ns: Sequence[int]) -> PacketBatch:
    """Find and check the packets of `pieces`; each piece holds whole packets and has its time of receipt."""
    buffer = np.frombuffer(b"".join(pieces), dtype=np.uint8)
    piece_lengths = np.fromiter(map(len, pieces), np.int64, len(pieces))
    piece_starts = np.cumsum(piece_lengths) - piece_lengths
    receive = np.asarray(receive_tai_ns, dtype=np.int64)
    is_single = piece_lengths >= PACKET_BYTES_MIN
    candidates = piece_starts[is_single]
    is_single[is_single] = _declared_lengths(buffer, candidates) == piece_lengths[is_single]
    starts, lengths, times = piece_starts[is_single], piece_lengths[is_single], receive[is_single]
    bad_count = 0
    if not is_single.all():
        walked_starts: list[int] = []
        walked_counts: list[int] = []
        others = np.flatnonzero(~is_single)
        for index in others.tolist():
            count, is_whole = _walk(pieces[index], int(piece_starts[index]), walked_starts)
            walked_counts.append(count)
            bad_count += not is_whole
        more_starts = np.asarray(walked_starts, dtype=np.int64)
        starts = np.concatenate((starts, more_starts))
        lengths = np.concatenate((lengths, _declared_lengths(buffer, more_starts)))
        times = np.concatenate((times, np.repeat(receive[others], walked_counts)))
        order = np.argsort(starts, kind="stable")
        starts, lengths, times = starts[order], lengths[order], times[order]
    is_good = _are_good(buffer, starts, lengths)
    bad_count += int(len(starts) - np.count_nonzero(is_good))
    return PacketBatch(buffer, starts[is_good], lengths[is_good], times[is_good], bad_count)


def _declared_lengths(buffer: Bytes, starts: Integers) -> Integers:
    """Whole length of each packet by its header: the length field counts from the seventh byte, minus one."""
    upper = buffer[starts + 4].astype(np.int64)
    return (upper << 8 | buffer[starts + 5]) + PRIMARY_HEADER_BYTES + 1


def _walk(piece: bytes, offset: int, starts: list[int]) -> tuple[int, bool]:
    """Append the start of each whole packet of a piece, plus `offset`; how many, and whether they fill it."""
    position, size, count = 0, len(piece), 0
    while position + PACKET_BYTES_MIN <= size:
        length = (piece[position + 4] << 8 | piece[position + 5]) + PRIMARY_HEADER_BYTES + 1
        if length < PACKET_BYTES_MIN or position + length > size:
            break
        starts.append(offset + position)
        position += length
        count += 1
    return count, position == size


def _are_good(buffer: Bytes, starts: Integers, lengths: Integers) -> NDArray[np.bool_]:
    """Which packets are telemetry packets with the right checksum."""
    is_good = np.zeros(len(starts), dtype=np.bool_)
    for length in np.unique(lengths).tolist():
        indices = np.flatnonzero(lengths == length)
        windows = np.lib.stride_tricks.sliding_window_view(buffer, length)
        rows = windows[starts[indices]]
        is_good[indices] = (crc16_of_rows(rows) == 0) & (rows[:, 0] & 0xF8 == TELEMETRY_BITS)
    return is_good


@cache
def _word_table() -> NDArray[np.uint16]:
    """CRC-16/CCITT-FALSE of every 16-bit word: the register after two bytes."""
    register = np.arange(1 << 16, dtype=np.int64)
    for _ in range(16):
        register = ((register << 1) ^ np.where(register & 0x8000, 0x1021, 0)) & 0xFFFF
    return register.astype(np.uint16)


def crc16_of_rows(rows: Bytes) -> NDArray[np.uint16]:
    """CRC-16/CCITT-FALSE of each row of a matrix (rows, length); 0 where a row ends with its own checksum."""
    table = _word_table()
    odd = rows.shape[1] % 2
    register = np.full(rows.shape[0], 0xFFFF, dtype=np.uint16)
    if odd:
        first = (register >> 8) ^ rows[:, 0]
        register = (register << 8) ^ table[first]
    words = np.ascontiguousarray(rows[:, odd:]).view(">u2").T.astype(np.uint16, order="C")
    for word in words:
        register = table[register ^ word]
    return register


def cuc_to_tai_ns(coarse_s: NDArray[np.integer], fine: NDArray[np.integer]) -> Integers:
    """TAI nanoseconds since 1958 of CUC 4+2 time (CCSDS 301.0-B-4, 3.2), rounded up as in `wire.packet`."""
    fraction_ns = (fine.astype(np.int64) * NS_PER_S + 0xFFFF) >> 16
    return coarse_s.astype(np.int64) * NS_PER_S + fraction_ns


def packet_times(batch: PacketBatch) -> Integers:
    """TAI of each packet: its own time, or, where the node's clock was not set yet, the time of its receipt.

    Before its first time sample a node counts from its own start; taken for TAI that would lie in 1958. Where the time
    of receipt is not known (0: read again from a raw log) the packets around it tell: the latest before, else the first
    after.
    """
    coarse = batch.word(TIME_OFFSET).astype(np.int64) << 16 | batch.word(TIME_OFFSET + 2)
    times = cuc_to_tai_ns(coarse, batch.word(TIME_OFFSET + 4))
    is_set = batch.byte(TIME_REFERENCE_OFFSET) & TIME_REFERENCE_MASK == TIME_REFERENCE_TAI
    if is_set.all():
        return times
    times = np.where(is_set, times, batch.receive_tai_ns)
    is_known = times > 0
    if is_known.any() and not is_known.all():
        first = times[np.argmax(is_known)]
        before = np.maximum.accumulate(np.where(is_known, times, 0))
        times = np.where(is_known, times, np.where(before > 0, before, first))
    return times
