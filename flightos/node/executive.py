"""The executive: the node's own service. It collects housekeeping from all others and reports the life of the node."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flightos.core.dictionary import (
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.ports import NodeBooted
from flightos.core.records import HousekeepingRecord, Record, ServiceState
from flightos.node.bus import Bus
from flightos.services.commanding.interface import ResetCounters
from flightos.services.telemetry.interface import CollectHousekeeping, HousekeepingCollected, ReportEvent

NODE_BOOTED: Final = EventDefinition(
    id=0x0B01,
    name="NODE_BOOTED",
    severity=Severity.LOW,
    text="boot {boot_count}, restored from snapshot and input log: {restored}",
    fields=(FieldDefinition("boot_count", "u32"), FieldDefinition("restored", "bool")),
)
CHAIN_CUT: Final = EventDefinition(
    id=0x0B02,
    name="CHAIN_CUT",
    severity=Severity.HIGH,
    text="a chain of records was cut at its limit; {chains_cut_count} so far",
    fields=(FieldDefinition("chains_cut_count", "u32"),),
)

DICTIONARY: Final = ServiceDictionary(
    service="executive",
    apid=0x10B,
    housekeeping=HousekeepingDefinition(
        structure_id=0x0B,
        fields=(
            FieldDefinition("boot_count", "u32", "lives of this node so far"),
            FieldDefinition("record_count", "u64", "records delivered on the bus since boot"),
            FieldDefinition("chain_count_max", "u32", "longest chain since boot, in deliveries"),
            FieldDefinition("chains_cut_count", "u32", "chains cut at the limit"),
            FieldDefinition("stored_count", "u32", "contents held by the store"),
            FieldDefinition("stored_bytes", "u64", "bytes held by the store"),
            FieldDefinition(
                "decode_error_count", "u32", "bytes from outside that were not what they should be"
            ),
        ),
    ),
    events=(NODE_BOOTED, CHAIN_CUT),
)


class ExecutiveState(ServiceState):
    """What survives a restart."""

    boot_count: int = 0
    chains_cut_reported_count: int = 0


class ExecutiveHousekeeping(HousekeepingRecord, frozen=True):
    """Fields as in DICTIONARY."""

    boot_count: int
    record_count: int
    chain_count_max: int
    chains_cut_count: int
    stored_count: int
    stored_bytes: int
    decode_error_count: int


class Executive:
    """See the module. `attach` joins it to the bus that it reports on."""

    name = "executive"

    def __init__(self, store_levels: Callable[[], tuple[int, int, int]]) -> None:
        self.state = ExecutiveState()
        self._store_levels = store_levels
        self._bus: Bus | None = None
        self._collected: tuple[tuple[str, Callable[[], HousekeepingRecord]], ...] = ()
        self.reactions: Mapping[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            CollectHousekeeping: self._collect,
            NodeBooted: self._boot,
            ResetCounters: self._reset_counters,
        }

    def attach(self, bus: Bus) -> None:
        """Take the bus; the housekeeping of all its services is collected, in its order."""
        self._bus = bus
        self._collected = tuple((service.name, service.housekeeping) for service in bus.services)

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to housekeeping requests, boots and counter resets."""
        return self.reactions[type(record)](record, now_obt_ns)

    def _collect(self, record: CollectHousekeeping, now_obt_ns: int) -> Sequence[Record]:
        collected: list[Record] = [
            HousekeepingCollected(name, housekeeping()) for name, housekeeping in self._collected
        ]
        assert self._bus is not None
        if self._bus.chains_cut_count > self.state.chains_cut_reported_count:
            self.state.chains_cut_reported_count = self._bus.chains_cut_count
            collected.append(ReportEvent(CHAIN_CUT.id, (self._bus.chains_cut_count,)))
        return collected

    def _boot(self, record: NodeBooted, now_obt_ns: int) -> Sequence[Record]:
        self.state.boot_count = record.boot_count
        # The bus counts from zero in each life; what it cut while reliving the last one is better told twice.
        self.state.chains_cut_reported_count = 0
        return (ReportEvent(NODE_BOOTED.id, (record.boot_count, record.restored)),)

    def _reset_counters(self, record: ResetCounters, now_obt_ns: int) -> Sequence[Record]:
        assert self._bus is not None
        self._bus.chain_count_max = 0
        return ()

    def next_wakeup_obt_ns(self) -> int | None:
        """Never: it reacts only."""
        return None

    def housekeeping(self) -> ExecutiveHousekeeping:
        """Bus and store levels."""
        assert self._bus is not None
        count, size_bytes, decode_errors = self._store_levels()
        return ExecutiveHousekeeping(
            self.state.boot_count,
            self._bus.record_count,
            self._bus.chain_count_max,
            self._bus.chains_cut_count,
            count,
            size_bytes,
            decode_errors,
        )
