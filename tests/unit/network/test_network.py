"""Network, record by record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.ports import DropContent, NodeBooted, TimeSampled
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import ResetCounters
from flightos.services.health.interface import PeerDeclared, PeerRecovered
from flightos.services.links.interface import (
    BundleArrived,
    BundleForwarded,
    BundleHeader,
    BundleRepeated,
    BundleReturned,
    ForwardBundle,
    HoldOffRelays,
    LinkClosed,
    LinkOpened,
)
from flightos.services.network import forwarding, state
from flightos.services.network.custody import DTN_EPOCH_TAI_NS
from flightos.services.network.interface import (
    BUNDLE_DROPPED_EVENT,
    BUNDLE_SENT_AGAIN,
    BUNDLE_STORE_FULL,
    DICTIONARY,
    NEIGHBOUR_EXCLUDED,
    BundleDelivered,
    BundleDropped,
    BundleKind,
    ConfirmDelivery,
    Contact,
    ContactPlan,
    ContactPlanActivated,
    OpenBundle,
    SendBundle,
)
from flightos.services.network.service import NetworkService
from flightos.services.network.state import GRACE_NS, NetworkCounters, NetworkState
from flightos.services.telemetry.interface import ReportEvent
from flightos.wire.bundle import HOP_LIMIT

S = NS_PER_S
A, LEFT, RIGHT, GOAL = 1, 2, 3, 4
TAI = DTN_EPOCH_TAI_NS + 1000 * S
"""TAI minus on-board time."""
CONTENT = b"c" * 16


def contact(a: int, b: int, start: int, stop: int, light_ms: int = 10) -> Contact:
    return Contact(a, b, TAI + start * S, TAI + stop * S, 10**9, light_ms * 1_000_000)


DIAMOND = (
    contact(A, LEFT, 0, 100_000, 10),
    contact(A, RIGHT, 0, 100_000, 20),
    contact(LEFT, GOAL, 0, 100_000, 10),
    contact(RIGHT, GOAL, 0, 100_000, 20),
)
"""Two ways to the goal, the left one shorter."""


def network(*contacts: Contact, links: tuple[int, ...] = (LEFT, RIGHT)) -> NetworkService:
    """A booted node with this plan and these links open, at t = 0."""
    service = NetworkService(NodeConfiguration(A, "a", Role.SATELLITE, (), ()))
    service.handle(NodeBooted(0, False), 0)
    service.handle(TimeSampled(TAI, 0), 0)
    service.handle(ContactPlanActivated(ContactPlan(contacts or DIAMOND)), 0)
    for peer in links:
        service.handle(LinkOpened(peer, 1, 10**9), 0)
    return service


def send(service: NetworkService, now: int = 0, **changes: Any) -> Sequence[Record]:
    values: dict[str, Any] = {
        "destination_id": GOAL,
        "kind": BundleKind.PRODUCT,
        "body": b"body",
        "attachment_ids": (CONTENT,),
        "size_bytes": 1000,
        "priority": 1,
        "lifetime_ms": 3_600_000,
    }
    return service.handle(SendBundle(**(values | changes)), now)


def arrival(
    peer: int = LEFT, sequence: int = 0, destination: int = GOAL, hops: int = 1, kind: int = 5, life_ms: int = 10**7
) -> BundleArrived:  # fmt: skip
    """A bundle of node 9, made at DTN time 1,000,000 ms, which is t = 0."""
    header = BundleHeader(9, 1_000_000, sequence, destination, life_ms, kind, 0, hops)
    return BundleArrived(peer, header, bytes([sequence % 256]) * 16, 1000)


def of(records: Sequence[Record], kind: type[Record]) -> list[Any]:
    return [record for record in records if type(record) is kind]


def events(records: Sequence[Record]) -> list[int]:
    return [record.event_id for record in of(records, ReportEvent)]


def forwarded(records: Sequence[Record]) -> ForwardBundle:
    [request] = of(records, ForwardBundle)
    assert isinstance(request, ForwardBundle)
    return request


def wake_until(service: NetworkService, end: int) -> list[tuple[int, Record]]:
    """All wake-ups before `end`, with what they gave."""
    out: list[tuple[int, Record]] = []
    while (due := service.next_wakeup_obt_ns()) is not None and due < end:
        out += [(due, record) for record in service.handle(WakeupReached(), due)]
    return out


def test_a_bundle_gets_header_and_next_hop() -> None:
    """Creation in DTN time, sequences count up, the shorter way is taken."""
    service = network()
    request = forwarded(send(service, 5 * S))
    assert request.peer_id == LEFT
    assert request.bundle == BundleHeader(A, 1_005_000, 0, GOAL, 3_600_000, BundleKind.PRODUCT, 1, 1)
    assert (request.content_id, request.body, request.attachment_ids) == (b"", b"body", (CONTENT,))
    assert forwarded(send(service, 5 * S)).bundle.sequence == 1


def test_a_bundle_for_this_node_never_leaves() -> None:
    """It is delivered at once."""
    [delivered] = send(network(), destination_id=A)
    assert isinstance(delivered, BundleDelivered)
    assert (delivered.source_id, delivered.body) == (A, b"body")


def test_an_idle_network_asks_for_no_wakeup() -> None:
    """Neither at boot nor after everything was forwarded."""
    service = network()
    assert service.next_wakeup_obt_ns() is None
    request = forwarded(send(service))
    service.handle(BundleForwarded(LEFT, request.bundle.key), S)
    assert service.next_wakeup_obt_ns() is None
    assert service.state.held == {}


def test_a_contact_is_waited_for() -> None:
    """Nothing leaves before the link is open; nothing needs to be asked for again."""
    service = network(contact(A, LEFT, 500, 600), contact(LEFT, GOAL, 0, 9_000), links=())
    assert not send(service)
    assert wake_until(service, 500 * S) == []
    assert forwarded(service.handle(LinkOpened(LEFT, 1, 1), 501 * S)).peer_id == LEFT


def test_priority_then_age() -> None:
    """What waited leaves most urgent first, then oldest."""
    service = network(links=())
    for second, priority in ((1, 0), (2, 3), (3, 1), (4, 3)):
        send(service, second * S, priority=priority)
    out = service.handle(LinkOpened(LEFT, 1, 1), 9 * S)
    assert [request.bundle.sequence for request in of(out, ForwardBundle)] == [1, 3, 2, 0]


def test_a_neighbour_is_handed_a_bounded_number() -> None:
    """The next one follows each acknowledgement."""
    service = network()
    handed = sum(len(of(send(service), ForwardBundle)) for _ in range(50))
    assert handed == state.HANDED_COUNT_MAX
    assert service.housekeeping().bundles_waiting == 50 - handed
    out = service.handle(BundleForwarded(LEFT, (A, 1_000_000, 0)), 0)
    assert forwarded(out).bundle.sequence == handed


def test_a_relay_frees_its_copy() -> None:
    """Stored bytes are forwarded by content id, and dropped with the hop acknowledgement."""
    service = network(contact(A, LEFT, 0, 9_000), contact(A, GOAL, 0, 9_000), links=(LEFT, GOAL))
    request = forwarded(service.handle(arrival(), 0))
    assert (request.peer_id, request.bundle.hop_count, request.content_id) == (GOAL, 2, bytes(16))
    out = service.handle(BundleForwarded(GOAL, request.bundle.key), 0)
    assert out == [DropContent(bytes(16))]


def test_a_delivered_bundle_is_opened_once() -> None:
    """A second copy is dropped; a product is opened again, because its acknowledgement may be lost."""
    service = network()
    assert of(service.handle(arrival(destination=A), 0), OpenBundle)
    assert service.handle(arrival(destination=A), 0) == (DropContent(bytes(16)),)
    product = arrival(destination=A, sequence=1, kind=int(BundleKind.PRODUCT))
    assert of(service.handle(product, 0), OpenBundle)
    assert of(service.handle(product, 0), OpenBundle)
    assert service.housekeeping().duplicates_count == 2
    assert service.housekeeping().bundles_delivered_count == 2


def test_the_table_of_seen_bundles_is_bounded() -> None:
    """The oldest is forgotten."""
    service = network()
    for sequence in range(state.SEEN_COUNT_MAX + 5):
        service.handle(arrival(destination=A, sequence=sequence), 0)
    assert len(service.state.seen) == state.SEEN_COUNT_MAX
    assert next(iter(service.state.seen)) == (9, 1_000_000, 5)


def test_it_is_not_sent_back_while_another_way_exists() -> None:
    """From LEFT it goes on to the right although left is shorter; with the right way gone it goes back."""
    service = network()
    assert forwarded(service.handle(arrival(LEFT), 0)).peer_id == RIGHT
    service.handle(LinkClosed(RIGHT, False), S)
    assert forwarded(service.handle(arrival(LEFT, 1), 2 * S)).peer_id == LEFT


def test_a_lost_link_is_gone_around_until_it_opens() -> None:
    """The returned bundle takes the other way; the exclusion ends with the link's return."""
    service = network()
    request = forwarded(send(service))
    out = service.handle(LinkClosed(LEFT, False), S)
    assert events(out) == [NEIGHBOUR_EXCLUDED.id]
    out = service.handle(BundleReturned(LEFT, request.bundle.key, int(Refusal.NO_ROUTE)), S)
    assert forwarded(out).peer_id == RIGHT
    service.handle(LinkOpened(LEFT, 1, 1), 2 * S)
    assert forwarded(send(service, 3 * S)).peer_id == LEFT


def test_a_planned_end_excludes_nobody() -> None:
    """The bundle waits for the next contact of the plan."""
    service = network(
        contact(A, LEFT, 0, 50), contact(A, LEFT, 80, 200), contact(LEFT, GOAL, 0, 9_000), links=(LEFT,)
    )
    service.handle(LinkClosed(LEFT, True), 50 * S)
    assert not send(service, 51 * S)
    assert service.state.excluded == {}
    assert forwarded(service.handle(LinkOpened(LEFT, 1, 1), 81 * S)).peer_id == LEFT


def test_a_contact_that_never_opens_is_given_up_after_a_grace() -> None:
    """The other way is taken, once, by itself."""
    service = network(links=(RIGHT,))
    assert not send(service, S)
    out = wake_until(service, 2 * GRACE_NS)
    assert [(due, type(record)) for due, record in out] == [
        (GRACE_NS, ReportEvent),
        (GRACE_NS, ForwardBundle),
    ]


def test_a_returned_bundle_is_not_handed_back_in_the_same_breath() -> None:
    """A full queue: pause of a second, then again; otherwise both services would turn in a circle."""
    service = network()
    request = forwarded(send(service))
    assert not service.handle(BundleReturned(LEFT, request.bundle.key, int(Refusal.QUEUE_FULL)), S)
    [(due, again)] = wake_until(service, 10 * S)
    assert due == S + state.RETRY_NS
    assert isinstance(again, ForwardBundle)


def test_a_declared_peer_is_avoided_until_it_recovers() -> None:
    """Also when it is not a neighbour."""
    service = network()
    service.handle(PeerDeclared(LEFT), S)
    assert forwarded(send(service, S)).peer_id == RIGHT
    service.handle(PeerRecovered(LEFT, 1), 2 * S)
    assert forwarded(send(service, 3 * S)).peer_id == LEFT


def test_missing_bytes_end_a_bundle() -> None:
    """The source hears which content it was."""
    service = network()
    request = forwarded(send(service))
    out = service.handle(BundleReturned(LEFT, request.bundle.key, int(Refusal.UNKNOWN_CONTENT)), S)
    dropped = BundleDropped(request.bundle.key, BundleKind.PRODUCT, int(Refusal.UNKNOWN_CONTENT), (CONTENT,))
    assert of(out, BundleDropped) == [dropped]
    assert events(out) == [BUNDLE_DROPPED_EVENT.id]
    assert service.state.held == {}


def test_lifetime_ends_a_waiting_bundle() -> None:
    """At its time, by a wake-up; a relayed one frees its bytes, and one that comes too late is not taken."""
    service = network(links=(9,))
    send(service, lifetime_ms=20_000)
    service.handle(arrival(LEFT, life_ms=10_000), 0)
    out = wake_until(service, 25 * S)
    assert [(due // S, type(record)) for due, record in out] == [
        (10, ReportEvent), (10, DropContent), (20, ReportEvent), (20, BundleDropped)
    ]  # fmt: skip
    out_late = service.handle(arrival(LEFT, life_ms=10_000), 25 * S)
    assert of(out_late, DropContent)
    assert service.housekeeping().dropped_lifetime_count == 3


def test_the_hop_limit_ends_a_bundle() -> None:
    """It has crossed as many links as the wire allows."""
    service = network()
    assert forwarded(service.handle(arrival(LEFT, 0, hops=HOP_LIMIT - 1), 0))
    out = service.handle(arrival(LEFT, 1, hops=HOP_LIMIT), 0)
    assert of(out, DropContent)
    assert not of(out, ForwardBundle)
    assert service.housekeeping().dropped_hop_limit_count == 1


def test_retention_until_the_end_to_end_acknowledgement() -> None:
    """Kept after the hop; sent again when nobody answers, later each time; released by the confirmation."""
    service = network()
    key = forwarded(send(service, wants_acknowledgement=True, lifetime_ms=10**8)).bundle.key
    now = 0
    pauses = []
    for _ in range(6):
        service.handle(BundleForwarded(LEFT, key), now)
        assert service.housekeeping().bundles_unconfirmed == 1
        out = wake_until(service, now + 4000 * S)
        assert events([record for _, record in out]) == [BUNDLE_SENT_AGAIN.id]
        assert forwarded([record for _, record in out]).bundle.key == key
        pauses.append((out[-1][0] - now) // S)
        now = out[-1][0]
    assert pauses == [120, 240, 480, 960, 1800, 1800]
    service.handle(BundleForwarded(LEFT, key), now)
    assert service.handle(ConfirmDelivery(key), now) == []
    assert service.state.held == {}
    assert service.next_wakeup_obt_ns() is None


def test_confirmation_finds_the_bundle_wherever_it_is() -> None:
    """Waiting, being forwarded, or gone."""
    service = network(links=())
    send(service, wants_acknowledgement=True)
    service.handle(ConfirmDelivery((A, 1_000_000, 0)), 0)
    assert service.state.held == {}
    assert service.state.queues == {}
    service = network()
    key = forwarded(send(service, wants_acknowledgement=True)).bundle.key
    service.handle(ConfirmDelivery(key), 0)
    assert service.handle(BundleForwarded(LEFT, key), 0) == []
    assert service.state.held == {}
    service.handle(ConfirmDelivery(key), 0)
    assert service.housekeeping().records_unknown_count == 1


def test_a_bundle_that_comes_back_goes_another_way() -> None:
    """LEFT could not bring it further: the source, which still keeps it, sends it to the right."""
    service = network()
    key = forwarded(send(service, wants_acknowledgement=True)).bundle.key
    service.handle(BundleForwarded(LEFT, key), S)
    back = BundleArrived(LEFT, BundleHeader(*key, GOAL, 3_600_000, 7, 1, 2), b"x" * 16, 1000)
    out = service.handle(back, 2 * S)
    assert of(out, DropContent) == [DropContent(b"x" * 16)]
    assert forwarded(out).peer_id == RIGHT


def test_a_bundle_that_overtakes_its_acknowledgement_goes_another_way() -> None:
    """The neighbour handed it back before we heard that it had taken it: we hold the only copy."""
    service = network()
    key = forwarded(send(service)).bundle.key
    back = BundleArrived(LEFT, BundleHeader(*key, GOAL, 3_600_000, 7, 1, 2), b"x" * 16, 1000)
    assert not of(service.handle(back, S), ForwardBundle)
    assert forwarded(service.handle(BundleForwarded(LEFT, key), 2 * S)).peer_id == RIGHT


def test_repeated_bytes_are_dropped_unless_held() -> None:
    """The edge stored them again; a held bundle still needs them."""
    service = network()
    service.handle(arrival(LEFT), 0)
    assert service.handle(BundleRepeated((9, 1_000_000, 0), bytes(16)), 0) == ()
    assert service.handle(BundleRepeated((9, 1_000_000, 7), b"z" * 16), 0) == (DropContent(b"z" * 16),)


def test_a_full_table_refuses_and_holds_relays_off(monkeypatch: pytest.MonkeyPatch) -> None:
    """At the limit links is told; own bundles are refused with an event; room is announced again."""
    monkeypatch.setattr(forwarding, "HELD_COUNT_MAX", 16)
    service = network(links=())
    out: Sequence[Record] = ()
    for _ in range(16):
        assert not of(out, HoldOffRelays)
        out = send(service)
    assert out == [HoldOffRelays(True)]
    out = send(service)
    assert events(out) == [BUNDLE_STORE_FULL.id]
    [dropped] = of(out, BundleDropped)
    assert (dropped.refusal, dropped.attachment_ids) == (int(Refusal.STORE_FULL), (CONTENT,))
    assert of(service.handle(arrival(), 0), DropContent)
    service.handle(LinkOpened(LEFT, 1, 1), 0)
    assert not of(service.handle(BundleForwarded(LEFT, (A, 1_000_000, 0)), 0), HoldOffRelays)
    assert of(service.handle(BundleForwarded(LEFT, (A, 1_000_000, 1)), 0), HoldOffRelays) == [
        HoldOffRelays(False)
    ]
    assert service.housekeeping().refused_store_full_count == 2


def test_bytes_are_bounded_too() -> None:
    """One bundle that is larger than everything is refused."""
    assert of(send(network(), size_bytes=state.HELD_BYTES_MAX), BundleDropped)


def test_routes_are_kept_while_they_are_right() -> None:
    """A thousand bundles, one computation; a topology fact asks for a second."""
    service = network()
    for second in range(1000):
        request = forwarded(send(service, second * S))
        service.handle(BundleForwarded(LEFT, request.bundle.key), second * S)
    assert service.housekeeping().routes_computed_count == 1
    service.handle(PeerDeclared(RIGHT), 1000 * S)
    send(service, 1000 * S)
    assert service.housekeeping().routes_computed_count == 2


def test_a_snapshot_behaves_like_the_original() -> None:
    """State that went through MessagePack gives the same records; a restart goes on with higher sequences."""
    ours, theirs = network(), network()
    for service in (ours, theirs):
        for number in range(40):
            send(service, number, priority=number % 4, wants_acknowledgement=number % 2 == 0)
        service.handle(arrival(RIGHT), 50)
        service.handle(LinkClosed(LEFT, False), S)
    theirs.state = msgspec.msgpack.decode(msgspec.msgpack.encode(theirs.state), type=NetworkState)
    for number in range(40):
        for refusal in (BundleReturned(LEFT, (A, 1_000_000, number), int(Refusal.NO_ROUTE)),):
            assert ours.handle(refusal, 2 * S) == theirs.handle(refusal, 2 * S)
    assert wake_until(ours, 7200 * S) == wake_until(theirs, 7200 * S)
    assert ours.state == theirs.state
    theirs.handle(NodeBooted(3, True), 7300 * S)
    assert theirs.state.next_sequence == 3 << 32


def test_counters_are_those_of_housekeeping_and_can_be_reset() -> None:
    """Names and order agree; levels survive the reset."""
    service = network()
    send(service)
    names = NetworkCounters.__struct_fields__
    fields = tuple(field.name for field in DICTIONARY.housekeeping.fields)
    assert fields[: len(names)] == names
    assert service.housekeeping().bundles_made_count == 1
    service.handle(ResetCounters(), 0)
    keeping = service.housekeeping()
    assert keeping.bundles_made_count == 0
    assert (keeping.bundles_forwarding, keeping.links_open, keeping.contacts_known) == (1, 2, 4)
