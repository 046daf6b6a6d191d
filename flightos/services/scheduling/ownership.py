"""Who owns an observation: epochs, taking over from the dead and the forgetful, giving way to a newer owner.

An epoch is (counter, node id) and grows with each change of owner; the greater pair wins everywhere. Nobody accepts
a record of an older epoch than the newest it knows; who owns something learns of a newer owner from any answer.
"""

from __future__ import annotations

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import observation_of
from flightos.core.records import Record
from flightos.services.compute.interface import CancelExecution
from flightos.services.health.interface import PeerDeclared
from flightos.services.scheduling.ending import abandon
from flightos.services.scheduling.events import EPOCH_STALE, OBSERVATION_TAKEN_OVER
from flightos.services.scheduling.execution import forget_assignment
from flightos.services.scheduling.placement import place_all, return_task
from flightos.services.scheduling.replication import lose_standby, replicate
from flightos.services.scheduling.state import (
    EPOCH_COUNT_MAX,
    Observation,
    ObservationPhase,
    SchedulingState,
    set_due,
)
from flightos.services.scheduling.steps import start_plan
from flightos.services.scheduling.transitions import is_out
from flightos.services.scheduling.views import report_full
from flightos.services.telemetry.interface import ReportEvent


def check_epoch(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation_id: int,
    epoch: tuple[int, int],
    source_id: int,
    out: list[Record],
) -> tuple[int, int] | None:
    """None when the epoch is the newest known (then remembered); else the newer one, and the record is refused.

    A newer epoch than that of an observation owned here ends the own ownership.
    """
    known = state.epochs.get(observation_id, (0, 0))
    observation = state.observations.get(observation_id)
    if observation is not None:
        known = max(known, observation.record.epoch)
    replica = state.replicas.get(observation_id)
    if replica is not None:
        known = max(known, replica.record.epoch)
    if epoch < known:
        report_stale(state, observation_id, epoch, source_id, out)
        return known
    if epoch > known or observation_id not in state.epochs:
        remember_epoch(state, observation_id, epoch)
    if observation is not None and epoch > observation.record.epoch:
        abandon(state, configuration, observation, epoch, out)
    return None


def remember_epoch(state: SchedulingState, observation_id: int, epoch: tuple[int, int]) -> None:
    """Note the newest epoch; the table forgets the longest unchanged one when it is full."""
    state.epochs.pop(observation_id, None)
    if len(state.epochs) >= EPOCH_COUNT_MAX:
        del state.epochs[next(iter(state.epochs))]
    state.epochs[observation_id] = epoch


def report_stale(
    state: SchedulingState,
    observation_id: int,
    epoch: tuple[int, int],
    source_id: int,
    out: list[Record],
) -> None:
    """A record of an old epoch was refused."""
    state.counters.stale_epoch_count += 1
    values = (observation_id & 0xFFFF_FFFF, source_id & 0xFFFF, epoch[0] & 0xFFFF)
    out.append(ReportEvent(EPOCH_STALE.id, values))


def declare_peer(
    state: SchedulingState,
    configuration: NodeConfiguration,
    record: PeerDeclared,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """A peer is taken for dead: its work comes back, its copies are replaced, its observations taken over."""
    entry = state.views.get(record.peer_id)
    if entry is not None:
        entry.is_declared = True
        entry.reservations = []
    lose_node(state, configuration, record.peer_id, now_obt_ns, out)


def lose_node(
    state: SchedulingState,
    configuration: NodeConfiguration,
    peer_id: int,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """What a dead node, or one whose memory began anew, had: tasks, copies, observations copied to this node."""
    for observation in list(state.observations.values()):
        for task in observation.tasks:
            if is_out(task) and task.node_id == peer_id:
                return_task(state, configuration, observation, task, PeerDeclared, 0, 0, now_obt_ns, out)
    lose_standby(state, configuration, peer_id, now_obt_ns, out)
    for number, replica in list(state.replicas.items()):
        if replica.record.owner_id == peer_id:
            take_over(state, configuration, number, now_obt_ns, out)
    place_all(state, configuration, now_obt_ns, out)


def take_over(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation_id: int,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    """Become the owner of an observation held as a copy: a higher epoch, and everything is planned again.

    Results that other nodes still bring for the old epoch are refused; that costs work, never truth. A full table is
    counted and told, but no reason to lose what was admitted: there are no more copies than it has places.
    """
    if len(state.observations) >= configuration.scheduling.observation_count_max:
        report_full(state, "observations", out)
    replica = state.replicas.pop(observation_id)
    old = replica.record
    epoch = (old.epoch[0] + 1, configuration.node_id)
    record = msgspec.structs.replace(old, owner_id=configuration.node_id, standby_id=0, epoch=epoch)
    for task in [task for task in state.assignments if observation_of(task) == observation_id]:
        forget_assignment(state, task, out)
        out.append(CancelExecution(task))
    remember_epoch(state, observation_id, epoch)
    observation = Observation(
        record=record,
        phase=ObservationPhase.PLANNING,
        deadline_obt_ns=set_due(state, old.deadline_tai_ns - state.tai_minus_obt_ns),
        is_admitted=True,
        tried_standby_ids=(old.owner_id,),
    )
    state.observations[observation_id] = observation
    state.counters.taken_over_count += 1
    values = (observation_id, record.tile_index, old.owner_id & 0xFFFF, epoch[0] & 0xFFFF)
    out.append(ReportEvent(OBSERVATION_TAKEN_OVER.id, values))
    replicate(state, configuration, observation, now_obt_ns, out)
    start_plan(configuration, observation, out)
