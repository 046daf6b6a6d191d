"""Links, record by record: terminals, hellos, opening and closing."""

from __future__ import annotations

from typing import Any

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.ports import NodeBooted, PointTerminal, TerminalState
from flightos.core.records import Record, WakeupReached
from flightos.services.links import hops
from flightos.services.links.interface import (
    LINK_CLOSED_EVENT,
    LINK_LOST_EVENT,
    TERMINAL_TRANSITION_UNEXPECTED,
    Hello,
    HelloFrameReceived,
    HelloReceived,
    LinkClosed,
    LinkOpened,
    OfferGossip,
    SendFrame,
)
from flightos.services.links.service import SILENCE_NS_MAX, LinksService
from flightos.services.links.terminals import RETRY_NS
from flightos.services.telemetry.interface import ReportEvent
from tests.unit.links.model import (
    LEFT,
    LIGHT,
    LOST,
    OTHER_STATION,
    RIGHT,
    STATION,
    TRACKING,
    S,
    booted,
    configuration,
    of,
    opened,
    plan,
    report,
    terminal,
    tick,
)


def test_lasers_point_at_their_neighbours_at_boot() -> None:
    """The radio stays stowed: no contact is known."""
    out = LinksService(configuration()).handle(NodeBooted(0, False), 7)
    assert list(out) == [PointTerminal(0, LEFT), PointTerminal(1, RIGHT)]


def test_a_laser_without_neighbour_stays_stowed() -> None:
    """At the end of a string the first terminal has no peer, the second has the only neighbour."""
    terminals = (terminal(0, "laser", (), 15), terminal(1, "laser", (RIGHT,), 15))
    service = LinksService(NodeConfiguration(1, "end", Role.SATELLITE, terminals, (RIGHT,)))
    assert list(service.handle(NodeBooted(0, False), 0)) == [PointTerminal(1, RIGHT)]


def test_tracking_says_hello_and_the_answer_opens() -> None:
    """Hello at once; LinkOpened only with the neighbour's hello, which is passed on."""
    service = booted()
    out = service.handle(report(TRACKING), 20 * S + 5)
    assert list(out) == [SendFrame(0, LEFT, Hello(0, 20 * S + 5))]
    out = service.handle(HelloFrameReceived(0, LEFT, Hello(4, 99, b"g")), 20 * S + 9)
    assert list(out)[:2] == [LinkOpened(LEFT, LIGHT, 10**9), HelloReceived(LEFT, 4, 99, b"g")]


def test_hellos_leave_at_whole_seconds_with_the_gossip_of_the_second() -> None:
    """Offers are concatenated, sent once, and only to lasers that are open."""
    service = opened()
    service.handle(OfferGossip(0, b"ab"), 20 * S + 1)
    service.handle(OfferGossip(LEFT, b"cd"), 20 * S + 2)
    due, out = tick(service)
    assert due == 21 * S
    assert of(out, SendFrame) == [SendFrame(0, LEFT, Hello(0, 21 * S, b"abcd"))]
    service.handle(HelloFrameReceived(0, LEFT, Hello(0, 6)), 21 * S)
    due, out = tick(service)
    assert of(out, SendFrame) == [SendFrame(0, LEFT, Hello(0, 22 * S, b""))]


def test_gossip_is_bounded() -> None:
    """What does not fit into the next hello, or has no open link, is refused, counted and an event."""
    service = opened()
    service.handle(OfferGossip(LEFT, bytes(hops.GOSSIP_BYTES_MAX)), 20 * S)
    assert of(service.handle(OfferGossip(0, b"x"), 20 * S), ReportEvent)
    assert of(service.handle(OfferGossip(RIGHT, b"x"), 20 * S), ReportEvent)
    assert service.housekeeping().gossip_refused_count == 2


def test_silence_closes_and_a_hello_opens_again() -> None:
    """The terminal tracks all the time; five silent seconds are the limit."""
    service = opened()
    closed: list[tuple[int, Any]] = []
    for _ in range(7):
        due, out = tick(service)
        closed += [(due, record) for record in of(out, LinkClosed)]
    assert closed == [(20 * S + SILENCE_NS_MAX + S, LinkClosed(LEFT, False))]
    out = service.handle(HelloFrameReceived(0, LEFT, Hello(0, 5)), 28 * S)
    assert of(out, LinkOpened)


def test_loss_closes_and_points_again() -> None:
    """No plan says that the link should end: unplanned; after a pause the terminal is pointed anew."""
    service = opened()
    out = service.handle(report(LOST), 30 * S)
    assert of(out, LinkClosed) == [LinkClosed(LEFT, False)]
    assert [event.event_id for event in of(out, ReportEvent)] == [LINK_LOST_EVENT.id]
    service.handle(report(TerminalState.POINTING, 1, RIGHT), 30 * S)
    pointed = []
    for _ in range(8):
        due, out = tick(service)
        pointed += [(due, record) for record in of(out, PointTerminal)]
    assert pointed == [(30 * S + RETRY_NS, PointTerminal(0, LEFT))]


def test_an_absent_transition_changes_nothing_and_is_reported() -> None:
    """What was never acquired cannot be lost."""
    service = booted()
    service.handle(report(TerminalState.POINTING), S)
    out = service.handle(report(LOST), S)
    assert out == (ReportEvent(TERMINAL_TRANSITION_UNEXPECTED.id, (0, TerminalState.POINTING, LOST)),)
    assert service.state.terminals[0].state is TerminalState.POINTING
    assert service.housekeeping().transitions_unexpected_count == 1


def test_a_report_about_another_peer_is_stale() -> None:
    """The world answers later than the terminal was turned: such a report is counted and ignored."""
    service = opened()
    assert service.handle(report(LOST, 0, RIGHT), 21 * S) == ()
    assert service.state.links[LEFT].opened
    assert service.housekeeping().reports_stale_count == 1


def test_the_radio_follows_the_contact_plan() -> None:
    """Pointed an acquisition before each contact, stowed after it; of two that overlap the first is kept."""
    service = booted()
    service.handle(plan((STATION, 100, 200), (OTHER_STATION, 150, 300), (STATION, 500, 600)), 0)
    pointed = []
    while (due := service.next_wakeup_obt_ns()) is not None and due < 700 * S:
        for record in of(service.handle(WakeupReached(), due), PointTerminal):
            if record.terminal_index == 2:
                pointed.append((due // S, record.peer_id))
                service.handle(report(TerminalState.POINTING, 2, record.peer_id), due)
    assert pointed == [(90, STATION), (200, OTHER_STATION), (300, 0), (490, STATION), (600, 0)]


def test_the_end_of_a_contact_is_planned() -> None:
    """Stowing closes the link at once, although the driver says nothing more."""
    service = booted()
    service.handle(plan((STATION, 50, 60)), 0)
    while (due := service.next_wakeup_obt_ns()) is not None and due <= 45 * S:
        service.handle(WakeupReached(), due)
    service.handle(report(TRACKING, 2, STATION), 51 * S)
    service.handle(HelloFrameReceived(2, STATION, Hello(0, 1)), 51 * S)
    closed: list[Record] = []
    while (due := service.next_wakeup_obt_ns()) is not None and due <= 60 * S:
        out = service.handle(WakeupReached(), due)
        service.handle(HelloFrameReceived(2, STATION, Hello(0, 1)), due)
        closed += [r for r in out if type(r) in (LinkClosed, PointTerminal, ReportEvent)]
    stowed = [LinkClosed(STATION, True), ReportEvent(LINK_CLOSED_EVENT.id, (STATION,)), PointTerminal(2, 0)]
    assert closed[-3:] == stowed
    assert service.handle(HelloFrameReceived(2, STATION, Hello(0, 1)), 61 * S) == ()


def test_a_plan_says_when_a_loss_was_planned() -> None:
    """Lost in the middle of a contact: unplanned. Lost at its end: planned."""
    for moment, planned in ((150 * S, False), (199 * S, True), (250 * S, True)):
        service = opened()
        service.handle(plan((LEFT, 0, 200)), 20 * S)
        assert of(service.handle(report(LOST), moment), LinkClosed) == [LinkClosed(LEFT, planned)]


def test_a_wire_is_tracked_from_boot() -> None:
    """Station and ground: hello at boot, no pointing, hellos every second."""
    wire = (terminal(0, "wire", (1000,), 0),)
    service = LinksService(NodeConfiguration(STATION, "station", Role.STATION, wire, ()))
    assert list(service.handle(NodeBooted(0, False), 5)) == [SendFrame(0, 1000, Hello(0, 5))]
    out = service.handle(HelloFrameReceived(0, 1000, Hello(0, 5)), 6)
    assert of(out, LinkOpened) == [LinkOpened(1000, 0, 10**9)]
    assert service.next_wakeup_obt_ns() == S
