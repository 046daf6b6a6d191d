"""Whatever fails, in whatever order: each admitted observation ends once, and nothing is left behind.

A schedule of typed faults is drawn, so that a failing one shrinks; then everything heals and must converge.
"""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.ports import NodeBooted, WorkFailure
from flightos.core.time import NS_PER_S
from flightos.services.health.interface import Mode, ModeChanged
from flightos.services.links.interface import HelloReceived
from flightos.services.network.interface import BundleDelivered, BundleKind
from flightos.services.scheduling.service import SchedulingService
from flightos.services.scheduling.state import (
    ASSIGNMENT_COUNT_MAX,
    EPOCH_COUNT_MAX,
    HELD_RESULT_COUNT_MAX,
    VIEW_COUNT_MAX,
)
from tests.unit.scheduling.cluster import Cluster, configuration_of

COUNT = 4
NODES = st.integers(1, COUNT)
ACTIONS = st.one_of(
    st.tuples(st.just("request"), NODES, st.integers(200, 4_000)),
    st.tuples(st.just("kill"), NODES, st.integers(1, 90)),
    st.tuples(st.just("false_alarm"), NODES, NODES),
    st.tuples(st.just("cut"), NODES, st.just(0)),
    st.tuples(st.just("mend"), st.just(0), st.just(0)),
    st.tuples(st.just("safe"), NODES, st.just(0)),
    st.tuples(st.just("nominal"), NODES, st.just(0)),
    st.tuples(st.just("no_charge"), NODES, st.just(0)),
    st.tuples(st.just("hang"), NODES, st.sampled_from((0, 1))),
    st.tuples(st.just("restart"), NODES, st.just(0)),
    st.tuples(st.just("wait"), st.just(0), st.integers(1, 120)),
)


def act(cluster: Cluster, action: tuple[str, int, int], number: int) -> None:
    """Do one thing to the cluster."""
    kind, node_id, value = action
    member = cluster.members.get(node_id)
    if kind == "request":
        cluster.request(node_id, number, deadline_s=value)
    elif kind == "kill" and sum(other.is_alive for other in cluster.members.values()) == COUNT:
        cluster.kill(node_id, declared_after_s=value)
    elif kind == "false_alarm" and node_id != value:
        cluster.kill(node_id, declared_after_s=0)
        cluster.run(1)
        cluster.members[node_id].is_alive = True
    elif kind == "cut" and not cluster.lost_links:
        cluster.cut(node_id, node_id % COUNT + 1)
    elif kind == "mend" and cluster.lost_links:
        cluster.mend(*cluster.lost_links[0])
    elif kind == "safe":
        cluster.give(node_id, ModeChanged(Mode.SAFE, Mode.NOMINAL))
    elif kind == "nominal":
        cluster.give(node_id, ModeChanged(Mode.NOMINAL, Mode.SAFE))
    elif member is not None and kind == "no_charge":
        member.forecast["charge_ok"] = not member.forecast.get("charge_ok", True)
    elif member is not None and kind == "hang":
        member.failing_steps = {"water": WorkFailure.TIMED_OUT} if value else {}
    elif member is not None and kind == "restart" and member.is_alive:
        for service in (member.scheduling, member.compute):
            data = msgspec.msgpack.encode(service.state)
            service.state = msgspec.msgpack.decode(data, type=type(service.state))
        member.works.clear()
        cluster.give(node_id, NodeBooted(1, True))
    elif kind == "wait":
        cluster.run(value)


def heal(cluster: Cluster) -> None:
    """Everything but the dead works again, long enough for every deadline to pass."""
    if cluster.lost_links:
        cluster.mend(*cluster.lost_links[0])
    for node_id, member in cluster.members.items():
        member.forecast.clear()
        member.failing_steps.clear()
        cluster.give(node_id, ModeChanged(Mode.NOMINAL, Mode.SAFE))
    cluster.run(4_300)


@settings(max_examples=40, deadline=None)
@given(actions=st.lists(ACTIONS, min_size=1, max_size=14))
def test_every_admitted_observation_ends_once(actions: list[tuple[str, int, int]]) -> None:
    """Done by some owner or dropped with a reason; nobody is left with tasks, copies or assignments."""
    cluster = Cluster([400, 300, 200, 100])
    cluster.run(3)
    for number, action in enumerate(actions, start=1):
        act(cluster, action, number)
        cluster.run(1)
    heal(cluster)
    admitted = {values[0] for values in cluster.named("OBSERVATION_ADMITTED")}
    dropped = {values[0] for values in cluster.named("OBSERVATION_DROPPED")}
    for number in sorted(admitted):
        assert number in dropped or number in cluster.products
    assert cluster.named("TRANSITION_ILLEGAL") == []
    for member in cluster.members.values():
        if member.is_alive:
            check_settled(member.scheduling)
            held = [content_id for _, content_id in member.scheduling.state.held_results]
            assert sum(member.pins.values()) == len(held) + len(member.scheduling.state.replicas)


def check_settled(service: SchedulingService) -> None:
    """No observation and no assignment, and levels that agree with it."""
    state = service.state
    assert not state.observations
    assert not state.assignments
    assert state.task_counts == [0] * 6
    assert not state.imaging


@settings(max_examples=60, deadline=None)
@given(
    kind=st.sampled_from(BundleKind),
    body=st.one_of(
        st.binary(max_size=60),
        st.lists(
            st.one_of(
                st.integers(-3, 2**40),
                st.binary(max_size=16),
                st.text(max_size=4),
                st.lists(st.integers(0, 9), max_size=3),
            ),
            max_size=14,
        ).map(msgspec.msgpack.encode),
    ),
)
def test_any_body_is_read_or_counted(kind: BundleKind, body: bytes) -> None:
    """Arbitrary bytes under any kind neither raise nor leave a task behind that nobody ordered."""
    service = SchedulingService(configuration_of(1, (2,), 100))
    service.handle(BundleDelivered(2, kind, body, (), len(body), (2, 0, 0)), 10 * NS_PER_S)
    service.handle(HelloReceived(2, 0, 0, body), 11 * NS_PER_S)
    assert not service.state.observations
    assert service.housekeeping().bad_body_count >= 0


@settings(max_examples=20, deadline=None)
@given(numbers=st.lists(st.integers(1, 2**32 - 1), min_size=700, max_size=700, unique=True))
def test_tables_stay_bounded(numbers: list[int]) -> None:
    """More assignments and copies than fit are refused; the tables keep their limits."""
    service = SchedulingService(configuration_of(1, (2,), 100))
    for number in numbers:
        epoch = (1, 2)
        task: list[Any] = [number * 256, epoch, 1, "a", "s", b"", [], 10, 0, []]
        record: list[Any] = [number, "a", 0, b"t" * 16, 10, 0, 10**9, 0, 2, 1, epoch]
        for kind, body, contents in (
            (BundleKind.ASSIGN_TASK, task, ()),
            (BundleKind.REPLICATE_OBSERVATION, record, (b"t" * 16,)),
        ):
            data = msgspec.msgpack.encode(body)
            service.handle(BundleDelivered(2, kind, data, contents, 10, (2, 0, number)), NS_PER_S)
    state = service.state
    assert len(state.assignments) == ASSIGNMENT_COUNT_MAX
    assert len(state.replicas) == 64
    assert len(state.epochs) <= EPOCH_COUNT_MAX
    assert len(state.held_results) <= HELD_RESULT_COUNT_MAX
    assert len(state.views) <= VIEW_COUNT_MAX
    assert state.counters.table_full_count == (700 - ASSIGNMENT_COUNT_MAX) + (700 - 64)
