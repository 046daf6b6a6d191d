"""Network, record by record: which bundle leaves next, and to whom."""

from __future__ import annotations

from flightos.core.ports import DropContent
from flightos.core.refusal import Refusal
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
from flightos.services.network import state
from flightos.services.network.interface import (
    NEIGHBOUR_EXCLUDED,
)
from flightos.services.network.state import GRACE_NS
from flightos.services.telemetry.interface import ReportEvent
from tests.unit.network.model import (
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
