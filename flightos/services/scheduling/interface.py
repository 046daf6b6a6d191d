"""Contract of `scheduling`: observations become tasks, tasks find a satellite, results become a product."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from flightos.core.dictionary import (
    CommandDefinition,
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.ids import ContentId
from flightos.core.records import HousekeepingRecord, Record

PLAN_TASK_INDEX: Final = 254
FINISH_TASK_INDEX: Final = 255
"""The app steps of an observation are executed like tasks, under these indices."""
TASK_COUNT_MAX: Final = 254
"""Tasks of one plan: the eight bits of a task index, less the two app steps."""


class TaskState(IntEnum):
    """Life of a task; DONE and DROPPED are final."""

    WAITING = 0
    READY = 1
    ASSIGNED = 2
    RUNNING = 3
    DONE = 4
    DROPPED = 5


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
    forecast (quantised), `accepts` is False in SAFE or when it may not start tasks. `hop_count` is how far it came.
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


_OBSERVATION: Final = FieldDefinition("observation_id", "u32", "number of the observation")
_TILE: Final = FieldDefinition("tile_index", "u16", "tile of the scene")
_TASK: Final = FieldDefinition("task_id", "u64", "observation id x 256 + index of the task")
_NODE: Final = FieldDefinition("node_id", "u16", "a satellite")
_REFUSAL: Final = FieldDefinition("refusal", "u8", "Refusal")
_EPOCH: Final = FieldDefinition("epoch_counter", "u16", "how often the ownership changed, from 1")

OBSERVATION_IMAGED: Final = EventDefinition(
    0x0501,
    "OBSERVATION_IMAGED",
    Severity.INFO,
    "observation {observation_id}: tile {tile_index} imaged, {size_bytes} bytes",
    (_OBSERVATION, _TILE, FieldDefinition("size_bytes", "u64", "bytes sensed")),
)
OBSERVATION_REFUSED: Final = EventDefinition(
    0x0502,
    "OBSERVATION_REFUSED",
    Severity.LOW,
    "observation {observation_id} of tile {tile_index} refused: {refusal}",
    (_OBSERVATION, _TILE, _REFUSAL),
)
OBSERVATION_WAITS_FOR_STANDBY: Final = EventDefinition(
    0x0503,
    "OBSERVATION_WAITS_FOR_STANDBY",
    Severity.LOW,
    "observation {observation_id} waits: no neighbour takes its copy",
    (_OBSERVATION, _TILE),
)
OBSERVATION_ADMITTED: Final = EventDefinition(
    0x0504,
    "OBSERVATION_ADMITTED",
    Severity.INFO,
    "observation {observation_id} admitted, standby {standby_id}",
    (_OBSERVATION, _TILE, FieldDefinition("standby_id", "u16", "standby owner")),
)
OBSERVATION_PLANNED: Final = EventDefinition(
    0x0505,
    "OBSERVATION_PLANNED",
    Severity.INFO,
    "observation {observation_id} has {task_count} tasks (epoch {epoch_counter})",
    (_OBSERVATION, FieldDefinition("task_count", "u16", "tasks of the plan"), _EPOCH),
)
OBSERVATION_COMPLETED: Final = EventDefinition(
    0x0506,
    "OBSERVATION_COMPLETED",
    Severity.INFO,
    "observation {observation_id}: product of {size_bytes} bytes",
    (
        _OBSERVATION,
        _TILE,
        FieldDefinition("content_id", "content_id", "the product"),
        FieldDefinition("size_bytes", "u64", "bytes of the product"),
    ),
)
OBSERVATION_CLOSED: Final = EventDefinition(
    0x0507,
    "OBSERVATION_CLOSED",
    Severity.INFO,
    "observation {observation_id} closed: the ground has its product",
    (_OBSERVATION, _TILE),
)
OBSERVATION_DROPPED: Final = EventDefinition(
    0x0508,
    "OBSERVATION_DROPPED",
    Severity.LOW,
    "observation {observation_id} dropped: {refusal}",
    (_OBSERVATION, _TILE, _REFUSAL, FieldDefinition("is_admitted", "bool", "it had been admitted")),
)
OBSERVATION_TAKEN_OVER: Final = EventDefinition(
    0x0509,
    "OBSERVATION_TAKEN_OVER",
    Severity.LOW,
    "observation {observation_id} taken over from {node_id} (epoch {epoch_counter})",
    (_OBSERVATION, _TILE, _NODE, _EPOCH),
)
OBSERVATION_ABANDONED: Final = EventDefinition(
    0x050A,
    "OBSERVATION_ABANDONED",
    Severity.LOW,
    "observation {observation_id} abandoned: {node_id} owns it since epoch {epoch_counter}",
    (_OBSERVATION, _TILE, _NODE, _EPOCH),
)
TASK_PLACED: Final = EventDefinition(
    0x050B,
    "TASK_PLACED",
    Severity.INFO,
    "task {task_id} placed on {node_id}, attempt {attempt}",
    (_TASK, _NODE, FieldDefinition("attempt", "u8", "number of the attempt")),
)
TASK_DONE: Final = EventDefinition(
    0x050C, "TASK_DONE", Severity.INFO, "task {task_id} done by {node_id}", (_TASK, _NODE)
)
TASK_DROPPED: Final = EventDefinition(
    0x050D, "TASK_DROPPED", Severity.LOW, "task {task_id} dropped: {refusal}", (_TASK, _REFUSAL)
)
TASK_RETURNED: Final = EventDefinition(
    0x050E,
    "TASK_RETURNED",
    Severity.LOW,
    "task {task_id} came back from {node_id}: failure {failure}, refusal {refusal}",
    (_TASK, _NODE, FieldDefinition("failure", "u8", "WorkFailure, or 0"), _REFUSAL),
)
TRANSITION_ILLEGAL: Final = EventDefinition(
    0x050F,
    "TRANSITION_ILLEGAL",
    Severity.MEDIUM,
    "task {task_id} in state {state} met {fact}: nothing changed",
    (
        _TASK,
        FieldDefinition("state", "u8", "TaskState"),
        FieldDefinition("fact", "text", "name of the record"),
    ),
    interval_ns_min=1_000_000_000,
)
EPOCH_STALE: Final = EventDefinition(
    0x0510,
    "EPOCH_STALE",
    Severity.LOW,
    "observation {observation_id}: record of {node_id} with old epoch {epoch_counter} refused",
    (_OBSERVATION, _NODE, _EPOCH),
    interval_ns_min=1_000_000_000,
)
BODY_UNDECODABLE: Final = EventDefinition(
    0x0511,
    "BODY_UNDECODABLE",
    Severity.MEDIUM,
    "bytes of {node_id} are no {kind}",
    (_NODE, FieldDefinition("kind", "text", "what they should have been")),
    interval_ns_min=10_000_000_000,
)
REPLICA_KEPT: Final = EventDefinition(
    0x0512,
    "REPLICA_KEPT",
    Severity.INFO,
    "copy of observation {observation_id} kept for {node_id}",
    (_OBSERVATION, _NODE),
)
TABLE_FULL: Final = EventDefinition(
    0x0513,
    "SCHEDULING_TABLE_FULL",
    Severity.MEDIUM,
    "no room in table {table}",
    (FieldDefinition("table", "text", "which table"),),
    interval_ns_min=10_000_000_000,
)

REQUEST_OBSERVATION: Final = CommandDefinition(
    0x0501,
    "RequestObservation",
    "image a tile, process it with an app, bring the product down",
    (
        FieldDefinition("observation_id", "u32", "unique number", range_min=1),
        _TILE,
        FieldDefinition("priority", "u8", "0 bulk to 3 urgent", range_min=0, range_max=3),
        FieldDefinition("deadline_s", "u32", "seconds from execution", range_min=1),
        FieldDefinition("app", "text", "name of an installed app"),
    ),
)

DICTIONARY: Final = ServiceDictionary(
    service="scheduling",
    apid=0x105,
    housekeeping=HousekeepingDefinition(0x05, _u32(*SchedulingHousekeeping.__struct_fields__)),
    events=(
        OBSERVATION_IMAGED,
        OBSERVATION_REFUSED,
        OBSERVATION_WAITS_FOR_STANDBY,
        OBSERVATION_ADMITTED,
        OBSERVATION_PLANNED,
        OBSERVATION_COMPLETED,
        OBSERVATION_CLOSED,
        OBSERVATION_DROPPED,
        OBSERVATION_TAKEN_OVER,
        OBSERVATION_ABANDONED,
        TASK_PLACED,
        TASK_DONE,
        TASK_DROPPED,
        TASK_RETURNED,
        TRANSITION_ILLEGAL,
        EPOCH_STALE,
        BODY_UNDECODABLE,
        REPLICA_KEPT,
        TABLE_FULL,
    ),
    commands=(REQUEST_OBSERVATION,),
)
