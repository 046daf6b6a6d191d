"""Whatever links, neighbours and time do, network's books are right and no bundle vanishes."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.ports import NodeBooted, TimeSampled
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.health.interface import PeerDeclared, PeerRecovered
from flightos.services.links.interface import (
    BundleArrived,
    BundleForwarded,
    BundleHeader,
    BundleReturned,
    ForwardBundle,
    LinkClosed,
    LinkOpened,
)
from flightos.services.network import custody
from flightos.services.network.custody import DTN_EPOCH_TAI_NS, Custody
from flightos.services.network.interface import (
    BundleDropped,
    BundleKind,
    ConfirmDelivery,
    Contact,
    ContactPlan,
    ContactPlanActivated,
    SendBundle,
)
from flightos.services.network.service import NetworkService

TAI = DTN_EPOCH_TAI_NS + 10**12
FAR = TAI + 10**15
PLAN = ContactPlan(
    tuple(
        Contact(a, b, TAI, FAR, 1, light)
        for a, b, light in ((1, 2, 10), (1, 3, 20), (2, 4, 10), (3, 4, 10), (2, 3, 50))
    )
)

STEPS = (
    *("send", "send", "keep", "arrive", "arrive", "done", "done", "back"),
    *("confirm", "wake", "pass", "open", "close", "declare", "recover"),
)
steps = st.lists(
    st.tuples(
        st.sampled_from(STEPS),
        st.integers(2, 3),
        st.integers(0, 3),
    ),
    max_size=80,
)


def check_books(network: NetworkService, handed: list[ForwardBundle]) -> None:
    """Queues, table and levels tell the same."""
    state = network.state
    waiting = sorted(key for key, held in state.held.items() if held.custody is Custody.WAITING)
    queued = [custody.key_of(entry) for queue in state.queues.values() for entry in queue]
    assert sorted(queued) == waiting
    assert all(queue == sorted(queue) and queue for queue in state.queues.values())
    forwarding = sorted(key for key, held in state.held.items() if held.custody is Custody.FORWARDING)
    assert forwarding == sorted(request.bundle.key for request in handed)
    assert sum(state.handed_count.values()) == len(handed)
    assert state.held_bytes == sum(held.size_bytes for held in state.held.values())
    if state.held:
        assert waiting == [] or network.next_wakeup_obt_ns() is not None


@given(history=steps)
@settings(max_examples=100, deadline=None)
def test_no_bundle_vanishes(history: list[tuple[str, int, int]]) -> None:
    """Each own bundle is held, or was acknowledged by a neighbour, confirmed, or dropped with a reason."""
    network = NetworkService(NodeConfiguration(1, "one", Role.SATELLITE, (), ()))
    now = 0
    handed: list[ForwardBundle] = []
    made: list[tuple[int, int, int]] = []
    ended: dict[tuple[int, int, int], None] = {}
    opened: dict[int, None] = {}

    def take(out: Sequence[Record]) -> None:
        for record in out:
            if isinstance(record, ForwardBundle):
                assert record.peer_id in opened
                handed.append(record)
            elif isinstance(record, BundleDropped):
                ended[record.bundle_key] = None

    def give(record: Record) -> None:
        take(network.handle(record, now))

    for record in (NodeBooted(0, False), TimeSampled(TAI, 0), ContactPlanActivated(PLAN)):
        give(record)
    for step, peer, number in history:
        if step in ("send", "keep"):
            made.append((1, (now + 10**12) // 10**6, network.state.next_sequence))
            give(SendBundle(4, BundleKind.TASK_RESULT, b"", (), 10, number, 60_000, step == "keep"))
        elif step == "arrive":
            header = BundleHeader(9, 10**6, number, 4, 600_000, 5, 0, 1)
            give(BundleArrived(peer, header, bytes([peer, number] * 8), 10))
        elif step in ("done", "back") and handed:
            request = handed.pop(number % len(handed))
            key = request.bundle.key
            if step == "done":
                give(BundleForwarded(request.peer_id, key))
                if key not in network.state.held:
                    ended[key] = None
            else:
                give(BundleReturned(request.peer_id, key, int(Refusal.QUEUE_FULL)))
        elif step == "confirm" and made:
            ended[made[number % len(made)]] = None
            give(ConfirmDelivery(made[number % len(made)]))
        elif step == "wake" and (due := network.next_wakeup_obt_ns()) is not None:
            now = max(now, due)
            take(network.handle(WakeupReached(), now))
        elif step == "pass":
            now += number * NS_PER_S
        elif step == "open":
            opened[peer] = None
            give(LinkOpened(peer, 1, 1))
        elif step == "close" and peer in opened:
            del opened[peer]
            give(LinkClosed(peer, number > 1))
            for request in [request for request in handed if request.peer_id == peer]:
                handed.remove(request)
                give(BundleReturned(peer, request.bundle.key, int(Refusal.NO_ROUTE)))
        elif step == "declare":
            give(PeerDeclared(peer))
        elif step == "recover":
            give(PeerRecovered(peer, 0))
        check_books(network, handed)
        for key in made:
            assert key in network.state.held or key in ended
