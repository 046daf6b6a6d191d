"""What other nodes send to scheduling: one function per kind of bundle, behind one check of epochs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import observation_of
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.services.compute.interface import ExecutionFailed
from flightos.services.network.interface import BundleDelivered, BundleKind
from flightos.services.scheduling.codec import (
    decode_answer,
    decode_assignment,
    decode_cancellation,
    decode_observation,
    decode_release,
    decode_result,
)
from flightos.services.scheduling.ending import control_bundle, discard
from flightos.services.scheduling.events import BODY_UNDECODABLE
from flightos.services.scheduling.execution import cancel_assignment, refuse_assignment, take_assignment
from flightos.services.scheduling.interface import ReplicaAnswer
from flightos.services.scheduling.ownership import check_epoch, report_stale
from flightos.services.scheduling.placement import accept_result, return_task
from flightos.services.scheduling.replication import forget_replica, store_replica, take_answer
from flightos.services.scheduling.state import Observation, SchedulingState, Task
from flightos.services.scheduling.transitions import is_final, is_out
from flightos.services.telemetry.interface import ReportEvent

Reader = Callable[[SchedulingState, NodeConfiguration, BundleDelivered, int, list[Record]], bool]
"""Gives False when the body is not what its kind says."""

TASK_INDEX_COUNT: Final = 256


def find_task(observation: Observation, number: int) -> Task | None:
    """The task of a number within its observation."""
    index = number % TASK_INDEX_COUNT
    return observation.tasks[index] if index < len(observation.tasks) else None


def read_bundle(
    state: SchedulingState,
    configuration: NodeConfiguration,
    delivered: BundleDelivered,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """Deal with a bundle of a kind that concerns scheduling; others are not for it.

    Readers keep what they want of the attachments; the rest goes, whatever the reason.
    """
    reader = READERS.get(delivered.kind)
    if reader is None:
        return
    if not reader(state, configuration, delivered, now_obt_ns, out):
        state.counters.bad_body_count += 1
        out.append(ReportEvent(BODY_UNDECODABLE.id, (delivered.source_id & 0xFFFF, delivered.kind.name)))
    discard(delivered.attachment_ids, out)


def _replicate(
    state: SchedulingState,
    configuration: NodeConfiguration,
    delivered: BundleDelivered,
    now_obt_ns: int,
    out: list[Record],
) -> bool:
    record = decode_observation(delivered.body)
    if record is None or record.owner_id != delivered.source_id or record.owner_id == configuration.node_id:
        return False
    number = record.observation_id
    newer = check_epoch(state, configuration, number, record.epoch, delivered.source_id, out)
    if newer is None and number not in state.observations:
        store_replica(state, configuration, delivered, record, now_obt_ns, out)
        return True
    answer = ReplicaAnswer(number, newer or record.epoch, int(Refusal.STALE_EPOCH))
    out.append(control_bundle(delivered.source_id, BundleKind.REPLICA_STORED, answer))
    return True


def _replica_stored(
    state: SchedulingState,
    configuration: NodeConfiguration,
    delivered: BundleDelivered,
    now_obt_ns: int,
    out: list[Record],
) -> bool:
    answer = decode_answer(delivered.body)
    if answer is None:
        return False
    number = answer.observation_id
    if number in state.observations:
        source_id = delivered.source_id
        stale = check_epoch(state, configuration, number, answer.epoch, source_id, out)
        observation = state.observations.get(number)
        if stale is None and observation is not None:
            take_answer(state, configuration, observation, source_id, answer, now_obt_ns, out)
    return True


def _release_replica(
    state: SchedulingState,
    configuration: NodeConfiguration,
    delivered: BundleDelivered,
    now_obt_ns: int,
    out: list[Record],
) -> bool:
    release = decode_release(delivered.body)
    if release is None:
        return False
    replica = state.replicas.get(release.observation_id)
    if replica is not None:
        if release.epoch >= replica.record.epoch:
            forget_replica(state, release.observation_id, out)
        else:
            report_stale(state, release.observation_id, release.epoch, delivered.source_id, out)
    return True


def _assign(
    state: SchedulingState,
    configuration: NodeConfiguration,
    delivered: BundleDelivered,
    now_obt_ns: int,
    out: list[Record],
) -> bool:
    body = decode_assignment(delivered.body)
    if body is None:
        return False
    number = observation_of(body.task_id)
    newer = check_epoch(state, configuration, number, body.epoch, delivered.source_id, out)
    if newer is None and number not in state.observations:
        take_assignment(state, delivered, body, out)
        return True
    epoch = newer or body.epoch
    out.append(refuse_assignment(delivered.source_id, body.task_id, epoch, body.attempt, Refusal.STALE_EPOCH))
    return True


def _task_result(
    state: SchedulingState,
    configuration: NodeConfiguration,
    delivered: BundleDelivered,
    now_obt_ns: int,
    out: list[Record],
) -> bool:
    body = decode_result(delivered.body)
    if body is None:
        return False
    number = observation_of(body.task_id)
    source_id = delivered.source_id
    stale = None
    if number in state.observations:
        stale = check_epoch(state, configuration, number, body.epoch, source_id, out)
    observation = state.observations.get(number)
    if observation is None or stale is not None:
        return True
    task = find_task(observation, body.task_id)
    if task is None:
        return False
    if body.failure or body.refusal:
        if is_out(task) and task.attempt == body.attempt and task.node_id == source_id:
            return_task(
                state,
                configuration,
                observation,
                task,
                ExecutionFailed,
                body.failure & 0xFF,
                body.refusal & 0xFF,
                now_obt_ns,
                out,
            )
        return True
    if body.result_id not in delivered.attachment_ids:
        return False
    if is_final(task):
        return True
    accept_result(
        state,
        configuration,
        observation,
        task,
        source_id,
        body.result_id,
        body.size_bytes,
        now_obt_ns,
        out,
    )
    return True


def _cancel(
    state: SchedulingState,
    configuration: NodeConfiguration,
    delivered: BundleDelivered,
    now_obt_ns: int,
    out: list[Record],
) -> bool:
    body = decode_cancellation(delivered.body)
    if body is None:
        return False
    cancel_assignment(state, body, out)
    return True


READERS: Final[Mapping[BundleKind, Reader]] = {
    BundleKind.REPLICATE_OBSERVATION: _replicate,
    BundleKind.REPLICA_STORED: _replica_stored,
    BundleKind.RELEASE_REPLICA: _release_replica,
    BundleKind.ASSIGN_TASK: _assign,
    BundleKind.TASK_RESULT: _task_result,
    BundleKind.CANCEL_TASK: _cancel,
}
