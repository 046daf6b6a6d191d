"""`resources`: loads, forecasts, doubt about sensors."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from flightos.core.configuration import (
    ComputeConfiguration,
    NodeConfiguration,
    Role,
    TerminalConfiguration,
)
from flightos.core.ports import (
    NodeBooted,
    PowerSampled,
    ReportLoads,
    TemperatureSampled,
    TerminalReported,
    TerminalState,
    TimeSampled,
)
from flightos.core.records import Record
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import ResetCounters
from flightos.services.compute.interface import ComputeLoadChanged
from flightos.services.health.interface import Mode, ModeChanged
from flightos.services.links.interface import LinkClosed, LinkOpened
from flightos.services.resources.interface import (
    CHARGE_BELOW_FLOOR,
    DICTIONARY,
    ECLIPSE_UNFORESEEN,
    SENSOR_RECOVERED,
    SENSOR_STUCK,
    TOO_HOT,
    EclipseForecast,
    EclipseForecastActivated,
    Forecast,
    ForecastMade,
    ResourcesHousekeeping,
)
from flightos.services.resources.service import ResourcesService
from flightos.services.resources.state import ECLIPSE_ASSUMED_S, ResourcesState
from flightos.services.scheduling.interface import ImagingChanged
from flightos.services.telemetry.interface import ReportEvent

TAI_MINUS_OBT_NS = 5_000 * NS_PER_S


def terminal(index: int, kind: str, peer_ids: tuple[int, ...]) -> TerminalConfiguration:
    return TerminalConfiguration(
        index, kind, peer_ids, rate_bps=1, acquisition_ns=1, tracking_mw=30_000, sending_mw=25_000, key=b""
    )


CONFIGURATION = NodeConfiguration(
    node_id=1,
    name="sat-1",
    role=Role.SATELLITE,
    terminals=(
        terminal(0, "laser", (12,)),
        terminal(1, "laser", (2,)),
        terminal(2, "radio", (1001, 1002)),
    ),
    neighbour_ids=(12, 2),
    compute=ComputeConfiguration(rate_tops=744),
)


def booted(intervals_s: tuple[tuple[int, int], ...] = ((1_000, 3_145),)) -> ResourcesService:
    """A service with time and an eclipse table; intervals in on-board seconds."""
    service = ResourcesService(CONFIGURATION)
    service.handle(NodeBooted(0, False), 0)
    service.handle(TimeSampled(TAI_MINUS_OBT_NS, 1_000), 0)
    table = EclipseForecast(
        tuple(
            (enter * NS_PER_S + TAI_MINUS_OBT_NS, leave * NS_PER_S + TAI_MINUS_OBT_NS)
            for enter, leave in intervals_s
        )
    )
    service.handle(EclipseForecastActivated(table), 0)
    return service


def sample(
    service: ResourcesService, second: int, soc_e6: int, sunlit_e6: int = 1_000_000
) -> tuple[Forecast, list[int]]:
    """The forecast of one power sample, and the events with it."""
    record = PowerSampled(soc_e6, 700_000 * sunlit_e6 // 1_000_000, 195_000, sunlit_e6)
    return split(service.handle(record, second * NS_PER_S))


def split(out: Sequence[Record]) -> tuple[Forecast, list[int]]:
    (forecast,) = [record.forecast for record in out if isinstance(record, ForecastMade)]
    return forecast, [record.event_id for record in out if isinstance(record, ReportEvent)]


def test_loads_are_reported_at_boot_and_when_a_part_changes() -> None:
    service = ResourcesService(CONFIGURATION)
    assert list(service.handle(NodeBooted(0, False), 0)) == [ReportLoads(120_000, 14_880, 0, 0, 0)]
    assert service.handle(ComputeLoadChanged(14_880, 0, 0), 0) == ()
    assert list(service.handle(ComputeLoadChanged(148_800, 9, 1), 0)) == [
        ReportLoads(120_000, 148_800, 0, 0, 0)
    ]
    assert service.handle(TerminalReported(0, 12, TerminalState.POINTING, 0, 0), 0) == ()
    (loads,) = service.handle(TerminalReported(0, 12, TerminalState.ACQUIRING, 0, 0), 0)
    assert loads == ReportLoads(120_000, 148_800, 30_000, 0, 0)
    assert service.handle(TerminalReported(0, 12, TerminalState.TRACKING, 1, 1), 0) == ()
    (loads,) = service.handle(TerminalReported(1, 2, TerminalState.TRACKING, 1, 1), 0)
    assert loads == ReportLoads(120_000, 148_800, 60_000, 0, 0)
    assert service.handle(LinkOpened(2, 1, 1), 0) == ()
    (loads,) = service.handle(LinkOpened(1002, 1, 1), 0)
    assert loads == ReportLoads(120_000, 148_800, 60_000, 25_000, 0)
    (loads,) = service.handle(ImagingChanged(True), 0)
    assert loads == ReportLoads(120_000, 148_800, 60_000, 25_000, 40_000)
    (loads,) = service.handle(LinkClosed(1002, True), 0)
    assert loads == ReportLoads(120_000, 148_800, 60_000, 0, 40_000)
    assert service.handle(LinkClosed(1002, True), 0) == ()
    assert service.housekeeping().load_mw == 368_800


def test_the_forecast_sees_the_next_eclipse_of_the_table() -> None:
    service = booted()
    forecast, _ = sample(service, 10, 950_000)
    assert (forecast.eclipse_starts_in_s, forecast.eclipse_ends_in_s) == (990, 3_135)
    standing_mw = 120_000 + 14_880
    charge_mj = 950_000 * 2_160
    floor_mj = 700_000 * 2_160
    surplus_mj = 133_920 * 990 + 2_160_000_000 - standing_mw * 2_145 - floor_mj
    unclamped_mj = charge_mj + (700_000 - standing_mw) * 990 - standing_mw * 2_145 - floor_mj
    assert forecast.energy_available_mj == min(surplus_mj, unclamped_mj)
    assert forecast.charge_ok
    inside, _ = sample(service, 2_000, 940_000, 0)
    assert (inside.eclipse_starts_in_s, inside.eclipse_ends_in_s) == (0, 1_145)
    assert inside.energy_available_mj == 240_000 * 2_160 - standing_mw * 1_145
    after, _ = sample(service, 3_200, 900_000)
    assert after.eclipse_starts_in_s == 1_000_000
    assert after.charge_ok


def test_without_a_table_a_whole_eclipse_is_assumed_to_start_now() -> None:
    service = ResourcesService(CONFIGURATION)
    service.handle(NodeBooted(0, False), 0)
    forecast, _ = sample(service, 1, 900_000)
    assert forecast.energy_available_mj == 200_000 * 2_160 - 134_880 * ECLIPSE_ASSUMED_S


def test_darkness_that_no_table_foresaw_is_an_event_and_taken_for_an_eclipse() -> None:
    service = booted(((5_000, 7_000),))
    assert sample(service, 1, 900_000, 0)[0].eclipse_starts_in_s == 4_999
    sample(service, 2, 899_900, 0)
    forecast, events = sample(service, 3, 899_800, 0)
    assert events == [ECLIPSE_UNFORESEEN.id]
    assert forecast.eclipse_starts_in_s == 0
    assert sample(service, 4, 899_700, 0)[1] == []
    assert sample(service, 5, 899_800)[0].eclipse_starts_in_s == 4_995


def test_charge_below_the_floor_is_one_event_and_stops_starts_with_hysteresis() -> None:
    service = booted(())
    assert sample(service, 1, 720_000)[0].charge_ok
    assert sample(service, 2, 716_000)[0].charge_ok
    assert sample(service, 3, 711_500)[0].charge_ok
    assert not sample(service, 4, 709_000)[0].charge_ok
    assert not sample(service, 5, 712_000)[0].charge_ok
    assert sample(service, 6, 715_500)[0].charge_ok
    for second, soc_e6, count in ((7, 711_000, 0), (8, 706_500, 0), (9, 702_000, 0), (10, 699_000, 1)):
        sample(service, second, soc_e6)
        assert service.housekeeping().charge_below_floor_count == count
    assert sample(service, 11, 698_900)[1] == []
    assert CHARGE_BELOW_FLOOR.id == 0x0301


def test_safe_mode_starts_nothing() -> None:
    service = booted(())
    service.handle(ModeChanged(Mode.SAFE, Mode.NOMINAL), 0)
    assert not sample(service, 1, 950_000)[0].charge_ok
    service.handle(ModeChanged(Mode.NOMINAL, Mode.SAFE), 0)
    assert sample(service, 2, 950_100)[0].charge_ok


def test_heat_limits_with_hysteresis() -> None:
    service = booted(())
    temperatures_mk = [330_000, 331_900, 332_100, 330_000, 329_100, 328_900]
    judged = []
    for second, temperature_mk in enumerate(temperatures_mk, start=1):
        service.handle(TemperatureSampled(temperature_mk), second * NS_PER_S)
        forecast, events = sample(service, second, 900_000 + second)
        judged.append(forecast.heat_ok)
        assert events == ([TOO_HOT.id] if second == 3 else [])
    assert judged == [True, True, False, False, False, True]


def test_a_frozen_charge_sensor_is_found_and_reckoned_around() -> None:
    service = booted(((0, 10_000),))
    found_at = 0
    for second in range(1, 200):
        forecast, events = sample(service, second, 900_000, 0)
        if SENSOR_STUCK.id in events:
            found_at = second
    assert 10 <= found_at <= 60
    expected_e6 = 900_000 - (120_000 + 14_880) * 198 // 2_160
    assert abs(forecast.soc_ratio_e6 - expected_e6) <= 100
    assert service.housekeeping().charge_sensor_stuck
    for second in range(200, 206):
        forecast, events = sample(service, second, 887_000 - second * 60, 0)
    assert not service.housekeeping().charge_sensor_stuck
    assert service.housekeeping().sensor_recovered_count == 1
    assert SENSOR_RECOVERED.id == 0x0304


def test_a_full_battery_in_the_sun_is_not_a_frozen_sensor() -> None:
    service = booted(((5_000, 7_000),))
    for second in range(1, 400):
        _, events = sample(service, second, 1_000_000)
        assert events == []
    assert service.housekeeping().sample_refused_count == 0


def test_a_reading_outside_physics_is_bridged_then_the_sensor_is_stuck() -> None:
    service = booted(())
    sample(service, 1, 900_000)
    assert sample(service, 2, 5_000_000)[0].soc_ratio_e6 < 1_000_000
    assert sample(service, 3, 900_400)[1] == []
    assert service.housekeeping().sensor_stuck_count == 0
    events = [event for second in (4, 5, 6) for event in sample(service, second, -1)[1]]
    assert events == [SENSOR_STUCK.id]
    assert 899_000 < sample(service, 7, -1)[0].soc_ratio_e6 < 903_000


def test_a_frozen_temperature_is_found_while_the_load_heats() -> None:
    service = booted(())
    service.handle(ComputeLoadChanged(148_800, 1, 1), 0)
    events: list[Record] = []
    for second in range(1, 400):
        events += service.handle(TemperatureSampled(293_000), second * NS_PER_S)
    assert [event.event_id for event in events if isinstance(event, ReportEvent)] == [SENSOR_STUCK.id]
    forecast, _ = sample(service, 400, 900_000)
    assert 296_000 < forecast.temperature_mk < 298_500


def test_a_frozen_temperature_is_found_although_heating_and_cooling_take_turns() -> None:
    service = booted(())
    events: list[Record] = []
    for second in range(1, 600):
        if second % 120 == 1:
            load_mw = 148_800 if second % 240 == 1 else 14_880
            service.handle(ComputeLoadChanged(load_mw, 1, 1), second * NS_PER_S)
        events += service.handle(TemperatureSampled(293_000), second * NS_PER_S)
    assert [event.event_id for event in events if isinstance(event, ReportEvent)] == [SENSOR_STUCK.id]


def test_a_clock_step_searches_the_table_anew() -> None:
    service = booted(((100, 200), (1_000, 2_000)))
    assert sample(service, 500, 900_000)[0].eclipse_starts_in_s == 500
    service.handle(TimeSampled(TAI_MINUS_OBT_NS - 450 * NS_PER_S, 1_000), 500 * NS_PER_S)
    assert sample(service, 501, 900_100)[0].eclipse_starts_in_s == 49


def test_state_survives_a_snapshot() -> None:
    service = booted()
    for second in range(1, 50):
        service.handle(TemperatureSampled(293_000 + second), second * NS_PER_S)
        sample(service, second, 900_000 + second * 50)
    other = ResourcesService(CONFIGURATION)
    other.state = msgspec.msgpack.decode(msgspec.msgpack.encode(service.state), type=ResourcesState)
    assert sample(other, 50, 903_000) == sample(service, 50, 903_000)
    assert other.housekeeping() == service.housekeeping()


def test_counters_reset_and_the_dictionary_fits() -> None:
    service = booted()
    sample(service, 1, 900_000)
    assert service.housekeeping().forecast_count == 1
    service.handle(ResetCounters(), NS_PER_S)
    assert service.housekeeping().forecast_count == 0
    names = tuple(field.name for field in DICTIONARY.housekeeping.fields)
    assert names == ResourcesHousekeeping.__struct_fields__
    assert service.next_wakeup_obt_ns() is None
