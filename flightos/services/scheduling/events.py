"""Events and commands of `scheduling`; part of its contract, and exported with it."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from flightos.core.dictionary import CommandDefinition, EventDefinition, FieldDefinition, Severity, labels_of
from flightos.core.ports import WorkFailure
from flightos.core.refusal import Refusal


class TaskState(IntEnum):
    """Life of a task; DONE and DROPPED are final."""

    WAITING = 0
    READY = 1
    ASSIGNED = 2
    RUNNING = 3
    DONE = 4
    DROPPED = 5


_OBSERVATION: Final = FieldDefinition("observation_id", "u32", "number of the observation")
_TILE: Final = FieldDefinition("tile_index", "u16", "tile of the scene")
_TASK: Final = FieldDefinition("task_id", "u64", "observation id x 256 + index of the task")
_NODE: Final = FieldDefinition("node_id", "u16", "a satellite")
_REFUSAL: Final = FieldDefinition("refusal", "u8", "why", labels_of(Refusal, "none"))
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
    (
        _TASK,
        _NODE,
        FieldDefinition("failure", "u8", "WorkFailure, or 0", labels_of(WorkFailure, "none")),
        _REFUSAL,
    ),
)
TRANSITION_ILLEGAL: Final = EventDefinition(
    0x050F,
    "TRANSITION_ILLEGAL",
    Severity.MEDIUM,
    "task {task_id} in state {state} met {fact}: nothing changed",
    (
        _TASK,
        FieldDefinition("state", "u8", "of the task", labels_of(TaskState)),
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

EVENTS: Final = (
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
)
COMMANDS: Final = (REQUEST_OBSERVATION,)
