"""The dictionary as one JSON document and as a page for people.

The ground decodes from the document and from nothing else, so that it can still read an older spacecraft.
The hash names the content: a run's manifest and its raw packet logs refer to it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from typing import Any, Final

import msgspec

from flightos.core.dictionary import (
    CommandDefinition,
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.errors import ConfigError
from flightos.node.dictionary import dictionary_faults

DOCUMENT_VERSION: Final = 1


class FieldDocument(msgspec.Struct, omit_defaults=True):
    """A field; `enum` gives the number of each name."""

    name: str
    type: str
    meaning: str = ""
    enum: dict[str, int] = {}
    range_min: float | None = None
    range_max: float | None = None


class EventDocument(msgspec.Struct, omit_defaults=True):
    """An event; `severity` by name."""

    id: int
    name: str
    severity: str
    text: str
    fields: list[FieldDocument]
    interval_ns_min: int = 0


class CommandDocument(msgspec.Struct):
    """A command."""

    id: int
    name: str
    meaning: str
    arguments: list[FieldDocument]


class HousekeepingDocument(msgspec.Struct):
    """Layout of a housekeeping packet."""

    structure_id: int
    fields: list[FieldDocument]


class ServiceDocument(msgspec.Struct):
    """One service."""

    service: str
    apid: int
    housekeeping: HousekeepingDocument
    events: list[EventDocument]
    commands: list[CommandDocument]


def dictionary_document(dictionaries: Sequence[ServiceDictionary]) -> dict[str, Any]:
    """The JSON document: plain objects, lists, text and numbers; `hash` is that of everything else in it."""
    services = [_service_document(dictionary) for dictionary in dictionaries]
    document: dict[str, Any] = {"version": DOCUMENT_VERSION, "services": msgspec.to_builtins(services)}
    document["hash"] = document_hash(document)
    return document


def document_hash(document: Mapping[str, Any]) -> str:
    """BLAKE2b-128 over the document without its `hash`, as compact JSON with sorted keys, in hexadecimal."""
    content = {key: value for key, value in document.items() if key != "hash"}
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return blake2b(text.encode(), digest_size=16).hexdigest()


def read_document(document: Mapping[str, Any]) -> tuple[ServiceDictionary, ...]:
    """Dictionaries from an exported document, for the ground. Raises ConfigError with every fault."""
    if document.get("version") != DOCUMENT_VERSION:
        raise ConfigError([f"dictionary version {document.get('version')!r} is not {DOCUMENT_VERSION}"])
    if document.get("hash") != document_hash(document):
        raise ConfigError(["the hash of the dictionary is not that of its content"])
    try:
        services = msgspec.convert(document.get("services"), list[ServiceDocument])
        dictionaries = tuple(_service_dictionary(service) for service in services)
    except (msgspec.ValidationError, KeyError) as error:
        raise ConfigError([f"dictionary: {error}"]) from error
    faults = dictionary_faults(dictionaries)
    if faults:
        raise ConfigError(faults)
    return dictionaries


def dictionary_markdown(dictionaries: Sequence[ServiceDictionary]) -> str:
    """The dictionary as a page: one section per service with its housekeeping, events and commands."""
    lines = ["# Telemetry and command dictionary", ""]
    lines += [f"Generated; hash {dictionary_document(dictionaries)['hash']}.", ""]
    for dictionary in dictionaries:
        structure = dictionary.housekeeping
        lines += [f"## {dictionary.service} (APID {dictionary.apid:#05x})", ""]
        lines += [f"Housekeeping, structure {structure.structure_id:#04x}:", ""]
        lines += ["| Field | Type | Meaning |", "|---|---|---|"]
        lines += [f"| {field.name} | {field.type} | {_meaning(field)} |" for field in structure.fields]
        lines.append("")
        if dictionary.events:
            lines += ["| Event | Id | Severity | Text | Fields |", "|---|---|---|---|---|"]
            lines += [
                f"| {event.name} | {event.id:#06x} | {event.severity.name} | {_escaped(event.text)} "
                f"| {_field_list(event.fields)} |"
                for event in dictionary.events
            ]
            lines.append("")
        if dictionary.commands:
            lines += ["| Command | Id | Meaning | Arguments |", "|---|---|---|---|"]
            lines += [
                f"| {command.name} | {command.id:#06x} | {_escaped(command.meaning)} "
                f"| {_field_list(command.arguments)} |"
                for command in dictionary.commands
            ]
            lines.append("")
    return "\n".join(lines)


def _escaped(text: str) -> str:
    return text.replace("|", "\\|")


def _meaning(field: FieldDefinition) -> str:
    parts = [_escaped(field.meaning)] if field.meaning else []
    if field.enum:
        parts.append(", ".join(f"{number} = {name}" for number, name in field.enum))
    if field.range_min is not None or field.range_max is not None:
        low = "" if field.range_min is None else f"{field.range_min:g}"
        high = "" if field.range_max is None else f"{field.range_max:g}"
        parts.append(f"{low}..{high}")
    return "; ".join(parts)


def _field_list(fields: Sequence[FieldDefinition]) -> str:
    shown = []
    for field in fields:
        meaning = _meaning(field)
        shown.append(f"{field.name} {field.type}" + (f" ({meaning})" if meaning else ""))
    return ", ".join(shown)


def _field_documents(fields: Sequence[FieldDefinition]) -> list[FieldDocument]:
    return [
        FieldDocument(
            field.name,
            field.type,
            field.meaning,
            {name: int(number) for number, name in field.enum},
            None if field.range_min is None else float(field.range_min),
            None if field.range_max is None else float(field.range_max),
        )
        for field in fields
    ]


def _service_document(dictionary: ServiceDictionary) -> ServiceDocument:
    structure = dictionary.housekeeping
    return ServiceDocument(
        dictionary.service,
        dictionary.apid,
        HousekeepingDocument(structure.structure_id, _field_documents(structure.fields)),
        [
            EventDocument(
                event.id,
                event.name,
                event.severity.name,
                event.text,
                _field_documents(event.fields),
                event.interval_ns_min,
            )
            for event in dictionary.events
        ],
        [
            CommandDocument(command.id, command.name, command.meaning, _field_documents(command.arguments))
            for command in dictionary.commands
        ],
    )


def _field_definitions(fields: Sequence[FieldDocument]) -> tuple[FieldDefinition, ...]:
    return tuple(
        FieldDefinition(
            field.name,
            field.type,
            field.meaning,
            tuple((number, name) for name, number in field.enum.items()),
            field.range_min,
            field.range_max,
        )
        for field in fields
    )


def _service_dictionary(service: ServiceDocument) -> ServiceDictionary:
    structure = service.housekeeping
    return ServiceDictionary(
        service.service,
        service.apid,
        HousekeepingDefinition(structure.structure_id, _field_definitions(structure.fields)),
        tuple(
            EventDefinition(
                event.id,
                event.name,
                Severity[event.severity],
                event.text,
                _field_definitions(event.fields),
                event.interval_ns_min,
            )
            for event in service.events
        ),
        tuple(
            CommandDefinition(
                command.id, command.name, command.meaning, _field_definitions(command.arguments)
            )
            for command in service.commands
        ),
    )
