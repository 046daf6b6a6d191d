"""Requirements of compute, one test each; the records are given by hand."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import pytest

from flightos.core.configuration import ComputeConfiguration, NodeConfiguration, Role
from flightos.core.ports import AbortWork, NodeBooted, StartWork, WorkFailed, WorkFailure, WorkFinished
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import ResetCounters
from flightos.services.compute.interface import (
    DICTIONARY,
    CancelExecution,
    ComputeHousekeeping,
    ComputeLoadChanged,
    ExecuteTask,
    ExecutionFailed,
    ExecutionFinished,
    ExecutionStarted,
)
from flightos.services.compute.service import ComputeService
from flightos.services.compute.state import ComputeState
from flightos.services.health.interface import Mode, ModeChanged
from flightos.services.resources.interface import Forecast, ForecastMade

S = NS_PER_S


def make_service(rate_tops: int = 100, slot_count: int = 1, queue_count_max: int = 4) -> ComputeService:
    """A booted box of 100 TOPS at 200 mW per TOPS with a good forecast."""
    compute = ComputeConfiguration(
        rate_tops=rate_tops, slot_count=slot_count, queue_count_max=queue_count_max
    )
    configuration = NodeConfiguration(1, "one", Role.SATELLITE, (), (), compute=compute)
    service = ComputeService(configuration)
    service.handle(NodeBooted(0, False), 0)
    service.handle(forecast(0), 0)
    return service


def forecast(
    now_obt_ns: int, charge_ok: bool = True, heat_ok: bool = True, energy_mj: int = 10**9
) -> ForecastMade:
    """A forecast with the fields that compute reads."""
    return ForecastMade(
        Forecast(now_obt_ns, 900_000, 293_000, 10**6, 0, 0, energy_mj, 1_000, charge_ok, heat_ok)
    )


def task(
    number: int, tera_ops: int = 1_000, priority: int = 1, attempt: int = 1, **other: Any
) -> ExecuteTask:
    """A kernel of 10 s on 100 TOPS."""
    values: dict[str, Any] = {
        "task_id": number,
        "epoch": (1, 1),
        "attempt": attempt,
        "app": "app",
        "step": "kernel",
        "parameters": b"",
        "input_ids": (),
        "tera_ops": tera_ops,
        "duration_ns": 0,
        "wants_inline": False,
        "priority": priority,
    }
    return ExecuteTask(**{**values, **other})


def step(number: int) -> ExecuteTask:
    """An app step of 0.2 s."""
    return task(number, tera_ops=0, step="plan", duration_ns=S // 5)


def of(records: Sequence[Record], kind: type[Any]) -> list[Any]:
    """Records of one type."""
    return [record for record in records if type(record) is kind]


def test_a_task_starts_with_modelled_duration_and_budget() -> None:
    """1,000 tera-operations on 100 TOPS: 10 s, budget twice that; the load rises from idle to busy."""
    service = make_service()
    records = service.handle(task(1), S)
    (start,) = of(records, StartWork)
    assert (start.duration_ns, start.budget_ns) == (10 * S, 20 * S)
    assert of(records, ExecutionStarted) == [ExecutionStarted(1, 1)]
    assert of(records, ComputeLoadChanged) == [ComputeLoadChanged(20_000, 1_000, 1)]


def test_idle_draws_a_tenth() -> None:
    """Told at boot."""
    service = ComputeService(
        NodeConfiguration(1, "one", Role.SATELLITE, (), (), compute=ComputeConfiguration(100))
    )
    assert service.handle(NodeBooted(0, False), 0) == [ComputeLoadChanged(2_000, 0, 0)]


def test_slots_share_rate_and_power() -> None:
    """Two slots: each task takes twice as long, one of them alone draws half of the busy surplus."""
    service = make_service(slot_count=2)
    records = service.handle(task(1), S)
    assert of(records, StartWork)[0].duration_ns == 20 * S
    assert of(records, ComputeLoadChanged)[0].compute_mw == 11_000
    records = service.handle(task(2), S)
    assert of(records, ComputeLoadChanged)[0].compute_mw == 20_000


def test_a_result_frees_the_slot_for_the_most_urgent() -> None:
    """The queue goes by priority, then by arrival."""
    service = make_service()
    service.handle(task(1), S)
    for number, priority in ((2, 1), (3, 3), (4, 3)):
        assert not of(service.handle(task(number, priority=priority), S), StartWork)
    work_id = service.state.running[0].work_id
    service.handle(forecast(10 * S), 10 * S)
    records = service.handle(WorkFinished(work_id, b"r" * 16, 10, b""), 11 * S)
    assert of(records, ExecutionFinished) == [ExecutionFinished(1, (1, 1), 1, b"r" * 16, 10, b"")]
    assert of(records, ExecutionStarted) == [ExecutionStarted(3, 1)]


def test_an_app_step_does_not_wait_for_a_kernel() -> None:
    """Steps have a slot of their own."""
    service = make_service()
    service.handle(task(1), S)
    assert of(service.handle(step(2), S), StartWork)[0].duration_ns == S // 5
    assert not of(service.handle(step(3), S), StartWork)


@pytest.mark.parametrize(
    ("gate", "kernel_starts", "step_starts"),
    [
        ({"charge_ok": False}, False, False),
        ({"heat_ok": False}, False, True),
        ({"energy_mj": 199_999}, False, True),
        ({"energy_mj": 200_000}, True, True),
    ],
)
def test_gates(gate: dict[str, Any], kernel_starts: bool, step_starts: bool) -> None:
    """Charge holds everything; heat and the energy of the task itself (200 J) hold kernels only."""
    service = make_service()
    service.handle(forecast(S, **gate), S)
    assert bool(of(service.handle(task(1), S), StartWork)) is kernel_starts
    assert bool(of(service.handle(step(2), S), StartWork)) is step_starts


def test_energy_of_running_work_is_committed() -> None:
    """Two slots, energy for one task and a half: the second waits until the first is half done."""
    service = make_service(slot_count=2)
    service.handle(forecast(S, energy_mj=300_000), S)
    service.handle(task(1), S)
    assert not of(service.handle(task(2), S), StartWork)
    assert of(service.handle(forecast(11 * S, energy_mj=300_000), 11 * S), StartWork)


def test_nothing_starts_on_an_old_forecast() -> None:
    """A silent forecast is a bad one; the wake-up notices without any other record."""
    service = make_service()
    assert not of(service.handle(task(1), 6 * S), StartWork)
    assert service.state.queue[0].refusal == Refusal.CHARGE_BELOW_FLOOR


def test_a_held_task_goes_back_after_two_minutes() -> None:
    """CHARGE_BELOW_FLOOR or TOO_HOT tells the owner why; the wake-up needs no forecast."""
    service = make_service()
    service.handle(forecast(S, heat_ok=False), S)
    service.handle(task(1), S)
    service.handle(forecast(120 * S, heat_ok=False), 120 * S)
    assert service.next_wakeup_obt_ns() == 122 * S
    records = service.handle(forecast(121 * S, heat_ok=False), 121 * S)
    assert of(records, ExecutionFailed) == [ExecutionFailed(1, (1, 1), 1, 0, Refusal.TOO_HOT)]
    assert service.next_wakeup_obt_ns() is None


def test_a_full_queue_refuses() -> None:
    """queue_count_max tasks wait; the next is answered QUEUE_FULL."""
    service = make_service(queue_count_max=2)
    for number in (1, 2, 3):
        service.handle(task(number), S)
    records = service.handle(task(4), S)
    assert of(records, ExecutionFailed) == [ExecutionFailed(4, (1, 1), 1, 0, Refusal.QUEUE_FULL)]
    assert service.housekeeping().refused_count == 1


def test_safe_mode_sheds_and_refuses() -> None:
    """Running work is aborted, all of it goes back with WRONG_MODE, nothing new is taken."""
    service = make_service()
    service.handle(task(1), S)
    service.handle(task(2), S)
    records = service.handle(ModeChanged(Mode.SAFE, Mode.NOMINAL), 2 * S)
    assert len(of(records, AbortWork)) == 1
    assert [(failed.task_id, failed.refusal) for failed in of(records, ExecutionFailed)] == [
        (1, Refusal.WRONG_MODE),
        (2, Refusal.WRONG_MODE),
    ]
    assert of(records, ComputeLoadChanged) == [ComputeLoadChanged(2_000, 0, 0)]
    assert of(service.handle(step(3), 3 * S), ExecutionFailed)[0].refusal == Refusal.WRONG_MODE
    service.handle(ModeChanged(Mode.NOMINAL, Mode.SAFE), 4 * S)
    service.handle(forecast(4 * S), 4 * S)
    assert of(service.handle(task(4), 4 * S), StartWork)


@pytest.mark.parametrize(
    ("reason", "counter"),
    [
        (WorkFailure.TIMED_OUT, "hung_count"),
        (WorkFailure.CRASHED, "crashed_count"),
        (WorkFailure.CORRUPT_RESULT, "corrupt_count"),
        (WorkFailure.CORRUPT_INPUT, "corrupt_count"),
    ],
)
def test_failures_are_told_and_counted(reason: WorkFailure, counter: str) -> None:
    """Each kind of worker trouble has its counter, and the slot is free again."""
    service = make_service()
    service.handle(task(1), S)
    service.handle(task(2), S)
    records = service.handle(WorkFailed(service.state.running[0].work_id, reason), 2 * S)
    assert of(records, ExecutionFailed) == [ExecutionFailed(1, (1, 1), 1, reason, 0)]
    assert of(records, ExecutionStarted) == [ExecutionStarted(2, 1)]
    assert getattr(service.housekeeping(), counter) == 1


def test_a_worker_nobody_hears_of_is_given_up() -> None:
    """Ten seconds after its budget at the first forecast."""
    service = make_service()
    service.handle(task(1), S)
    assert not service.handle(forecast(30 * S), 30 * S)
    records = service.handle(forecast(31 * S), 31 * S)
    assert of(records, AbortWork)
    assert of(records, ExecutionFailed) == [ExecutionFailed(1, (1, 1), 1, WorkFailure.TIMED_OUT, 0)]


def test_it_is_given_up_too_when_forecasts_have_stopped() -> None:
    """The service asks for a wake-up when its running task is overdue, whatever waits in the queue."""
    service = make_service(slot_count=1)
    service.handle(task(1), S)
    assert service.next_wakeup_obt_ns() == 32 * S
    service.handle(task(2), S)
    assert service.next_wakeup_obt_ns() == 6 * S
    assert not of(service.handle(WakeupReached(), 6 * S), ExecutionFailed)
    assert service.next_wakeup_obt_ns() == 32 * S
    failed = of(service.handle(WakeupReached(), 32 * S), ExecutionFailed)
    assert failed == [ExecutionFailed(1, (1, 1), 1, WorkFailure.TIMED_OUT, 0)]
    assert service.next_wakeup_obt_ns() == 127 * S


def test_cancel_takes_from_queue_or_slot() -> None:
    """A running one is aborted without an answer, a queued one just goes, an unknown one is nothing."""
    service = make_service()
    service.handle(task(1), S)
    service.handle(task(2), S)
    assert not of(service.handle(CancelExecution(2), S), AbortWork)
    records = service.handle(CancelExecution(1), S)
    assert of(records, AbortWork) == [AbortWork(1)]
    assert not of(records, ExecutionFailed)
    assert service.handle(CancelExecution(1), S) == ()
    assert service.handle(WorkFinished(1, b"r" * 16, 10, b""), 2 * S)
    assert service.housekeeping().unknown_work_count == 1


def test_the_same_task_is_not_computed_twice() -> None:
    """A second attempt renames what is here; the answer carries the newest attempt."""
    service = make_service()
    service.handle(task(1), S)
    assert service.handle(task(1, attempt=2), S) == ()
    records = service.handle(WorkFinished(1, b"r" * 16, 10, b""), 11 * S)
    assert of(records, ExecutionFinished)[0].attempt == 2


def test_restart_loses_running_work_and_keeps_the_queue() -> None:
    """Workers die with the node: CRASHED to the owner; later work numbers never meet earlier ones."""
    service = make_service()
    service.handle(task(1), S)
    service.handle(task(2), S)
    data = msgspec.msgpack.encode(service.state)
    service.state = msgspec.msgpack.decode(data, type=ComputeState)
    records = service.handle(NodeBooted(1, True), 5 * S)
    assert of(records, ExecutionFailed) == [ExecutionFailed(1, (1, 1), 1, WorkFailure.CRASHED, 0)]
    (start,) = of(service.handle(forecast(6 * S), 6 * S), StartWork)
    assert start.work_id == (1 << 32) + 1
    assert service.housekeeping().lost_by_restart_count == 1


def test_housekeeping_follows_its_dictionary_and_resets() -> None:
    """Same names in the same order; ResetCounters leaves the levels."""
    names = tuple(field.name for field in DICTIONARY.housekeeping.fields)
    assert names == ComputeHousekeeping.__struct_fields__
    service = make_service()
    service.handle(task(1), S)
    assert service.housekeeping().started_count == 1
    service.handle(ResetCounters(), S)
    assert service.housekeeping().started_count == 0
    assert service.housekeeping().running_count == 1
