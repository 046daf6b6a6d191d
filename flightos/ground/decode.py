"""Batches of packets become telemetry columns, events and verifications, by the dictionary.

Theory of operation. Housekeeping packets of one layout (APID, structure, length) are read together: their
bytes become the rows of a matrix, the matrix a structured array, each field a column. The rows are put in
the order (spacecraft, time) once, and every column follows, so that the archive receives what it stores:
runs of one parameter. Events and verifications are few and are read one at a time. What the dictionary does
not know is counted per cause; nothing raises.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flightos.core.errors import DecodeError
from flightos.ground.dictionary import GroundDictionary, HousekeepingLayout, Value
from flightos.ground.packets import (
    CRC_BYTES,
    DESTINATION_OFFSET,
    SERVICE_OFFSET,
    SPACECRAFT_OFFSET,
    SUBTYPE_OFFSET,
    TIME_OFFSET,
    USER_DATA_OFFSET,
    Integers,
    PacketBatch,
    packet_times,
    split,
)

UMBILICAL: Final = 0
DOWNLINK: Final = 1
PATH_NAMES: Final = ("umbilical", "downlink")

SERVICE_VERIFICATION: Final = 1
SERVICE_HOUSEKEEPING: Final = 3
SUBTYPE_HOUSEKEEPING: Final = 25
SERVICE_EVENT: Final = 5
STRUCTURE_BYTES: Final = 2
SEQUENCE_COUNT_MODULO: Final = 1 << 14
VERIFICATION_BYTES: Final = (6, 8)
"""Packet id, sequence control, command id; and the refusal where the stage is a failure."""


@dataclass(frozen=True)
class Column:
    """Values of one parameter from one batch, ordered by spacecraft, then time; all arrays of one length."""

    parameter: str
    path: int
    spacecraft: NDArray[np.uint16]
    t_tai_ns: Integers
    t_receive_ns: Integers
    value: NDArray[np.float64]


@dataclass(frozen=True)
class EventRow:
    """One event as the catalogue keeps it."""

    path: int
    spacecraft: int
    event_id: int
    service: str
    name: str
    severity: int
    t_tai_ns: int
    t_receive_ns: int
    fields: dict[str, Value]
    text: str


@dataclass(frozen=True)
class VerificationRow:
    """One report on a command (PUS 1), of what stage `subtype` tells; `refusal` 0 = success."""

    path: int
    spacecraft: int
    subtype: int
    t_tai_ns: int
    t_receive_ns: int
    command_id: int
    sequence_count: int
    source_id: int
    refusal: int


@dataclass
class Decoded:
    """What one batch held."""

    columns: list[Column] = field(default_factory=list)
    events: list[EventRow] = field(default_factory=list)
    verifications: list[VerificationRow] = field(default_factory=list)
    packet_count: int = 0


class Decoder:
    """Decodes one path. Keeps the last sequence count per (spacecraft, APID) and counts what is wrong."""

    def __init__(self, dictionary: GroundDictionary, path: int) -> None:
        self._dictionary = dictionary
        self._path = path
        self._last_sequence: dict[int, int] = {}
        self.gaps: Counter[tuple[int, int]] = Counter()
        """Sequence gaps by (spacecraft, APID)."""
        self.faults: Counter[str] = Counter()
        """Packets that gave nothing, by cause."""

    def decode(self, pieces: Sequence[bytes], receive_tai_ns: Sequence[int]) -> Decoded:
        """Decode pieces of whole packets; `receive_tai_ns` has one entry per piece."""
        decoded = Decoded()
        if not pieces:
            return decoded
        batch = split(pieces, receive_tai_ns)
        decoded.packet_count = len(batch.starts)
        if batch.bad_count:
            self.faults["bad packet"] += batch.bad_count
        if not decoded.packet_count:
            return decoded
        apid = (batch.byte(0).astype(np.int64) & 7) << 8 | batch.byte(1)
        spacecraft = batch.word(SPACECRAFT_OFFSET)
        self._count_gaps(batch, apid, spacecraft)
        kind = batch.byte(SERVICE_OFFSET).astype(np.int64) << 8 | batch.byte(SUBTYPE_OFFSET)
        is_housekeeping = kind == SERVICE_HOUSEKEEPING << 8 | SUBTYPE_HOUSEKEEPING
        structure = batch.word(USER_DATA_OFFSET).astype(np.int64)
        times = packet_times(batch)
        key = np.where(is_housekeeping, apid << 40 | structure << 24 | batch.lengths, -1)
        for group, indices in _groups(key):
            if group >= 0:
                decoded.columns.extend(self._housekeeping(batch, group, indices, spacecraft, times))
            else:
                self._individual(batch, indices, kind, spacecraft, times, decoded)
        return decoded

    def _count_gaps(self, batch: PacketBatch, apid: Integers, spacecraft: NDArray[np.uint16]) -> None:
        sequence = (batch.byte(2).astype(np.int64) & 0x3F) << 8 | batch.byte(3)
        source = spacecraft.astype(np.int64) << 11 | apid
        for group, indices in _groups(source):
            counts = sequence[indices]
            last = self._last_sequence.get(group, int(counts[0]) - 1)
            steps = np.diff(counts, prepend=last) % SEQUENCE_COUNT_MODULO
            gaps = int(np.count_nonzero(steps != 1))
            if gaps:
                self.gaps[group >> 11, group & 0x7FF] += gaps
            self._last_sequence[group] = int(counts[-1])

    def _housekeeping(
        self,
        batch: PacketBatch,
        key: int,
        indices: Integers,
        spacecraft: NDArray[np.uint16],
        times: Integers,
    ) -> Iterator[Column]:
        layout = self._dictionary.housekeeping.get((key >> 40, key >> 24 & 0xFFFF))
        length = key & 0xFFFFFF
        if layout is None:
            self.faults["unknown structure"] += len(indices)
            return
        if length != USER_DATA_OFFSET + STRUCTURE_BYTES + layout.dtype.itemsize + CRC_BYTES:
            self.faults["structure of another length"] += len(indices)
            return
        packets = batch.rows(indices, length).view(_packet_dtype(layout))[:, 0]
        t_tai_ns = times[indices]
        order = _order(spacecraft[indices], t_tai_ns)
        packets, indices, t_tai_ns = packets[order], indices[order], t_tai_ns[order]
        receive, node = batch.receive_tai_ns[indices], spacecraft[indices]
        fields = packets["fields"]
        for parameter, name in zip(layout.parameters, layout.dtype.names or (), strict=True):
            values = fields[name].astype(np.float64)
            yield Column(parameter, self._path, node, t_tai_ns, receive, values)

    def _individual(
        self,
        batch: PacketBatch,
        indices: Integers,
        kind: Integers,
        spacecraft: NDArray[np.uint16],
        times: Integers,
        decoded: Decoded,
    ) -> None:
        for index in indices.tolist():
            service, subtype = divmod(int(kind[index]), 256)
            packet = batch.packet(index)
            t_tai_ns = int(times[index])
            data = packet[USER_DATA_OFFSET:-CRC_BYTES]
            node, receive = int(spacecraft[index]), int(batch.receive_tai_ns[index])
            if service == SERVICE_EVENT:
                event = self._event(data, node, t_tai_ns, receive)
                if event is not None:
                    decoded.events.append(event)
            elif service == SERVICE_VERIFICATION:
                if len(data) not in VERIFICATION_BYTES:
                    self.faults["verification of another length"] += 1
                    continue
                decoded.verifications.append(
                    VerificationRow(
                        path=self._path,
                        spacecraft=node,
                        subtype=subtype,
                        t_tai_ns=t_tai_ns,
                        t_receive_ns=receive,
                        command_id=int.from_bytes(data[4:6], "big"),
                        sequence_count=int.from_bytes(data[2:4], "big") % SEQUENCE_COUNT_MODULO,
                        source_id=int.from_bytes(packet[DESTINATION_OFFSET : DESTINATION_OFFSET + 2], "big"),
                        refusal=int.from_bytes(data[6:8], "big"),
                    )
                )
            else:
                self.faults["unknown service"] += 1

    def _event(self, data: bytes, spacecraft: int, t_tai_ns: int, receive: int) -> EventRow | None:
        layout = self._dictionary.events.get(int.from_bytes(data[:2], "big"))
        if layout is None:
            self.faults["unknown event"] += 1
            return None
        try:
            values = layout.read(data[2:])
        except DecodeError:
            self.faults["event of another length"] += 1
            return None
        return EventRow(
            path=self._path,
            spacecraft=spacecraft,
            event_id=layout.id,
            service=layout.service,
            name=layout.name,
            severity=layout.severity,
            t_tai_ns=t_tai_ns,
            t_receive_ns=receive,
            fields=values,
            text=layout.say(values),
        )


def _packet_dtype(layout: HousekeepingLayout) -> np.dtype[np.void]:
    """Whole packet as one structured type: header, time, spacecraft, structure, fields, checksum."""
    return np.dtype(
        [
            ("header", f"V{TIME_OFFSET}"),
            ("time", "V6"),
            ("spacecraft", ">u2"),
            ("structure", ">u2"),
            ("fields", layout.dtype),
            ("crc", ">u2"),
        ]
    )


def _groups(key: Integers) -> Iterator[tuple[int, Integers]]:
    """Each distinct key with the indices where it stands, in order."""
    order = np.argsort(key, kind="stable")
    ordered = key[order]
    borders = np.flatnonzero(ordered[1:] != ordered[:-1]) + 1
    firsts = ordered[np.concatenate(([0], borders))]
    yield from zip(firsts.tolist(), np.split(order, borders), strict=True)


def _order(spacecraft: NDArray[np.uint16], t_tai_ns: Integers) -> Integers:
    """Order by spacecraft, then time. Packets nearly always come in order of time: a radix sort is enough."""
    order = np.argsort(spacecraft, kind="stable")
    node, t = spacecraft[order], t_tai_ns[order]
    if np.any((t[1:] < t[:-1]) & (node[1:] == node[:-1])):
        return np.lexsort((t_tai_ns, spacecraft))
    return order
