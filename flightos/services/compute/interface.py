"""Contract of `compute`: execution slots, budgets, watchdog, cost model."""

from __future__ import annotations

from flightos.core.ids import ContentId
from flightos.core.records import Record


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
