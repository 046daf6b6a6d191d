"""Network, record by record: how bundles begin and end here, limits, restart."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from flightos.core.ports import DropContent, NodeBooted
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.services.commanding.interface import ResetCounters
from flightos.services.links.interface import (
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
from flightos.services.network.interface import (
    BUNDLE_DROPPED_EVENT,
    BUNDLE_SENT_AGAIN,
    BUNDLE_STORE_FULL,
    DICTIONARY,
    BundleDelivered,
    BundleDropped,
    BundleKind,
    ConfirmDelivery,
    OpenBundle,
)
from flightos.services.network.state import NetworkCounters, NetworkState
from flightos.services.telemetry.interface import ReportEvent
from flightos.wire.bundle import HOP_LIMIT
from tests.unit.network.model import (
    CONTENT,
    GOAL,
    LEFT,
    RIGHT,
    A,
    S,
    arrival,
    contact,
    events,
    forwarded,
    network,
    of,
    send,
    wake_until,
)


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
