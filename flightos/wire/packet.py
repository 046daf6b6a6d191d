"""CCSDS space packets (133.0-B-2) with PUS-C secondary headers (ECSS-E-ST-70-41C, 7.4).

Theory of operation. Telemetry: primary header, PUS-C header with a CUC time, spacecraft id, source data,
CRC-16. The time is TAI since 1958-01-01, four octets of seconds and two of fraction (CCSDS 301.0-B-4, 3.2;
the P-field is implicit, 0x2E). Telecommand: primary header, PUS-C header, spacecraft id, anti-replay
counter, command id, arguments, MAC, CRC-16; every command is service 8, subtype 1 (perform a function), so
that the command id is the function id. The MAC runs over all that precedes it. A packet is made once and
then stored, carried and archived as it is.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import lru_cache
from struct import Struct
from struct import error as StructError
from typing import Final

import msgspec

from flightos.core.errors import DecodeError, EncodeError
from flightos.core.ids import OPERATOR_ID
from flightos.core.time import NS_PER_S
from flightos.kernels.crc import crc16
from flightos.wire.authentication import MAC_BYTES, mac_function, require_authentic

PACKET_BYTES_MAX: Final = 4096
"""Ours; the format itself allows 65,542."""
APID_MAX: Final = 0x7FE
APID_IDLE: Final = 0x7FF
SEQUENCE_COUNT_MASK: Final = 0x3FFF
MESSAGE_COUNT_MASK: Final = 0xFFFF
PRIMARY_HEADER_BYTES: Final = 6
CRC_BYTES: Final = 2

TM_HEADER_FORMAT: Final = ">HHHBBBHHIHH"
"""

Acket id, sequence control, length - 1, PUS version, service, subtype, message count, destination, CUC,
spacecraft.
"""
TM_HEADER_BYTES: Final = 21
TM_PACKET_ID: Final = 0x0800
"""Version 0, telemetry, with secondary header; the APID is added."""
SEQUENCE_UNSEGMENTED: Final = 0xC000
PUS_VERSION_C: Final = 0x20
TIME_REFERENCE_MASK: Final = 0x0F
TIME_REFERENCE_TAI: Final = 1
"""Time reference status of a packet whose time is an estimate of TAI; 0 is the bare on-board clock."""
TAI_S_MAX: Final = (1 << 32) - 1

TC_FUNCTION_SERVICE: Final = 8
TC_FUNCTION_SUBTYPE: Final = 1
TC_PACKET_ID: Final = 0x1800
_TC_HEADER: Final = Struct(">HHHBBBHHQH")
_TC_BYTES_MIN: Final = _TC_HEADER.size + MAC_BYTES + CRC_BYTES
_TC_ACKNOWLEDGE_ALL: Final = 0x0F
_TC_PURPOSE: Final = b"flightos command"
ARGUMENTS_BYTES_MAX: Final = 1024

_TM_HEADER: Final = Struct(TM_HEADER_FORMAT)


class TelemetryPacket(msgspec.Struct, frozen=True):
    """One telemetry packet.

    `tai_ns` is the packet's time, cut to 1/65536 s; `data` follows the spacecraft id.
    """

    apid: int
    sequence_count: int
    service: int
    subtype: int
    message_count: int
    destination_id: int
    tai_ns: int
    spacecraft_id: int
    data: bytes
    time_reference: int = 0
    """Time reference status (ECSS-E-ST-70-41C, 7.4.3.1): TIME_REFERENCE_TAI, or 0 when the clock is not set yet."""


class Telecommand(msgspec.Struct, frozen=True):
    """One authentic telecommand; `counter` is still to be checked against replay, `arguments` to be decoded."""

    apid: int
    sequence_count: int
    source_id: int
    spacecraft_id: int
    counter: int
    command_id: int
    arguments: bytes


def cuc_time(tai_ns: int) -> tuple[int, int]:
    """Split TAI nanoseconds since 1958 into CUC seconds (32 bits) and fraction (16 bits, rounded down)."""
    seconds, rest_ns = divmod(tai_ns, NS_PER_S)
    return seconds & TAI_S_MAX, (rest_ns << 16) // NS_PER_S


def time_of_cuc(seconds: int, fraction: int) -> int:
    """TAI nanoseconds of a CUC time, rounded up, so that `cuc_time` gives the same fields again."""
    return seconds * NS_PER_S + -(-fraction * NS_PER_S >> 16)


def encode_tm(packet: TelemetryPacket) -> bytes:
    """Give the packet's bytes. Raises EncodeError when a field is out of range."""
    size_bytes = TM_HEADER_BYTES + len(packet.data) + CRC_BYTES
    if size_bytes > PACKET_BYTES_MAX or not 0 <= packet.apid <= APID_MAX or packet.tai_ns < 0:
        raise EncodeError(f"telemetry packet of {size_bytes} bytes, APID {packet.apid:#x}")
    seconds, fraction = cuc_time(packet.tai_ns)
    try:
        header = _TM_HEADER.pack(
            TM_PACKET_ID | packet.apid,
            SEQUENCE_UNSEGMENTED | packet.sequence_count & SEQUENCE_COUNT_MASK,
            size_bytes - PRIMARY_HEADER_BYTES - 1,
            PUS_VERSION_C | packet.time_reference & TIME_REFERENCE_MASK,
            packet.service,
            packet.subtype,
            packet.message_count & MESSAGE_COUNT_MASK,
            packet.destination_id,
            seconds,
            fraction,
            packet.spacecraft_id,
        )
    except StructError as error:
        raise EncodeError(f"telemetry packet field: {error}") from error
    return with_crc(header + packet.data)


def with_crc(data: bytes) -> bytes:
    """Append the packet error control (ECSS-E-ST-70-41C, annex B.1)."""
    return data + crc16(data).to_bytes(2, "big")


def decode_tm(data: bytes) -> TelemetryPacket:
    """Give the one telemetry packet in `data`. Raises DecodeError for anything else, a wrong CRC included."""
    _check_packet(data, TM_HEADER_BYTES + CRC_BYTES)
    (
        packet_id,
        sequence,
        _,
        version,
        service,
        subtype,
        message_count,
        destination_id,
        seconds,
        fraction,
        craft_id,
    ) = _TM_HEADER.unpack_from(data)
    if packet_id & 0xF800 != TM_PACKET_ID or version & 0xF0 != PUS_VERSION_C:
        raise DecodeError("not a PUS-C telemetry packet")
    return TelemetryPacket(
        packet_id & 0x7FF,
        sequence & SEQUENCE_COUNT_MASK,
        service,
        subtype,
        message_count,
        destination_id,
        time_of_cuc(seconds, fraction),
        craft_id,
        data[TM_HEADER_BYTES:-CRC_BYTES],
        version & TIME_REFERENCE_MASK,
    )


def split_packets(buffer: bytes, offset: int = 0) -> Iterator[bytes]:
    """Cut a stream of whole packets, one after the other, by their length fields (CCSDS 133.0-B-2, 4.1.3).

    Raises DecodeError where the rest is no whole packet; those before it have been given by then.
    """
    size_bytes = len(buffer)
    while offset < size_bytes:
        stop = packet_stop(buffer, offset)
        if stop is None:
            raise DecodeError("packet is truncated")
        yield buffer[offset:stop]
        offset = stop


def packet_stop(buffer: bytes, offset: int) -> int | None:
    """Where the packet at `offset` stops, or None while it is not complete.

    For readers of a growing stream.
    """
    if len(buffer) - offset < PRIMARY_HEADER_BYTES:
        return None
    stop = offset + PRIMARY_HEADER_BYTES + 1 + (buffer[offset + 4] << 8 | buffer[offset + 5])
    return stop if stop <= len(buffer) else None


def encode_command_packet(
    command_id: int,
    arguments: bytes,
    counter: int,
    key: bytes,
    spacecraft_id: int,
    source_id: int = OPERATOR_ID,
) -> bytes:
    """Give the authenticated telecommand packet of a command whose arguments are packed already.

    APID and sequence count follow from command id and counter. Raises EncodeError when a field is out of
    range.
    """
    if len(arguments) > ARGUMENTS_BYTES_MAX:
        raise EncodeError("arguments of a command above their limit")
    size_bytes = _TC_BYTES_MIN + len(arguments)
    try:
        header = _TC_HEADER.pack(
            TC_PACKET_ID | 0x100 | (command_id >> 8 & 0xFF),
            SEQUENCE_UNSEGMENTED | counter & SEQUENCE_COUNT_MASK,
            size_bytes - PRIMARY_HEADER_BYTES - 1,
            PUS_VERSION_C | _TC_ACKNOWLEDGE_ALL,
            TC_FUNCTION_SERVICE,
            TC_FUNCTION_SUBTYPE,
            source_id,
            spacecraft_id,
            counter,
            command_id,
        )
    except StructError as error:
        raise EncodeError(f"telecommand field: {error}") from error
    signed = header + arguments
    return with_crc(signed + _command_mac(key)(signed))


def decode_tc(data: bytes, key: bytes) -> Telecommand:
    """Give the telecommand in `data` once CRC and MAC are right.

    Raises NotAuthentic or another DecodeError.
    """
    _check_packet(data, _TC_BYTES_MIN)
    packet_id, sequence, _, version, service, subtype, source_id, craft_id, counter, command_id = (
        _TC_HEADER.unpack_from(data)
    )
    if packet_id & 0xF800 != TC_PACKET_ID or version & 0xF0 != PUS_VERSION_C:
        raise DecodeError("not a PUS-C telecommand")
    if (service, subtype) != (TC_FUNCTION_SERVICE, TC_FUNCTION_SUBTYPE):
        raise DecodeError("service of a telecommand")
    mac_start = len(data) - MAC_BYTES - CRC_BYTES
    require_authentic(_command_mac(key)(data[:mac_start]), data[mac_start:-CRC_BYTES])
    return Telecommand(
        packet_id & 0x7FF,
        sequence & SEQUENCE_COUNT_MASK,
        source_id,
        craft_id,
        counter,
        command_id,
        data[_TC_HEADER.size : mac_start],
    )


def _check_packet(data: bytes, size_bytes_min: int) -> None:
    """Size, length field and CRC of one packet that fills `data`."""
    if not size_bytes_min <= len(data) <= PACKET_BYTES_MAX:
        raise DecodeError("packet size")
    if (data[4] << 8 | data[5]) != len(data) - PRIMARY_HEADER_BYTES - 1:
        raise DecodeError("packet length field")
    if crc16(data) != 0:  # the CRC over data and its own CRC is zero
        raise DecodeError("packet error control")


@lru_cache(maxsize=16)
def _command_mac(key: bytes) -> Callable[[bytes], bytes]:
    return mac_function(key, _TC_PURPOSE)
