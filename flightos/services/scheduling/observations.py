"""From the request to the tile, from the plan to the tasks, from the results to the product."""

from __future__ import annotations

from typing import Final

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import SATELLITE_ID_MAX
from flightos.core.ports import CaptureImage, ImageCaptured
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import CommandCompleted, CommandDispatched
from flightos.services.compute.interface import ExecutionFinished
from flightos.services.health.interface import Mode
from flightos.services.scheduling.codec import decode_plan, encode
from flightos.services.scheduling.ending import PRIORITY_MAX, discard
from flightos.services.scheduling.events import (
    BODY_UNDECODABLE,
    OBSERVATION_COMPLETED,
    OBSERVATION_IMAGED,
    OBSERVATION_PLANNED,
    OBSERVATION_REFUSED,
    REQUEST_OBSERVATION,
)
from flightos.services.scheduling.interface import (
    ImagingChanged,
    ObservationRecord,
    ProductMetadata,
    RequestObservation,
    TaskSpec,
)
from flightos.services.scheduling.placement import place_ready, unblock
from flightos.services.scheduling.replication import replicate
from flightos.services.scheduling.state import (
    IMAGING_COUNT_MAX,
    NO_TIME,
    ImagingRequest,
    Observation,
    ObservationPhase,
    SchedulingState,
    Task,
    set_due,
)
from flightos.services.scheduling.steps import fail_step
from flightos.services.storage.interface import ContentKind, KeepContent, ProductReady
from flightos.services.telemetry.interface import ReportEvent

EXPOSURE_NS: Final = 2 * NS_PER_S
EXPOSURE_TIMEOUT_NS: Final = 30 * NS_PER_S
"""An imager that is silent for this long after the exposure gave nothing."""
OBSERVATION_ID_MAX: Final = (1 << 32) - 1
CORRUPT_RESULT: Final = 4

assert SATELLITE_ID_MAX < 1 << 16


def read_command(record: CommandDispatched) -> ImagingRequest | None:
    """The arguments of RequestObservation; None when they are not those. The deadline is still a duration."""
    try:
        observation_id, tile_index, priority, deadline_s, app = record.arguments
    except ValueError:
        return None
    if not (
        isinstance(observation_id, int)
        and isinstance(tile_index, int)
        and isinstance(priority, int)
        and isinstance(deadline_s, int)
        and isinstance(app, str)
    ):
        return None
    return ImagingRequest(
        observation_id,
        app,
        tile_index,
        priority,
        deadline_s * NS_PER_S,
        REQUEST_OBSERVATION.id,
        record.sequence_count,
        record.source_id,
    )


def read_request(record: RequestObservation) -> ImagingRequest:
    """The same as a record of the bus."""
    return ImagingRequest(
        record.observation_id,
        record.app,
        record.tile_index,
        record.priority,
        record.deadline_s * NS_PER_S,
    )


def request_observation(
    state: SchedulingState,
    configuration: NodeConfiguration,
    request: ImagingRequest,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """Take a request for the imager, or say why not."""
    refusal = _refusal_of(state, configuration, request)
    if refusal is not None:
        refuse_request(state, request, refusal, out)
        return
    request.deadline_obt_ns += now_obt_ns
    state.imaging[request.observation_id] = request
    if len(state.imaging) == 1:
        out.append(ImagingChanged(True))
        _expose(state, request, now_obt_ns, out)


def _refusal_of(
    state: SchedulingState, configuration: NodeConfiguration, request: ImagingRequest
) -> Refusal | None:
    number = request.observation_id
    if not configuration.has_imager:
        return Refusal.NO_IMAGER
    if state.mode is Mode.SAFE:
        return Refusal.WRONG_MODE
    is_known = number in state.observations or number in state.imaging or number in state.replicas
    if (
        is_known
        or not 0 < number <= OBSERVATION_ID_MAX
        or not 0 <= request.tile_index < 1 << 16
        or not 0 <= request.priority <= PRIORITY_MAX
        or request.deadline_obt_ns <= 0
        or request.app not in configuration.app_names
    ):
        return Refusal.BAD_ARGUMENT
    if state.forecast is None or not state.forecast.charge_ok:
        return Refusal.CHARGE_BELOW_FLOOR
    is_full = len(state.observations) + len(state.imaging) >= configuration.scheduling.observation_count_max
    if is_full or len(state.imaging) >= IMAGING_COUNT_MAX:
        return Refusal.QUEUE_FULL
    return None


def refuse_request(
    state: SchedulingState, request: ImagingRequest, refusal: Refusal, out: list[Record]
) -> None:
    """No observation comes of this request."""
    state.counters.request_refused_count += 1
    values = (request.observation_id & OBSERVATION_ID_MAX, request.tile_index & 0xFFFF, int(refusal))
    out.append(ReportEvent(OBSERVATION_REFUSED.id, values))
    _answer(request, int(refusal), out)


def _answer(request: ImagingRequest, refusal: int, out: list[Record]) -> None:
    if request.command_id:
        out.append(CommandCompleted(request.command_id, request.sequence_count, request.source_id, refusal))


def _expose(state: SchedulingState, request: ImagingRequest, now_obt_ns: int, out: list[Record]) -> None:
    state.imaging_expires_obt_ns = set_due(state, now_obt_ns + EXPOSURE_NS + EXPOSURE_TIMEOUT_NS)
    out.append(CaptureImage(request.observation_id, request.tile_index, EXPOSURE_NS))


def end_exposure(
    state: SchedulingState, observation_id: int, now_obt_ns: int, out: list[Record]
) -> ImagingRequest | None:
    """The imager is done with a request, whichever way: it takes the next one or is switched off."""
    request = state.imaging.pop(observation_id, None)
    if request is None:
        return None
    following = next(iter(state.imaging.values()), None)
    if following is not None:
        _expose(state, following, now_obt_ns, out)
    else:
        state.imaging_expires_obt_ns = NO_TIME
        out.append(ImagingChanged(False))
    return request


def fail_exposure(state: SchedulingState, observation_id: int, now_obt_ns: int, out: list[Record]) -> None:
    """The imager gave nothing."""
    request = end_exposure(state, observation_id, now_obt_ns, out)
    if request is not None:
        refuse_request(state, request, Refusal.ABORTED, out)


def capture(
    state: SchedulingState,
    configuration: NodeConfiguration,
    record: ImageCaptured,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """A tile is in the store: the observation begins, and wants a standby before anything else."""
    number = record.observation_id
    request = end_exposure(state, number, now_obt_ns, out)
    if request is None:
        discard((record.tile_id,), out)
        return
    state.counters.imaged_count += 1
    out.append(ReportEvent(OBSERVATION_IMAGED.id, (number, request.tile_index, record.size_bytes)))
    _answer(request, 0, out)
    out.append(KeepContent(record.tile_id, ContentKind.TILE, record.size_bytes, number, request.priority))
    observation = Observation(
        record=ObservationRecord(
            observation_id=number,
            app=request.app,
            tile_index=request.tile_index,
            tile_id=record.tile_id,
            tile_bytes=record.size_bytes,
            captured_tai_ns=now_obt_ns + state.tai_minus_obt_ns,
            deadline_tai_ns=request.deadline_obt_ns + state.tai_minus_obt_ns,
            priority=request.priority,
            owner_id=configuration.node_id,
            standby_id=0,
            epoch=(1, configuration.node_id),
        ),
        phase=ObservationPhase.REPLICATING,
        deadline_obt_ns=set_due(state, request.deadline_obt_ns),
    )
    state.observations[number] = observation
    replicate(state, configuration, observation, now_obt_ns, out)


def priced(tasks: tuple[TaskSpec, ...], tile_tera_ops: int) -> tuple[TaskSpec, ...]:
    """The tasks with their costs scaled to what this mission says a tile costs; their shares stay as the app has
    them."""
    planned_tera_ops = sum(task.tera_ops for task in tasks)
    if planned_tera_ops in (0, tile_tera_ops):
        return tasks
    return tuple(
        msgspec.structs.replace(task, tera_ops=task.tera_ops * tile_tera_ops // planned_tera_ops)
        for task in tasks
    )


def take_plan(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    record: ExecutionFinished,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """The app named the tasks: those that only want the tile are ready."""
    number = observation.record.observation_id
    discard((record.result_id,), out)
    plan = decode_plan(record.inline)
    if plan is None:
        state.counters.bad_body_count += 1
        out.append(ReportEvent(BODY_UNDECODABLE.id, (configuration.node_id, "plan")))
        fail_step(state, configuration, observation, CORRUPT_RESULT, now_obt_ns, out)
        return
    observation.phase = ObservationPhase.PROCESSING
    observation.step_attempt = observation.step_failure_count = 0
    observation.tasks = [Task(spec) for spec in priced(plan.tasks, configuration.tile_tera_ops)]
    observation.finish_inputs = plan.finish_inputs
    for task in observation.tasks:
        state.task_counts[task.state] += 1
    state.counters.planned_count += 1
    values = (number, len(plan.tasks), observation.record.epoch[0] & 0xFFFF)
    out.append(ReportEvent(OBSERVATION_PLANNED.id, values))
    unblock(state, observation, out)
    place_ready(state, configuration, observation, now_obt_ns, out)


def take_product(
    state: SchedulingState,
    observation: Observation,
    finished: ExecutionFinished,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """The product is in the store: storage brings it down. All else stays until the ground has it."""
    record = observation.record
    observation.phase = ObservationPhase.DELIVERING
    observation.product_id = finished.result_id
    state.counters.completed_count += 1
    metadata = ProductMetadata(
        content_id=finished.result_id,
        observation_id=record.observation_id,
        tile_index=record.tile_index,
        app=record.app,
        size_bytes=finished.size_bytes,
        captured_tai_ns=record.captured_tai_ns,
        completed_tai_ns=now_obt_ns + state.tai_minus_obt_ns,
    )
    out.append(
        ProductReady(
            finished.result_id,
            record.observation_id,
            finished.size_bytes,
            record.priority,
            encode(metadata),
        )
    )
    values = (record.observation_id, record.tile_index, finished.result_id, finished.size_bytes)
    out.append(ReportEvent(OBSERVATION_COMPLETED.id, values))
