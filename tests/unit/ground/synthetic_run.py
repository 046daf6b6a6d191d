"""A run folder made without a run: real packets of the real dictionary through the real receiver.

Twelve satellites fly one orbit round a circle, work, heat up and cool down, open and close links; the figures are
made up, the formats are not.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from flightos.core.dictionary import ServiceDictionary
from flightos.ground.acceptance_interface import DICTIONARY as ACCEPTANCE
from flightos.node.dictionary import service_dictionaries
from flightos.node.dictionary_export import dictionary_document
from flightos.wire.layout import Value, layout_of
from flightos.wire.packet import TelemetryPacket, encode_tm

EPOCH_TAI_NS: Final = 2_150_000_000_000_000_000
NS: Final = 1_000_000_000


def document() -> dict[str, Any]:
    """The whole dictionary with the ground's own service, as exported."""
    return dictionary_document(service_dictionaries([ACCEPTANCE]))


class Spacecraft:
    """Makes packets of one spacecraft with running sequence counts."""

    def __init__(self, spacecraft_id: int, dictionaries: Sequence[ServiceDictionary] = ()) -> None:
        self.id = spacecraft_id
        self._services = {d.service: d for d in dictionaries or service_dictionaries([ACCEPTANCE])}
        self._events = {event.name: (d, event) for d in self._services.values() for event in d.events}
        self._sequence: dict[int, int] = {}

    def housekeeping(self, service: str, t_s: float, **values: Value) -> bytes:
        """TM(3,25); what is not given is zero."""
        dictionary = self._services[service]
        structure = dictionary.housekeeping
        packed = layout_of(structure.fields).pack([values.get(f.name, 0) for f in structure.fields])
        data = structure.structure_id.to_bytes(2, "big") + packed
        return self._packet(dictionary.apid, 3, 25, t_s, data)

    def event(self, name: str, t_s: float, **values: Value) -> bytes:
        """TM(5,severity)."""
        dictionary, event = self._events[name]
        zero: dict[str, Value] = {"text": "", "content_id": bytes(16)}
        packed = layout_of(event.fields).pack(
            [values.get(field.name, zero.get(field.type, 0)) for field in event.fields]
        )
        data = event.id.to_bytes(2, "big") + packed
        return self._packet(dictionary.apid, 5, int(event.severity), t_s, data)

    def verification(
        self, stage: int, t_s: float, command_id: int, sequence_count: int, refusal: int = 0
    ) -> bytes:
        """TM(1,stage), with the refusal where it is a failure."""
        data = (0x1900).to_bytes(2, "big") + (0xC000 | sequence_count).to_bytes(2, "big")
        data += command_id.to_bytes(2, "big")
        if stage in (2, 4, 8):
            data += refusal.to_bytes(2, "big")
        return self._packet(0x100 | command_id >> 8, 1, stage, t_s, data, destination_id=2000)

    def _packet(
        self, apid: int, service: int, subtype: int, t_s: float, data: bytes, destination_id: int = 1000
    ) -> bytes:
        sequence = self._sequence.get(apid, 0)
        self._sequence[apid] = (sequence + 1) % (1 << 14)
        tai_ns = EPOCH_TAI_NS + round(t_s * NS)
        return encode_tm(
            TelemetryPacket(apid, sequence, service, subtype, sequence, destination_id, tai_ns, self.id, data)
        )
