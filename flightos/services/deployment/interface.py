"""Contract of `deployment`: tables are loaded, validated, then activated as one."""

from __future__ import annotations

from typing import Final

from flightos.core.dictionary import (
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.records import HousekeepingRecord, Record


class TableActivated(Record, frozen=True):
    """A table passed validation and is in force (the typed record went to its reader first)."""

    table_name: str
    content_id: bytes


class TableRefused(Record, frozen=True):
    """A table was not valid; nothing changed."""

    table_name: str
    reason: str


# --- events, housekeeping -----------------------------------------------------------------------------------

_TABLE: Final = FieldDefinition("table_name", "text", "name of the table")

TABLE_ACTIVATED: Final = EventDefinition(
    id=0x0201,
    name="TABLE_ACTIVATED",
    severity=Severity.INFO,
    text="table {table_name} of {size_bytes} bytes in force",
    fields=(
        _TABLE,
        FieldDefinition("size_bytes", "u32", "size of its content"),
        FieldDefinition("content_id", "content_id", "BLAKE2b-128 of its content"),
    ),
)
TABLE_REFUSED: Final = EventDefinition(
    id=0x0202,
    name="TABLE_REFUSED",
    severity=Severity.MEDIUM,
    text="table {table_name} refused: {fault_count} faults",
    fields=(_TABLE, FieldDefinition("fault_count", "u16", "TABLE_FAULT events name the first of them")),
)
TABLE_FAULT: Final = EventDefinition(
    id=0x0203,
    name="TABLE_FAULT",
    severity=Severity.LOW,
    text="table {table_name}: {fault}",
    fields=(_TABLE, FieldDefinition("fault", "text", "one fault")),
)


class DeploymentHousekeeping(HousekeepingRecord, frozen=True):
    """Counters since the last `ResetCounters`, and levels."""

    activated_count: int
    refused_count: int
    faults_count: int
    tables_active: int


DICTIONARY: Final = ServiceDictionary(
    service="deployment",
    apid=0x102,
    housekeeping=HousekeepingDefinition(
        structure_id=0x02,
        fields=(
            FieldDefinition("activated_count", "u32", "tables activated"),
            FieldDefinition("refused_count", "u32", "tables refused"),
            FieldDefinition("faults_count", "u32", "faults found in refused tables"),
            FieldDefinition("tables_active", "u16", "tables in force"),
        ),
    ),
    events=(TABLE_ACTIVATED, TABLE_REFUSED, TABLE_FAULT),
)
