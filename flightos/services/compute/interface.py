"""Contract of `compute`: execution slots, budgets, watchdog, cost model."""

from __future__ import annotations

from typing import Final

from flightos.core.dictionary import (
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
    labels_of,
)
from flightos.core.ids import ContentId
from flightos.core.ports import WorkFailure
from flightos.core.records import HousekeepingRecord, Record
from flightos.core.refusal import Refusal


class ExecuteTask(Record, frozen=True):
    """From scheduling: run this on a slot here when charge and heat allow. `attempt` makes the pair unique.

    `tera_ops` gives the modelled duration by the node's rate; `duration_ns` > 0 overrides it (app steps).
    """

    task_id: int
    epoch: tuple[int, int]
    attempt: int
    app: str
    step: str
    parameters: bytes
    input_ids: tuple[ContentId, ...]
    tera_ops: int
    duration_ns: int
    wants_inline: bool
    priority: int


class CancelExecution(Record, frozen=True):
    """From scheduling: no longer wanted (queued or running)."""

    task_id: int


class ExecutionStarted(Record, frozen=True):
    """A slot took the task."""

    task_id: int
    attempt: int


class ExecutionFinished(Record, frozen=True):
    """The result is in the store."""

    task_id: int
    epoch: tuple[int, int]
    attempt: int
    result_id: ContentId
    size_bytes: int
    inline: bytes


class ExecutionFailed(Record, frozen=True):
    """No result; `reason` is a WorkFailure, or 0 with a refusal number."""

    task_id: int
    epoch: tuple[int, int]
    attempt: int
    reason: int
    refusal: int


class ComputeLoadChanged(Record, frozen=True):
    """Power drawn by the compute box, in mW, and its backlog in tera-operations (queued and running)."""

    compute_mw: int
    queued_tera_ops: int
    running_count: int


# --- housekeeping and events ----------------------------------------------------------------------------------


class ComputeHousekeeping(HousekeepingRecord, frozen=True):
    """Levels of the box, then counters since the last `ResetCounters`."""

    running_count: int
    queued_count: int
    queued_tera_ops: int
    compute_mw: int
    is_blocked: bool
    started_count: int
    finished_count: int
    failed_count: int
    hung_count: int
    crashed_count: int
    corrupt_count: int
    refused_count: int
    given_back_count: int
    shed_count: int
    lost_by_restart_count: int
    cancelled_count: int
    unknown_work_count: int


_TASK_FIELDS: Final = (
    FieldDefinition(
        "task_id", "u64", "observation id x 256 + index; 254 is the plan step, 255 the finish step"
    ),
    FieldDefinition("attempt", "u8", "which attempt of the owner"),
    FieldDefinition("step", "text", "kernel or app step"),
)
_REFUSAL: Final = FieldDefinition(
    "refusal", "u8", "Refusal, 0 when it is a failure", labels_of(Refusal, "none")
)
_ENDING_FIELDS: Final = (
    *_TASK_FIELDS,
    FieldDefinition("reason", "u8", "WorkFailure, 0 when it is a refusal", labels_of(WorkFailure, "none")),
    _REFUSAL,
)

EXECUTION_STARTED: Final = EventDefinition(
    0x0601,
    "EXECUTION_STARTED",
    Severity.INFO,
    "task {task_id} attempt {attempt} started: {step}",
    _TASK_FIELDS,
)
EXECUTION_FINISHED: Final = EventDefinition(
    0x0602,
    "EXECUTION_FINISHED",
    Severity.INFO,
    "task {task_id} attempt {attempt} finished: {step}",
    _TASK_FIELDS,
)
EXECUTION_FAILED: Final = EventDefinition(
    0x0603,
    "EXECUTION_FAILED",
    Severity.LOW,
    "task {task_id} attempt {attempt} ({step}) gave no result: failure {reason}, refusal {refusal}",
    _ENDING_FIELDS,
)
EXECUTION_REFUSED: Final = EventDefinition(
    0x0604,
    "EXECUTION_REFUSED",
    Severity.LOW,
    "task {task_id} attempt {attempt} ({step}) was not taken: refusal {refusal}",
    (*_TASK_FIELDS, _REFUSAL),
    interval_ns_min=1_000_000_000,
)
EXECUTION_GIVEN_BACK: Final = EventDefinition(
    0x0605,
    "EXECUTION_GIVEN_BACK",
    Severity.LOW,
    "task {task_id} attempt {attempt} ({step}) could not start in time: refusal {refusal}",
    (*_TASK_FIELDS, _REFUSAL),
)
EXECUTION_CANCELLED: Final = EventDefinition(
    0x0606,
    "EXECUTION_CANCELLED",
    Severity.INFO,
    "task {task_id} attempt {attempt} cancelled: {step}",
    _TASK_FIELDS,
)
WORK_UNKNOWN: Final = EventDefinition(
    0x0607,
    "WORK_UNKNOWN",
    Severity.LOW,
    "a worker reported work {work_id}, which nobody waits for",
    (FieldDefinition("work_id", "u64", "number of the work"),),
    interval_ns_min=10_000_000_000,
)

DICTIONARY: Final = ServiceDictionary(
    service="compute",
    apid=0x106,
    housekeeping=HousekeepingDefinition(
        0x06,
        (
            FieldDefinition("running_count", "u16", "tasks and app steps on slots"),
            FieldDefinition("queued_count", "u16", "tasks that wait for a slot, charge or heat"),
            FieldDefinition("queued_tera_ops", "u64", "backlog, running work included"),
            FieldDefinition("compute_mw", "u32", "power drawn by the box"),
            FieldDefinition("is_blocked", "bool", "charge, heat, mode or an old forecast forbids a start"),
            FieldDefinition("started_count", "u32"),
            FieldDefinition("finished_count", "u32"),
            FieldDefinition("failed_count", "u32"),
            FieldDefinition("hung_count", "u32", "workers killed by the watchdog"),
            FieldDefinition("crashed_count", "u32", "workers that died"),
            FieldDefinition("corrupt_count", "u32", "inputs or results with a wrong checksum"),
            FieldDefinition("refused_count", "u32", "not taken: queue full or SAFE"),
            FieldDefinition("given_back_count", "u32", "queued too long without leave to start"),
            FieldDefinition("shed_count", "u32", "given up on entering SAFE"),
            FieldDefinition("lost_by_restart_count", "u32", "running when the node restarted"),
            FieldDefinition("cancelled_count", "u32", "no longer wanted by the owner"),
            FieldDefinition("unknown_work_count", "u32", "reports of workers that nobody waits for"),
        ),
    ),
    events=(
        EXECUTION_STARTED,
        EXECUTION_FINISHED,
        EXECUTION_FAILED,
        EXECUTION_REFUSED,
        EXECUTION_GIVEN_BACK,
        EXECUTION_CANCELLED,
        WORK_UNKNOWN,
    ),
)
