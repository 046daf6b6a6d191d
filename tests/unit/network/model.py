"""A node with two ways to a goal, and the records around its network service."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.ports import NodeBooted, TimeSampled
from flightos.core.records import Record, WakeupReached
from flightos.core.time import NS_PER_S
from flightos.services.links.interface import (
    BundleArrived,
    BundleHeader,
    ForwardBundle,
    LinkOpened,
)
from flightos.services.network.custody import DTN_EPOCH_TAI_NS
from flightos.services.network.interface import (
    BundleKind,
    Contact,
    ContactPlan,
    ContactPlanActivated,
    SendBundle,
)
from flightos.services.network.service import NetworkService
from flightos.services.telemetry.interface import ReportEvent

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
