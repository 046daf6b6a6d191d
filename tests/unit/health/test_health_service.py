"""`health`: peers, limits, modes, workers."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

import msgspec
import pytest

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.ports import NodeBooted, RadiationSampled, TimeSampled, WorkFailure
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import CommandCompleted, CommandDispatched, ResetCounters
from flightos.services.compute.interface import ExecutionFailed, ExecutionFinished
from flightos.services.health import modes
from flightos.services.health.interface import (
    DICTIONARY,
    FORECAST_SILENT,
    SET_MODE,
    WORKERS_FAILING,
    ChangeMode,
    HealthHousekeeping,
    Mode,
    ModeChanged,
    PeerDeclared,
    PeerRecovered,
    PeerSeen,
    PeerSuspected,
    Trigger,
)
from flightos.services.health.modes import TRANSITIONS
from flightos.services.health.service import HealthService
from flightos.services.health.state import HealthState
from flightos.services.links.interface import HelloReceived, LinkClosed, LinkOpened
from flightos.services.network.interface import Contact, ContactPlan, ContactPlanActivated
from flightos.services.resources.interface import Forecast, ForecastMade
from flightos.services.telemetry.interface import ReportEvent

CONFIGURATION = NodeConfiguration(
    node_id=1, name="sat-1", role=Role.SATELLITE, terminals=(), neighbour_ids=(12, 2)
)
PEER_FACTS = (PeerSuspected, PeerDeclared, PeerRecovered)


def booted() -> HealthService:
    service = HealthService(CONFIGURATION)
    service.handle(NodeBooted(0, False), 0)
    return service


def forecast(
    soc_e6: int = 900_000,
    temperature_mk: int = 300_000,
    sunlit_e6: int = 1_000_000,
    energy_mj: int = 500_000_000,
) -> ForecastMade:
    return ForecastMade(
        Forecast(0, soc_e6, temperature_mk, sunlit_e6, 0, 0, energy_mj, 1_000_000, True, True)
    )


def hello(peer_id: int, boot_count: int = 0) -> HelloReceived:
    return HelloReceived(peer_id, boot_count, 0, b"")


def run(
    service: HealthService, start_s: int, stop_s: int, per_second: Iterable[Record] = ()
) -> list[tuple[int, Record]]:
    """Let seconds pass with the given records in each; peer and mode facts come back with their second."""
    facts: list[tuple[int, Record]] = []
    records = tuple(per_second)
    for second in range(start_s, stop_s):
        now_obt_ns = second * NS_PER_S
        out: list[Record] = []
        wakeup_obt_ns = service.next_wakeup_obt_ns()
        if wakeup_obt_ns is not None and wakeup_obt_ns <= now_obt_ns:
            assert wakeup_obt_ns == now_obt_ns, "wake-ups are whole seconds, never missed"
            out += service.handle(WakeupReached(), now_obt_ns)
        for record in records:
            out += service.handle(record, now_obt_ns)
        facts += [(second, fact) for fact in out if isinstance(fact, (*PEER_FACTS, ModeChanged))]
    return facts


def events(out: Sequence[Record]) -> list[int]:
    return [record.event_id for record in out if isinstance(record, ReportEvent)]


# --- peers ------------------------------------------------------------------------------------------------


def test_a_peer_that_speaks_is_never_suspected() -> None:
    service = booted()
    assert run(service, 1, 300, [hello(2), PeerSeen(7, 0, 5)]) == []
    assert service.housekeeping().peer_count == 2


def test_silence_is_suspected_then_declared_then_recovered() -> None:
    service = booted()
    run(service, 1, 11, [hello(2)])
    facts = run(service, 11, 100, [hello(12)])
    assert facts == [(35, PeerSuspected(2)), (55, PeerDeclared(2))]
    assert service.housekeeping().peer_declared_count == 1
    facts = run(service, 100, 102, [hello(2, boot_count=1)])
    assert facts == [(100, PeerRecovered(2, 1))]
    assert service.housekeeping().reboot_count == 1


def test_each_hop_of_gossip_adds_a_second_of_tolerance() -> None:
    service = booted()
    service.handle(PeerSeen(7, 0, 5), 10 * NS_PER_S)
    assert run(service, 11, 100) == [(40, PeerSuspected(7)), (60, PeerDeclared(7))]


def test_a_link_outage_does_not_declare_a_node_that_gossip_still_sees() -> None:
    service = booted()
    run(service, 1, 10, [hello(2), hello(12)])
    service.handle(LinkClosed(2, False), 10 * NS_PER_S)
    assert run(service, 10, 200, [hello(12), PeerSeen(2, 0, 11)]) == []


def test_an_old_view_of_a_former_life_is_no_sign_of_life() -> None:
    service = booted()
    service.handle(hello(2, boot_count=3), NS_PER_S)
    assert run(service, 2, 60, [PeerSeen(2, 2, 4)]) == [(26, PeerSuspected(2)), (46, PeerDeclared(2))]


def test_a_station_is_watched_only_while_its_link_is_open_and_never_declared() -> None:
    service = booted()
    service.handle(LinkOpened(1001, 1, 1), 0)
    run(service, 1, 5, [hello(1001)])
    service.handle(LinkClosed(1001, True), 5 * NS_PER_S)
    assert run(service, 5, 200) == []
    service.handle(LinkOpened(1001, 1, 1), 200 * NS_PER_S)
    assert run(service, 200, 400) == [(225, PeerSuspected(1001))]


def test_a_planned_absence_is_not_a_failure_and_acquisition_has_its_time() -> None:
    service = booted()
    tai_minus_obt_ns = 10**18
    service.handle(TimeSampled(tai_minus_obt_ns, 0), 0)
    contacts = tuple(
        Contact(1, 2, tai_minus_obt_ns + start * NS_PER_S, tai_minus_obt_ns + stop * NS_PER_S, 1, 1)
        for start, stop in ((0, 100), (500, 900))
    )
    service.handle(ContactPlanActivated(ContactPlan(contacts)), 0)
    run(service, 1, 100, [hello(2)])
    assert run(service, 100, 1_000) == [(555, PeerSuspected(2)), (575, PeerDeclared(2))]


def test_restored_timers_start_anew() -> None:
    service = booted()
    service.handle(hello(2), NS_PER_S)
    service.handle(NodeBooted(1, True), 1_000 * NS_PER_S)
    assert run(service, 1_001, 1_100) == [(1_025, PeerSuspected(2)), (1_045, PeerDeclared(2))]


def test_its_own_view_is_not_a_peer() -> None:
    service = booted()
    service.handle(PeerSeen(1, 0, 6), NS_PER_S)
    assert service.housekeeping().peer_count == 0


# --- limits and modes -------------------------------------------------------------------------------------


def test_low_charge_leads_to_safe_after_persistence_and_back_with_hysteresis() -> None:
    service = booted()
    low = forecast(soc_e6=689_000)
    assert run(service, 1, 3, [low]) == []
    assert run(service, 3, 4, [forecast(soc_e6=691_000)]) == []
    assert run(service, 4, 7, [low]) == [(6, ModeChanged(Mode.SAFE, Mode.NOMINAL))]
    assert run(service, 7, 50, [forecast(soc_e6=729_000)]) == []
    assert run(service, 50, 60, [forecast(soc_e6=731_000)]) == [(52, ModeChanged(Mode.NOMINAL, Mode.SAFE))]
    assert service.housekeeping().mode_change_count == 2


def test_heat_leads_to_safe() -> None:
    service = booted()
    assert run(service, 1, 9, [forecast(temperature_mk=333_001)]) == [
        (3, ModeChanged(Mode.SAFE, Mode.NOMINAL))
    ]
    assert run(service, 9, 20, [forecast(temperature_mk=326_000)]) == []
    assert run(service, 20, 30, [forecast(temperature_mk=324_900)]) == [
        (22, ModeChanged(Mode.NOMINAL, Mode.SAFE))
    ]


def test_tight_energy_saves_in_eclipse_only_and_ends_in_the_sun() -> None:
    service = booted()
    assert run(service, 1, 10, [forecast(energy_mj=0)]) == []
    assert run(service, 10, 20, [forecast(energy_mj=0, sunlit_e6=0)]) == [
        (12, ModeChanged(Mode.ECLIPSE_SAVING, Mode.NOMINAL))
    ]
    assert run(service, 20, 30, [forecast(sunlit_e6=0)]) == []
    assert run(service, 30, 40, [forecast(energy_mj=40_000_000)]) == []
    assert run(service, 40, 50, [forecast(energy_mj=44_000_000)]) == [
        (42, ModeChanged(Mode.NOMINAL, Mode.ECLIPSE_SAVING))
    ]


def test_safe_by_command_is_left_by_command_only() -> None:
    service = booted()
    out = service.handle(CommandDispatched(SET_MODE.id, "health", (0,), 5, 2000), NS_PER_S)
    assert ModeChanged(Mode.SAFE, Mode.NOMINAL) in out
    assert out[-1] == CommandCompleted(SET_MODE.id, 5, 2000, 0)
    assert run(service, 2, 100, [forecast()]) == []
    assert service.housekeeping().mode_commanded
    out = service.handle(ChangeMode(Mode.NOMINAL), 100 * NS_PER_S)
    assert out[0] == ModeChanged(Mode.NOMINAL, Mode.SAFE)


@pytest.mark.parametrize(
    ("command_id", "arguments", "refusal"),
    [
        (SET_MODE.id, (3,), Refusal.BAD_ARGUMENT),
        (SET_MODE.id, (), Refusal.BAD_ARGUMENT),
        (0x0499, (0,), Refusal.UNKNOWN_COMMAND),
    ],
)
def test_bad_commands_are_refused(command_id: int, arguments: tuple[int, ...], refusal: Refusal) -> None:
    service = booted()
    out = service.handle(CommandDispatched(command_id, "health", arguments, 1, 2000), 0)
    assert list(out) == [CommandCompleted(command_id, 1, 2000, refusal)]
    assert service.housekeeping().command_refused_count == 1
    assert service.handle(CommandDispatched(0x0501, "scheduling", (), 1, 2000), 0) == ()


def test_every_mode_can_be_commanded_from_every_mode() -> None:
    for mode in Mode:
        for wanted in Mode:
            trigger = Trigger[f"COMMANDED_{wanted.name}"]
            assert TRANSITIONS[(mode, trigger)] is wanted


def test_missing_forecasts_are_an_event_once() -> None:
    service = booted()
    out: list[Record] = []
    for second in range(1, 100):
        if service.next_wakeup_obt_ns() == second * NS_PER_S:
            out += service.handle(WakeupReached(), second * NS_PER_S)
    assert events(out) == [FORECAST_SILENT.id]
    service.handle(forecast(), 100 * NS_PER_S)
    assert service.housekeeping().forecast_silent_count == 1


# --- workers and surroundings -----------------------------------------------------------------------------


def failed(reason: WorkFailure) -> ExecutionFailed:
    return ExecutionFailed(1, (0, 1), 1, reason, 0)


def test_three_failures_in_a_row_are_an_event_and_the_mode_stays() -> None:
    service = booted()
    service.handle(failed(WorkFailure.CRASHED), NS_PER_S)
    service.handle(failed(WorkFailure.TIMED_OUT), NS_PER_S)
    service.handle(ExecutionFinished(1, (0, 1), 1, b"", 0, b""), NS_PER_S)
    service.handle(failed(WorkFailure.CRASHED), NS_PER_S)
    assert service.handle(failed(WorkFailure.INPUT_MISSING), NS_PER_S) == ()
    assert service.handle(failed(WorkFailure.CORRUPT_RESULT), NS_PER_S) == ()
    assert events(service.handle(failed(WorkFailure.TIMED_OUT), NS_PER_S)) == [WORKERS_FAILING.id]
    levels = service.housekeeping()
    assert (levels.work_timed_out_count, levels.work_crashed_count) == (2, 2)
    assert (levels.work_corrupt_count, levels.work_other_count) == (1, 1)
    assert levels.mode == Mode.NOMINAL


def test_work_that_a_restart_cut_off_does_not_blame_the_workers() -> None:
    service = booted()
    service.handle(NodeBooted(1, True), 5 * NS_PER_S)
    for _ in range(4):
        assert service.handle(failed(WorkFailure.CRASHED), 5 * NS_PER_S) == ()
    assert service.housekeeping().work_crashed_count == 4
    assert service.housekeeping().work_failed_in_row_count == 0


def test_radiation_is_shown() -> None:
    service = booted()
    service.handle(RadiationSampled(True, 17), 0)
    assert service.housekeeping().in_saa
    assert service.housekeeping().upset_count == 17


def test_state_survives_a_snapshot() -> None:
    service = booted()
    run(service, 1, 60, [hello(2), forecast(soc_e6=689_000)])
    run(service, 60, 90, [hello(12)])
    other = HealthService(CONFIGURATION)
    other.state = msgspec.msgpack.decode(msgspec.msgpack.encode(service.state), type=HealthState)
    assert other.housekeeping() == service.housekeeping()
    assert run(other, 90, 300) == run(service, 90, 300)


def test_counters_reset_and_the_dictionary_fits() -> None:
    service = booted()
    service.handle(ChangeMode(Mode.SAFE), 0)
    service.handle(ResetCounters(), 0)
    assert service.housekeeping().mode_change_count == 0
    assert service.housekeeping().mode == Mode.SAFE
    names = tuple(field.name for field in DICTIONARY.housekeeping.fields)
    assert names == HealthHousekeeping.__struct_fields__


def test_the_document_shows_the_transition_table() -> None:
    document = Path(modes.__file__).with_name("sdd.md").read_text(encoding="utf-8")
    rows = "\n".join(
        f"| {mode.name} | {trigger.name} | {following.name} |"
        for (mode, trigger), following in TRANSITIONS.items()
    )
    assert f"| Mode | Trigger | Next |\n|---|---|---|\n{rows}\n\n" in document
