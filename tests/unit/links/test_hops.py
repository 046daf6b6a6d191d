"""Links, record by record: bundles over one hop, restart, housekeeping."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from flightos.core.ports import NodeBooted, PointTerminal
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_MS
from flightos.services.commanding.interface import ResetCounters
from flightos.services.links import hops
from flightos.services.links.interface import (
    DICTIONARY,
    FRAME_REJECTED_EVENT,
    LINK_QUEUE_FULL,
    AcknowledgementFrameReceived,
    BundleArrived,
    BundleBytesMissing,
    BundleForwarded,
    BundleRepeated,
    BundleReturned,
    FrameRejected,
    Hello,
    HelloFrameReceived,
    HoldOffRelays,
    HopAcknowledgement,
    LinkClosed,
    SendBundleFrame,
    SendFrame,
)
from flightos.services.links.state import LinksCounters, LinksState
from flightos.services.telemetry.interface import ReportEvent
from tests.unit.links.model import (
    LEFT,
    LIGHT,
    LOST,
    NODE,
    RIGHT,
    STATION,
    TRACKING,
    S,
    booted,
    of,
    opened,
    plan,
    received,
    report,
    request,
    tick,
)


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


def test_what_is_acknowledged_was_passed_up_when_the_first_frame_is_lost() -> None:
    """Two ends: while the oldest frame is missing, the newest never runs further ahead than the peer remembers."""
    sender, receiver = opened(), opened()
    delivered: list[int] = []
    acknowledged: list[int] = []
    air = [
        frame
        for number in range(200)
        for frame in of(sender.handle(request(number), 20 * S), SendBundleFrame)
    ]
    air = air[1:]
    now = 20 * S
    while len(acknowledged) < 200 and now < 60 * S:
        while air:
            frame = air.pop(0)
            out = receiver.handle(received(frame.link_sequence), now)
            delivered += [made.bundle.sequence for made in of(out, BundleArrived)]
            for sent in of(out, SendFrame):
                out = sender.handle(AcknowledgementFrameReceived(0, LEFT, sent.body.sequences), now)
                acknowledged += sent.body.sequences
                air += of(out, SendBundleFrame)
        due, out = tick(sender)
        now = max(now, due)
        air += of(out, SendBundleFrame)
    assert sorted(delivered) == sorted(acknowledged) == list(range(200))
    assert receiver.state.counters.duplicates_count == 0
