"""Scheduling at a glance: which record goes where. What happens there is in the files beside this one.

Theory of operation. An observation belongs to one owner and is copied to one standby owner before it is admitted. The
owner asks its app for tasks, places each on the satellite that should finish it first, and turns the results into a
product. Whatever happens to a node, a task of an admitted observation is either done or dropped with a reason: its
owner sees to it, or the standby with a higher epoch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import observation_of
from flightos.core.ports import ImageCaptured, ImageFailed, NodeBooted, TimeSampled
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S, next_multiple_ns
from flightos.services.commanding.interface import CommandCompleted, CommandDispatched, ResetCounters
from flightos.services.compute.interface import (
    ComputeLoadChanged,
    ExecutionFailed,
    ExecutionFinished,
    ExecutionStarted,
)
from flightos.services.health.interface import ModeChanged, PeerDeclared, PeerRecovered
from flightos.services.links.interface import HelloReceived, LinkClosed, LinkOpened
from flightos.services.network.interface import BundleDelivered, BundleDropped, BundleKind
from flightos.services.resources.interface import ForecastMade
from flightos.services.scheduling import (
    bundles,
    ending,
    execution,
    observations,
    ownership,
    placement,
    replication,
    steps,
    views,
)
from flightos.services.scheduling.events import REQUEST_OBSERVATION
from flightos.services.scheduling.interface import (
    FINISH_TASK_INDEX,
    PLAN_TASK_INDEX,
    RequestObservation,
    SchedulingHousekeeping,
    TaskState,
)
from flightos.services.scheduling.state import (
    NO_TIME,
    Observation,
    ObservationPhase,
    SchedulingCounters,
    SchedulingState,
)
from flightos.services.scheduling.timers import run_timers
from flightos.services.scheduling.transitions import is_final, is_out, move
from flightos.services.storage.interface import ContentRefused, ProductReleased

TICK_NS: Final = NS_PER_S
READY: Final = int(TaskState.READY)


class SchedulingService:
    """The task table of one node."""

    name = "scheduling"

    def __init__(self, configuration: NodeConfiguration) -> None:
        self._configuration = configuration
        self.state = SchedulingState()
        self.reactions: Mapping[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            # the node itself
            NodeBooted: self._boot,
            WakeupReached: self._tick,
            TimeSampled: self._set_time,
            ModeChanged: self._change_mode,
            ForecastMade: self._take_forecast,
            ResetCounters: self._reset_counters,
            # requests and the imager
            CommandDispatched: self._execute_command,
            RequestObservation: self._request,
            ImageCaptured: self._capture,
            ImageFailed: self._fail_image,
            # the own compute box and store
            ComputeLoadChanged: self._take_load,
            ExecutionStarted: self._start,
            ExecutionFinished: self._finish,
            ExecutionFailed: self._fail,
            ContentRefused: self._refuse_content,
            ProductReleased: self._close,
            # other nodes
            LinkOpened: self._open_link,
            LinkClosed: self._close_link,
            HelloReceived: self._hear,
            BundleDelivered: self._read_bundle,
            BundleDropped: self._lose_bundle,
            PeerDeclared: self._declare_peer,
            PeerRecovered: self._recover_peer,
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record."""
        return self.reactions[type(record)](record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """The next whole second, from boot on."""
        return self.state.tick_obt_ns

    def housekeeping(self) -> SchedulingHousekeeping:
        """Levels and counters."""
        state = self.state
        waiting_count, ready_count, assigned_count, running_count, *_ = state.task_counts
        counters = state.counters
        waiting = 0
        if state.observations:
            waiting_phase = ObservationPhase.WAITING_FOR_STANDBY
            waiting = sum(observation.phase is waiting_phase for observation in state.observations.values())
        return SchedulingHousekeeping(
            len(state.observations),
            waiting,
            len(state.replicas),
            len(state.assignments),
            len(state.views),
            len(state.links),
            waiting_count,
            ready_count,
            assigned_count,
            running_count,
            counters.task_done_count,
            counters.task_dropped_count,
            counters.imaged_count,
            counters.admitted_count,
            counters.planned_count,
            counters.completed_count,
            counters.closed_count,
            counters.observation_dropped_count,
            counters.taken_over_count,
            counters.abandoned_count,
            counters.placed_here_count,
            counters.placed_remote_count,
            counters.task_retry_count,
            counters.task_expired_count,
            counters.request_refused_count,
            counters.no_capacity_count,
            counters.stale_epoch_count,
            counters.illegal_transition_count,
            counters.bad_body_count,
            counters.table_full_count,
            counters.gossip_sent_count,
            counters.gossip_received_count,
        )

    # --- the node itself ------------------------------------------------------------------------------------

    def _boot(self, record: NodeBooted, now_obt_ns: int) -> Sequence[Record]:
        """Links are kept over a restart: one that is gone shows by a timeout, one that stays is not told again."""
        state = self.state
        state.boot_count = record.boot_count
        if not record.restored:
            state.memory_boot_count = record.boot_count
        state.forecast = None
        state.own_view = None
        state.tick_obt_ns = next_multiple_ns(now_obt_ns, TICK_NS)
        return ()

    def _tick(self, _record: WakeupReached, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.tick_obt_ns = next_multiple_ns(now_obt_ns, TICK_NS)
        out: list[Record] = []
        if state.due_obt_ns <= now_obt_ns:
            run_timers(state, self._configuration, now_obt_ns, out)
        is_wanted = state.views_changed and state.task_counts[READY]
        if is_wanted and now_obt_ns >= state.placement_obt_ns:
            placement.place_all(state, self._configuration, now_obt_ns, out)
        views.gossip(state, self._configuration, now_obt_ns, out)
        return out

    def _set_time(self, record: TimeSampled, _now_obt_ns: int) -> Sequence[Record]:
        self.state.tai_minus_obt_ns = record.tai_minus_obt_ns
        return ()

    def _change_mode(self, record: ModeChanged, _now_obt_ns: int) -> Sequence[Record]:
        self.state.mode = record.mode
        self.state.views_changed = True
        return ()

    def _take_forecast(self, record: ForecastMade, _now_obt_ns: int) -> Sequence[Record]:
        self.state.forecast = record.forecast
        self.state.views_changed = True
        return ()

    def _reset_counters(self, _record: ResetCounters, _now_obt_ns: int) -> Sequence[Record]:
        self.state.counters = SchedulingCounters()
        return ()

    # --- requests and the imager ----------------------------------------------------------------------------

    def _execute_command(self, record: CommandDispatched, now_obt_ns: int) -> Sequence[Record]:
        refusal = Refusal.UNKNOWN_COMMAND
        if record.command_id == REQUEST_OBSERVATION.id:
            refusal = Refusal.BAD_ARGUMENT
            request = observations.read_command(record)
            if request is not None:
                out: list[Record] = []
                observations.request_observation(self.state, self._configuration, request, now_obt_ns, out)
                return out
        self.state.counters.request_refused_count += 1
        return (CommandCompleted(record.command_id, record.sequence_count, record.source_id, int(refusal)),)

    def _request(self, record: RequestObservation, now_obt_ns: int) -> Sequence[Record]:
        out: list[Record] = []
        request = observations.read_request(record)
        observations.request_observation(self.state, self._configuration, request, now_obt_ns, out)
        return out

    def _capture(self, record: ImageCaptured, now_obt_ns: int) -> Sequence[Record]:
        out: list[Record] = []
        observations.capture(self.state, self._configuration, record, now_obt_ns, out)
        return out

    def _fail_image(self, record: ImageFailed, now_obt_ns: int) -> Sequence[Record]:
        out: list[Record] = []
        observations.fail_exposure(self.state, record.observation_id, now_obt_ns, out)
        return out

    # --- the own compute box and store ------------------------------------------------------------------------

    def _take_load(self, record: ComputeLoadChanged, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.compute_tera_ops = record.queued_tera_ops
        state.compute_tera_ops_obt_ns = now_obt_ns
        state.compute_running_count = record.running_count
        state.reserved_tera_ops = 0
        state.load_changed = True
        state.views_changed = True
        return ()

    def _own(self, task_id: int) -> tuple[Observation | None, int]:
        """The observation owned here to which a task number belongs, and the task's index."""
        return self.state.observations.get(observation_of(task_id)), task_id % bundles.TASK_INDEX_COUNT

    def _start(self, record: ExecutionStarted, _now_obt_ns: int) -> Sequence[Record]:
        observation, _ = self._own(record.task_id)
        if observation is None:
            return ()
        task = bundles.find_task(observation, record.task_id)
        out: list[Record] = []
        if (
            task is not None
            and task.state is TaskState.ASSIGNED
            and task.attempt == record.attempt
            and task.node_id == self._configuration.node_id
        ):
            move(self.state, observation, task, ExecutionStarted, out)
        return out

    def _finish(self, record: ExecutionFinished, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        out: list[Record] = []
        if record.task_id in state.assignments:
            execution.send_result(state, record, now_obt_ns, out)
            return out
        observation, index = self._own(record.task_id)
        if observation is None or record.epoch != observation.record.epoch:
            ending.discard((record.result_id,), out)
            return out
        phase = observation.phase
        if index == PLAN_TASK_INDEX and phase is ObservationPhase.PLANNING:
            observations.take_plan(state, self._configuration, observation, record, now_obt_ns, out)
        elif index == FINISH_TASK_INDEX and phase is ObservationPhase.FINISHING:
            observations.take_product(state, observation, record, now_obt_ns, out)
        else:
            task = bundles.find_task(observation, record.task_id)
            if task is None or is_final(task):
                ending.discard((record.result_id,), out)
            else:
                placement.accept_result(
                    state,
                    self._configuration,
                    observation,
                    task,
                    self._configuration.node_id,
                    record.result_id,
                    record.size_bytes,
                    now_obt_ns,
                    out,
                )
        return out

    def _fail(self, record: ExecutionFailed, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        out: list[Record] = []
        if record.task_id in state.assignments:
            execution.send_failure(state, record, out)
            return out
        observation, index = self._own(record.task_id)
        if observation is None or record.epoch != observation.record.epoch:
            return out
        phase = observation.phase
        if (index == PLAN_TASK_INDEX and phase is ObservationPhase.PLANNING) or (
            index == FINISH_TASK_INDEX and phase is ObservationPhase.FINISHING
        ):
            steps.fail_step(state, self._configuration, observation, record.reason, now_obt_ns, out)
            return out
        task = bundles.find_task(observation, record.task_id)
        if (
            task is not None
            and is_out(task)
            and task.attempt == record.attempt
            and task.node_id == self._configuration.node_id
        ):
            placement.return_task(
                state,
                self._configuration,
                observation,
                task,
                ExecutionFailed,
                record.reason,
                record.refusal,
                now_obt_ns,
                out,
            )
        return out

    def _refuse_content(self, record: ContentRefused, now_obt_ns: int) -> Sequence[Record]:
        out: list[Record] = []
        replication.refuse_content(self.state, self._configuration, record, now_obt_ns, out)
        return out

    def _close(self, record: ProductReleased, _now_obt_ns: int) -> Sequence[Record]:
        out: list[Record] = []
        observation = self.state.observations.get(record.observation_id)
        if observation is not None and observation.product_id == record.content_id:
            ending.close(self.state, observation, out)
        return out

    # --- other nodes ------------------------------------------------------------------------------------------

    def _open_link(self, record: LinkOpened, now_obt_ns: int) -> Sequence[Record]:
        out: list[Record] = []
        views.open_link(self.state, self._configuration, record, now_obt_ns, out)
        replication.offer_waiting(self.state, self._configuration, now_obt_ns, out)
        return out

    def _close_link(self, record: LinkClosed, _now_obt_ns: int) -> Sequence[Record]:
        views.close_link(self.state, record)
        return ()

    def _hear(self, record: HelloReceived, now_obt_ns: int) -> Sequence[Record]:
        if not record.gossip:
            return ()
        out: list[Record] = []
        for view in views.hear(self.state, self._configuration, record, now_obt_ns, out):
            ownership.lose_node(self.state, self._configuration, view.node_id, now_obt_ns, out)
        return out

    def _read_bundle(self, record: BundleDelivered, now_obt_ns: int) -> Sequence[Record]:
        out: list[Record] = []
        bundles.read_bundle(self.state, self._configuration, record, now_obt_ns, out)
        return out

    def _lose_bundle(self, record: BundleDropped, now_obt_ns: int) -> Sequence[Record]:
        """A copy that could not be carried is offered to the next neighbour without waiting for its timeout."""
        out: list[Record] = []
        if record.kind is BundleKind.REPLICATE_OBSERVATION:
            for observation in list(self.state.observations.values()):
                is_asked = observation.replica_expires_obt_ns != NO_TIME
                if is_asked and observation.record.tile_id in record.attachment_ids:
                    replication.replicate(self.state, self._configuration, observation, now_obt_ns, out)
        return out

    def _declare_peer(self, record: PeerDeclared, now_obt_ns: int) -> Sequence[Record]:
        out: list[Record] = []
        ownership.declare_peer(self.state, self._configuration, record, now_obt_ns, out)
        return out

    def _recover_peer(self, record: PeerRecovered, _now_obt_ns: int) -> Sequence[Record]:
        entry = self.state.views.get(record.peer_id)
        if entry is not None:
            entry.is_declared = False
        return ()
