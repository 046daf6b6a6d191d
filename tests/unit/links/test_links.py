"""Links, record by record."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from flightos.core.configuration import NodeConfiguration, Role, TerminalConfiguration
from flightos.core.ports import NodeBooted, PointTerminal, TerminalReported, TerminalState, TimeSampled
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.services.commanding.interface import ResetCounters
from flightos.services.links import hops
from flightos.services.links.interface import (
    DICTIONARY,
    FRAME_REJECTED_EVENT,
    LINK_CLOSED_EVENT,
    LINK_LOST_EVENT,
    LINK_QUEUE_FULL,
    TERMINAL_TRANSITION_UNEXPECTED,
    AcknowledgementFrameReceived,
    BundleArrived,
    BundleBytesMissing,
    BundleForwarded,
    BundleFrameReceived,
    BundleHeader,
    BundleRepeated,
    BundleReturned,
    ForwardBundle,
    FrameRejected,
    Hello,
    HelloFrameReceived,
    HelloReceived,
    HoldOffRelays,
    HopAcknowledgement,
    LinkClosed,
    LinkOpened,
    OfferGossip,
    SendBundleFrame,
    SendFrame,
)
from flightos.services.links.service import SILENCE_NS_MAX, LinksService
from flightos.services.links.state import LinksCounters, LinksState
from flightos.services.links.terminals import RETRY_NS
from flightos.services.network.interface import Contact, ContactPlan, ContactPlanActivated
from flightos.services.telemetry.interface import ReportEvent

S = NS_PER_S
NODE, LEFT, RIGHT, STATION, OTHER_STATION = 2, 1, 3, 1001, 1002
LIGHT = 12 * NS_PER_MS
TAI = 1000 * S
TRACKING, LOST = TerminalState.TRACKING, TerminalState.LOST


def terminal(index: int, kind: str, peers: tuple[int, ...], acquisition_s: int) -> TerminalConfiguration:
    return TerminalConfiguration(index, kind, peers, 10**9, acquisition_s * S, 1, 1, bytes(32))


def configuration() -> NodeConfiguration:
    """A satellite with two lasers and a radio."""
    terminals = (
        terminal(0, "laser", (LEFT,), 15),
        terminal(1, "laser", (RIGHT,), 15),
        terminal(2, "radio", (STATION, OTHER_STATION), 10),
    )
    return NodeConfiguration(NODE, "two", Role.SATELLITE, terminals, (LEFT, RIGHT))


def booted() -> LinksService:
    service = LinksService(configuration())
    service.handle(NodeBooted(0, False), 0)
    service.handle(TimeSampled(TAI, 0), 0)
    return service


def report(state: TerminalState, index: int = 0, peer: int = LEFT) -> TerminalReported:
    is_tracking = state is TRACKING
    return TerminalReported(index, peer, state, LIGHT if is_tracking else 0, 10**9 if is_tracking else 0)


def opened() -> LinksService:
    """The link to LEFT is open at t = 20 s."""
    service = booted()
    service.handle(report(TRACKING), 20 * S)
    service.handle(HelloFrameReceived(0, LEFT, Hello(0, 5)), 20 * S)
    return service


def request(number: int, size_bytes: int = 1000, destination: int = 9) -> ForwardBundle:
    header = BundleHeader(NODE, 1, number, destination, 1000, 5, 0)
    return ForwardBundle(LEFT, header, b"", b"body", (), size_bytes)


def received(sequence: int, destination: int = 9) -> BundleFrameReceived:
    header = BundleHeader(LEFT, 1, sequence, destination, 1000, 5, 0)
    return BundleFrameReceived(0, LEFT, sequence, header, b"c" * 16, 1000)


def of(records: Sequence[Record], kind: type[Record]) -> list[Any]:
    return [record for record in records if type(record) is kind]


def tick(service: LinksService) -> tuple[int, Sequence[Record]]:
    """Deliver the wake-up that the service asked for."""
    due = service.next_wakeup_obt_ns()
    assert due is not None
    return due, service.handle(WakeupReached(), due)


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


def plan(*contacts: tuple[int, int, int]) -> ContactPlanActivated:
    """(peer, start, stop) in seconds of on-board time."""
    made = tuple(Contact(NODE, peer, TAI + start * S, TAI + stop * S, 1, 1) for peer, start, stop in contacts)
    return ContactPlanActivated(ContactPlan(made))


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


def test_bundles_pass_a_bounded_window() -> None:
    """Sixteen fly; each acknowledgement frees its bundle and lets the next go."""
    service = opened()
    sent = []
    for number in range(20):
        sent += of(service.handle(request(number), 20 * S), SendBundleFrame)
    assert [frame.link_sequence for frame in sent] == list(range(hops.WINDOW_COUNT_MAX))
    out = service.handle(AcknowledgementFrameReceived(0, LEFT, (3, 5, 77)), 20 * S)
    assert of(out, BundleForwarded) == [
        BundleForwarded(LEFT, (NODE, 1, 3)),
        BundleForwarded(LEFT, (NODE, 1, 5)),
    ]
    assert [frame.link_sequence for frame in of(out, SendBundleFrame)] == [16, 17]
    keeping = service.housekeeping()
    assert (keeping.flying_bundle_count, keeping.queue_bundle_count) == (16, 2)
    assert keeping.acknowledgements_unknown_count == 1


def test_the_window_is_bounded_in_bytes() -> None:
    """Bundles larger than half the window fly one by one."""
    service = opened()
    size = hops.WINDOW_BYTES_MAX // 2 + 1
    assert of(service.handle(request(0, size), 20 * S), SendBundleFrame)
    assert not of(service.handle(request(1, size), 20 * S), SendBundleFrame)
    assert of(service.handle(AcknowledgementFrameReceived(0, LEFT, (0,)), 20 * S), SendBundleFrame)


@pytest.mark.parametrize("size_bytes", [1, hops.QUEUE_BYTES_MAX // 100])
def test_a_full_queue_returns(size_bytes: int) -> None:
    """By count or by bytes: the bundle goes back to network, counted, with an event."""
    service = opened()
    for number in range(10_000):
        out = service.handle(request(number, size_bytes), 20 * S)
        if of(out, BundleReturned):
            break
    assert of(out, BundleReturned) == [BundleReturned(LEFT, (NODE, 1, number), int(Refusal.QUEUE_FULL))]
    assert [event.event_id for event in of(out, ReportEvent)] == [LINK_QUEUE_FULL.id]
    keeping = service.housekeeping()
    assert keeping.returned_queue_full_count == 1
    assert keeping.queue_bundle_count <= hops.QUEUE_COUNT_MAX
    assert keeping.queue_bytes <= hops.QUEUE_BYTES_MAX


def test_an_unacknowledged_bundle_is_repeated_then_returned() -> None:
    """Three times in all, each after round trip and margin; the link itself lives on."""
    service = opened()
    service.handle(request(0, 125_000), 20 * S)
    first = 20 * S + 2 * (LIGHT + 10 * NS_PER_MS) + NS_PER_MS + hops.ACKNOWLEDGEMENT_MARGIN_NS
    assert service.next_wakeup_obt_ns() == first
    sent: list[Any] = []
    back: list[Any] = []
    for _ in range(6):
        due, out = tick(service)
        service.handle(HelloFrameReceived(0, LEFT, Hello(0, 5)), due)
        sent += of(out, SendBundleFrame)
        back += of(out, BundleReturned)
    assert [frame.link_sequence for frame in sent] == [0, 0]
    assert back == [BundleReturned(LEFT, (NODE, 1, 0), int(Refusal.ATTEMPTS_EXHAUSTED))]
    assert service.housekeeping().bundles_resent_count == 2


def test_closing_returns_everything_in_order() -> None:
    """In flight first, then queued; and nothing is accepted while closed."""
    service = opened()
    for number in range(20):
        service.handle(request(number), 20 * S)
    out = service.handle(report(LOST), 21 * S)
    assert [record.bundle_key[2] for record in of(out, BundleReturned)] == list(range(20))
    out = service.handle(request(21), 22 * S)
    assert out == [BundleReturned(LEFT, (NODE, 1, 21), int(Refusal.NO_ROUTE))]


def test_a_repeated_frame_is_acknowledged_again_but_passed_up_once() -> None:
    """Within the window of remembered sequences, in any order, also older than all of them."""
    service = opened()
    for sequence in (5, 3, 400):
        out = service.handle(received(sequence), 20 * S)
        assert of(out, BundleArrived)
        assert of(out, SendFrame) == [SendFrame(0, LEFT, HopAcknowledgement((sequence,)))]
    for sequence in (5, 3, 400):
        out = service.handle(received(sequence), 20 * S)
        assert not of(out, BundleArrived)
        assert of(out, BundleRepeated)
        assert of(out, SendFrame)
    assert service.housekeeping().duplicates_count == 3


def test_a_restarted_neighbour_is_heard_afresh() -> None:
    """Its sequences begin at boot count * 2^32: far ahead, and cheap to remember."""
    service = opened()
    service.handle(received(7), 20 * S)
    assert of(service.handle(received(1 << 32), 20 * S), BundleArrived)
    assert of(service.handle(received((1 << 32) + 1), 20 * S), BundleArrived)
    assert not of(service.handle(received(1 << 32), 20 * S), BundleArrived)
    assert service.state.links[LEFT].received_mask < 1 << hops.RECENT_COUNT_MAX


def test_a_full_network_is_not_acknowledged() -> None:
    """While relays are held off the neighbour keeps its bundle; what is for this node passes."""
    service = opened()
    service.handle(HoldOffRelays(True), 20 * S)
    assert not of(service.handle(received(1), 20 * S), SendFrame)
    assert of(service.handle(received(2, NODE), 20 * S), BundleArrived)
    service.handle(HoldOffRelays(False), 20 * S)
    assert of(service.handle(received(1), 20 * S), BundleArrived)
    assert service.housekeeping().held_off_count == 1


def test_frames_of_an_untracked_neighbour_are_counted_only() -> None:
    """Before tracking nothing is believed."""
    service = booted()
    assert service.handle(HelloFrameReceived(0, LEFT, Hello(0, 1)), S) == ()
    assert not of(service.handle(received(0), S), BundleArrived)
    assert service.handle(AcknowledgementFrameReceived(0, LEFT, (0,)), S) == ()
    assert service.housekeeping().frames_untracked_count == 3


def test_rejected_frames_and_missing_bytes() -> None:
    """A bad frame is an event; bytes that left the store send the bundle back."""
    service = opened()
    out = service.handle(FrameRejected(0, LEFT, "not authentic"), 20 * S)
    assert out == (ReportEvent(FRAME_REJECTED_EVENT.id, (LEFT, "not authentic")),)
    service.handle(request(0), 20 * S)
    out = service.handle(BundleBytesMissing(LEFT, 0), 20 * S)
    assert out == (BundleReturned(LEFT, (NODE, 1, 0), int(Refusal.UNKNOWN_CONTENT)),)
    assert service.handle(BundleBytesMissing(LEFT, 0), 20 * S) == ()


def test_a_restart_loses_the_air_and_keeps_rising() -> None:
    """Restored from a snapshot: links closed, everything returned, terminals pointed anew, sequences higher."""
    service = opened()
    service.handle(request(0), 20 * S)
    service.state = msgspec.msgpack.decode(msgspec.msgpack.encode(service.state), type=LinksState)
    out = service.handle(NodeBooted(2, True), 21 * S)
    assert of(out, LinkClosed) == [LinkClosed(LEFT, False)]
    assert of(out, BundleReturned) == [BundleReturned(LEFT, (NODE, 1, 0), int(Refusal.NO_ROUTE))]
    assert of(out, PointTerminal) == [PointTerminal(0, LEFT), PointTerminal(1, RIGHT)]
    service.handle(report(TRACKING), 40 * S)
    service.handle(HelloFrameReceived(0, LEFT, Hello(0, 5)), 40 * S)
    [frame] = of(service.handle(request(1), 40 * S), SendBundleFrame)
    assert frame.link_sequence == 2 << 32


def test_a_snapshot_behaves_like_the_original() -> None:
    """State that went through MessagePack gives the same records from then on."""
    ours, theirs = opened(), opened()
    for service in (ours, theirs):
        service.handle(plan((STATION, 30, 90)), 20 * S)
        for number in range(20):
            service.handle(request(number), 20 * S)
        service.handle(received(3), 20 * S)
    theirs.state = msgspec.msgpack.decode(msgspec.msgpack.encode(theirs.state), type=LinksState)
    for _ in range(40):
        assert ours.next_wakeup_obt_ns() == theirs.next_wakeup_obt_ns()
        assert tick(ours) == tick(theirs)
    assert ours.state == theirs.state


def test_counters_are_those_of_housekeeping_and_can_be_reset() -> None:
    """Names and order agree; levels survive the reset."""
    service = opened()
    names = LinksCounters.__struct_fields__
    fields = tuple(field.name for field in DICTIONARY.housekeeping.fields)
    assert fields[: len(names)] == names
    assert service.housekeeping().links_opened_count == 1
    service.handle(ResetCounters(), 21 * S)
    keeping = service.housekeeping()
    assert keeping.links_opened_count == 0
    assert (keeping.links_open, keeping.terminals_tracking) == (1, 1)
