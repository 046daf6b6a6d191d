"""How an observation leaves the table: dropped with a reason, closed, or left to a newer owner."""

from __future__ import annotations

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import ContentId, is_satellite, task_id
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.services.compute.interface import CancelExecution
from flightos.services.network.interface import BundleKind, SendBundle
from flightos.services.scheduling.codec import encode
from flightos.services.scheduling.events import OBSERVATION_ABANDONED, OBSERVATION_CLOSED, OBSERVATION_DROPPED
from flightos.services.scheduling.interface import (
    FINISH_TASK_INDEX,
    PLAN_TASK_INDEX,
    ReplicaRelease,
    TaskCancellation,
    TaskState,
)
from flightos.services.scheduling.state import Observation, ObservationPhase, SchedulingState, Task
from flightos.services.scheduling.transitions import TaskGivenUp, is_final, is_out, move
from flightos.services.storage.interface import DiscardContent, ReleaseContent
from flightos.services.telemetry.interface import ReportEvent

CONTROL_LIFETIME_MS = 3_600_000
"""Releases and cancellations only save space and energy; an hour later they save nothing."""
PRIORITY_MAX = 3


def bundle_priority(priority: int) -> int:
    """Priority of a bundle, 0 bulk to 3 urgent, from that of an observation."""
    return max(0, min(PRIORITY_MAX, priority))


def control_bundle(destination_id: int, kind: BundleKind, body: object) -> SendBundle:
    """A small bundle without content."""
    data = encode(body)
    return SendBundle(destination_id, kind, data, (), len(data), PRIORITY_MAX, CONTROL_LIFETIME_MS)


def discard(content_ids: tuple[ContentId, ...], out: list[Record]) -> None:
    """Drop delivered bytes that nobody here wants; whoever else keeps the same content keeps it."""
    for content_id in content_ids:
        out.append(DiscardContent(content_id))


def cancel_task(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    task: Task,
    out: list[Record],
) -> None:
    """Tell whoever has the task that its result is no longer wanted."""
    number = task_id(observation.record.observation_id, task.spec.index)
    if task.node_id == configuration.node_id:
        if number not in state.assignments:
            out.append(CancelExecution(number))
    elif is_satellite(task.node_id):
        body = TaskCancellation(number, observation.record.epoch, task.attempt)
        out.append(control_bundle(task.node_id, BundleKind.CANCEL_TASK, body))


def drop(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    refusal: Refusal,
    out: list[Record],
) -> None:
    """End an observation that cannot be finished: every task that has not ended is dropped with the reason.

    One lost task spoils the product, so its dependants and its siblings go with it.
    """
    record = observation.record
    for task in observation.tasks:
        if is_final(task):
            continue
        if is_out(task):
            cancel_task(state, configuration, observation, task, out)
        move(state, observation, task, TaskGivenUp, out, int(refusal))
    state.counters.observation_dropped_count += 1
    values = (record.observation_id, record.tile_index, int(refusal), observation.is_admitted)
    out.append(ReportEvent(OBSERVATION_DROPPED.id, values))
    release_standby(observation, out)
    remove(state, observation, out)


def close(state: SchedulingState, observation: Observation, out: list[Record]) -> None:
    """The ground accepted the product: nothing of the observation is needed any more."""
    record = observation.record
    state.counters.closed_count += 1
    out.append(ReportEvent(OBSERVATION_CLOSED.id, (record.observation_id, record.tile_index)))
    release_standby(observation, out)
    remove(state, observation, out)


def abandon(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    epoch: tuple[int, int],
    out: list[Record],
) -> None:
    """A newer owner exists. Its tasks are counted there, so they end here without a word."""
    record = observation.record
    for task in observation.tasks:
        if is_out(task) and task.node_id == configuration.node_id:
            cancel_task(state, configuration, observation, task, out)
    state.counters.abandoned_count += 1
    values = (record.observation_id, record.tile_index, epoch[1] & 0xFFFF, epoch[0] & 0xFFFF)
    out.append(ReportEvent(OBSERVATION_ABANDONED.id, values))
    remove(state, observation, out)


def release_standby(observation: Observation, out: list[Record]) -> None:
    """The standby may forget its copy, confirmed or still under way."""
    record = observation.record
    if record.standby_id:
        body = ReplicaRelease(record.observation_id, record.epoch)
        out.append(control_bundle(record.standby_id, BundleKind.RELEASE_REPLICA, body))


def remove(state: SchedulingState, observation: Observation, out: list[Record]) -> None:
    """Stop its app steps, let go of its contents and forget it."""
    record = observation.record
    if observation.phase is ObservationPhase.PLANNING:
        out.append(CancelExecution(task_id(record.observation_id, PLAN_TASK_INDEX)))
    elif observation.phase is ObservationPhase.FINISHING:
        out.append(CancelExecution(task_id(record.observation_id, FINISH_TASK_INDEX)))
    out.append(ReleaseContent(record.tile_id))
    for task in observation.tasks:
        state.task_counts[task.state] -= 1
        if task.state is TaskState.DONE:
            out.append(ReleaseContent(task.result_id))
    del state.observations[record.observation_id]
