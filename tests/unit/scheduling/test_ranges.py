"""Bodies of other nodes whose numbers no sound node sends are refused before anything is reckoned with them."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from flightos.core.ids import content_id
from flightos.services.network.interface import BundleDelivered, BundleKind
from flightos.services.scheduling import codec
from flightos.services.scheduling.interface import AssignTask, ObservationRecord, TaskResult
from flightos.services.scheduling.ranges import CONTENT_BYTES_MAX, TERA_OPS_MAX
from flightos.services.scheduling.service import SchedulingService
from flightos.services.storage.interface import DiscardContent
from flightos.services.telemetry.interface import ReportEvent
from tests.unit.scheduling.cluster import configuration_of

TILE = content_id(b"tile")
OBSERVATION = ObservationRecord(7, "app", 0, TILE, 1_000, 10**18, 10**18, 1, 2, 1, (1, 2))
ASSIGNMENT = AssignTask(1792, (1, 2), 1, "app", "step", b"", (TILE,), 10, 1, (1_000,))
RESULT = TaskResult(1792, (1, 2), 1, TILE, 1_000, 0, 0)


@pytest.mark.parametrize(
    "change",
    [
        {"observation_id": 0},
        {"observation_id": 1 << 32},
        {"tile_index": -1},
        {"tile_index": 1 << 16},
        {"tile_id": b"short"},
        {"tile_bytes": 0},
        {"tile_bytes": -7},
        {"tile_bytes": CONTENT_BYTES_MAX + 1},
        {"captured_tai_ns": -1},
        {"deadline_tai_ns": 1 << 63},
        {"priority": 4},
        {"priority": -1},
        {"owner_id": 1000},
        {"standby_id": -1},
        {"epoch": (1 << 64 - 1, 2)},
        {"epoch": (0, 2)},
    ],
    ids=str,
)
def test_an_observation_out_of_range_is_no_observation(change: dict[str, Any]) -> None:
    """Nothing is kept for it, its tile is discarded, and it is counted and told."""
    assert codec.decode_observation(codec.encode(OBSERVATION)) == OBSERVATION
    body = codec.encode(msgspec.structs.replace(OBSERVATION, **change))
    assert codec.decode_observation(body) is None
    service = SchedulingService(configuration_of(1, (2,), 100))
    delivered = BundleDelivered(2, BundleKind.REPLICATE_OBSERVATION, body, (TILE,), 4, (2, 1, 1))
    out = service.handle(delivered, 1)
    assert [type(record) for record in out] == [ReportEvent, DiscardContent]
    assert service.state.counters.bad_body_count == 1
    assert not service.state.replicas


@pytest.mark.parametrize(
    "change",
    [
        {"task_id": 255},
        {"task_id": 1 << 40},
        {"attempt": -1},
        {"input_bytes": ()},
        {"input_bytes": (CONTENT_BYTES_MAX + 1,)},
        {"tera_ops": TERA_OPS_MAX + 1},
        {"tera_ops": -1},
        {"priority": 1 << 40},
    ],
    ids=str,
)
def test_an_assignment_out_of_range_is_no_assignment(change: dict[str, Any]) -> None:
    """Durations of tasks that were taken fit a record."""
    assert codec.decode_assignment(codec.encode(ASSIGNMENT)) == ASSIGNMENT
    assert codec.decode_assignment(codec.encode(msgspec.structs.replace(ASSIGNMENT, **change))) is None


def test_a_result_has_a_size_and_a_failure_needs_none() -> None:
    """A failure names no content."""
    failure = TaskResult(1792, (1, 2), 1, b"", 0, 2, 0)
    assert [codec.decode_result(codec.encode(body)) for body in (RESULT, failure)] == [RESULT, failure]
    for size_bytes in (0, -1, CONTENT_BYTES_MAX + 1):
        body = msgspec.structs.replace(RESULT, size_bytes=size_bytes)
        assert codec.decode_result(codec.encode(body)) is None
