"""`health`: who lives, what is out of limits, and which mode the node is in.

Theory of operation. Three watches share one service: peers (peers.py), limits and modes (modes.py), and the
node's own workers (counters only: scheduling already tries elsewhere what failed here, so the mode stays).
The limits are held against the forecast, not against raw samples, so that a stuck sensor that `resources` no
longer believes cannot change the mode. All timers are looked at in one lazy wake-up on a whole second.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flightos.core.configuration import NodeConfiguration
from flightos.core.ports import (
    NodeBooted,
    RadiationSampled,
    TimeSampled,
    WorkFailure,
)
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import CommandCompleted, CommandDispatched, ResetCounters
from flightos.services.compute.interface import ExecutionFailed, ExecutionFinished
from flightos.services.health.interface import (
    FORECAST_SILENT,
    MODE_CHANGED,
    SET_MODE,
    WORKERS_FAILING,
    ChangeMode,
    HealthHousekeeping,
    Mode,
    ModeChanged,
    PeerSeen,
    Trigger,
)
from flightos.services.health.modes import (
    COMMANDED,
    TRANSITIONS,
    make_watchpoints,
    terms_of,
    watchpoints_of,
)
from flightos.services.health.peers import PeerState, planned_presence
from flightos.services.health.state import COUNTERS, HealthState
from flightos.services.health.watchdog import PeerWatchdog, look_no_later_than
from flightos.services.links.interface import HelloReceived, LinkClosed, LinkOpened
from flightos.services.network.interface import ContactPlanActivated
from flightos.services.resources.interface import ForecastMade
from flightos.services.telemetry.interface import ReportEvent

WORKERS_FAILING_COUNT: Final = 3
WORKER_FAULTS: Final = (WorkFailure.TIMED_OUT, WorkFailure.CRASHED, WorkFailure.CORRUPT_RESULT)
"""Failures that speak of the worker itself; a missing or corrupt input speaks of others."""


class HealthService:
    """Watches peers, limits and workers; owns the mode."""

    name: Final = "health"

    def __init__(self, configuration: NodeConfiguration) -> None:
        self._limits = configuration.health
        self._watchdog = PeerWatchdog(configuration.node_id, configuration.health)
        self._watchpoints = make_watchpoints(configuration)
        self._relevant = {
            mode: tuple(
                (index, terms_of(self._watchpoints[index]))
                for index in watchpoints_of(mode, self._watchpoints)
            )
            for mode in Mode
        }
        self.state = HealthState(persistence=[0] * len(self._watchpoints))
        self.reactions: Mapping[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            HelloReceived: self._hear_hello,
            PeerSeen: self._hear_gossip,
            ForecastMade: self._check_limits,
            LinkOpened: self._note_link_opened,
            LinkClosed: self._note_link_closed,
            ContactPlanActivated: self._load_plan,
            TimeSampled: self._note_time,
            NodeBooted: self._restart_timers,
            WakeupReached: self._look,
            CommandDispatched: self._execute,
            ChangeMode: self._change_mode,
            ExecutionFinished: self._note_success,
            ExecutionFailed: self._note_failure,
            RadiationSampled: self._note_radiation,
            ResetCounters: self._reset_counters,
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record; the only thing that changes `state`."""
        return self.reactions[type(record)](record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """The next look at timers, on a whole second."""
        return self.state.next_look_obt_ns

    def housekeeping(self) -> HealthHousekeeping:
        """Frozen counters and levels."""
        state = self.state
        suspected_count = declared_count = 0
        watched = PeerState.WATCHED
        for peer in state.peers.values():
            if peer.state is not watched:
                suspected_count += peer.state is PeerState.SUSPECTED
                declared_count += peer.state is PeerState.DECLARED
        return HealthHousekeeping(
            int(state.mode),
            state.mode_commanded,
            len(state.peers),
            suspected_count,
            declared_count,
            state.suspicion_count,
            state.declaration_count,
            state.recovery_count,
            state.reboot_count,
            state.mode_change_count,
            state.transition_refused_count,
            state.command_refused_count,
            state.peer_refused_count,
            state.work_timed_out_count,
            state.work_crashed_count,
            state.work_corrupt_count,
            state.work_other_count,
            state.work_failed_in_row_count,
            state.workers_failing_count,
            state.forecast_silent_count,
            state.in_saa,
            state.upset_level,
        )

    # --- peers -----------------------------------------------------------------------------------------------

    def _hear_hello(self, record: HelloReceived, now_obt_ns: int) -> Sequence[Record]:
        return self._watchdog.hear(self.state, record.peer_id, record.boot_count, 0, now_obt_ns)

    def _hear_gossip(self, record: PeerSeen, now_obt_ns: int) -> Sequence[Record]:
        return self._watchdog.hear(
            self.state, record.peer_id, record.boot_count, record.hop_count, now_obt_ns
        )

    def _look(self, record: WakeupReached, now_obt_ns: int) -> Sequence[Record]:
        """Look at all timers; the earliest that remains is the next look."""
        state = self.state
        out: list[Record] = []
        state.next_look_obt_ns = None
        look_no_later_than(state, now_obt_ns + self._limits.suspect_ns)
        self._check_forecast_age(now_obt_ns, out)
        self._watchdog.look(state, now_obt_ns, out)
        return out

    def _note_link_opened(self, record: LinkOpened, now_obt_ns: int) -> Sequence[Record]:
        self._watchdog.open_link(self.state, record.peer_id, now_obt_ns)
        return ()

    def _note_link_closed(self, record: LinkClosed, now_obt_ns: int) -> Sequence[Record]:
        self._watchdog.close_link(self.state, record.peer_id)
        return ()

    def _load_plan(self, record: ContactPlanActivated, now_obt_ns: int) -> Sequence[Record]:
        self.state.presence = planned_presence(record.plan)
        return ()

    def _note_time(self, record: TimeSampled, now_obt_ns: int) -> Sequence[Record]:
        self.state.tai_minus_obt_ns = record.tai_minus_obt_ns
        return ()

    def _restart_timers(self, record: NodeBooted, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.booted_obt_ns = now_obt_ns
        state.forecast_obt_ns = now_obt_ns
        state.forecast_silent = False
        state.work_failed_in_row_count = 0
        state.persistence = [0] * len(self._watchpoints)
        self._watchdog.restart(state, now_obt_ns)
        return ()

    # --- limits and modes -----------------------------------------------------------------------------------

    def _check_limits(self, record: ForecastMade, now_obt_ns: int) -> Sequence[Record]:
        """Hold the watchpoints of the present mode against the forecast."""
        state = self.state
        state.forecast_obt_ns = now_obt_ns
        state.forecast_silent = False
        if state.mode_commanded and state.mode is Mode.SAFE:
            return ()
        forecast = record.forecast
        persistence = state.persistence
        for index, terms in self._relevant[state.mode]:
            for holds, field, limit in terms:
                if not holds(getattr(forecast, field), limit):
                    persistence[index] = 0
                    break
            else:
                persistence[index] += 1
                watchpoint = self._watchpoints[index]
                if persistence[index] >= watchpoint.persistence_count:
                    return self._transit(watchpoint.trigger)
        return ()

    def _transit(self, trigger: Trigger) -> Sequence[Record]:
        """Apply the transition table."""
        state = self.state
        previous = state.mode
        mode = TRANSITIONS.get((previous, trigger))
        if mode is None:
            state.transition_refused_count += 1
            return ()
        state.persistence = [0] * len(self._watchpoints)
        state.mode_commanded = trigger in COMMANDED.values()
        if mode is previous:
            return ()
        state.mode = mode
        state.mode_change_count += 1
        return (
            ModeChanged(mode, previous),
            ReportEvent(MODE_CHANGED.id, (int(previous), int(mode), int(trigger))),
        )

    def _check_forecast_age(self, now_obt_ns: int, out: list[Record]) -> None:
        """Without samples there is no forecast, and no limit is watched: say so, once."""
        state = self.state
        silent_ns = now_obt_ns - state.forecast_obt_ns
        if silent_ns >= self._limits.suspect_ns and not state.forecast_silent:
            state.forecast_silent = True
            state.forecast_silent_count += 1
            out.append(ReportEvent(FORECAST_SILENT.id, (silent_ns // NS_PER_S,)))

    def _execute(self, record: CommandDispatched, now_obt_ns: int) -> Sequence[Record]:
        if record.service != self.name:
            return ()
        refusal = 0
        out: list[Record] = []
        if record.command_id != SET_MODE.id:
            refusal = int(Refusal.UNKNOWN_COMMAND)
        elif len(record.arguments) != 1 or record.arguments[0] not in tuple(Mode):
            refusal = int(Refusal.BAD_ARGUMENT)
        else:
            out.extend(self._transit(COMMANDED[Mode(int(record.arguments[0]))]))
        if refusal:
            self.state.command_refused_count += 1
        out.append(CommandCompleted(record.command_id, record.sequence_count, record.source_id, refusal))
        return out

    def _change_mode(self, record: ChangeMode, now_obt_ns: int) -> Sequence[Record]:
        return self._transit(COMMANDED[record.mode])

    # --- workers and surroundings ---------------------------------------------------------------------------

    def _note_success(self, record: ExecutionFinished, now_obt_ns: int) -> Sequence[Record]:
        self.state.work_failed_in_row_count = 0
        return ()

    def _note_failure(self, record: ExecutionFailed, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        reason = record.reason
        if reason == WorkFailure.TIMED_OUT:
            state.work_timed_out_count += 1
        elif reason == WorkFailure.CRASHED:
            state.work_crashed_count += 1
        elif reason in (WorkFailure.CORRUPT_INPUT, WorkFailure.CORRUPT_RESULT):
            state.work_corrupt_count += 1
        else:
            state.work_other_count += 1
        # What ran when the node went down is reported as crashed at boot: no fault of these workers.
        if reason not in WORKER_FAULTS or now_obt_ns == state.booted_obt_ns:
            return ()
        state.work_failed_in_row_count += 1
        if state.work_failed_in_row_count < WORKERS_FAILING_COUNT:
            return ()
        state.workers_failing_count += 1
        return (ReportEvent(WORKERS_FAILING.id, (state.work_failed_in_row_count, reason)),)

    def _note_radiation(self, record: RadiationSampled, now_obt_ns: int) -> Sequence[Record]:
        self.state.in_saa = record.in_saa
        self.state.upset_level = record.upset_count
        return ()

    def _reset_counters(self, record: ResetCounters, now_obt_ns: int) -> Sequence[Record]:
        for counter in COUNTERS:
            setattr(self.state, counter, 0)
        return ()
