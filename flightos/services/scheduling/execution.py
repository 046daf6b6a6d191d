"""Executing for other owners: an assignment comes as a bundle, its result goes back as one."""

from __future__ import annotations

from typing import Final

from flightos.core.ids import observation_of
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.compute.interface import (
    CancelExecution,
    ExecuteTask,
    ExecutionFailed,
    ExecutionFinished,
)
from flightos.services.network.interface import BundleDelivered, BundleKind, SendBundle
from flightos.services.scheduling.codec import encode
from flightos.services.scheduling.ending import bundle_priority, control_bundle
from flightos.services.scheduling.interface import AssignTask, TaskCancellation, TaskResult
from flightos.services.scheduling.state import (
    ASSIGNMENT_COUNT_MAX,
    HELD_RESULT_COUNT_MAX,
    Assignment,
    SchedulingState,
    set_due,
)
from flightos.services.scheduling.views import report_full
from flightos.services.storage.interface import ContentKind, KeepContent, ReleaseContent

RESULT_HOLD_NS: Final = 900 * NS_PER_S
"""How long a sent result stays in the store: longer than any outage of the ring that leaves its bundle alive."""
RESULT_LIFETIME_MS: Final = 900_000


def refuse_assignment(
    destination_id: int, task_id: int, epoch: tuple[int, int], attempt: int, refusal: Refusal
) -> SendBundle:
    """Answer at once that a task will not be executed; with STALE_EPOCH, `epoch` is the newer one."""
    body = TaskResult(task_id, epoch, attempt, b"", 0, 0, int(refusal))
    return control_bundle(destination_id, BundleKind.TASK_RESULT, body)


def take_assignment(
    state: SchedulingState, delivered: BundleDelivered, body: AssignTask, out: list[Record]
) -> None:
    """Take a task of the current epoch. One that is here already is only answered under its newest attempt."""
    number = body.task_id
    known = state.assignments.get(number)
    if known is not None:
        if (body.epoch, body.attempt) <= (known.epoch, known.attempt):
            return
        known.owner_id, known.epoch, known.attempt = delivered.source_id, body.epoch, body.attempt
        input_ids = known.input_ids
    else:
        refusal = _refusal_of(state, delivered, body, out)
        if refusal is not None:
            out.append(refuse_assignment(delivered.source_id, number, body.epoch, body.attempt, refusal))
            return
        input_ids = body.input_ids
        state.assignments[number] = Assignment(
            delivered.source_id, body.epoch, body.attempt, input_ids, body.priority
        )
        for input_id, size_bytes in zip(input_ids, body.input_bytes, strict=True):
            out.append(
                KeepContent(input_id, ContentKind.RESULT, size_bytes, observation_of(number), body.priority)
            )
    out.append(
        ExecuteTask(
            number,
            body.epoch,
            body.attempt,
            body.app,
            body.step,
            body.parameters,
            input_ids,
            body.tera_ops,
            0,
            False,
            body.priority,
        )
    )


def _refusal_of(
    state: SchedulingState, delivered: BundleDelivered, body: AssignTask, out: list[Record]
) -> Refusal | None:
    if len(state.assignments) >= ASSIGNMENT_COUNT_MAX:
        report_full(state, "assignments", out)
        return Refusal.QUEUE_FULL
    if any(input_id not in delivered.attachment_ids for input_id in body.input_ids):
        return Refusal.INPUT_LOST
    return None


def forget_assignment(state: SchedulingState, task_id: int, out: list[Record]) -> Assignment | None:
    """Let go of an assignment and its inputs."""
    assignment = state.assignments.pop(task_id, None)
    if assignment is not None:
        out.extend(ReleaseContent(input_id) for input_id in assignment.input_ids)
    return assignment


def send_result(
    state: SchedulingState, record: ExecutionFinished, now_obt_ns: int, out: list[Record]
) -> None:
    """The result goes to the owner and is held for a while, so that it can be sent over."""
    assignment = forget_assignment(state, record.task_id, out)
    if assignment is None:
        return
    number = observation_of(record.task_id)
    if len(state.held_results) >= HELD_RESULT_COUNT_MAX:
        report_full(state, "held_results", out)
        out.append(ReleaseContent(state.held_results.pop(0)[1]))
    release_obt_ns = set_due(state, now_obt_ns + RESULT_HOLD_NS)
    state.held_results.append((release_obt_ns, record.result_id))
    out.append(
        KeepContent(record.result_id, ContentKind.RESULT, record.size_bytes, number, assignment.priority)
    )
    body = encode(
        TaskResult(
            record.task_id, assignment.epoch, assignment.attempt, record.result_id, record.size_bytes, 0, 0
        )
    )
    out.append(
        SendBundle(
            assignment.owner_id,
            BundleKind.TASK_RESULT,
            body,
            (record.result_id,),
            len(body) + record.size_bytes,
            bundle_priority(assignment.priority),
            RESULT_LIFETIME_MS,
        )
    )


def send_failure(state: SchedulingState, record: ExecutionFailed, out: list[Record]) -> None:
    """The owner learns that this node gives no result."""
    assignment = forget_assignment(state, record.task_id, out)
    if assignment is None:
        return
    body = TaskResult(
        record.task_id, assignment.epoch, assignment.attempt, b"", 0, record.reason, record.refusal
    )
    out.append(control_bundle(assignment.owner_id, BundleKind.TASK_RESULT, body))


def cancel_assignment(state: SchedulingState, body: TaskCancellation, out: list[Record]) -> None:
    """The owner no longer wants a result, unless it asked again since."""
    assignment = state.assignments.get(body.task_id)
    if assignment is None or (assignment.epoch, assignment.attempt) > (body.epoch, body.attempt):
        return
    forget_assignment(state, body.task_id, out)
    out.append(CancelExecution(body.task_id))


def release_held(state: SchedulingState, now_obt_ns: int, out: list[Record]) -> None:
    """Sent results whose time is over."""
    while state.held_results and state.held_results[0][0] <= now_obt_ns:
        out.append(ReleaseContent(state.held_results.pop(0)[1]))
    if state.held_results:
        set_due(state, state.held_results[0][0])
