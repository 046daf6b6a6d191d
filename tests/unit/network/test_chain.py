"""A bundle crosses three nodes: links and network of each, joined by a plain model of terminals and frames."""

from __future__ import annotations

from collections import deque
from heapq import heappop, heappush
from typing import Any

from flightos.core.configuration import NodeConfiguration, Role, TerminalConfiguration
from flightos.core.ids import content_id
from flightos.core.ports import (
    DropContent,
    NodeBooted,
    PointTerminal,
    TerminalReported,
    TerminalState,
    TimeSampled,
)
from flightos.core.records import Record, WakeupReached
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.services.links.interface import (
    AcknowledgementFrameReceived,
    BundleArrived,
    BundleForwarded,
    BundleFrameReceived,
    BundleHeader,
    BundleRepeated,
    BundleReturned,
    ForwardBundle,
    Hello,
    HelloFrameReceived,
    HoldOffRelays,
    LinkClosed,
    LinkOpened,
    SendBundleFrame,
    SendFrame,
)
from flightos.services.links.service import LinksService
from flightos.services.network.interface import (
    BundleKind,
    ConfirmDelivery,
    Contact,
    ContactPlan,
    ContactPlanActivated,
    OpenBundle,
    SendBundle,
)
from flightos.services.network.service import NetworkService

LIGHT_NS = 12 * NS_PER_MS
MODEM_NS = 10 * NS_PER_MS
ACQUISITION_NS = 15 * NS_PER_S
TAI_MINUS_OBT_NS = 2_000_000_000 * NS_PER_S
RECEIVERS: dict[type[Record], tuple[str, ...]] = {
    NodeBooted: ("network", "links"),
    TimeSampled: ("network", "links"),
    ContactPlanActivated: ("network", "links"),
    TerminalReported: ("links",),
    HelloFrameReceived: ("links",),
    AcknowledgementFrameReceived: ("links",),
    BundleFrameReceived: ("links",),
    ForwardBundle: ("links",),
    HoldOffRelays: ("links",),
    LinkOpened: ("network",),
    LinkClosed: ("network",),
    BundleArrived: ("network",),
    BundleRepeated: ("network",),
    BundleForwarded: ("network",),
    BundleReturned: ("network",),
    SendBundle: ("network",),
    ConfirmDelivery: ("network",),
}


class ModelNode:
    """Links and network of one node, and the records that left them."""

    def __init__(self, configuration: NodeConfiguration) -> None:
        self.services: dict[str, Any] = {
            "network": NetworkService(configuration),
            "links": LinksService(configuration),
        }
        self.sent: list[tuple[int, Record]] = []

    def handle(self, record: Record, now: int, only: str = "") -> list[Record]:
        """Run a record and all it causes; gives what leaves the two services."""
        out: list[Record] = []
        chain = deque([(record, (only,) if only else RECEIVERS[type(record)])])
        while chain:
            current, receivers = chain.popleft()
            for receiver in receivers:
                for made in self.services[receiver].handle(current, now):
                    if type(made) in RECEIVERS:
                        chain.append((made, RECEIVERS[type(made)]))
                    else:
                        out.append(made)
                        self.sent.append((now, made))
        return out

    def of(self, kind: type[Record]) -> list[Any]:
        return [record for _, record in self.sent if type(record) is kind]


class ModelWorld:
    """Nodes on one clock; a terminal tracks when both ends point at each other long enough."""

    def __init__(self, node_ids: tuple[int, ...], pairs: tuple[tuple[int, int], ...]) -> None:
        self.now = 0
        self.heap: list[tuple[int, int, int, Record]] = []
        self.sequence = 0
        self.nodes: dict[int, ModelNode] = {}
        self.terminal: dict[tuple[int, int], int] = {}
        self.pointed: dict[tuple[int, int], int] = {}
        self.down: dict[tuple[int, int], bool] = {}
        self.loses: Any = lambda source, destination, record: False
        for node_id in node_ids:
            peers = tuple(b if a == node_id else a for a, b in pairs if node_id in (a, b))
            terminals = tuple(
                TerminalConfiguration(i, "laser", (peer,), 10**11, ACQUISITION_NS, 1, 0, bytes(32))
                for i, peer in enumerate(peers)
            )
            for i, peer in enumerate(peers):
                self.terminal[node_id, peer] = i
            configuration = NodeConfiguration(node_id, f"n{node_id}", Role.SATELLITE, terminals, peers)
            self.nodes[node_id] = ModelNode(configuration)
        contacts = tuple(Contact(a, b, 0, 1 << 62, 10**11, LIGHT_NS) for a, b in pairs)
        self.plan = ContactPlan(contacts)
        for node_id in node_ids:
            self.put(0, node_id, NodeBooted(0, False))
            self.put(0, node_id, TimeSampled(TAI_MINUS_OBT_NS, 0))
            self.put(0, node_id, ContactPlanActivated(self.plan))

    def put(self, due: int, node_id: int, record: Record) -> None:
        self.sequence += 1
        heappush(self.heap, (due, node_id, self.sequence, record))

    def run(self, until: int) -> None:
        """Deliver what is due before `until`, wake-ups included."""
        while True:
            wakeups = [
                (due, node_id, name)
                for node_id in sorted(self.nodes)
                for name, service in self.nodes[node_id].services.items()
                if (due := service.next_wakeup_obt_ns()) is not None
            ]
            wakeup = min(wakeups, default=(1 << 63, 0, ""))
            due = self.heap[0][0] if self.heap else 1 << 63
            if min(due, wakeup[0]) >= until:
                self.now = until
                return
            if due <= wakeup[0]:
                self.now, node_id, _, record = heappop(self.heap)
                self.deliver(node_id, record, "")
            else:
                self.now = max(self.now, wakeup[0])
                self.deliver(wakeup[1], WakeupReached(), wakeup[2])

    def deliver(self, node_id: int, record: Record, only: str) -> None:
        for made in self.nodes[node_id].handle(record, self.now, only):
            self.act(node_id, made)

    def act(self, node_id: int, made: Record) -> None:
        if type(made) is PointTerminal:
            self.pointed[node_id, made.peer_id] = self.now
            report = TerminalReported(made.terminal_index, made.peer_id, TerminalState.POINTING, 0, 0)
            self.put(self.now, node_id, report)
            report = TerminalReported(made.terminal_index, made.peer_id, TerminalState.ACQUIRING, 0, 0)
            self.put(self.now, node_id, report)
            tracking = TerminalState.TRACKING
            report = TerminalReported(made.terminal_index, made.peer_id, tracking, LIGHT_NS, 10**11)
            self.put(self.now + ACQUISITION_NS, node_id, report)
        elif type(made) is SendFrame or type(made) is SendBundleFrame:
            self.carry(node_id, made)

    def carry(self, node_id: int, made: SendFrame | SendBundleFrame) -> None:
        peer = made.peer_id
        if self.down.get((node_id, peer)) or self.loses(node_id, peer, made):
            return
        index = self.terminal[peer, node_id]
        received: Record
        if isinstance(made, SendBundleFrame):
            size = len(made.body)
            stored = content_id(repr(made.bundle).encode())
            received = BundleFrameReceived(index, node_id, made.link_sequence, made.bundle, stored, size)
        elif isinstance(made.body, Hello):
            received = HelloFrameReceived(index, node_id, made.body)
        else:
            received = AcknowledgementFrameReceived(index, node_id, made.body.sequences)
        self.put(self.now + LIGHT_NS + MODEM_NS, peer, received)

    def cut(self, a: int, b: int, is_down: bool = True) -> None:
        """Frames between two nodes vanish, and both terminals lose each other (or find each other again)."""
        for node_id, peer in ((a, b), (b, a)):
            self.down[node_id, peer] = is_down
            if is_down:
                report = TerminalReported(self.terminal[node_id, peer], peer, TerminalState.LOST, 0, 0)
                self.put(self.now, node_id, report)

    def send(self, source: int, destination: int, **changes: Any) -> None:
        values: dict[str, Any] = {
            "destination_id": destination,
            "kind": BundleKind.TASK_RESULT,
            "body": b"result",
            "attachment_ids": (),
            "size_bytes": 1000,
            "priority": 1,
            "lifetime_ms": 3_600_000,
        }
        self.put(self.now, source, SendBundle(**(values | changes)))

    def opened(self, node_id: int) -> list[BundleHeader]:
        return [record.bundle for record in self.nodes[node_id].of(OpenBundle)]


def line() -> ModelWorld:
    """1 - 2 - 3, all lasers, permanent contacts."""
    world = ModelWorld((1, 2, 3), ((1, 2), (2, 3)))
    world.run(20 * NS_PER_S)
    return world


def ring(count: int = 6) -> ModelWorld:
    """A closed ring of nodes 1 to `count`."""
    node_ids = tuple(range(1, count + 1))
    pairs = tuple((i, i % count + 1) for i in node_ids)
    world = ModelWorld(node_ids, pairs)
    world.run(20 * NS_PER_S)
    return world


def test_a_bundle_crosses_a_relay() -> None:
    """A sends, B relays and lets go, C opens it once, two crossings later."""
    world = line()
    start = world.now
    world.send(1, 3)
    world.run(start + 2 * (LIGHT_NS + MODEM_NS) + 1)
    [bundle] = world.opened(3)
    assert bundle.source_id == 1
    assert bundle.hop_count == 2
    world.run(start + NS_PER_S)
    assert len(world.nodes[2].of(DropContent)) == 1
    for node_id in (1, 2, 3):
        assert world.nodes[node_id].services["network"].state.held == {}


def test_a_burst_crosses_in_order_of_priority() -> None:
    """Two hundred bundles pass the window of 16; urgent ones overtake those not yet handed to the link."""
    world = line()
    for index in range(200):
        world.send(1, 3, priority=3 if index >= 190 else 0)
    world.run(world.now + 5 * NS_PER_S)
    opened = world.opened(3)
    assert len(opened) == 200
    urgent = [place for place, bundle in enumerate(opened) if bundle.priority == 3]
    assert max(urgent) < 64
    assert len({bundle.key for bundle in opened}) == 200


def test_lost_frames_are_repeated_and_delivered_once() -> None:
    """Every third bundle frame and every fourth acknowledgement vanish: all arrive, none twice."""
    world = line()
    count = {"bundle": 0, "other": 0}

    def loses(source: int, destination: int, record: Record) -> bool:
        kind = "bundle" if type(record) is SendBundleFrame else "other"
        count[kind] += 1
        return count[kind] % (3 if kind == "bundle" else 4) == 0

    world.loses = loses
    for _ in range(50):
        world.send(1, 3)
    world.run(world.now + 60 * NS_PER_S)
    opened = world.opened(3)
    assert len(opened) == 50
    assert len({bundle.key for bundle in opened}) == 50
    assert world.nodes[1].services["links"].housekeeping().bundles_resent_count > 0


def test_a_cut_ring_is_gone_around() -> None:
    """Between 2 and 3 the laser is lost: the bundle from 1 to 3 goes 1-6-5-4-3, also when it had reached 2."""
    world = ring()
    world.cut(2, 3)
    world.run(world.now + NS_PER_S)
    world.send(1, 3)
    world.run(world.now + 3 * NS_PER_S)
    [bundle] = world.opened(3)
    assert bundle.source_id == 1
    for node_id in range(1, 7):
        assert world.nodes[node_id].services["network"].state.held == {}


def test_a_link_that_comes_back_carries_what_waited() -> None:
    """On a line there is no other way: the bundle waits for the laser, which is pointed again by itself."""
    world = line()
    world.cut(2, 3)
    world.run(world.now + NS_PER_S)
    world.send(1, 3)
    world.run(world.now + 10 * NS_PER_S)
    assert world.opened(3) == []
    world.cut(2, 3, is_down=False)
    world.run(world.now + 40 * NS_PER_S)
    assert len(world.opened(3)) == 1
