"""Life of a task as one table; the only place where a task changes its state."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from flightos.core.ids import task_id
from flightos.core.records import Record
from flightos.services.compute.interface import ExecutionFailed, ExecutionFinished, ExecutionStarted
from flightos.services.health.interface import PeerDeclared
from flightos.services.scheduling.events import TASK_DONE, TASK_DROPPED, TRANSITION_ILLEGAL
from flightos.services.scheduling.interface import TaskPlaced, TaskState, TaskStateChanged
from flightos.services.scheduling.state import NO_TIME, Observation, SchedulingState, Task
from flightos.services.telemetry.interface import ReportEvent


class InputsCompleted(Record, frozen=True):
    """Every task whose result is wanted is done."""


class TaskExpired(Record, frozen=True):
    """The result is later than expected by more than the margin."""


class TaskGivenUp(Record, frozen=True):
    """Deadline passed, attempts exhausted, or the observation went to another owner or ended."""


TRANSITIONS: Final[Mapping[tuple[TaskState, type[Record]], TaskState]] = {
    (TaskState.WAITING, InputsCompleted): TaskState.READY,
    (TaskState.WAITING, ExecutionFinished): TaskState.DONE,
    (TaskState.WAITING, TaskGivenUp): TaskState.DROPPED,
    (TaskState.READY, TaskPlaced): TaskState.ASSIGNED,
    (TaskState.READY, ExecutionFinished): TaskState.DONE,  # late: kernels are pure, so it counts
    (TaskState.READY, TaskGivenUp): TaskState.DROPPED,
    (TaskState.ASSIGNED, ExecutionStarted): TaskState.RUNNING,
    (TaskState.ASSIGNED, ExecutionFinished): TaskState.DONE,
    (TaskState.ASSIGNED, ExecutionFailed): TaskState.READY,  # attempts are limited where they are counted
    (TaskState.ASSIGNED, TaskExpired): TaskState.READY,
    (TaskState.ASSIGNED, PeerDeclared): TaskState.READY,
    (TaskState.ASSIGNED, TaskGivenUp): TaskState.DROPPED,
    (TaskState.RUNNING, ExecutionFinished): TaskState.DONE,
    (TaskState.RUNNING, ExecutionFailed): TaskState.READY,
    (TaskState.RUNNING, TaskExpired): TaskState.READY,
    (TaskState.RUNNING, PeerDeclared): TaskState.READY,
    (TaskState.RUNNING, TaskGivenUp): TaskState.DROPPED,
}
"""An absent pair changes nothing, is counted, and is an event."""


def is_out(task: Task) -> bool:
    """True while a node has the task."""
    return task.state in (TaskState.ASSIGNED, TaskState.RUNNING)


def is_final(task: Task) -> bool:
    """True when the task has ended."""
    return task.state in (TaskState.DONE, TaskState.DROPPED)


def move(
    state: SchedulingState,
    observation: Observation,
    task: Task,
    fact: type[Record],
    records: list[Record],
    refusal: int = 0,
) -> bool:
    """Change a task's state by the table and report it; False when the table has no such pair."""
    number = task_id(observation.record.observation_id, task.spec.index)
    after = TRANSITIONS.get((task.state, fact))
    if after is None:
        state.counters.illegal_transition_count += 1
        records.append(ReportEvent(TRANSITION_ILLEGAL.id, (number, int(task.state), fact.__name__)))
        return False
    state.task_counts[task.state] -= 1
    state.task_counts[after] += 1
    task.state = after
    if after is not TaskState.ASSIGNED and after is not TaskState.RUNNING:
        task.expires_obt_ns = NO_TIME
    records.append(TaskStateChanged(number, after, task.node_id, refusal))
    if after is TaskState.DONE:
        state.counters.task_done_count += 1
        records.append(ReportEvent(TASK_DONE.id, (number, task.node_id)))
    elif after is TaskState.DROPPED:
        state.counters.task_dropped_count += 1
        records.append(ReportEvent(TASK_DROPPED.id, (number, refusal)))
    elif after is TaskState.READY:
        state.views_changed = True
        state.placement_obt_ns = 0
    return True
