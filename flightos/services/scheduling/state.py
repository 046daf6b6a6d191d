"""What scheduling remembers. Dictionaries keep the order of arrival, so every walk over them is repeatable."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from flightos.core.ids import ContentId
from flightos.core.records import ServiceState
from flightos.core.time import NEVER_NS
from flightos.services.health.interface import Mode
from flightos.services.resources.interface import Forecast
from flightos.services.scheduling.interface import NodeView, ObservationRecord, TaskSpec, TaskState

NO_TIME: Final = NEVER_NS
"""A timer that does not run."""
ASSIGNMENT_COUNT_MAX: Final = 128
"""Tasks taken for other owners; compute's own queue is shorter."""
HELD_RESULT_COUNT_MAX: Final = 256
"""Results kept for sending; the oldest goes first."""
EPOCH_COUNT_MAX: Final = 512
"""Observations of other owners whose newest epoch is remembered."""
VIEW_COUNT_MAX: Final = 128
"""More satellites than can be reached within the hop limit of any shipped topology."""
IMAGING_COUNT_MAX: Final = 16
"""Requests that wait for the imager: four bursts of four."""
LINK_COUNT_MAX: Final = 16


class ObservationPhase(IntEnum):
    """What the owner is doing for an observation."""

    REPLICATING = 0
    WAITING_FOR_STANDBY = 1
    PLANNING = 2
    PROCESSING = 3
    FINISHING = 4
    DELIVERING = 5


class Task(msgspec.Struct, array_like=True):
    """One task of an observation owned here."""

    spec: TaskSpec
    state: TaskState = TaskState.WAITING
    attempt: int = 0
    """Number of the last assignment, from 1."""
    failure_count: int = 0
    """Assignments that ended in a failure or expired; refusals are not failures."""
    refusal_count: int = 0
    node_id: int = 0
    """Who has it, or had it last."""
    avoided_node_id: int = 0
    """Where it failed last: taken again only when nobody else can."""
    not_before_obt_ns: int = 0
    expires_obt_ns: int = NO_TIME
    result_id: ContentId = b""
    result_bytes: int = 0


class Observation(msgspec.Struct, array_like=True):
    """One observation owned here."""

    record: ObservationRecord
    phase: ObservationPhase
    deadline_obt_ns: int
    is_admitted: bool = False
    has_standby: bool = False
    """The standby of the record confirmed its copy."""
    tried_standby_ids: tuple[int, ...] = ()
    replica_expires_obt_ns: int = NO_TIME
    """While an answer of the standby is awaited."""
    replica_retry_obt_ns: int = NO_TIME
    """While no neighbour can be asked."""
    step_attempt: int = 0
    step_failure_count: int = 0
    step_retry_obt_ns: int = NO_TIME
    tasks: list[Task] = msgspec.field(default_factory=list)
    finish_inputs: tuple[int, ...] = ()
    product_id: ContentId = b""


class Replica(msgspec.Struct, array_like=True):
    """A copy kept as standby owner."""

    record: ObservationRecord
    expires_obt_ns: int


class Assignment(msgspec.Struct, array_like=True):
    """A task executed here for another owner."""

    owner_id: int
    epoch: tuple[int, int]
    attempt: int
    input_ids: tuple[ContentId, ...]
    priority: int


class ImagingRequest(msgspec.Struct, array_like=True):
    """A request that waits for the imager or is being exposed; the first in the table is exposed."""

    observation_id: int
    app: str
    tile_index: int
    priority: int
    deadline_obt_ns: int
    command_id: int = 0
    sequence_count: int = 0
    source_id: int = 0
    """Whom to answer when it came as a command; command id 0 when it did not."""


class ViewEntry(msgspec.Struct, array_like=True):
    """What is known of another satellite."""

    view: NodeView
    received_obt_ns: int
    from_peer_id: int
    is_declared: bool = False
    reservations: list[tuple[int, int]] = msgspec.field(default_factory=list)
    """(on-board time of placing, tera-operations) that its view cannot show yet."""


class Link(msgspec.Struct, array_like=True):
    """An open link to a neighbour satellite."""

    rate_bps: int


class SchedulingCounters(msgspec.Struct, array_like=True):
    """Counted since the last `ResetCounters`."""

    task_done_count: int = 0
    task_dropped_count: int = 0
    imaged_count: int = 0
    admitted_count: int = 0
    planned_count: int = 0
    completed_count: int = 0
    closed_count: int = 0
    observation_dropped_count: int = 0
    taken_over_count: int = 0
    abandoned_count: int = 0
    placed_here_count: int = 0
    placed_remote_count: int = 0
    task_retry_count: int = 0
    task_expired_count: int = 0
    request_refused_count: int = 0
    no_capacity_count: int = 0
    stale_epoch_count: int = 0
    illegal_transition_count: int = 0
    bad_body_count: int = 0
    table_full_count: int = 0
    gossip_sent_count: int = 0
    gossip_received_count: int = 0


class SchedulingState(ServiceState):
    """Everything that influences what scheduling does next."""

    boot_count: int = 0
    memory_boot_count: int = 0
    mode: Mode = Mode.NOMINAL
    forecast: Forecast | None = None
    tai_minus_obt_ns: int = 0
    compute_tera_ops: int = 0
    compute_tera_ops_obt_ns: int = 0
    """Backlog of the own box when compute last told it."""
    compute_running_count: int = 0
    reserved_tera_ops: int = 0
    """Placed here since then."""
    imaging: dict[int, ImagingRequest] = msgspec.field(default_factory=dict)
    imaging_expires_obt_ns: int = NO_TIME
    observations: dict[int, Observation] = msgspec.field(default_factory=dict)
    replicas: dict[int, Replica] = msgspec.field(default_factory=dict)
    assignments: dict[int, Assignment] = msgspec.field(default_factory=dict)
    held_results: list[tuple[int, ContentId]] = msgspec.field(default_factory=list)
    """(on-board time of release, content), oldest first."""
    epochs: dict[int, tuple[int, int]] = msgspec.field(default_factory=dict)
    links: dict[int, Link] = msgspec.field(default_factory=dict)
    views: dict[int, ViewEntry] = msgspec.field(default_factory=dict)
    relayed_ids: list[int] = msgspec.field(default_factory=list)
    """Views to pass on with the next gossip."""
    own_view: NodeView | None = None
    """As last emitted."""
    load_changed: bool = False
    """The own backlog changed since the own view was emitted."""
    views_changed: bool = False
    """Something that placement reads changed since placement last ran."""
    placement_obt_ns: int = 0
    """Placement looks at tasks without a place not before this time; 0 when one became ready since."""
    task_counts: list[int] = msgspec.field(default_factory=lambda: [0] * len(TaskState))
    """Tasks of the observations in the table, by state."""
    due_obt_ns: int = NO_TIME
    """The earliest timer of any observation, replica, held result or exposure."""
    tick_obt_ns: int | None = None
    counters: SchedulingCounters = msgspec.field(default_factory=SchedulingCounters)


def set_due(state: SchedulingState, obt_ns: int) -> int:
    """Note a timer, so that quiet seconds need not look for one; gives it back."""
    if obt_ns < state.due_obt_ns:
        state.due_obt_ns = obt_ns
    return obt_ns
