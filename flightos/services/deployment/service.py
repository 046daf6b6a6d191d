"""`deployment`.

A table is loaded, validated as a whole, then activated as one, or refused and nothing changes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.dictionary import ServiceDictionary
from flightos.core.ids import content_id
from flightos.core.ports import TableUploaded
from flightos.core.reading import UNREADABLE
from flightos.core.records import Record, ServiceState
from flightos.services.commanding.interface import ResetCounters
from flightos.services.deployment.interface import (
    TABLE_ACTIVATED,
    TABLE_FAULT,
    TABLE_REFUSED,
    DeploymentHousekeeping,
    TableActivated,
    TableRefused,
)
from flightos.services.deployment.tables import TABLES, TableDefinition, table_faults
from flightos.services.telemetry.interface import ReportEvent
from flightos.wire.layout import TEXT_BYTES_MAX

TABLE_BYTES_MAX: Final = 1024 * 1024
FAULT_EVENT_COUNT_MAX: Final = 8
REASON_CHARACTERS_MAX: Final = 1024


class DeploymentCounters(msgspec.Struct):
    """What `ResetCounters` zeroes."""

    activated_count: int = 0
    refused_count: int = 0
    faults_count: int = 0


class DeploymentState(ServiceState):
    """Which content is in force, by table name; the tables themselves are kept by their readers."""

    active_ids: dict[str, bytes] = msgspec.field(default_factory=dict)
    counters: DeploymentCounters = msgspec.field(default_factory=DeploymentCounters)


class DeploymentService:
    """See sdd.md. `dictionaries` are those of all services, to check the commands of a sequence."""

    name = "deployment"

    def __init__(
        self,
        configuration: NodeConfiguration,
        dictionaries: Sequence[ServiceDictionary],
        tables: Mapping[str, TableDefinition] = TABLES,
    ) -> None:
        self.state = DeploymentState()
        self._tables = tables
        self._commands = {command.id: command for each in dictionaries for command in each.commands}
        self.reactions: Mapping[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            TableUploaded: self._load,
            ResetCounters: self._reset_counters,
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record; the only thing that changes `state`."""
        handler = self.reactions.get(type(record))
        return () if handler is None else handler(record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """Never: tables come from outside."""
        return None

    def housekeeping(self) -> DeploymentHousekeeping:
        """Frozen counters and levels."""
        counters = self.state.counters
        return DeploymentHousekeeping(
            counters.activated_count,
            counters.refused_count,
            counters.faults_count,
            len(self.state.active_ids),
        )

    def _load(self, record: TableUploaded, now_obt_ns: int) -> Sequence[Record]:
        name, content = record.table_name, record.content
        definition = self._tables.get(name)
        if definition is None:
            return self._refuse(name, [f"unknown table; known are {', '.join(self._tables)}"])
        if len(content) > TABLE_BYTES_MAX:
            return self._refuse(name, [f"{len(content)} bytes, at most {TABLE_BYTES_MAX}"])
        try:
            table = msgspec.msgpack.decode(content, type=definition.type)
        except UNREADABLE as error:
            return self._refuse(name, [f"unreadable: {error}"])
        faults = table_faults(definition, table, self._commands)
        if faults:
            return self._refuse(name, faults)
        table_id = content_id(content)
        self.state.active_ids[name] = table_id
        self.state.counters.activated_count += 1
        return (
            definition.activation(table),
            TableActivated(name, table_id),
            ReportEvent(TABLE_ACTIVATED.id, (name, len(content), table_id)),
        )

    def _refuse(self, name: str, faults: Sequence[str]) -> Sequence[Record]:
        counters = self.state.counters
        counters.refused_count += 1
        counters.faults_count += len(faults)
        shown_name = _fitted(name)
        events = [
            ReportEvent(TABLE_FAULT.id, (shown_name, _fitted(fault)))
            for fault in faults[:FAULT_EVENT_COUNT_MAX]
        ]
        return (
            TableRefused(name, "; ".join(faults)[:REASON_CHARACTERS_MAX]),
            ReportEvent(TABLE_REFUSED.id, (shown_name, len(faults))),
            *events,
        )

    def _reset_counters(self, record: ResetCounters, now_obt_ns: int) -> Sequence[Record]:
        self.state.counters = DeploymentCounters()
        return ()


def _fitted(text: str) -> str:
    return text.encode(errors="replace")[:TEXT_BYTES_MAX].decode(errors="ignore")
