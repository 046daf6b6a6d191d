"""Records to packets, compiled once from the dictionary, so that a packet is one `struct` call.

Source data of the packets, after the spacecraft id (ECSS-E-ST-70-41C, section 6 names the services):

- TM(3,25): structure id (u16), the fields of the housekeeping definition;
- TM(5,1..4): event id (u16), the fields of the event definition;
- TM(1,x): packet id and sequence control of the telecommand (u16 each), command id (u16), and for failures the
  refusal number (u16). The destination id of the packet is the source of the command.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from struct import Struct
from struct import error as StructError
from typing import Final

from msgspec.structs import astuple

from flightos.core.dictionary import EventDefinition, ServiceDictionary
from flightos.core.errors import EncodeError
from flightos.core.ids import GROUND_ID
from flightos.core.records import HousekeepingRecord
from flightos.kernels.crc import crc16
from flightos.services.telemetry.interface import FAILURE_STAGES, VerificationReported
from flightos.services.telemetry.state import TelemetryState
from flightos.wire.layout import Layout, Value, layout_of
from flightos.wire.packet import (
    CRC_BYTES,
    MESSAGE_COUNT_MASK,
    PRIMARY_HEADER_BYTES,
    PUS_VERSION_C,
    SEQUENCE_COUNT_MASK,
    SEQUENCE_UNSEGMENTED,
    TC_PACKET_ID,
    TM_HEADER_BYTES,
    TM_HEADER_FORMAT,
    TM_PACKET_ID,
    cuc_time,
    with_crc,
)

HOUSEKEEPING_SERVICE: Final = 3
HOUSEKEEPING_SUBTYPE: Final = 25
EVENT_SERVICE: Final = 5
VERIFICATION_SERVICE: Final = 1

_HEADER: Final = Struct(TM_HEADER_FORMAT)
_HEADER_AND_ID: Final = Struct(TM_HEADER_FORMAT + "H")
_ID: Final = Struct(">H")
_VERIFICATION: Final = Struct(">HHH")


class _HousekeepingPlan:
    """One service's housekeeping packet."""

    def __init__(self, dictionary: ServiceDictionary) -> None:
        self.layout = layout_of(dictionary.housekeeping.fields)
        assert self.layout.format is not None, f"housekeeping of {dictionary.service} has a text"
        self.apid = dictionary.apid
        self.packet_id = TM_PACKET_ID | dictionary.apid
        self.structure_id = dictionary.housekeeping.structure_id
        packing = Struct(TM_HEADER_FORMAT + "H" + self.layout.format)
        self.pack = packing.pack
        self.length_field = packing.size + CRC_BYTES - PRIMARY_HEADER_BYTES - 1
        self.message_key = _message_key(self.apid, HOUSEKEEPING_SERVICE, HOUSEKEEPING_SUBTYPE)


class _EventPlan:
    """One event's packet."""

    def __init__(self, dictionary: ServiceDictionary, definition: EventDefinition) -> None:
        self.definition = definition
        self.apid = dictionary.apid
        self.layout: Layout = layout_of(definition.fields)


@lru_cache(maxsize=8)
def _plans_of(
    dictionaries: tuple[ServiceDictionary, ...],
) -> tuple[dict[str, _HousekeepingPlan], dict[int, _EventPlan]]:
    """Plans by service and by event id, shared by all spacecraft of a process and only read."""
    housekeeping = {dictionary.service: _HousekeepingPlan(dictionary) for dictionary in dictionaries}
    events = {
        event.id: _EventPlan(dictionary, event) for dictionary in dictionaries for event in dictionary.events
    }
    return housekeeping, events


class Packer:
    """Makes packets of one spacecraft; counts of sequences and messages are in the state that it is given."""

    def __init__(self, spacecraft_id: int, dictionaries: Sequence[ServiceDictionary]) -> None:
        self._spacecraft_id = spacecraft_id
        self._housekeeping, self._events = _plans_of(tuple(dictionaries))
        self._apid_by_service_number = {
            dictionary.apid & 0xFF: dictionary.apid for dictionary in dictionaries
        }
        self._cuc_tai_ns = -1
        self._cuc = (0, 0)

    def event_definition(self, event_id: int) -> EventDefinition:
        """The definition of an event. Raises EncodeError for an id that no service has declared."""
        plan = self._events.get(event_id)
        if plan is None:
            raise EncodeError(f"event {event_id:#06x} is in no dictionary")
        return plan.definition

    def housekeeping(
        self, state: TelemetryState, service: str, record: HousekeepingRecord, now_obt_ns: int
    ) -> bytes:
        """Give the TM(3,25) packet of one service: the hot path, ten times a second."""
        plan = self._housekeeping.get(service)
        if plan is None:
            raise EncodeError(f"housekeeping of {service} is in no dictionary")
        tai_ns = now_obt_ns + state.tai_minus_obt_ns
        if tai_ns != self._cuc_tai_ns:
            self._cuc, self._cuc_tai_ns = cuc_time(tai_ns), tai_ns
        seconds, fraction = self._cuc
        apid, packet_id, message_key = plan.apid, plan.packet_id, plan.message_key
        counts = state.sequence_counts
        sequence = counts.get(apid, 0)
        counts[apid] = sequence + 1 & SEQUENCE_COUNT_MASK
        counts = state.message_counts
        message = counts.get(message_key, 0)
        counts[message_key] = message + 1 & MESSAGE_COUNT_MASK
        header = (
            packet_id,
            SEQUENCE_UNSEGMENTED | sequence,
            plan.length_field,
            PUS_VERSION_C | state.time_reference,
            HOUSEKEEPING_SERVICE,
            HOUSEKEEPING_SUBTYPE,
            message,
            GROUND_ID,
            seconds,
            fraction,
            self._spacecraft_id,
            plan.structure_id,
        )
        values = astuple(record)
        try:
            data = plan.pack(*header, *values)
        except (StructError, OverflowError):
            state.counters.values_saturated_count += 1
            data = _HEADER_AND_ID.pack(*header) + plan.layout.pack_saturated(values)
        return data + crc16(data).to_bytes(2, "big")

    def event(self, state: TelemetryState, event_id: int, values: Sequence[Value], now_obt_ns: int) -> bytes:
        """Give the TM(5,severity) packet of an event."""
        plan = self._events[event_id]
        try:
            fields = plan.layout.pack(values)
        except EncodeError:
            fields = plan.layout.pack_saturated(values)
            state.counters.values_saturated_count += 1
        data = _ID.pack(event_id) + fields
        return self._packet(
            state, plan.apid, EVENT_SERVICE, int(plan.definition.severity), GROUND_ID, data, now_obt_ns
        )

    def verification(self, state: TelemetryState, record: VerificationReported, now_obt_ns: int) -> bytes:
        """Give the TM(1,stage) packet of a command; its APID is that of the service it was for."""
        number = record.command_id >> 8
        apid = self._apid_by_service_number.get(number, 0x100 | number)
        sequence = SEQUENCE_UNSEGMENTED | record.sequence_count & SEQUENCE_COUNT_MASK
        data = _VERIFICATION.pack(TC_PACKET_ID | apid, sequence, record.command_id)
        if record.stage in FAILURE_STAGES:
            data += _ID.pack(record.refusal)
        return self._packet(
            state, apid, VERIFICATION_SERVICE, record.stage, record.source_id, data, now_obt_ns
        )

    def _packet(
        self,
        state: TelemetryState,
        apid: int,
        service: int,
        subtype: int,
        destination_id: int,
        data: bytes,
        now_obt_ns: int,
    ) -> bytes:
        seconds, fraction = cuc_time(now_obt_ns + state.tai_minus_obt_ns)
        sequence = state.sequence_counts.get(apid, 0)
        state.sequence_counts[apid] = (sequence + 1) & SEQUENCE_COUNT_MASK
        key = _message_key(apid, service, subtype)
        message = state.message_counts.get(key, 0)
        state.message_counts[key] = (message + 1) & MESSAGE_COUNT_MASK
        header = _HEADER.pack(
            TM_PACKET_ID | apid,
            SEQUENCE_UNSEGMENTED | sequence,
            TM_HEADER_BYTES + len(data) + CRC_BYTES - PRIMARY_HEADER_BYTES - 1,
            PUS_VERSION_C | state.time_reference,
            service,
            subtype,
            message,
            destination_id,
            seconds,
            fraction,
            self._spacecraft_id,
        )
        return with_crc(header + data)


def _message_key(apid: int, service: int, subtype: int) -> int:
    """Messages are counted for each application process and message type (ECSS-E-ST-70-41C, 7.4.3.1)."""
    return apid << 16 | service << 8 | subtype
