"""`dictionary.lock`: every id that was ever published, with a digest of its meaning on the wire.

The file is append-only. A line is `kind id name digest`; the digest covers the kind, the id, the name and
the name, type and enumeration of each field, because these are what an old packet is decoded with. Texts,
meanings, ranges and severities may still be improved. An id that is no longer declared keeps its line and
is never given to anything else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from hashlib import blake2b
from typing import Final

from flightos.core.dictionary import FieldDefinition, ServiceDictionary

DIGEST_BYTES: Final = 8
HEADER: Final = "# kind id name digest; append-only: see flightos/node/dictionary_lock.py\n"


def lock_entries(dictionaries: Sequence[ServiceDictionary]) -> Iterator[tuple[tuple[str, str], str]]:
    """For each id: ((kind, id), line)."""
    for dictionary in dictionaries:
        structure = dictionary.housekeeping
        yield _entry("housekeeping", structure.structure_id, dictionary.service, structure.fields)
        for event in dictionary.events:
            yield _entry("event", event.id, event.name, event.fields)
        for command in dictionary.commands:
            yield _entry("command", command.id, f"{dictionary.service}.{command.name}", command.arguments)


def lock_faults(lock_text: str, dictionaries: Sequence[ServiceDictionary]) -> list[str]:
    """Every id whose meaning has changed since it was locked, and every id that is not locked yet."""
    locked = _lines_by_key(lock_text)
    faults = []
    for key, line in lock_entries(dictionaries):
        previous = locked.get(key)
        if previous is None:
            faults.append(f"not locked: {line}")
        elif previous != line:
            faults.append(f"changed meaning: {previous} is now {line}; take a new id")
    return faults


def extended_lock(lock_text: str, dictionaries: Sequence[ServiceDictionary]) -> str:
    """The lock with a line for each new id at its end; lines that are there stay as they are."""
    locked = _lines_by_key(lock_text)
    new_lines = [line for key, line in lock_entries(dictionaries) if key not in locked]
    return (lock_text or HEADER) + "".join(f"{line}\n" for line in new_lines)


def _lines_by_key(lock_text: str) -> dict[tuple[str, str], str]:
    lines = {}
    for line in lock_text.splitlines():
        words = line.split()
        if len(words) == 4 and not line.startswith("#"):
            lines[(words[0], words[1])] = line
    return lines


def _entry(
    kind: str, number: int, name: str, fields: Sequence[FieldDefinition]
) -> tuple[tuple[str, str], str]:
    shown_id = f"{number:#06x}"
    meaning = repr((kind, number, name, [(field.name, field.type, _enum(field)) for field in fields]))
    digest = blake2b(meaning.encode(), digest_size=DIGEST_BYTES).hexdigest()
    return (kind, shown_id), f"{kind} {shown_id} {name} {digest}"


def _enum(field: FieldDefinition) -> list[tuple[int, str]]:
    return [(int(number), name) for number, name in field.enum]
