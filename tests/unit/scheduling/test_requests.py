"""Requests for the imager, the transition table, and housekeeping."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from flightos.core.ports import CaptureImage, ImageCaptured, ImageFailed, NodeBooted
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import CommandCompleted, CommandDispatched, ResetCounters
from flightos.services.compute.interface import ExecutionFinished, ExecutionStarted
from flightos.services.health.interface import Mode, ModeChanged
from flightos.services.resources.interface import ForecastMade
from flightos.services.scheduling.interface import (
    DICTIONARY,
    REQUEST_OBSERVATION,
    ImagingChanged,
    ObservationRecord,
    RequestObservation,
    SchedulingHousekeeping,
    TaskSpec,
    TaskState,
)
from flightos.services.scheduling.service import SchedulingService
from flightos.services.scheduling.state import Observation, ObservationPhase, Task
from flightos.services.scheduling.transitions import TRANSITIONS, move
from tests.unit.scheduling.cluster import configuration_of, forecast_at

S = NS_PER_S


def make_service(**changes: Any) -> SchedulingService:
    """A booted node with charge."""
    configuration = msgspec.structs.replace(configuration_of(1, (2,), 100), **changes)
    service = SchedulingService(configuration)
    service.handle(NodeBooted(0, False), 0)
    service.handle(ForecastMade(forecast_at(0)), 0)
    return service


def command(*arguments: int | str) -> CommandDispatched:
    """RequestObservation as commanding dispatches it."""
    return CommandDispatched(REQUEST_OBSERVATION.id, "scheduling", arguments, 9, 2000)


def answers(records: Any) -> list[int]:
    """Refusals of the answers to commands."""
    return [record.refusal for record in records if isinstance(record, CommandCompleted)]


@pytest.mark.parametrize(
    ("arguments", "refusal"),
    [
        ((0, 3, 1, 60, "surface_watch"), Refusal.BAD_ARGUMENT),
        ((7, 3, 4, 60, "surface_watch"), Refusal.BAD_ARGUMENT),
        ((7, 3, 1, 0, "surface_watch"), Refusal.BAD_ARGUMENT),
        ((7, 3, 1, 60, "unknown"), Refusal.BAD_ARGUMENT),
        ((7, 3, 1, "soon", "surface_watch"), Refusal.BAD_ARGUMENT),
        ((7, 3, 1), Refusal.BAD_ARGUMENT),
    ],
)
def test_requests_are_refused_with_a_reason(arguments: tuple[int | str, ...], refusal: Refusal) -> None:
    """Arguments out of range, an app that is not installed, wrong types or number."""
    service = make_service()
    assert answers(service.handle(command(*arguments), S)) == [refusal]
    assert service.housekeeping().request_refused_count == 1
    assert not service.state.imaging


def test_a_node_that_may_not_image_says_so() -> None:
    """No imager, SAFE, no charge, no forecast, the same number again."""
    good = (7, 3, 1, 60, "surface_watch")
    assert answers(make_service(has_imager=False).handle(command(*good), S)) == [Refusal.NO_IMAGER]
    service = make_service()
    service.handle(ModeChanged(Mode.SAFE, Mode.NOMINAL), S)
    assert answers(service.handle(command(*good), S)) == [Refusal.WRONG_MODE]
    service = make_service()
    service.handle(ForecastMade(forecast_at(S, charge_ok=False)), S)
    assert answers(service.handle(command(*good), S)) == [Refusal.CHARGE_BELOW_FLOOR]
    service = make_service()
    assert answers(service.handle(command(*good), S)) == []
    assert answers(service.handle(command(*good), S)) == [Refusal.BAD_ARGUMENT]


def test_one_exposure_at_a_time() -> None:
    """A burst waits its turn; the imager is on from the first to the last; each command is answered at its tile."""
    service = make_service()
    records = [*service.handle(command(7, 3, 1, 60, "surface_watch"), S)]
    assert records == [ImagingChanged(True), CaptureImage(7, 3, 2 * S)]
    assert service.handle(command(8, 4, 1, 60, "surface_watch"), S) == []
    records = [*service.handle(ImageCaptured(7, 3, b"t" * 16, 50), 3 * S)]
    assert CaptureImage(8, 4, 2 * S) in records
    assert answers(records) == [0]
    records = [*service.handle(ImageFailed(8, 4), 5 * S)]
    assert ImagingChanged(False) in records
    assert answers(records) == [Refusal.ABORTED]


def test_a_silent_imager_is_given_up() -> None:
    """30 s after the exposure the request fails and the imager is switched off."""
    service = make_service()
    service.handle(RequestObservation(7, "surface_watch", 3, 1, 600), S)
    records: list[Record] = []
    for second in range(2, 40):
        records.extend(service.handle(WakeupReached(), second * S))
    assert ImagingChanged(False) in records
    assert not service.state.imaging


def test_the_table_is_the_whole_truth() -> None:
    """Final states have no way out; an absent pair changes nothing, is counted and is an event."""
    assert not [pair for pair in TRANSITIONS if pair[0] in (TaskState.DONE, TaskState.DROPPED)]
    service = make_service()
    record = ObservationRecord(7, "a", 0, b"", 0, 0, 0, 0, 1, 2, (1, 1))
    task = Task(TaskSpec(0, "n", "s", b"", (-1,), 1, 1))
    observation = Observation(record, ObservationPhase.PROCESSING, 10**12, tasks=[task])
    service.state.task_counts[TaskState.WAITING] = 1
    out: list[Record] = []
    assert not move(service.state, observation, task, ExecutionStarted, out)
    assert task.state == TaskState.WAITING.value
    assert len(out) == 1
    assert service.housekeeping().illegal_transition_count == 1
    assert move(service.state, observation, task, ExecutionFinished, out)
    assert task.state == TaskState.DONE.value
    assert service.housekeeping().task_waiting_count == 0


def test_housekeeping_follows_its_dictionary_and_resets_apart_from_levels() -> None:
    """Names in the order of the record."""
    names = tuple(field.name for field in DICTIONARY.housekeeping.fields)
    assert names == SchedulingHousekeeping.__struct_fields__
    service = make_service()
    service.handle(command(7), S)
    service.handle(ResetCounters(), S)
    assert service.housekeeping().request_refused_count == 0
