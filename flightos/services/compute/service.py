"""Theory of operation: a bounded queue in front of a few slots, and three gates before each start.

A task starts when a slot of its kind is free, the node is not in SAFE, the last forecast says that charge and
heat allow it, and the energy that may be spent until the end of the next eclipse covers the task and what already
runs. The gates are tried at every arrival, ending and forecast. A task that the gates hold for longer than
BLOCKED_NS_MAX goes back to its owner, who may place it elsewhere; one that merely waits for a slot stays.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flightos.core.configuration import NodeConfiguration
from flightos.core.ports import AbortWork, NodeBooted, StartWork, WorkFailed, WorkFailure, WorkFinished
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NEVER_NS, NS_PER_S, next_multiple_ns
from flightos.services.commanding.interface import ResetCounters
from flightos.services.compute.cost import (
    FORECAST_AGE_NS_MAX,
    STEP_SLOT_COUNT,
    budget_ns,
    drawn_mw,
    is_app_step,
    modelled_duration_ns,
    node_gate,
    remaining_tera_ops,
    task_energy_mj,
    task_gate,
)
from flightos.services.compute.interface import (
    EXECUTION_CANCELLED,
    EXECUTION_FAILED,
    EXECUTION_FINISHED,
    EXECUTION_GIVEN_BACK,
    EXECUTION_REFUSED,
    EXECUTION_STARTED,
    WORK_UNKNOWN,
    CancelExecution,
    ComputeHousekeeping,
    ComputeLoadChanged,
    ExecuteTask,
    ExecutionFailed,
    ExecutionFinished,
    ExecutionStarted,
)
from flightos.services.compute.state import (
    NOT_BLOCKED,
    ComputeCounters,
    ComputeState,
    QueuedExecution,
    RunningExecution,
)
from flightos.services.health.interface import Mode, ModeChanged
from flightos.services.resources.interface import ForecastMade
from flightos.services.telemetry.interface import ReportEvent

BLOCKED_NS_MAX: Final = 120 * NS_PER_S
"""Two minutes: longer than a passing dip of charge, shorter than the rest of an eclipse."""
OVERDUE_NS: Final = 10 * NS_PER_S
"""Beyond its budget a worker has been killed and reported; without a report for this long its driver lost it."""
WORK_ID_BITS: Final = 32
"""Work numbers of each life start at boot count << 32: a late report of an earlier life finds nobody."""


def _failed(request: ExecuteTask, reason: int, refusal: int) -> ExecutionFailed:
    return ExecutionFailed(request.task_id, request.epoch, request.attempt, reason, refusal)


class ComputeService:
    """Execution slots of one node."""

    name = "compute"

    def __init__(self, configuration: NodeConfiguration) -> None:
        self._compute = configuration.compute
        self.state = ComputeState()
        self.reactions: Mapping[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            ExecuteTask: self._enqueue,
            CancelExecution: self._cancel,
            WorkFinished: self._finish,
            WorkFailed: self._fail,
            ForecastMade: self._take_forecast,
            ModeChanged: self._change_mode,
            WakeupReached: self._wake_up,
            NodeBooted: self._boot,
            ResetCounters: self._reset_counters,
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record."""
        return self.reactions[type(record)](record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """When a running task is overdue, the last forecast too old for a queued one, or a blocked one must go back.

        Forecasts drive the queue each second; this is for the day on which they stop.
        """
        state = self.state
        due = min((running.overdue_obt_ns for running in state.running), default=NEVER_NS)
        blocked = [entry.blocked_since_obt_ns for entry in state.queue if entry.blocked_since_obt_ns >= 0]
        if blocked:
            due = min(due, min(blocked) + BLOCKED_NS_MAX)
        elif state.queue and state.forecast is not None:
            due = min(due, state.forecast.made_obt_ns + FORECAST_AGE_NS_MAX)
        return None if due == NEVER_NS else next_multiple_ns(due, NS_PER_S)

    def housekeeping(self) -> ComputeHousekeeping:
        """Levels and counters."""
        state = self.state
        counters = state.counters
        load = state.reported_load
        return ComputeHousekeeping(
            len(state.running),
            len(state.queue),
            max(0, load[1]),
            max(0, load[0]),
            bool(state.queue) and any(entry.blocked_since_obt_ns >= 0 for entry in state.queue),
            counters.started_count,
            counters.finished_count,
            counters.failed_count,
            counters.hung_count,
            counters.crashed_count,
            counters.corrupt_count,
            counters.refused_count,
            counters.given_back_count,
            counters.shed_count,
            counters.lost_by_restart_count,
            counters.cancelled_count,
            counters.unknown_work_count,
        )

    # --- arrivals -----------------------------------------------------------------------------------------

    def _enqueue(self, request: ExecuteTask, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        if self._renew(request):
            return ()
        refusal = None
        if state.mode is Mode.SAFE:
            refusal = Refusal.WRONG_MODE
        elif len(state.queue) >= self._compute.queue_count_max:
            refusal = Refusal.QUEUE_FULL
        if refusal is not None:
            state.counters.refused_count += 1
            return (
                ReportEvent(
                    EXECUTION_REFUSED.id, (request.task_id, request.attempt, request.step, int(refusal))
                ),
                _failed(request, 0, refusal),
            )
        position = len(state.queue)
        while position > 0 and state.queue[position - 1].request.priority < request.priority:
            position -= 1
        state.queue.insert(position, QueuedExecution(request, state.sequence_next))
        state.sequence_next += 1
        return self._advance(now_obt_ns)

    def _renew(self, request: ExecuteTask) -> bool:
        """A task that is already here is not computed twice: it takes the name of its newest attempt."""
        entries: list[QueuedExecution | RunningExecution] = [*self.state.queue, *self.state.running]
        for entry in entries:
            if entry.request.task_id == request.task_id:
                if (request.epoch, request.attempt) > (entry.request.epoch, entry.request.attempt):
                    entry.request = request
                return True
        return False

    def _cancel(self, record: CancelExecution, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        for index, queued in enumerate(state.queue):
            if queued.request.task_id == record.task_id:
                del state.queue[index]
                return self._cancelled(queued.request, (), now_obt_ns)
        for index, running in enumerate(state.running):
            if running.request.task_id == record.task_id:
                del state.running[index]
                return self._cancelled(running.request, (AbortWork(running.work_id),), now_obt_ns)
        return ()

    def _cancelled(
        self, request: ExecuteTask, aborts: tuple[Record, ...], now_obt_ns: int
    ) -> Sequence[Record]:
        """The slot stays empty until the next forecast: whoever cancels one task often cancels its siblings too,
        and one of them started in between would look for inputs that are already released."""
        self.state.counters.cancelled_count += 1
        event = ReportEvent(EXECUTION_CANCELLED.id, (request.task_id, request.attempt, request.step))
        return (*aborts, event, *self._report_load(now_obt_ns))

    # --- endings ------------------------------------------------------------------------------------------

    def _take_running(self, work_id: int) -> RunningExecution | None:
        running = self.state.running
        for index, execution in enumerate(running):
            if execution.work_id == work_id:
                return running.pop(index)
        self.state.counters.unknown_work_count += 1
        return None

    def _finish(self, record: WorkFinished, now_obt_ns: int) -> Sequence[Record]:
        execution = self._take_running(record.work_id)
        if execution is None:
            return (ReportEvent(WORK_UNKNOWN.id, (record.work_id,)),)
        self.state.counters.finished_count += 1
        request = execution.request
        return (
            ReportEvent(EXECUTION_FINISHED.id, (request.task_id, request.attempt, request.step)),
            ExecutionFinished(
                request.task_id,
                request.epoch,
                request.attempt,
                record.result_id,
                record.size_bytes,
                record.inline,
            ),
            *self._advance(now_obt_ns),
        )

    def _fail(self, record: WorkFailed, now_obt_ns: int) -> Sequence[Record]:
        execution = self._take_running(record.work_id)
        if execution is None:
            return (ReportEvent(WORK_UNKNOWN.id, (record.work_id,)),)
        counters = self.state.counters
        if record.reason is WorkFailure.TIMED_OUT:
            counters.hung_count += 1
        elif record.reason is WorkFailure.CRASHED:
            counters.crashed_count += 1
        elif record.reason in (WorkFailure.CORRUPT_INPUT, WorkFailure.CORRUPT_RESULT):
            counters.corrupt_count += 1
        return (*self._report_failure(execution.request, record.reason, 0), *self._advance(now_obt_ns))

    def _give_up_overdue(self, now_obt_ns: int) -> Sequence[Record]:
        """Work of which nobody will report any more is taken for hung."""
        state = self.state
        records: list[Record] = []
        for running in state.running:
            if running.overdue_obt_ns <= now_obt_ns:
                state.counters.hung_count += 1
                records.append(AbortWork(running.work_id))
                records.extend(self._report_failure(running.request, WorkFailure.TIMED_OUT, 0))
        state.running = [running for running in state.running if running.overdue_obt_ns > now_obt_ns]
        return (*records, *self._advance(now_obt_ns))

    def _report_failure(self, request: ExecuteTask, reason: int, refusal: int) -> tuple[Record, ...]:
        self.state.counters.failed_count += 1
        values = (request.task_id, request.attempt, request.step, int(reason), int(refusal))
        return (ReportEvent(EXECUTION_FAILED.id, values), _failed(request, int(reason), int(refusal)))

    # --- what the node may spend ----------------------------------------------------------------------------

    def _take_forecast(self, record: ForecastMade, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.forecast = record.forecast
        if any(running.overdue_obt_ns <= now_obt_ns for running in state.running):
            return self._give_up_overdue(now_obt_ns)
        return self._advance(now_obt_ns) if state.queue else ()

    def _wake_up(self, _record: WakeupReached, now_obt_ns: int) -> Sequence[Record]:
        return self._give_up_overdue(now_obt_ns)

    def _change_mode(self, record: ModeChanged, now_obt_ns: int) -> Sequence[Record]:
        """Entering SAFE sheds the load: running work is stopped and everything goes back to its owner."""
        state = self.state
        state.mode = record.mode
        if record.mode is not Mode.SAFE:
            return self._advance(now_obt_ns)
        records: list[Record] = []
        for running in state.running:
            records.append(AbortWork(running.work_id))
            records.extend(self._report_failure(running.request, 0, Refusal.WRONG_MODE))
        for queued in state.queue:
            records.extend(self._report_failure(queued.request, 0, Refusal.WRONG_MODE))
        state.counters.shed_count += len(state.running) + len(state.queue)
        state.running.clear()
        state.queue.clear()
        records.extend(self._report_load(now_obt_ns))
        return records

    def _boot(self, record: NodeBooted, now_obt_ns: int) -> Sequence[Record]:
        """Workers do not survive a restart: what ran is reported as crashed, what was queued stays queued."""
        state = self.state
        state.work_id_next = (record.boot_count << WORK_ID_BITS) + 1
        state.forecast = None
        records: list[Record] = []
        for running in state.running:
            records.extend(self._report_failure(running.request, WorkFailure.CRASHED, 0))
        state.counters.lost_by_restart_count += len(state.running)
        state.running.clear()
        state.reported_load = (-1, -1, -1)
        records.extend(self._advance(now_obt_ns))
        return records

    def _reset_counters(self, _record: ResetCounters, _now_obt_ns: int) -> Sequence[Record]:
        self.state.counters = ComputeCounters()
        return ()

    # --- starts ---------------------------------------------------------------------------------------------

    def _advance(self, now_obt_ns: int) -> list[Record]:
        """Start what may start, give back what was held too long, then report the load if it changed."""
        records: list[Record] = []
        state = self.state
        if state.queue:
            gate = node_gate(state, now_obt_ns)
            energy_mj = self._spendable_mj(now_obt_ns)
            kernel_count = sum(1 for running in state.running if not is_app_step(running.request))
            step_count = len(state.running) - kernel_count
            waiting: list[QueuedExecution] = []
            for entry in state.queue:
                request = entry.request
                refusal = task_gate(state, request, gate, energy_mj, self._compute)
                if refusal is not None:
                    if self._hold(entry, refusal, now_obt_ns):
                        waiting.append(entry)
                    else:
                        records.extend(self._give_back(entry))
                    continue
                entry.blocked_since_obt_ns = NOT_BLOCKED
                if is_app_step(request) and step_count < STEP_SLOT_COUNT:
                    step_count += 1
                elif not is_app_step(request) and kernel_count < self._compute.slot_count:
                    kernel_count += 1
                    energy_mj -= task_energy_mj(request, self._compute)
                else:
                    waiting.append(entry)
                    continue
                records.extend(self._start(request, now_obt_ns))
            state.queue = waiting
        records.extend(self._report_load(now_obt_ns))
        return records

    def _spendable_mj(self, now_obt_ns: int) -> int:
        """Energy of the forecast less what running tasks still need."""
        forecast = self.state.forecast
        if forecast is None:
            return 0
        committed_tera_ops = sum(remaining_tera_ops(running, now_obt_ns) for running in self.state.running)
        return forecast.energy_available_mj - committed_tera_ops * self._compute.mw_per_tops

    @staticmethod
    def _hold(entry: QueuedExecution, refusal: Refusal, now_obt_ns: int) -> bool:
        """Note since when the gates hold a task; False when it is too long."""
        entry.refusal = int(refusal)
        if entry.blocked_since_obt_ns < 0:
            entry.blocked_since_obt_ns = now_obt_ns
        return now_obt_ns - entry.blocked_since_obt_ns < BLOCKED_NS_MAX

    def _give_back(self, entry: QueuedExecution) -> tuple[Record, ...]:
        self.state.counters.given_back_count += 1
        request = entry.request
        values = (request.task_id, request.attempt, request.step, entry.refusal)
        return (ReportEvent(EXECUTION_GIVEN_BACK.id, values), _failed(request, 0, entry.refusal))

    def _start(self, request: ExecuteTask, now_obt_ns: int) -> tuple[Record, ...]:
        state = self.state
        work_id = state.work_id_next
        state.work_id_next += 1
        duration_ns = modelled_duration_ns(request, self._compute)
        finish_obt_ns = now_obt_ns + duration_ns
        killed_after_ns = budget_ns(duration_ns, self._compute)
        overdue_obt_ns = now_obt_ns + killed_after_ns + OVERDUE_NS
        state.running.append(RunningExecution(request, work_id, now_obt_ns, finish_obt_ns, overdue_obt_ns))
        state.counters.started_count += 1
        return (
            StartWork(
                work_id,
                request.app,
                request.step,
                request.parameters,
                request.input_ids,
                duration_ns,
                killed_after_ns,
                request.wants_inline,
            ),
            ReportEvent(EXECUTION_STARTED.id, (request.task_id, request.attempt, request.step)),
            ExecutionStarted(request.task_id, request.attempt),
        )

    def _report_load(self, now_obt_ns: int) -> tuple[Record, ...]:
        """The load as a fact, when power, running count or the composition of the backlog changed."""
        state = self.state
        kernel_count = sum(1 for running in state.running if not is_app_step(running.request))
        compute_mw = drawn_mw(kernel_count, self._compute)
        whole_tera_ops = sum(entry.request.tera_ops for entry in state.queue) + sum(
            running.request.tera_ops for running in state.running
        )
        load = (compute_mw, whole_tera_ops, len(state.running))
        if load == state.reported_load:
            return ()
        state.reported_load = load
        queued_tera_ops = sum(entry.request.tera_ops for entry in state.queue) + sum(
            remaining_tera_ops(running, now_obt_ns) for running in state.running
        )
        return (ComputeLoadChanged(compute_mw, queued_tera_ops, len(state.running)),)
