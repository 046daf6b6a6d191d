"""Two nodes hold every admitted observation: the owner's side and the standby's side of the copy.

The owner asks one open neighbour at a time and waits replica_timeout_ns for its answer; when all were asked in vain
it waits for a link or RETRY_NS. Before admission the observation waits with it; afterwards only the copy is missing.
"""

from __future__ import annotations

from typing import Final

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.services.network.interface import BundleDelivered, BundleKind, SendBundle
from flightos.services.scheduling.codec import encode
from flightos.services.scheduling.ending import bundle_priority, control_bundle, drop
from flightos.services.scheduling.events import (
    OBSERVATION_ADMITTED,
    OBSERVATION_WAITS_FOR_STANDBY,
    REPLICA_KEPT,
)
from flightos.services.scheduling.interface import (
    ObservationAdmitted,
    ObservationRecord,
    ReplicaAnswer,
    ReplicaRelease,
)
from flightos.services.scheduling.state import (
    NO_TIME,
    Observation,
    ObservationPhase,
    Replica,
    SchedulingState,
    set_due,
)
from flightos.services.scheduling.steps import start_plan
from flightos.services.scheduling.views import report_full
from flightos.services.storage.interface import ContentKind, ContentRefused, KeepContent, ReleaseContent
from flightos.services.telemetry.interface import ReportEvent

RETRY_NS: Final = 30 * NS_PER_S
REPLICA_GRACE_NS: Final = 6 * 3_600 * NS_PER_S
"""A copy outlives its deadline by this: the product may wait long for a pass, a lost release may not wait for ever."""


# --- the owner's side ------------------------------------------------------------------------------------------


def choose_standby(state: SchedulingState, tried_ids: tuple[int, ...], excluded_id: int = 0) -> int | None:
    """The open neighbour with the least backlog in time (unknown ones last), then the lowest id."""
    best: tuple[int, int] | None = None
    for peer_id in state.links:
        if peer_id in tried_ids or peer_id == excluded_id:
            continue
        entry = state.views.get(peer_id)
        if entry is not None and entry.is_declared:
            continue
        backlog_ms = (
            entry.view.queued_tera_ops * 1_000 // entry.view.rate_tops if entry is not None else NO_TIME
        )
        if best is None or (backlog_ms, peer_id) < best:
            best = (backlog_ms, peer_id)
    return best[1] if best is not None else None


def replicate(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """Ask the next neighbour to be standby, or wait for one."""
    observation.has_standby = False
    observation.replica_retry_obt_ns = observation.replica_expires_obt_ns = NO_TIME
    peer_id = choose_standby(state, observation.tried_standby_ids)
    if peer_id is None:
        observation.tried_standby_ids = ()
        observation.replica_retry_obt_ns = set_due(state, now_obt_ns + RETRY_NS)
        if observation.phase is ObservationPhase.REPLICATING:
            observation.phase = ObservationPhase.WAITING_FOR_STANDBY
            values = (observation.record.observation_id, observation.record.tile_index)
            out.append(ReportEvent(OBSERVATION_WAITS_FOR_STANDBY.id, values))
        return
    record = msgspec.structs.replace(observation.record, standby_id=peer_id)
    observation.record = record
    observation.tried_standby_ids = (*observation.tried_standby_ids, peer_id)
    if observation.phase is ObservationPhase.WAITING_FOR_STANDBY:
        observation.phase = ObservationPhase.REPLICATING
    timeout_ns = configuration.scheduling.replica_timeout_ns
    observation.replica_expires_obt_ns = set_due(state, now_obt_ns + timeout_ns)
    body = encode(record)
    out.append(
        SendBundle(
            peer_id,
            BundleKind.REPLICATE_OBSERVATION,
            body,
            (record.tile_id,),
            len(body) + record.tile_bytes,
            bundle_priority(record.priority),
            max(1, timeout_ns // NS_PER_MS),
        )
    )


def offer_waiting(
    state: SchedulingState, configuration: NodeConfiguration, now_obt_ns: int, out: list[Record]
) -> None:
    """A link opened: every observation without a standby asks at once."""
    for observation in list(state.observations.values()):
        if observation.replica_retry_obt_ns != NO_TIME:
            replicate(state, configuration, observation, now_obt_ns, out)


def lose_standby(
    state: SchedulingState,
    configuration: NodeConfiguration,
    peer_id: int,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """A standby is taken for dead or forgot its copies: another one is asked."""
    for observation in list(state.observations.values()):
        if observation.record.standby_id == peer_id and (
            observation.has_standby or observation.replica_expires_obt_ns != NO_TIME
        ):
            observation.tried_standby_ids = (peer_id,)
            replicate(state, configuration, observation, now_obt_ns, out)


def take_answer(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    source_id: int,
    answer: ReplicaAnswer,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """REPLICA_STORED of the current epoch: admission when it is the first, else just safety again.

    An answer after the timeout counts if its sender is still the one asked; else its copy is one too many.
    """
    record = observation.record
    if source_id != record.standby_id:
        if not answer.refusal:
            body = ReplicaRelease(record.observation_id, record.epoch)
            out.append(control_bundle(source_id, BundleKind.RELEASE_REPLICA, body))
        return
    if answer.refusal:
        replicate(state, configuration, observation, now_obt_ns, out)
        return
    observation.has_standby = True
    observation.tried_standby_ids = ()
    observation.replica_retry_obt_ns = observation.replica_expires_obt_ns = NO_TIME
    if observation.is_admitted:
        return
    observation.is_admitted = True
    state.counters.admitted_count += 1
    out.append(ObservationAdmitted(record.observation_id, record.tile_index, source_id))
    out.append(ReportEvent(OBSERVATION_ADMITTED.id, (record.observation_id, record.tile_index, source_id)))
    start_plan(configuration, observation, out)


def refuse_content(
    state: SchedulingState,
    configuration: NodeConfiguration,
    record: ContentRefused,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """Storage had no room: a new observation ends, a copy is refused after all.

    A result or input without room fails where it is next read, and is retried there.
    """
    observation = state.observations.get(record.observation_id)
    if observation is not None:
        if observation.record.tile_id == record.content_id and not observation.is_admitted:
            drop(state, configuration, observation, Refusal.STORE_FULL, out)
        return
    replica = state.replicas.get(record.observation_id)
    if replica is not None and replica.record.tile_id == record.content_id:
        del state.replicas[record.observation_id]
        answer = ReplicaAnswer(record.observation_id, replica.record.epoch, int(Refusal.STORE_FULL))
        out.append(control_bundle(replica.record.owner_id, BundleKind.REPLICA_STORED, answer))


# --- the standby's side ------------------------------------------------------------------------------------------


def store_replica(
    state: SchedulingState,
    configuration: NodeConfiguration,
    delivered: BundleDelivered,
    record: ObservationRecord,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """Keep a copy and say so; the epoch was found current before."""
    number = record.observation_id
    held = state.replicas.get(number)
    refusal = 0
    if held is not None:
        # The same tile under a newer record: the pin stays, the bytes are the same.
        held.record = record
    elif len(state.replicas) >= configuration.scheduling.observation_count_max:
        refusal = int(Refusal.QUEUE_FULL)
        report_full(state, "replicas", out)
    elif record.tile_id not in delivered.attachment_ids:
        refusal = int(Refusal.INPUT_LOST)
    else:
        deadline_obt_ns = record.deadline_tai_ns - state.tai_minus_obt_ns
        expires_obt_ns = max(now_obt_ns, deadline_obt_ns) + REPLICA_GRACE_NS
        state.replicas[number] = Replica(record, set_due(state, expires_obt_ns))
        out.append(KeepContent(record.tile_id, ContentKind.TILE, record.tile_bytes, number, record.priority))
        out.append(ReportEvent(REPLICA_KEPT.id, (number, record.owner_id & 0xFFFF)))
    answer = ReplicaAnswer(number, record.epoch, refusal)
    out.append(control_bundle(delivered.source_id, BundleKind.REPLICA_STORED, answer))


def forget_replica(state: SchedulingState, observation_id: int, out: list[Record]) -> None:
    """Let go of a copy."""
    replica = state.replicas.pop(observation_id, None)
    if replica is not None:
        out.append(ReleaseContent(replica.record.tile_id))
