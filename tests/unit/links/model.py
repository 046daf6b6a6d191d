"""A satellite's links for tests: two lasers and a radio, and the records around them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flightos.core.configuration import NodeConfiguration, Role, TerminalConfiguration
from flightos.core.ports import NodeBooted, TerminalReported, TerminalState, TimeSampled
from flightos.core.records import Record, WakeupReached
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.services.links.interface import (
    BundleFrameReceived,
    BundleHeader,
    ForwardBundle,
    Hello,
    HelloFrameReceived,
)
from flightos.services.links.service import LinksService
from flightos.services.network.interface import Contact, ContactPlan, ContactPlanActivated

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


def plan(*contacts: tuple[int, int, int]) -> ContactPlanActivated:
    """(peer, start, stop) in seconds of on-board time."""
    made = tuple(Contact(NODE, peer, TAI + start * S, TAI + stop * S, 1, 1) for peer, start, stop in contacts)
    return ContactPlanActivated(ContactPlan(made))
