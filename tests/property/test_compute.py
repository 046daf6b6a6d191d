"""Laws of compute over random records."""

from __future__ import annotations

from typing import Any

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.configuration import ComputeConfiguration, NodeConfiguration, Role
from flightos.core.ports import NodeBooted, StartWork, WorkFailed, WorkFailure, WorkFinished
from flightos.core.records import Record, WakeupReached
from flightos.core.time import NS_PER_S
from flightos.services.compute.interface import (
    CancelExecution,
    ExecuteTask,
    ExecutionFailed,
    ExecutionFinished,
)
from flightos.services.compute.service import ComputeService
from flightos.services.health.interface import Mode, ModeChanged
from flightos.services.resources.interface import Forecast, ForecastMade

QUEUE_COUNT_MAX = 5

TASKS = st.builds(
    ExecuteTask,
    task_id=st.integers(1, 30),
    epoch=st.just((1, 1)),
    attempt=st.integers(1, 3),
    app=st.just("app"),
    step=st.just("kernel"),
    parameters=st.just(b""),
    input_ids=st.just(()),
    tera_ops=st.integers(0, 5_000),
    duration_ns=st.sampled_from((0, 0, 200_000_000)),
    wants_inline=st.booleans(),
    priority=st.integers(0, 3),
)
FORECASTS = st.tuples(st.booleans(), st.booleans(), st.integers(-1_000, 2_000_000))
ACTIONS = st.lists(
    st.one_of(
        TASKS,
        st.builds(CancelExecution, task_id=st.integers(1, 30)),
        st.builds(ModeChanged, mode=st.sampled_from(Mode), previous=st.just(Mode.NOMINAL)),
        FORECASTS,
        FORECASTS,
        st.sampled_from(("finish", "fail", "restart", "wait")),
    ),
    max_size=60,
)


def new_service(slot_count: int) -> ComputeService:
    """A small box."""
    compute = ComputeConfiguration(100, slot_count=slot_count, queue_count_max=QUEUE_COUNT_MAX)
    return ComputeService(NodeConfiguration(1, "one", Role.SATELLITE, (), (), compute=compute))


def record_of(service: ComputeService, action: Any, now_obt_ns: int, boot_count: int) -> Record:
    """The record that an action stands for."""
    running = service.state.running
    if isinstance(action, tuple):
        charge_ok, heat_ok, energy_mj = action
        return ForecastMade(Forecast(now_obt_ns, 0, 0, 0, 0, 0, energy_mj, 0, charge_ok, heat_ok))
    if action == "finish" and running:
        return WorkFinished(running[0].work_id, b"r" * 16, 1, b"")
    if action == "fail" and running:
        return WorkFailed(running[-1].work_id, WorkFailure.CRASHED)
    if action == "restart":
        return NodeBooted(boot_count, True)
    return action if isinstance(action, Record) else WakeupReached()


@settings(max_examples=80, deadline=None)
@given(actions=ACTIONS, slot_count=st.integers(1, 3))
def test_nothing_starts_below_the_floor_and_everything_is_answered_once(
    actions: list[Any], slot_count: int
) -> None:
    """No start in SAFE, without charge, or beyond the energy; limits hold; each taken task has one answer.

    A copy restored from MessagePack at every step answers the same.
    """
    service = new_service(slot_count)
    service.handle(NodeBooted(0, False), 0)
    open_ids: list[int] = []
    now_obt_ns = 0
    for boot_count, action in enumerate(actions, start=1):
        now_obt_ns += NS_PER_S
        record = record_of(service, action, now_obt_ns, boot_count)
        twin = new_service(slot_count)
        twin.state = msgspec.msgpack.decode(msgspec.msgpack.encode(service.state), type=type(service.state))
        records = service.handle(record, now_obt_ns)
        assert list(twin.handle(record, now_obt_ns)) == list(records)
        if isinstance(record, ExecuteTask) and record.task_id not in open_ids:
            open_ids.append(record.task_id)
        if isinstance(record, CancelExecution) and record.task_id in open_ids:
            open_ids.remove(record.task_id)
        for answer in records:
            if isinstance(answer, (ExecutionFinished, ExecutionFailed)):
                open_ids.remove(answer.task_id)
            if isinstance(answer, StartWork):
                check_start(service, answer)
        state = service.state
        assert len(state.queue) <= QUEUE_COUNT_MAX
        assert len(state.running) <= slot_count + 1
        here = [entry.request.task_id for entry in state.queue]
        here += [entry.request.task_id for entry in state.running]
        assert sorted(here) == sorted(open_ids)


def check_start(service: ComputeService, start: StartWork) -> None:
    """The gates at the moment of a start."""
    state = service.state
    assert state.mode is not Mode.SAFE
    assert state.forecast is not None
    assert state.forecast.charge_ok
    (running,) = [running for running in state.running if running.work_id == start.work_id]
    if running.request.duration_ns == 0:
        assert state.forecast.heat_ok
        assert running.request.tera_ops * 200 <= state.forecast.energy_available_mj
