"""Contract of `deployment`: tables are loaded, validated, then activated as one."""

from __future__ import annotations

from flightos.core.records import Record


class TableActivated(Record, frozen=True):
    """A table passed validation and is in force (the typed record went to its reader first)."""

    table_name: str
    content_id: bytes


class TableRefused(Record, frozen=True):
    """A table was not valid; nothing changed."""

    table_name: str
    reason: str
