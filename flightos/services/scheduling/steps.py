"""The app steps `plan` and `finish` of an observation: asked of the own compute, asked again when they fail."""

from __future__ import annotations

from typing import Final

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import ContentId, task_id
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.compute.interface import ExecuteTask
from flightos.services.scheduling.codec import encode
from flightos.services.scheduling.ending import drop
from flightos.services.scheduling.interface import FINISH_TASK_INDEX, PLAN_TASK_INDEX, PlanRequest
from flightos.services.scheduling.state import (
    NO_TIME,
    Observation,
    ObservationPhase,
    SchedulingState,
    set_due,
)

STEP_PLAN: Final = "plan"
STEP_FINISH: Final = "finish"
STEP_RETRY_NS: Final = 10 * NS_PER_S
"""Pause after a step that failed or was refused: charge, heat and mode change slowly."""
ATTEMPT_MAX: Final = 255
"""An attempt travels as one byte."""


def input_ids_of(observation: Observation, inputs: tuple[int, ...]) -> tuple[ContentId, ...]:
    """Content of the tile (-1) and of finished tasks."""
    tasks = observation.tasks
    return tuple(observation.record.tile_id if index < 0 else tasks[index].result_id for index in inputs)


def start_plan(configuration: NodeConfiguration, observation: Observation, out: list[Record]) -> None:
    """Ask the app which tasks the observation consists of."""
    observation.phase = ObservationPhase.PLANNING
    _start(configuration, observation, PLAN_TASK_INDEX, STEP_PLAN, (observation.record.tile_id,), out)


def start_finish(configuration: NodeConfiguration, observation: Observation, out: list[Record]) -> None:
    """Ask the app for the product of the results."""
    observation.phase = ObservationPhase.FINISHING
    input_ids = input_ids_of(observation, observation.finish_inputs)
    _start(configuration, observation, FINISH_TASK_INDEX, STEP_FINISH, input_ids, out)


def _start(
    configuration: NodeConfiguration,
    observation: Observation,
    index: int,
    step: str,
    input_ids: tuple[ContentId, ...],
    out: list[Record],
) -> None:
    record = observation.record
    observation.step_attempt = min(ATTEMPT_MAX, observation.step_attempt + 1)
    observation.step_retry_obt_ns = NO_TIME
    out.append(
        ExecuteTask(
            task_id=task_id(record.observation_id, index),
            epoch=record.epoch,
            attempt=observation.step_attempt,
            app=record.app,
            step=step,
            parameters=encode(PlanRequest(record.observation_id, record.tile_index, record.tile_id)),
            input_ids=input_ids,
            tera_ops=0,
            duration_ns=configuration.compute.step_duration_ns,
            wants_inline=index == PLAN_TASK_INDEX,
            priority=record.priority,
        )
    )


def restart(configuration: NodeConfiguration, observation: Observation, out: list[Record]) -> None:
    """Ask again after the pause."""
    if observation.phase is ObservationPhase.PLANNING:
        start_plan(configuration, observation, out)
    elif observation.phase is ObservationPhase.FINISHING:
        start_finish(configuration, observation, out)


def fail_step(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    failure: int,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """A step gave nothing. Refusals are waited out until the deadline; failures are limited like those of tasks."""
    if failure:
        observation.step_failure_count += 1
        if observation.step_failure_count >= configuration.scheduling.attempts_max:
            drop(state, configuration, observation, Refusal.ATTEMPTS_EXHAUSTED, out)
            return
    observation.step_retry_obt_ns = set_due(state, now_obt_ns + STEP_RETRY_NS)
