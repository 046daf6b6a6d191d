"""How services declare their telemetry and commands; the one source from which every codec and document is made.

Each service's `interface.py` holds one `ServiceDictionary`. Field types are those of a flat packet: 'u8 u16 u32 u64
i8 i16 i32 i64 f32 f64 bool' and, for events and command arguments, 'text' (at most 64 bytes of UTF-8) and
'content_id' (16 bytes). Ids are unique in the whole system, append-only and never reused (`dictionary.lock`).
"""

from __future__ import annotations

from enum import IntEnum

import msgspec


class Severity(IntEnum):
    """Severity of an event, as PUS 5 subtypes 1 to 4 (ECSS-E-ST-70-41C, 6.5)."""

    INFO = 1
    LOW = 2
    MEDIUM = 3
    HIGH = 4


class FieldDefinition(msgspec.Struct, frozen=True, array_like=True):
    """One field of a packet: its name carries the unit."""

    name: str
    type: str
    meaning: str = ""
    enum: tuple[tuple[int, str], ...] = ()
    range_min: float | None = None
    range_max: float | None = None


def labels_of(numbers: type[IntEnum], zero: str = "") -> tuple[tuple[int, str], ...]:
    """What `FieldDefinition.enum` wants of an enumeration; `zero` names the 0 of a field that may have none of them."""
    labels = tuple((int(number), number.name) for number in numbers)
    return ((0, zero), *labels) if zero else labels


class EventDefinition(msgspec.Struct, frozen=True, array_like=True):
    """A discrete, numbered, time-stamped fact. `text` is formatted on the ground with the fields."""

    id: int
    name: str
    severity: Severity
    text: str
    fields: tuple[FieldDefinition, ...] = ()
    interval_ns_min: int = 0
    """Rate limit: further ones within this time are counted, not sent; 0 = none."""


class HousekeepingDefinition(msgspec.Struct, frozen=True, array_like=True):
    """Layout of a service's housekeeping packet: the fields of its HousekeepingRecord, in order."""

    structure_id: int
    fields: tuple[FieldDefinition, ...]


class CommandDefinition(msgspec.Struct, frozen=True, array_like=True):
    """An order to a service. `name` is ActionSubject; arguments are range-checked before acceptance."""

    id: int
    name: str
    meaning: str
    arguments: tuple[FieldDefinition, ...] = ()


class ServiceDictionary(msgspec.Struct, frozen=True, array_like=True):
    """All that the ground must know of a service. `apid` is the CCSDS application process identifier."""

    service: str
    apid: int
    housekeeping: HousekeepingDefinition
    events: tuple[EventDefinition, ...] = ()
    commands: tuple[CommandDefinition, ...] = ()
