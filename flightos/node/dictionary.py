"""The dictionary: what the services of a node declare, joined in bus order and checked as a whole.

Ids and names are unique, and the ids of a service lie in its own range: the high byte is the service's
number, which is also the low byte of its APID. `dictionary_export` writes it for the ground,
`dictionary_lock` keeps ids for ever.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Any, Final

from flightos.core.dictionary import EventDefinition, FieldDefinition, ServiceDictionary
from flightos.core.errors import ConfigError
from flightos.node import executive
from flightos.services.commanding import interface as commanding
from flightos.services.compute import interface as compute
from flightos.services.deployment import interface as deployment
from flightos.services.health import interface as health
from flightos.services.links import interface as links
from flightos.services.network import interface as network
from flightos.services.resources import interface as resources
from flightos.services.scheduling import interface as scheduling
from flightos.services.storage import interface as storage
from flightos.services.telemetry import interface as telemetry
from flightos.wire.layout import STRUCT_CODES, layout_of
from flightos.wire.packet import PACKET_BYTES_MAX, TM_HEADER_BYTES

APID_BASE: Final = 0x100
FIELD_TYPES: Final = (*STRUCT_CODES, "text")

_MODULES: Final = (
    commanding,
    deployment,
    resources,
    health,
    scheduling,
    compute,
    storage,
    network,
    links,
    telemetry,
    executive,
)


def service_dictionaries(extra: Iterable[ServiceDictionary] = ()) -> tuple[ServiceDictionary, ...]:
    """All dictionaries of a node in bus order, then `extra` (the ground's own services), checked as a whole.

    Raises ConfigError with every fault.
    """
    return _checked(tuple(extra))


@cache
def _checked(extra: tuple[ServiceDictionary, ...]) -> tuple[ServiceDictionary, ...]:
    dictionaries = (*(module.DICTIONARY for module in _MODULES), *extra)
    faults = dictionary_faults(dictionaries)
    if faults:
        raise ConfigError(faults)
    return dictionaries


def dictionary_faults(dictionaries: Sequence[ServiceDictionary]) -> list[str]:
    """Every double id or name, id outside its service's range, bad field type and packet above its limit."""
    faults: list[str] = []
    owners: dict[tuple[str, int | str], str] = {}

    def claim(kind: str, key: int | str, owner: str) -> None:
        shown = f"{key:#06x}" if isinstance(key, int) else key
        previous = owners.setdefault((kind, key), owner)
        if previous is not owner:
            faults.append(f"{kind} {shown} of {owner} belongs to {previous} already")

    for dictionary in dictionaries:
        service = dictionary.service
        number = dictionary.apid - APID_BASE
        structure = dictionary.housekeeping
        claim("service", service, f"service {service}")
        claim("APID", dictionary.apid, service)
        claim("structure", structure.structure_id, f"housekeeping of {service}")
        faults += _field_faults(f"housekeeping of {service}", structure.fields, allows_text=False)
        for event in dictionary.events:
            claim("event id", event.id, f"{service}.{event.name}")
            claim("event name", event.name, f"{service}.{event.name} ({event.id:#06x})")
            faults += _field_faults(f"event {event.name}", event.fields, allows_text=True)
            faults += _text_faults(event)
        for command in dictionary.commands:
            claim("command id", command.id, f"{service}.{command.name}")
            claim("command name", f"{service}.{command.name}", f"{command.id:#06x}")
            faults += _field_faults(f"command {command.name}", command.arguments, allows_text=True)
        ids = [(event.id, event.name) for event in dictionary.events]
        ids += [(command.id, command.name) for command in dictionary.commands]
        faults += [
            f"{service}.{name}: id {number_of_id:#06x} is not in 0x{number:02x}.."
            for number_of_id, name in ids
            if number_of_id >> 8 != number
        ]
    return faults


def _field_faults(where: str, fields: Sequence[FieldDefinition], allows_text: bool) -> list[str]:
    faults = []
    names = [field.name for field in fields]
    faults += [f"{where}: field {name} given twice" for name in sorted(names) if names.count(name) > 1]
    wrong_types = [field for field in fields if field.type not in FIELD_TYPES]
    faults += [f"{where}: {field.name} has the unknown type {field.type}" for field in wrong_types]
    if wrong_types:
        return faults
    layout = layout_of(tuple(fields))
    if not allows_text and not layout.is_fixed:
        faults.append(f"{where}: a text has no fixed size")
    if TM_HEADER_BYTES + 4 + layout.size_bytes_max > PACKET_BYTES_MAX:
        faults.append(f"{where}: larger than a packet")
    return faults


def _text_faults(event: EventDefinition) -> list[str]:
    """The text of an event is formatted on the ground.

    Its placeholders must be fields and fit their types.
    """
    samples: dict[str, Any] = {}
    for field in event.fields:
        samples[field.name] = "" if field.type == "text" else b"" if field.type == "content_id" else 0
    try:
        event.text.format(**samples)
    except (KeyError, IndexError, ValueError, TypeError, AttributeError) as error:
        return [f"event {event.name}: text does not fit its fields: {error!r}"]
    return []
