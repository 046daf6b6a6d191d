"""What happens because nothing happened: deadlines, timeouts, pauses that are over. Looked at when one is due."""

from __future__ import annotations

from flightos.core.configuration import NodeConfiguration
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.services.scheduling.ending import cancel_task, drop
from flightos.services.scheduling.execution import release_held
from flightos.services.scheduling.interface import TaskState
from flightos.services.scheduling.observations import fail_exposure
from flightos.services.scheduling.placement import return_task
from flightos.services.scheduling.replication import forget_replica, replicate
from flightos.services.scheduling.state import (
    NO_TIME,
    Observation,
    ObservationPhase,
    SchedulingState,
    set_due,
)
from flightos.services.scheduling.steps import restart
from flightos.services.scheduling.transitions import TaskExpired, is_out


def run_timers(
    state: SchedulingState, configuration: NodeConfiguration, now_obt_ns: int, out: list[Record]
) -> None:
    """Everything that is due, in the order of the tables; notes the next time to look."""
    state.due_obt_ns = NO_TIME
    if state.imaging_expires_obt_ns <= now_obt_ns:
        fail_exposure(state, next(iter(state.imaging)), now_obt_ns, out)
    set_due(state, state.imaging_expires_obt_ns)
    for observation in list(state.observations.values()):
        if observation.deadline_obt_ns <= now_obt_ns and observation.phase is not ObservationPhase.DELIVERING:
            drop(state, configuration, observation, Refusal.DEADLINE_PASSED, out)
            continue
        _run_observation(state, configuration, observation, now_obt_ns, out)
    for number, replica in list(state.replicas.items()):
        if replica.expires_obt_ns <= now_obt_ns:
            forget_replica(state, number, out)
        else:
            set_due(state, replica.expires_obt_ns)
    release_held(state, now_obt_ns, out)


def _run_observation(
    state: SchedulingState,
    configuration: NodeConfiguration,
    observation: Observation,
    now_obt_ns: int,
    out: list[Record],
) -> None:
    if min(observation.replica_expires_obt_ns, observation.replica_retry_obt_ns) <= now_obt_ns:
        replicate(state, configuration, observation, now_obt_ns, out)
    if observation.step_retry_obt_ns <= now_obt_ns:
        restart(configuration, observation, out)
    for task in observation.tasks:
        if task.expires_obt_ns <= now_obt_ns and is_out(task):
            state.counters.task_expired_count += 1
            if task.node_id == configuration.node_id:
                cancel_task(state, configuration, observation, task, out)
            return_task(state, configuration, observation, task, TaskExpired, 0, 0, now_obt_ns, out)
            if observation.record.observation_id not in state.observations:
                return
        if task.state is TaskState.READY:
            if task.not_before_obt_ns <= now_obt_ns:
                state.views_changed = True
            else:
                set_due(state, task.not_before_obt_ns)
        elif is_out(task):
            set_due(state, task.expires_obt_ns)
    if observation.phase is not ObservationPhase.DELIVERING:
        set_due(state, observation.deadline_obt_ns)
    set_due(state, observation.replica_expires_obt_ns)
    set_due(state, observation.replica_retry_obt_ns)
    set_due(state, observation.step_retry_obt_ns)
