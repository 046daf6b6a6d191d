"""Whatever happens to a link, each bundle handed over comes back exactly once: forwarded or returned."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.configuration import NodeConfiguration, Role, TerminalConfiguration
from flightos.core.ports import NodeBooted, TerminalReported, TerminalState, TimeSampled
from flightos.core.records import Record, WakeupReached
from flightos.core.time import NS_PER_S
from flightos.services.links import hops
from flightos.services.links.hops import Link
from flightos.services.links.interface import (
    AcknowledgementFrameReceived,
    BundleForwarded,
    BundleHeader,
    BundleReturned,
    ForwardBundle,
    Hello,
    HelloFrameReceived,
    LinkClosed,
    LinkOpened,
    SendBundleFrame,
)
from flightos.services.links.service import LinksService
from flightos.services.links.state import LinksState

PEER = 2
STEPS = st.sampled_from(
    [
        "forward",
        "forward",
        "forward",
        "acknowledge",
        "acknowledge",
        "hello",
        "wake",
        "lose",
        "track",
        "restart",
    ]
)


def service() -> LinksService:
    terminal = TerminalConfiguration(0, "laser", (PEER,), 10**9, NS_PER_S, 1, 1, bytes(32))
    made = LinksService(NodeConfiguration(1, "one", Role.SATELLITE, (terminal,), (PEER,)))
    made.handle(NodeBooted(0, False), 0)
    made.handle(TimeSampled(0, 0), 0)
    return made


def step_record(step: str, number: int, in_flight: list[int]) -> Record:
    """The record of a step; acknowledgements name the oldest in flight and one that never was."""
    if step == "forward":
        return ForwardBundle(PEER, BundleHeader(1, 1, number, 3, 1000, 5, 0), b"", b"", (), 2**20)
    if step == "acknowledge":
        return AcknowledgementFrameReceived(0, PEER, (*in_flight[:1], 999_999))
    if step == "hello":
        return HelloFrameReceived(0, PEER, Hello(0, 1))
    if step == "restart":
        return NodeBooted(number, True)
    state = TerminalState.LOST if step == "lose" else TerminalState.TRACKING
    return TerminalReported(0, PEER, state, 10_000_000, 10**9)


@given(steps=st.lists(STEPS, max_size=80))
@settings(max_examples=100, deadline=None)
def test_each_bundle_ends_once(steps: list[str]) -> None:
    """After any history that ends with a closed link nothing is left, and every bundle ended exactly once."""
    links = service()
    now = 0
    asked: Counter[int] = Counter()
    ended: Counter[int] = Counter()
    opened = 0
    frames: list[int] = []
    for number, step in enumerate(["track", "hello", *steps, "track", "lose"]):
        out: Sequence[Record]
        if step == "wake":
            due = links.next_wakeup_obt_ns()
            if due is None:
                continue
            now = max(now, due)
            out = links.handle(WakeupReached(), now)
        else:
            link = links.state.links.get(PEER)
            record = step_record(step, number, list(link.flying) if link is not None else [])
            asked[number] += step == "forward"
            out = links.handle(record, now)
            if step == "restart":
                links.state = msgspec.msgpack.decode(msgspec.msgpack.encode(links.state), type=LinksState)
        for made in out:
            if type(made) in (BundleForwarded, BundleReturned):
                ended[made.bundle_key[2]] += 1  # type: ignore[attr-defined]
            opened += type(made) is LinkOpened
            opened -= type(made) is LinkClosed
            if type(made) is SendBundleFrame:
                assert opened == 1
                frames.append(made.link_sequence)
        keeping = links.housekeeping()
        assert keeping.flying_bundle_count <= hops.WINDOW_COUNT_MAX
        assert keeping.links_open == opened
        assert keeping.queue_bytes == keeping.queue_bundle_count * 2**20
        due = links.next_wakeup_obt_ns()
        assert due is None or due > now or step != "wake"
    assert +asked == ended
    assert opened == 0


@given(losses=st.lists(st.integers(0, 3), max_size=150), count=st.integers(1, 200))
@settings(max_examples=100, deadline=None)
def test_what_is_acknowledged_was_received(losses: list[int], count: int) -> None:
    """Two ends and a link that loses frames and acknowledgements: nothing is acknowledged that was not news once.

    A plain list of what came agrees at any moment about what is news.
    """
    sender, receiver = Link(PEER, 0), Link(1, 0)
    came: dict[int, None] = {}
    acknowledged: list[int] = []
    for number in range(count):
        header = BundleHeader(1, 1, number, 3, 1000, 5, 0)
        hops.enqueue(sender, ForwardBundle(PEER, header, b"", b"", (), 1))
    fates = iter(losses)
    now = 0
    air: list[Record] = hops.fill_window(sender, now, 0, 0)
    while sender.flying or sender.waiting:
        for frame in air:  # grows at its end: each acknowledgement lets the next frames go
            assert isinstance(frame, SendBundleFrame)
            fate = next(fates, 3)
            if fate == 0:  # the frame is lost
                continue
            sequence = frame.link_sequence
            assert hops.was_received(receiver, sequence) == (sequence in came)
            if sequence not in came:
                hops.note_received(receiver, sequence)
                came[sequence] = None
            if fate != 1:  # else the acknowledgement is lost
                acknowledged.append(sequence)
                hops.acknowledge(sender, sequence)
                air += hops.fill_window(sender, now, 0, 0)
        now += NS_PER_S
        air, _ = hops.resend_due(sender, now, 0, 0)
        air += hops.fill_window(sender, now, 0, 0)
    assert set(acknowledged) <= set(came)


@given(sequences=st.lists(st.integers(0, 1000), max_size=200))
@settings(max_examples=100, deadline=None)
def test_duplicates_are_told_from_news_within_the_memory(sequences: list[int]) -> None:
    """A plain list of what came agrees, wherever a sender may still be: it stays within what is remembered."""
    link = Link(PEER, 0)
    came: dict[int, None] = {}
    for sequence in sequences:
        if sequence <= max(came, default=-1) - hops.RECENT_COUNT_MAX:
            continue
        assert hops.was_received(link, sequence) == (sequence in came)
        if sequence not in came:
            hops.note_received(link, sequence)
            came[sequence] = None
