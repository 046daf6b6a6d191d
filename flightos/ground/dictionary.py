"""The dictionary as the ground reads it: an exported document becomes the layouts of packets.

The document (`flightos dictionary --json`) and not the code of today decides how bytes are read, so that an
older spacecraft and an older run can still be read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from flightos.core.dictionary import FieldDefinition, ServiceDictionary
from flightos.ground.acceptance_interface import DICTIONARY as ACCEPTANCE
from flightos.node.dictionary import service_dictionaries
from flightos.node.dictionary_export import dictionary_document, read_document
from flightos.wire.layout import Layout, layout_of

Value = int | float | bool | str


@dataclass(frozen=True)
class HousekeepingLayout:
    """Fields of one housekeeping structure; `dtype` covers the bytes after the structure id."""

    service: str
    dtype: np.dtype[np.void]
    parameters: tuple[str, ...]
    """'service/field' in the order of the packet."""


@dataclass(frozen=True)
class EventLayout:
    """One event: how to read its fields and how to say it."""

    id: int
    service: str
    name: str
    severity: int
    text: str
    layout: Layout

    def read(self, data: bytes) -> dict[str, Value]:
        """Field values by name, content ids in hexadecimal. Raises DecodeError."""
        values = self.layout.unpack(data)
        return {
            field.name: value.hex() if isinstance(value, bytes) else value
            for field, value in zip(self.layout.fields, values, strict=True)
        }

    def say(self, values: Mapping[str, Value]) -> str:
        """The event's sentence, enumerations in words; a text that does not fit its fields as it is."""
        words = dict(values)
        for field in self.layout.fields:
            for number, label in field.enum:
                if values.get(field.name) == number:
                    words[field.name] = label
        try:
            return self.text.format_map(words)
        except (KeyError, ValueError, IndexError, AttributeError):
            return self.text


def current_document() -> dict[str, Any]:
    """The document of this installation: the node's services and the ground's own; what a run writes down."""
    return dictionary_document(service_dictionaries((ACCEPTANCE,)))


class GroundDictionary:
    """Layouts by the numbers that packets carry; `parameters` by 'service/field'."""

    def __init__(self, dictionaries: Sequence[ServiceDictionary]) -> None:
        self.housekeeping: dict[tuple[int, int], HousekeepingLayout] = {}
        """By (APID, structure id)."""
        self.events: dict[int, EventLayout] = {}
        self.commands: dict[int, str] = {}
        """'service.CommandName' by id."""
        self.parameters: dict[str, FieldDefinition] = {}
        for dictionary in dictionaries:
            self._add(dictionary)

    @classmethod
    def from_document(cls, document: Mapping[str, Any]) -> GroundDictionary:
        """From the exported document. Raises ConfigError with every fault."""
        return cls(read_document(document))

    def _add(self, dictionary: ServiceDictionary) -> None:
        service, structure = dictionary.service, dictionary.housekeeping
        parameters = tuple(f"{service}/{field.name}" for field in structure.fields)
        dtype = np.dtype(layout_of(structure.fields).dtype_fields())
        layout = HousekeepingLayout(service, dtype, parameters)
        self.housekeeping[dictionary.apid, structure.structure_id] = layout
        self.parameters.update(zip(parameters, structure.fields, strict=True))
        for event in dictionary.events:
            self.events[event.id] = EventLayout(
                event.id, service, event.name, int(event.severity), event.text, layout_of(event.fields)
            )
        for command in dictionary.commands:
            self.commands[command.id] = f"{service}.{command.name}"
