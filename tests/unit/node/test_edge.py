"""The edge: whose command it is, and which bytes stay."""

from __future__ import annotations

from flightos.core.configuration import NodeConfiguration, Role, TerminalConfiguration
from flightos.core.ids import GROUND_ID, OPERATOR_ID, content_id
from flightos.core.ports import CommandReceived, NodeBooted
from flightos.core.records import Service
from flightos.ground.acceptance import AcceptanceService
from flightos.ground.acceptance_interface import DICTIONARY as ACCEPTANCE
from flightos.node.node import Node
from flightos.services.commanding.interface import NOOP
from flightos.services.commanding.service import CommandingService
from flightos.services.links.interface import BundleHeader
from flightos.services.network.interface import BundleKind, OpenBundle
from flightos.services.scheduling.codec import encode
from flightos.services.scheduling.interface import AssignTask, TaskResult
from flightos.wire.bundle import encode_bundle
from flightos.wire.command import encode_tc

KEY = bytes(range(32))
TERMINAL = TerminalConfiguration(0, "laser", (2,), 1, 1, 1, 1, bytes(32))


def booted(role: Role = Role.SATELLITE, ground_services: tuple[Service, ...] = ()) -> Node:
    """A node that has just booted."""
    node_id = {Role.SATELLITE: 1, Role.STATION: 1001, Role.GROUND: GROUND_ID}[role]
    configuration = NodeConfiguration(node_id, "node", role, (TERMINAL,), (2,), command_key=KEY)
    node = Node(configuration, None, ground_services, (ACCEPTANCE,))
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


def delivered_kinds(role: Role, ground_services: tuple[Service, ...] = ()) -> list[BundleKind]:
    """Kinds of which a bundle with a strange body leaves something behind in the store."""
    left = []
    for kind in BundleKind:
        for count in (1, 3):
            node = booted(role, ground_services)
            open_bundle(node, kind, b"\xc1", tuple(bytes((number,)) for number in range(count)))
            if len(node.edge.store):
                left.append(kind)
    return left


def test_nothing_stays_in_the_store_that_no_service_takes() -> None:
    """Whatever kind a bundle is of and whatever its body, its attachments are kept by a service or gone."""
    assert delivered_kinds(Role.SATELLITE) == []
    assert delivered_kinds(Role.STATION) == []
    ground = NodeConfiguration(GROUND_ID, "ground", Role.GROUND, (), ())
    assert delivered_kinds(Role.GROUND, (AcceptanceService(ground),)) == []


def test_more_attachments_than_a_task_has_inputs_do_not_stay() -> None:
    """An assignment brings an input twice and something else: the input is kept, the rest is gone."""
    node = booted()
    body = AssignTask(1792, (1, 2), 1, "app", "step", b"", (content_id(b"input"),), 10, 1, (5,))
    open_bundle(node, BundleKind.ASSIGN_TASK, encode(body), (b"input", b"luggage"))
    assert list(node.edge.store.snapshot()) == [content_id(b"input")]


def test_a_full_store_drops_what_nobody_wants_without_a_word() -> None:
    """A result nobody waits for comes to a store without room: it is gone, and nobody hears of a full store."""
    node = booted()
    storage = next(service for service in node.bus.services if service.name == "storage")
    storage.state.accounts.entry_count_max = 0
    body = TaskResult(1792, (1, 2), 1, content_id(b"result"), 6, 0, 0)
    open_bundle(node, BundleKind.TASK_RESULT, encode(body), (b"result",))
    assert len(node.edge.store) == 0
    assert storage.state.refused_count == 0
