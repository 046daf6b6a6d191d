"""The executive: the node's own service. It collects housekeeping from all others and reports the life of the node."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from flightos.core.dictionary import (
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.ports import NodeBooted
from flightos.core.records import HousekeepingRecord, Record, Service, ServiceState
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
        self._others: tuple[Service, ...] = ()

    def attach(self, bus: Bus) -> None:
        """Take the bus and all services whose housekeeping is collected, in its order."""
        self._bus = bus
        self._others = bus.services

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to housekeeping requests, boots and counter resets."""
        if isinstance(record, CollectHousekeeping):
            collected: list[Record] = [
                HousekeepingCollected(service.name, service.housekeeping()) for service in self._others
            ]
            assert self._bus is not None
            if self._bus.chains_cut_count > self.state.chains_cut_reported_count:
                self.state.chains_cut_reported_count = self._bus.chains_cut_count
                collected.append(ReportEvent(CHAIN_CUT.id, (self._bus.chains_cut_count,)))
            return collected
        if isinstance(record, NodeBooted):
            self.state.boot_count = record.boot_count
            return (ReportEvent(NODE_BOOTED.id, (record.boot_count, record.restored)),)
        assert isinstance(record, ResetCounters)
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
            boot_count=self.state.boot_count,
            record_count=self._bus.record_count,
            chain_count_max=self._bus.chain_count_max,
            chains_cut_count=self._bus.chains_cut_count,
            stored_count=count,
            stored_bytes=size_bytes,
            decode_error_count=decode_errors,
        )
