"""What compute remembers: the queue, the slots, the last forecast and mode, and its counters."""

from __future__ import annotations

import msgspec

from flightos.core.records import ServiceState
from flightos.services.compute.interface import ExecuteTask
from flightos.services.health.interface import Mode
from flightos.services.resources.interface import Forecast

NOT_BLOCKED = -1
"""`blocked_since_obt_ns` of an execution that only waits for a slot."""


class QueuedExecution(msgspec.Struct, array_like=True):
    """A request that waits. It is blocked from the moment charge, heat or mode forbid its start."""

    request: ExecuteTask
    sequence: int
    blocked_since_obt_ns: int = NOT_BLOCKED
    refusal: int = 0
    """What blocks it, while blocked."""


class RunningExecution(msgspec.Struct, array_like=True):
    """A request on a slot; `finish_obt_ns` is when the model says it ends.

    The worker's own watchdog reports at the end of its budget; at `overdue_obt_ns` even that report is missing.
    """

    request: ExecuteTask
    work_id: int
    started_obt_ns: int
    finish_obt_ns: int
    overdue_obt_ns: int


class ComputeCounters(msgspec.Struct, array_like=True):
    """Counted since the last `ResetCounters`."""

    started_count: int = 0
    finished_count: int = 0
    failed_count: int = 0
    hung_count: int = 0
    crashed_count: int = 0
    corrupt_count: int = 0
    refused_count: int = 0
    given_back_count: int = 0
    shed_count: int = 0
    lost_by_restart_count: int = 0
    cancelled_count: int = 0
    unknown_work_count: int = 0


class ComputeState(ServiceState):
    """Everything that influences what compute does next."""

    mode: Mode = Mode.NOMINAL
    forecast: Forecast | None = None
    queue: list[QueuedExecution] = msgspec.field(default_factory=list)
    """By descending priority, then in order of arrival."""
    running: list[RunningExecution] = msgspec.field(default_factory=list)
    """In order of start; at most `slot_count` kernels and STEP_SLOT_COUNT app steps."""
    work_id_next: int = 1
    sequence_next: int = 0
    reported_load: tuple[int, int, int] = (-1, -1, -1)
    """Last `ComputeLoadChanged`: power, backlog of the moment, running count."""
    counters: ComputeCounters = msgspec.field(default_factory=ComputeCounters)
