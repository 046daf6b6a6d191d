"""The executive over a restart: a cut chain of the new life is told, whatever the old life had told."""

from __future__ import annotations

from flightos.core.configuration import NodeConfiguration, Role, TerminalConfiguration
from flightos.core.ports import NodeBooted
from flightos.node.executive import CHAIN_CUT, Executive
from flightos.node.node import Node
from flightos.services.telemetry.interface import CollectHousekeeping, ReportEvent

CONFIGURATION = NodeConfiguration(
    1, "one", Role.SATELLITE, (TerminalConfiguration(0, "laser", (2,), 1, 1, 1, 1, bytes(32)),), (2,)
)


def told(node: Node) -> list[int]:
    """Counts in the CHAIN_CUT events of one collection."""
    executive = node.bus.services[-1]
    assert isinstance(executive, Executive)
    records = executive.handle(CollectHousekeeping(2), 2)
    return [
        record.values[0]  # type: ignore[misc]
        for record in records
        if isinstance(record, ReportEvent) and record.event_id == CHAIN_CUT.id
    ]


def test_a_cut_chain_is_told_again_after_a_restart() -> None:
    """The bus counts from zero in each life, and so does what was told."""
    node = Node(CONFIGURATION)
    node.accept(NodeBooted(0, False), 0)
    node.bus.chains_cut_count = 3
    assert told(node) == [3]
    assert told(node) == []
    again = Node(CONFIGURATION)
    again.restore(node.snapshot(3))
    again.accept(NodeBooted(1, True), 4)
    assert told(again) == []
    again.bus.chains_cut_count = 1
    assert told(again) == [1]
