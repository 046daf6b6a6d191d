"""The edge: whose command it is, and which bytes stay."""

from __future__ import annotations

from flightos.core.configuration import NodeConfiguration, Role, TerminalConfiguration
from flightos.core.ids import GROUND_ID, OPERATOR_ID, content_id
from flightos.core.ports import CommandReceived, NodeBooted
from flightos.core.records import Service
from flightos.node.node import Node
from flightos.services.commanding.interface import NOOP
from flightos.services.commanding.service import CommandingService
from flightos.services.links.interface import BundleHeader
from flightos.services.network.interface import BundleKind, OpenBundle
from flightos.wire.bundle import encode_bundle
from flightos.wire.command import encode_tc

KEY = bytes(range(32))
TERMINAL = TerminalConfiguration(0, "laser", (2,), 1, 1, 1, 1, bytes(32))


def booted(role: Role = Role.SATELLITE, ground_services: tuple[Service, ...] = ()) -> Node:
    """A node that has just booted."""
    node_id = {Role.SATELLITE: 1, Role.STATION: 1001, Role.GROUND: GROUND_ID}[role]
    configuration = NodeConfiguration(node_id, "node", role, (TERMINAL,), (2,), command_key=KEY)
    node = Node(configuration, ground_services=ground_services)
    node.accept(NodeBooted(0, False), 0)
    return node


def open_bundle(
    node: Node, kind: BundleKind, body: bytes, attachments: tuple[bytes, ...] = (), source_id: int = 2
) -> None:
    """A bundle from another node reaches its destination here; what is to be dropped is dropped."""
    header = BundleHeader(source_id, 1, 1, node.configuration.node_id, 60_000, int(kind), 1)
    bundle_id = node.edge.store.put(encode_bundle(header, body, attachments))
    node.bus.run([OpenBundle(header, bundle_id)], 1)
    node.edge.drop_now()


def commanding_of(node: Node) -> CommandingService:
    """Its service of that name."""
    service = node.bus.services[0]
    assert isinstance(service, CommandingService)
    return service


def test_a_command_counts_for_the_source_that_signed_it_whoever_brings_it() -> None:
    """One telecommand is accepted once, whether it comes again by the umbilical or in bundles of any source."""
    node = booted()
    packet = encode_tc(NOOP, (), 5, KEY, 1)
    for _ in range(2):
        node.accept(CommandReceived(packet), 1)
    for source_id in (2, 3, 1001, GROUND_ID):
        open_bundle(node, BundleKind.COMMAND, packet, source_id=source_id)
    state = commanding_of(node).state
    assert state.counters.accepted_count == 1
    assert state.counters.rejected_replayed_count == 5
    assert list(state.counters_heard) == [OPERATOR_ID]
