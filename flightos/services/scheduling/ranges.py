"""What the numbers in the bodies of other nodes may be: no peer's word makes this node's sums or records overflow."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from flightos.core.ids import CONTENT_ID_BYTES, ContentId, is_satellite, observation_of
from flightos.services.scheduling.interface import (
    AssignTask,
    ObservationRecord,
    ReplicaAnswer,
    ReplicaRelease,
    TaskCancellation,
    TaskResult,
)

CONTENT_BYTES_MAX: Final = 64 * 1024 * 1024
"""No content is larger than the bundle that has to carry it."""
TERA_OPS_MAX: Final = 100_000_000
"""A thousand shipped tiles; on the slowest box its time in nanoseconds still fits an integer of a record."""
PRIORITY_MAX: Final = 3
_U16: Final = 1 << 16
_U32: Final = 1 << 32
_I63: Final = 1 << 63


def _is_observation_id(number: int) -> bool:
    return 0 < number < _U32


def _is_epoch(epoch: tuple[int, int]) -> bool:
    return 0 < epoch[0] < _U32 and is_satellite(epoch[1])


def _is_content(content: ContentId, size_bytes: int) -> bool:
    return len(content) == CONTENT_ID_BYTES and 0 < size_bytes <= CONTENT_BYTES_MAX


def _is_attempt(task: int, epoch: tuple[int, int], attempt: int) -> bool:
    return _is_observation_id(observation_of(task)) and _is_epoch(epoch) and 0 <= attempt < _U32


def _observation(body: ObservationRecord) -> bool:
    return (
        _is_observation_id(body.observation_id)
        and 0 <= body.tile_index < _U16
        and _is_content(body.tile_id, body.tile_bytes)
        and 0 <= body.captured_tai_ns < _I63
        and 0 < body.deadline_tai_ns < _I63
        and 0 <= body.priority <= PRIORITY_MAX
        and is_satellite(body.owner_id)
        and (body.standby_id == 0 or is_satellite(body.standby_id))
        and _is_epoch(body.epoch)
    )


def _assignment(body: AssignTask) -> bool:
    return (
        _is_attempt(body.task_id, body.epoch, body.attempt)
        and len(body.input_ids) == len(body.input_bytes)
        and all(_is_content(*pair) for pair in zip(body.input_ids, body.input_bytes, strict=True))
        and 0 <= body.tera_ops <= TERA_OPS_MAX
        and 0 <= body.priority <= PRIORITY_MAX
    )


def _result(body: TaskResult) -> bool:
    is_failure = bool(body.failure or body.refusal)
    return _is_attempt(body.task_id, body.epoch, body.attempt) and (
        is_failure or _is_content(body.result_id, body.size_bytes)
    )


def _cancellation(body: TaskCancellation) -> bool:
    return _is_attempt(body.task_id, body.epoch, body.attempt)


def _replica(body: ReplicaAnswer | ReplicaRelease) -> bool:
    return _is_observation_id(body.observation_id) and _is_epoch(body.epoch)


_CHECKS: Final[Mapping[type[Any], Callable[[Any], bool]]] = {
    ObservationRecord: _observation,
    AssignTask: _assignment,
    TaskResult: _result,
    TaskCancellation: _cancellation,
    ReplicaAnswer: _replica,
    ReplicaRelease: _replica,
}


def range_check_of(body_type: type[Any]) -> Callable[[Any], bool]:
    """What tells whether every number of such a body is one that a sound node could have sent."""
    return _CHECKS[body_type]
