"""A few satellites with scheduling and compute only: a toy bus, links of 20 ms, workers that need the modelled time.

Everything else is played: imager, store, forecast, and a ground that accepts every product. Sends what the real
network would, in order of time; a dead node neither sends nor receives.
"""

from __future__ import annotations

import heapq
from collections import deque
from collections.abc import Callable, Iterable
from functools import partial
from typing import Any

import msgspec

from flightos.core.configuration import ComputeConfiguration, NodeConfiguration, Role, SchedulingConfiguration
from flightos.core.ids import content_id
from flightos.core.ports import (
    AbortWork,
    CaptureImage,
    ImageCaptured,
    NodeBooted,
    StartWork,
    TimeSampled,
    WorkFailed,
    WorkFailure,
    WorkFinished,
)
from flightos.core.records import Record, WakeupReached
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.services.compute.interface import (
    CancelExecution,
    ComputeLoadChanged,
    ExecuteTask,
    ExecutionFailed,
    ExecutionFinished,
    ExecutionStarted,
)
from flightos.services.compute.service import ComputeService
from flightos.services.health.interface import ModeChanged, PeerDeclared
from flightos.services.links.interface import HelloReceived, LinkClosed, LinkOpened, OfferGossip
from flightos.services.network.interface import BundleDelivered, SendBundle
from flightos.services.resources.interface import Forecast, ForecastMade
from flightos.services.scheduling.interface import (
    DICTIONARY,
    PlanResult,
    RequestObservation,
    TaskSpec,
)
from flightos.services.scheduling.service import SchedulingService
from flightos.services.storage.interface import KeepContent, ProductReady, ProductReleased, ReleaseContent
from flightos.services.telemetry.interface import ReportEvent

HOP_NS = 20 * NS_PER_MS
RATE_BPS = 100_000_000_000
TAI_MINUS_OBT_NS = 10**18
EVENT_NAMES = {event.id: event.name for event in DICTIONARY.events}

PLAN = PlanResult(
    tasks=(
        TaskSpec(0, "calibrate", "calibrate", b"", (-1,), 20_000, 40_000),
        TaskSpec(1, "water", "water", b"", (0,), 30_000, 4_000),
        TaskSpec(2, "burn", "burn", b"", (0,), 30_000, 4_000),
        TaskSpec(3, "regions", "regions", b"", (1, 2), 20_000, 4_000),
    ),
    finish_inputs=(3,),
)


def configuration_of(
    node_id: int, neighbour_ids: tuple[int, ...], rate_tops: int, **scheduling: Any
) -> NodeConfiguration:
    """A satellite with an imager."""
    return NodeConfiguration(
        node_id=node_id,
        name=f"sat{node_id}",
        role=Role.SATELLITE,
        terminals=(),
        neighbour_ids=neighbour_ids,
        has_imager=True,
        compute=ComputeConfiguration(rate_tops=rate_tops),
        scheduling=SchedulingConfiguration(**scheduling),
    )


def forecast_at(
    now_obt_ns: int,
    *,
    charge_ok: bool = True,
    heat_ok: bool = True,
    energy_available_mj: int = 400_000_000,
    heat_seconds: int = 1_000_000,
) -> Forecast:
    """A forecast made now."""
    return Forecast(
        made_obt_ns=now_obt_ns,
        soc_ratio_e6=900_000,
        temperature_mk=293_000,
        sunlit_ratio_e6=1_000_000,
        eclipse_starts_in_s=1_000,
        eclipse_ends_in_s=3_000,
        energy_available_mj=energy_available_mj,
        heat_seconds=heat_seconds,
        charge_ok=charge_ok,
        heat_ok=heat_ok,
    )


class Member:
    """One satellite of the cluster."""

    def __init__(self, configuration: NodeConfiguration) -> None:
        self.configuration = configuration
        self.scheduling = SchedulingService(configuration)
        self.compute = ComputeService(configuration)
        self.is_alive = True
        self.gossip: dict[int, bytes] = {}
        self.pins: dict[bytes, int] = {}
        self.forecast: dict[str, Any] = {}
        self.works: dict[int, StartWork] = {}
        self.failing_steps: dict[str, WorkFailure] = {}


SCHEDULING_RECORDS = frozenset(SchedulingService(configuration_of(1, (), 1)).reactions)
COMPUTE_RECORDS = frozenset(ComputeService(configuration_of(1, (), 1)).reactions)


class Cluster:
    """Satellites in a ring (or string) with one heap."""

    def __init__(self, rates_tops: Iterable[int], *, is_ring: bool = True, **scheduling: Any) -> None:
        rates = list(rates_tops)
        count = len(rates)
        self.now_ns = 0
        self.members: dict[int, Member] = {}
        self.events: list[tuple[int, int, str, tuple[Any, ...]]] = []
        """(time, node, name, values)"""
        self.products: list[int] = []
        self.sent: list[tuple[int, SendBundle]] = []
        self.lost_links: list[tuple[int, int]] = []
        self.accepts_products = True
        self._heap: list[tuple[int, int, Callable[[], None]]] = []
        self._sequence = 0
        for index, rate in enumerate(rates):
            neighbours = [index - 1, index + 1]
            if is_ring and count > 2:
                neighbours = [neighbour % count for neighbour in neighbours]
            ids = tuple(neighbour + 1 for neighbour in neighbours if 0 <= neighbour < count)
            self.members[index + 1] = Member(configuration_of(index + 1, ids, rate, **scheduling))
        for node_id in self.members:
            self.give(node_id, NodeBooted(0, False))
            self.give(node_id, TimeSampled(TAI_MINUS_OBT_NS, 0))
        for node_id, member in self.members.items():
            for peer_id in member.configuration.neighbour_ids:
                self.give(node_id, LinkOpened(peer_id, HOP_NS, RATE_BPS))

    # --- time -------------------------------------------------------------------------------------------

    def at(self, time_ns: int, action: Callable[[], None]) -> None:
        """Do something later."""
        self._sequence += 1
        heapq.heappush(self._heap, (time_ns, self._sequence, action))

    def run(self, seconds: int) -> None:
        """Run the given number of seconds: forecasts, wake-ups and hellos on each whole second."""
        for _ in range(seconds):
            target_ns = self.now_ns // NS_PER_S * NS_PER_S + NS_PER_S
            while self._heap and self._heap[0][0] <= target_ns:
                self.now_ns, _, action = heapq.heappop(self._heap)
                action()
            self.now_ns = target_ns
            for node_id, member in self.members.items():
                if member.is_alive:
                    self._second(node_id, member)

    def _second(self, node_id: int, member: Member) -> None:
        self.give(node_id, ForecastMade(forecast_at(self.now_ns, **member.forecast)))
        for service in (member.scheduling, member.compute):
            wakeup = service.next_wakeup_obt_ns()
            if wakeup is not None and wakeup <= self.now_ns:
                self._dispatch(node_id, service.handle(WakeupReached(), self.now_ns))
        for peer_id in member.configuration.neighbour_ids:
            gossip = member.gossip.pop(peer_id, b"")
            hello = HelloReceived(node_id, 0, self.now_ns, gossip)
            self.at(self.now_ns + HOP_NS, partial(self._hello, peer_id, hello))

    def _hello(self, peer_id: int, hello: HelloReceived) -> None:
        if self._is_open(hello.peer_id, peer_id):
            self.give(peer_id, hello)

    def _is_open(self, one_id: int, other_id: int) -> bool:
        return (one_id, other_id) not in self.lost_links and (other_id, one_id) not in self.lost_links

    # --- records ----------------------------------------------------------------------------------------

    def give(self, node_id: int, record: Record) -> None:
        """One outside record for a node, with everything that follows inside it."""
        member = self.members[node_id]
        if not member.is_alive:
            return
        queue: deque[Record] = deque([record])
        while queue:
            inner = queue.popleft()
            known = False
            if type(inner) in SCHEDULING_RECORDS and not isinstance(inner, WakeupReached):
                queue.extend(member.scheduling.handle(inner, self.now_ns))
                known = True
            if type(inner) in COMPUTE_RECORDS and not isinstance(inner, WakeupReached):
                queue.extend(member.compute.handle(inner, self.now_ns))
                known = True
            if not known or isinstance(inner, (ExecuteTask, CancelExecution)):
                self._perform(node_id, member, inner, queue)

    def _dispatch(self, node_id: int, records: Iterable[Record]) -> None:
        for record in records:
            member = self.members[node_id]
            if type(record) in SCHEDULING_RECORDS or type(record) in COMPUTE_RECORDS:
                self.give(node_id, record)
            else:
                queue: deque[Record] = deque()
                self._perform(node_id, member, record, queue)
                for inner in queue:
                    self.give(node_id, inner)

    def _perform(self, node_id: int, member: Member, record: Record, queue: deque[Record]) -> None:
        if isinstance(record, ReportEvent):
            name = EVENT_NAMES.get(record.event_id, f"{record.event_id:#06x}")
            self.events.append((self.now_ns, node_id, name, record.values))
        elif isinstance(record, OfferGossip):
            member.gossip[record.peer_id] = record.gossip
        elif isinstance(record, SendBundle):
            self.sent.append((node_id, record))
            self._send(node_id, record)
        elif isinstance(record, CaptureImage):
            tile_id = content_id(b"tile%d" % record.observation_id)
            captured = ImageCaptured(record.observation_id, record.tile_index, tile_id, 50_000)
            self.at(self.now_ns + record.exposure_ns, lambda: self.give(node_id, captured))
        elif isinstance(record, StartWork):
            self._start_work(node_id, member, record)
        elif isinstance(record, AbortWork):
            member.works.pop(record.work_id, None)
        elif isinstance(record, KeepContent):
            member.pins[record.content_id] = member.pins.get(record.content_id, 0) + 1
        elif isinstance(record, ReleaseContent):
            member.pins[record.content_id] = member.pins.get(record.content_id, 0) - 1
            assert member.pins[record.content_id] >= 0, "released more often than kept"
            if member.pins[record.content_id] == 0:
                del member.pins[record.content_id]
        elif isinstance(record, ProductReady):
            self.products.append(record.observation_id)
            released = ProductReleased(record.content_id, record.observation_id)
            if self.accepts_products:
                self.at(self.now_ns + 5 * NS_PER_S, lambda: self.give(node_id, released))

    def _send(self, node_id: int, bundle: SendBundle) -> None:
        hops = self._hops(node_id, bundle.destination_id)
        if hops is None:
            return
        delivered = BundleDelivered(
            node_id, bundle.kind, bundle.body, bundle.attachment_ids, bundle.size_bytes, (node_id, 0, 0)
        )
        destination = bundle.destination_id
        self.at(self.now_ns + hops * HOP_NS, lambda: self.give(destination, delivered))

    def _hops(self, one_id: int, other_id: int) -> int | None:
        """Shortest way over living nodes and open links."""
        seen = {one_id: 0}
        queue = deque([one_id])
        while queue:
            node_id = queue.popleft()
            if node_id == other_id:
                return seen[node_id]
            for peer_id in self.members[node_id].configuration.neighbour_ids:
                if peer_id in seen or not self.members[peer_id].is_alive:
                    continue
                if self._is_open(node_id, peer_id):
                    seen[peer_id] = seen[node_id] + 1
                    queue.append(peer_id)
        return None

    def _start_work(self, node_id: int, member: Member, work: StartWork) -> None:
        assert (
            not work.input_ids
            or work.step == "plan"
            or all(member.pins.get(input_id) for input_id in work.input_ids)
        ), f"{work.step} on {node_id} would not find its inputs"
        member.works[work.work_id] = work
        failure = member.failing_steps.get(work.step)
        duration_ns = work.budget_ns if failure is WorkFailure.TIMED_OUT else work.duration_ns
        self.at(self.now_ns + duration_ns, lambda: self._end_work(node_id, member, work, failure))

    def _end_work(self, node_id: int, member: Member, work: StartWork, failure: WorkFailure | None) -> None:
        if member.works.pop(work.work_id, None) is None:
            return
        if failure is not None:
            self.give(node_id, WorkFailed(work.work_id, failure))
            return
        inline = msgspec.msgpack.encode(PLAN) if work.wants_inline else b""
        result_id = content_id(msgspec.msgpack.encode((work.app, work.step, work.input_ids, inline)))
        self.give(node_id, WorkFinished(work.work_id, result_id, 1_000, inline))

    # --- faults and questions ---------------------------------------------------------------------------

    def request(self, node_id: int, observation_id: int, deadline_s: int = 7_200, priority: int = 1) -> None:
        """Ask a node for an observation."""
        self.give(node_id, RequestObservation(observation_id, "surface_watch", 3, priority, deadline_s))

    def kill(self, node_id: int, declared_after_s: int = 45) -> None:
        """A node dies; the others declare it later."""
        self.members[node_id].is_alive = False
        self.members[node_id].works.clear()
        for other_id in self.members:
            if other_id != node_id:
                self.at(
                    self.now_ns + declared_after_s * NS_PER_S,
                    partial(self.give, other_id, PeerDeclared(node_id)),
                )

    def cut(self, one_id: int, other_id: int) -> None:
        """A link goes down on both sides."""
        self.lost_links.append((one_id, other_id))
        self.give(one_id, LinkClosed(other_id, False))
        self.give(other_id, LinkClosed(one_id, False))

    def mend(self, one_id: int, other_id: int) -> None:
        """A link comes back."""
        self.lost_links.remove((one_id, other_id))
        self.give(one_id, LinkOpened(other_id, HOP_NS, RATE_BPS))
        self.give(other_id, LinkOpened(one_id, HOP_NS, RATE_BPS))

    def named(self, name: str) -> list[tuple[Any, ...]]:
        """Values of all events of a name, in order."""
        return [values for _, _, event, values in self.events if event == name]


__all__ = [
    "PLAN",
    "Cluster",
    "ComputeLoadChanged",
    "ExecutionFailed",
    "ExecutionFinished",
    "ExecutionStarted",
    "Member",
    "ModeChanged",
    "configuration_of",
    "forecast_at",
]
