"""Which task runs where: candidates from the views, the policy's choice, and what becomes of an assignment."""

from __future__ import annotations

from typing import Final

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import ContentId, task_id
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.services.compute.interface import ExecuteTask, ExecutionFailed, ExecutionFinished
from flightos.services.network.interface import BundleKind, SendBundle
from flightos.services.scheduling.codec import encode
from flightos.services.scheduling.ending import bundle_priority, cancel_task, drop
from flightos.services.scheduling.events import TASK_PLACED, TASK_RETURNED
from flightos.services.scheduling.interface import AssignTask, TaskPlaced, TaskState
from flightos.services.scheduling.policies.earliest_finish import Candidate, Choice, Demand, choose
from flightos.services.scheduling.state import Observation, ObservationPhase, SchedulingState, Task, set_due
from flightos.services.scheduling.steps import ATTEMPT_MAX, input_ids_of, start_finish
from flightos.services.scheduling.transitions import (
    InputsCompleted,
    TaskExpired,
    is_final,
    is_out,
    move,
)
from flightos.services.scheduling.views import accepts_tasks, own_backlog_tera_ops
from flightos.services.storage.interface import ContentKind, KeepContent
from flightos.services.telemetry.interface import ReportEvent

PLACEMENT_RETRY_NS: Final = 5 * NS_PER_S
"""Tasks without a place are tried again this often while views change; through an eclipse that is many times."""
REFUSAL_PAUSE_NS: Final = 10 * NS_PER_S
REFUSAL_PAUSE_NS_MAX: Final = 120 * NS_PER_S
"""A task that is refused again and again asks less and less often."""


def candidates(state: SchedulingState, configuration: NodeConfiguration, now_obt_ns: int) -> list[Candidate]:
    """The own node and every satellite with a fresh view, backlogs reckoned to now."""
    forecast = state.forecast
    found = [
        Candidate(
            node_id=configuration.node_id,
            hop_count=0,
            accepts=accepts_tasks(state, now_obt_ns),
            rate_tops=configuration.compute.rate_tops,
            queued_tera_ops=own_backlog_tera_ops(state, configuration, now_obt_ns),
            energy_available_mj=forecast.energy_available_mj if forecast is not None else 0,
            heat_seconds=forecast.heat_seconds if forecast is not None else 0,
        )
    ]
    for entry in state.views.values():
        age_ns = now_obt_ns - entry.received_obt_ns
        if entry.is_declared or age_ns > configuration.scheduling.view_age_ns_max:
            continue
        view = entry.view
        backlog = max(0, view.queued_tera_ops - age_ns * view.rate_tops // NS_PER_S)
        found.append(
            Candidate(
                node_id=view.node_id,
                hop_count=view.hop_count,
                accepts=view.accepts,
                rate_tops=view.rate_tops,
                queued_tera_ops=backlog + sum(tera_ops for _, tera_ops in entry.reservations),
                energy_available_mj=view.energy_available_mj,
                heat_seconds=view.heat_seconds,
            )
        )
    return found


def place_all(
    state: SchedulingState, configuration: NodeConfiguration, now_obt_ns: int, out: list[Record]
) -> None:
    """Place what is ready: urgent observations first, then those with the earlier deadline."""
    state.views_changed = False
    processing = [
        observation
        for observation in state.observations.values()
        if observation.phase is ObservationPhase.PROCESSING
    ]
    processing.sort(
        key=lambda observation: (
            -observation.record.priority,
            observation.deadline_obt_ns,
            observation.record.observation_id,
        )
    )
    known = None
    for observation in processing:
        known = place_ready(state, configuration, observation, now_obt_ns, out, known)
    state.placement_obt_ns = now_obt_ns + PLACEMENT_RETRY_NS


def place_ready(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    now_obt_ns: int,
    out: list[Record],
    known: list[Candidate] | None = None,
) -> list[Candidate] | None:
    """Place the ready tasks of one observation; one that finds no place stays ready.

    `known` are the candidates of this moment, if somebody reckoned them already; gives those that still hold.
    """
    link_rate_bps = min((link.rate_bps for link in state.links.values()), default=0)
    for task in observation.tasks:
        if task.state is not TaskState.READY or now_obt_ns < task.not_before_obt_ns:
            continue
        if known is None:
            known = candidates(state, configuration, now_obt_ns)
        spec = task.spec
        demand = Demand(
            spec.tera_ops,
            sum(_input_bytes(observation, spec.inputs)),
            spec.result_bytes,
            observation.deadline_obt_ns,
            task.avoided_node_id,
        )
        choice = choose(demand, known, configuration.compute.mw_per_tops, link_rate_bps, now_obt_ns)
        if isinstance(choice, Refusal):
            state.counters.no_capacity_count += 1
        else:
            _assign(state, configuration, observation, task, choice, now_obt_ns, out)
            known = None
    return known


def _input_bytes(observation: Observation, inputs: tuple[int, ...]) -> tuple[int, ...]:
    tasks = observation.tasks
    return tuple(
        observation.record.tile_bytes if index < 0 else tasks[index].result_bytes for index in inputs
    )


def _assign(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    task: Task,
    choice: Choice,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    number = task_id(observation.record.observation_id, task.spec.index)
    task.attempt += 1
    task.node_id = choice.node_id
    move(state, observation, task, TaskPlaced, out)
    task.expires_obt_ns = set_due(
        state, choice.expected_finish_obt_ns + configuration.scheduling.result_margin_ns
    )
    out.append(TaskPlaced(number, choice.node_id, choice.expected_finish_obt_ns))
    out.append(ReportEvent(TASK_PLACED.id, (number, choice.node_id, task.attempt)))
    if choice.node_id == configuration.node_id:
        state.counters.placed_here_count += 1
        state.reserved_tera_ops += task.spec.tera_ops
        out.append(_execution(observation, task))
    else:
        state.counters.placed_remote_count += 1
        state.views[choice.node_id].reservations.append((now_obt_ns, task.spec.tera_ops))
        out.append(_assignment(observation, task, now_obt_ns))


def _execution(observation: Observation, task: Task) -> ExecuteTask:
    """The task for the own box."""
    record = observation.record
    spec = task.spec
    return ExecuteTask(
        task_id=task_id(record.observation_id, spec.index),
        epoch=record.epoch,
        attempt=task.attempt,
        app=record.app,
        step=spec.step,
        parameters=spec.parameters,
        input_ids=input_ids_of(observation, spec.inputs),
        tera_ops=spec.tera_ops,
        duration_ns=0,
        wants_inline=False,
        priority=record.priority,
    )


def _assignment(observation: Observation, task: Task, now_obt_ns: int) -> SendBundle:
    """The task with its inputs for another satellite; of no use once it has expired."""
    record = observation.record
    spec = task.spec
    input_ids = input_ids_of(observation, spec.inputs)
    input_bytes = _input_bytes(observation, spec.inputs)
    body = encode(
        AssignTask(
            task_id=task_id(record.observation_id, spec.index),
            epoch=record.epoch,
            attempt=task.attempt,
            app=record.app,
            step=spec.step,
            parameters=spec.parameters,
            input_ids=input_ids,
            tera_ops=spec.tera_ops,
            priority=record.priority,
            input_bytes=input_bytes,
        )
    )
    return SendBundle(
        destination_id=task.node_id,
        kind=BundleKind.ASSIGN_TASK,
        body=body,
        attachment_ids=input_ids,
        size_bytes=len(body) + sum(input_bytes),
        priority=bundle_priority(record.priority),
        lifetime_ms=max(1, (task.expires_obt_ns - now_obt_ns) // NS_PER_MS),
    )


# --- what becomes of an assignment -----------------------------------------------------------------------------


def accept_result(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    task: Task,
    source_id: int,
    result_id: ContentId,
    size_bytes: int,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """A result of the current epoch. Kernels are pure: it counts whichever attempt it comes from."""
    if is_out(task) and task.node_id != source_id:
        cancel_task(state, configuration, observation, task, out)
    task.node_id = source_id
    task.result_id = result_id
    task.result_bytes = size_bytes
    if not move(state, observation, task, ExecutionFinished, out):
        return
    record = observation.record
    out.append(KeepContent(result_id, ContentKind.RESULT, size_bytes, record.observation_id, record.priority))
    unblock(state, observation, out)
    if all(is_final(other) for other in observation.tasks):
        start_finish(configuration, observation, out)
    else:
        place_ready(state, configuration, observation, now_obt_ns, out)


def unblock(state: SchedulingState, observation: Observation, out: list[Record]) -> None:
    """Tasks whose inputs are complete become ready."""
    tasks = observation.tasks
    for task in tasks:
        if task.state is TaskState.WAITING and all(
            index < 0 or tasks[index].state is TaskState.DONE for index in task.spec.inputs
        ):
            move(state, observation, task, InputsCompleted, out)


def return_task(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    task: Task,
    fact: type[Record],
    failure: int,
    refusal: int,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """A node did not deliver: the task is ready again and avoids that node; too many failures end it."""
    number = task_id(observation.record.observation_id, task.spec.index)
    if not move(state, observation, task, fact, out, refusal):
        return
    state.counters.task_retry_count += 1
    out.append(ReportEvent(TASK_RETURNED.id, (number, task.node_id, failure, refusal)))
    task.avoided_node_id = task.node_id
    if failure or fact is TaskExpired:
        task.failure_count += 1
    elif fact is ExecutionFailed:
        task.refusal_count += 1
        pause_ns = min(REFUSAL_PAUSE_NS_MAX, task.refusal_count * REFUSAL_PAUSE_NS)
        task.not_before_obt_ns = set_due(state, now_obt_ns + pause_ns)
    if task.failure_count >= configuration.scheduling.attempts_max or task.attempt >= ATTEMPT_MAX:
        drop(state, configuration, observation, Refusal.ATTEMPTS_EXHAUSTED, out)
