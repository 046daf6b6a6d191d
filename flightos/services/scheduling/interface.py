"""Contract of `scheduling`: observations become tasks, tasks find a satellite, results become a product."""

from __future__ import annotations

from typing import Final

import msgspec

from flightos.core.dictionary import FieldDefinition, HousekeepingDefinition, ServiceDictionary
from flightos.core.ids import ContentId
from flightos.core.records import HousekeepingRecord, Record
from flightos.services.scheduling.events import COMMANDS, EVENTS
from flightos.services.scheduling.events import REQUEST_OBSERVATION as REQUEST_OBSERVATION
from flightos.services.scheduling.events import TaskState as TaskState

PLAN_TASK_INDEX: Final = 254
FINISH_TASK_INDEX: Final = 255
"""The app steps of an observation are executed like tasks, under these indices."""
TASK_COUNT_MAX: Final = 254
"""Tasks of one plan: the eight bits of a task index, less the two app steps."""


class TaskSpec(msgspec.Struct, frozen=True, array_like=True):
    """One bounded unit of compute of an observation, as the app's `plan` step names it.

    `inputs` are indices of tasks of the same plan, or -1 for the tile itself, in the order the kernel wants them.
    `tera_ops` is the modelled cost, `result_bytes` an estimate for the transfer time.
    """

    index: int
    name: str
    step: str
    parameters: bytes
    inputs: tuple[int, ...]
    tera_ops: int
    result_bytes: int


class ObservationRecord(msgspec.Struct, frozen=True, array_like=True):
    """What a standby owner must know to finish an observation without its owner. `epoch` = (counter, node id)."""

    observation_id: int
    app: str
    tile_index: int
    tile_id: ContentId
    tile_bytes: int
    captured_tai_ns: int
    deadline_tai_ns: int
    priority: int
    owner_id: int
    standby_id: int
    epoch: tuple[int, int]


class PlanRequest(msgspec.Struct, frozen=True, array_like=True):
    """Parameters of the app's `plan` step."""

    observation_id: int
    tile_index: int
    tile_id: ContentId


class PlanResult(msgspec.Struct, frozen=True, array_like=True):
    """What `plan` returns, as MessagePack."""

    tasks: tuple[TaskSpec, ...]
    finish_inputs: tuple[int, ...]
    """Indices of the tasks whose results `finish` wants, in order."""


class ProductMetadata(msgspec.Struct, frozen=True, array_like=True):
    """Body of a product bundle: the product's bytes are its one attachment."""

    content_id: ContentId
    observation_id: int
    tile_index: int
    app: str
    size_bytes: int
    captured_tai_ns: int
    completed_tai_ns: int


class RequestObservation(Record, frozen=True):
    """From commanding: image a tile and process it with an app. Deadline counts from the command's execution."""

    observation_id: int
    app: str
    tile_index: int
    priority: int
    deadline_s: int


class ImagingChanged(Record, frozen=True):
    """The imager was switched: fact for `resources`."""

    imager_on: bool


class NodeView(msgspec.Struct, frozen=True, array_like=True):
    """What a node tells the others of itself. `version` is its on-board time in seconds; newest wins.

    `queued_tera_ops` is its backlog, `rate_tops` its speed, `energy_available_mj` and `heat_seconds` are those of its
    forecast (quantised), `accepts` is False outside NOMINAL or when it may not start tasks. `hop_count` is how far
    it came.
    `memory_boot_count` is the boot at which its memory began: when it grows, the node forgot what it owned and ran.
    """

    node_id: int
    boot_count: int
    version: int
    accepts: bool
    mode: int
    rate_tops: int
    queued_tera_ops: int
    energy_available_mj: int
    heat_seconds: int
    hop_count: int
    memory_boot_count: int = 0


class AssignTask(msgspec.Struct, frozen=True, array_like=True):
    """Body of an ASSIGN_TASK bundle; its attachments are the inputs in order, of `input_bytes` each."""

    task_id: int
    epoch: tuple[int, int]
    attempt: int
    app: str
    step: str
    parameters: bytes
    input_ids: tuple[ContentId, ...]
    tera_ops: int
    priority: int
    input_bytes: tuple[int, ...] = ()


class TaskResult(msgspec.Struct, frozen=True, array_like=True):
    """Body of a TASK_RESULT bundle; the result is its attachment. A failure has no attachment."""

    task_id: int
    epoch: tuple[int, int]
    attempt: int
    result_id: ContentId
    size_bytes: int
    failure: int
    refusal: int


class ReplicaAnswer(msgspec.Struct, frozen=True, array_like=True):
    """Body of a REPLICA_STORED bundle. With a refusal, `epoch` is the one that the standby holds."""

    observation_id: int
    epoch: tuple[int, int]
    refusal: int


class ReplicaRelease(msgspec.Struct, frozen=True, array_like=True):
    """Body of a RELEASE_REPLICA bundle: the owner's observation ended."""

    observation_id: int
    epoch: tuple[int, int]


class TaskCancellation(msgspec.Struct, frozen=True, array_like=True):
    """Body of a CANCEL_TASK bundle: no result of this task is wanted up to and including this attempt."""

    task_id: int
    epoch: tuple[int, int]
    attempt: int


# --- facts that trace, telemetry and the report read --------------------------------------------------------


class ObservationAdmitted(Record, frozen=True):
    """Owner and standby hold it: from now on it may not be lost."""

    observation_id: int
    tile_index: int
    standby_id: int


class TaskPlaced(Record, frozen=True):
    """The owner chose a satellite."""

    task_id: int
    node_id: int
    expected_finish_obt_ns: int


class TaskStateChanged(Record, frozen=True):
    """A transition of the table, as a fact."""

    task_id: int
    state: TaskState
    node_id: int
    refusal: int


# --- housekeeping, events, commands -------------------------------------------------------------------------


class SchedulingHousekeeping(HousekeepingRecord, frozen=True):
    """Levels of the task table, then counters since the last `ResetCounters`."""

    observation_count: int
    waiting_for_standby_count: int
    replica_count: int
    assignment_count: int
    view_count: int
    neighbour_count: int
    task_waiting_count: int
    task_ready_count: int
    task_assigned_count: int
    task_running_count: int
    task_done_count: int
    task_dropped_count: int
    imaged_count: int
    admitted_count: int
    planned_count: int
    completed_count: int
    closed_count: int
    observation_dropped_count: int
    taken_over_count: int
    abandoned_count: int
    placed_here_count: int
    placed_remote_count: int
    task_retry_count: int
    task_expired_count: int
    request_refused_count: int
    no_capacity_count: int
    stale_epoch_count: int
    illegal_transition_count: int
    bad_body_count: int
    table_full_count: int
    gossip_sent_count: int
    gossip_received_count: int


def _u32(*names: str) -> tuple[FieldDefinition, ...]:
    return tuple(FieldDefinition(name, "u32") for name in names)


DICTIONARY: Final = ServiceDictionary(
    service="scheduling",
    apid=0x105,
    housekeeping=HousekeepingDefinition(0x05, _u32(*SchedulingHousekeeping.__struct_fields__)),
    events=EVENTS,
    commands=COMMANDS,
)
