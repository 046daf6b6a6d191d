"""The dictionary as a whole: unique, exported without loss, locked for ever, and true to the records."""

from __future__ import annotations

import json
from pathlib import Path
from types import ModuleType

import pytest

from flightos.core.dictionary import (
    CommandDefinition,
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.errors import ConfigError
from flightos.core.records import HousekeepingRecord
from flightos.core.refusal import Refusal
from flightos.ground import acceptance_interface
from flightos.ground.dictionary import GroundDictionary
from flightos.node import dictionary as collected
from flightos.node.dictionary import dictionary_faults, service_dictionaries
from flightos.node.dictionary_export import dictionary_document, dictionary_markdown, read_document
from flightos.node.dictionary_lock import HEADER, extended_lock, lock_faults
from flightos.services.scheduling.events import TASK_RETURNED

LOCK = Path(__file__).parents[3] / "dictionary.lock"
ALL = service_dictionaries((acceptance_interface.DICTIONARY,))
COUNT = FieldDefinition("count", "u16", "how many", range_min=1, range_max=9)
TOY = ServiceDictionary(
    "toy",
    0x155,
    HousekeepingDefinition(0x55, (COUNT,)),
    (EventDefinition(0x5501, "SPOKE", Severity.LOW, "said {count:d}", (COUNT,)),),
    (CommandDefinition(0x5501, "Speak", "say it", (COUNT,)),),
)


@pytest.mark.parametrize(
    "module", [*collected._MODULES, acceptance_interface], ids=lambda module: module.__name__
)
def test_housekeeping_is_declared_field_by_field(module: ModuleType) -> None:
    records = [
        member
        for member in vars(module).values()
        if isinstance(member, type)
        and issubclass(member, HousekeepingRecord)
        and member.__module__ == module.__name__
    ]
    if not records:
        pytest.skip("its housekeeping record is declared elsewhere")
    names = tuple(field.name for field in module.DICTIONARY.housekeeping.fields)
    assert names in [record.__struct_fields__ for record in records]


def test_no_locked_id_has_changed_its_meaning() -> None:
    assert lock_faults(LOCK.read_text(), ALL) == [], "new ids: python tests/house/lock_dictionary.py"


def test_the_export_loses_nothing() -> None:
    document = json.loads(json.dumps(dictionary_document((*ALL, TOY))))
    assert read_document(document)[-1] == TOY
    assert dictionary_document(read_document(document)) == document


@pytest.mark.parametrize("damage", [{"version": 2}, {"hash": "00"}, {"services": []}, {"services": 5}])
def test_a_damaged_document_is_refused(damage: dict[str, object]) -> None:
    with pytest.raises(ConfigError):
        read_document(dictionary_document((TOY,)) | damage)


def test_every_fault_is_listed_at_once() -> None:
    text = FieldDefinition("word", "text")
    other = ServiceDictionary(
        "other",
        0x155,
        HousekeepingDefinition(0x55, (text, COUNT, COUNT)),
        (EventDefinition(0x5501, "SPOKE", Severity.LOW, "said {nothing}", (FieldDefinition("x", "u24"),)),),
        (CommandDefinition(0x0102, "Speak", "say it"),),
    )
    faults = "\n".join(dictionary_faults((TOY, other)))
    for expected in (
        "APID 0x0155 of other belongs to toy already",
        "structure 0x0055 of housekeeping of other",
        "event id 0x5501 of other.SPOKE belongs to toy.SPOKE already",
        "event name SPOKE",
        "housekeeping of other: a text has no fixed size",
        "housekeeping of other: field count given twice",
        "event SPOKE: x has the unknown type u24",
        "event SPOKE: text does not fit its fields",
        "other.Speak: id 0x0102 is not in 0x55..",
    ):
        assert expected in faults
    with pytest.raises(ConfigError):
        service_dictionaries((TOY, other))


def test_the_lock_only_grows_and_notices_changes() -> None:
    text = extended_lock("", (TOY,))
    assert text.startswith(HEADER)
    assert text.count("0x5501") == 2
    assert lock_faults(text, (TOY,)) == []
    assert extended_lock(text, (TOY,)) == text
    changed = ServiceDictionary(
        "toy",
        0x155,
        HousekeepingDefinition(0x55, (FieldDefinition("count", "u32"),)),
        TOY.events,
        TOY.commands,
    )
    (fault,) = lock_faults(text, (changed,))
    assert fault.startswith("changed meaning: housekeeping 0x0055 toy")
    assert extended_lock(text, (changed,)) == text
    assert len(lock_faults("", (TOY,))) == 3


def test_the_page_names_everything() -> None:
    page = dictionary_markdown((TOY,))
    for word in ("SPOKE", "Speak", "0x5501", "count u16 (how many; 1..9)", "LOW"):
        assert word in page


def test_events_say_reasons_in_words() -> None:
    """Every small number of an event that means a reason, a failure or a state has words; the ground prints them."""
    bare = [
        f"{event.name}.{field.name}"
        for dictionary in ALL
        for event in dictionary.events
        for field in event.fields
        if field.type == "u8"
        and field.name
        in ("reason", "refusal", "failure", "state", "reported", "mode", "previous", "kind", "trigger")
        and not field.enum
    ]
    assert bare == []
    layout = GroundDictionary(ALL).events[TASK_RETURNED.id]
    said = layout.say({"task_id": 1792, "node_id": 3, "failure": 0, "refusal": int(Refusal.TOO_HOT)})
    assert said == "task 1792 came back from 3: failure none, refusal TOO_HOT"
