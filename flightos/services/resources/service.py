"""`resources`: what the node may spend, and when.

Theory of operation. The service keeps account of what is switched on and tells the world when the sum
changes. Once a second, on the power sample, it makes a forecast: charge (believed or dead-reckoned), the
next eclipse from the uploaded table, the energy that may be spent until that eclipse ends, and the time that
full load may last before the compute box is too hot. Everything is integer; what could be expensive is a
table made once (heat.py).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import is_station
from flightos.core.ports import (
    NodeBooted,
    PowerSampled,
    TemperatureSampled,
    TerminalReported,
    TimeSampled,
)
from flightos.core.records import Record
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import ResetCounters
from flightos.services.compute.interface import ComputeLoadChanged
from flightos.services.health.interface import Mode, ModeChanged
from flightos.services.links.interface import LinkClosed, LinkOpened
from flightos.services.resources.eclipse import look_ahead
from flightos.services.resources.energy import energy_available_mj
from flightos.services.resources.heat import heating_curve_mk, heating_uk_per_s, seconds_until_limit
from flightos.services.resources.interface import (
    CHARGE_BELOW_FLOOR,
    ECLIPSE_UNFORESEEN,
    SENSOR_RECOVERED,
    SENSOR_STUCK,
    TOO_HOT,
    EclipseForecastActivated,
    Forecast,
    ForecastMade,
    ResourcesHousekeeping,
    Sensor,
)
from flightos.services.resources.loads import full_compute_mw, idle_compute_mw, initial_switches, sum_loads
from flightos.services.resources.sensors import Belief, SensorLimits, SensorTrack, accept, follow
from flightos.services.resources.state import COUNTERS, fine_charge_mj, initial_state
from flightos.services.scheduling.interface import ImagingChanged
from flightos.services.telemetry.interface import ReportEvent

NEVER_S: Final = 1_000_000
CHARGE_MARGIN_E6: Final = 10_000
"""A task starts only with this much of the battery above the floor, now and at the end of the eclipse: one
tile costs 18 kJ, which is 0.8 % of the shipped battery."""
CHARGE_RETURN_E6: Final = 15_000
HEAT_MARGIN_MK: Final = 1_000
HEAT_RETURN_MK: Final = 4_000


class ResourcesService:
    """Accounts for loads and forecasts charge and heat at 1 Hz."""

    name: Final = "resources"

    def __init__(self, configuration: NodeConfiguration) -> None:
        power = configuration.power
        heat = configuration.heat
        self._configuration = configuration
        self._idle_mw = idle_compute_mw(configuration)
        self._computing_mw = full_compute_mw(configuration) - self._idle_mw
        self._floor_mj = power.battery_mj * power.soc_ratio_e6_min // 1_000_000
        self._reserve_mj = power.battery_mj * CHARGE_MARGIN_E6 // 1_000_000
        self._return_mj = power.battery_mj * CHARGE_RETURN_E6 // 1_000_000
        self._curve_mk = heating_curve_mk(heat, full_compute_mw(configuration))
        self._charge_limits = SensorLimits(
            reading_min=0,
            reading_max=1_000_000,
            change_per_s_max=5_000,
            freeze_fine=power.battery_mj // 500,
            fine_per_unit=fine_charge_mj(configuration),
        )
        self._temperature_limits = SensorLimits(
            reading_min=150_000,
            reading_max=450_000,
            change_per_s_max=5_000,
            freeze_fine=1_000_000,
            fine_per_unit=1_000,
        )
        self.state = initial_state(configuration)
        self.reactions: Mapping[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            PowerSampled: self._forecast,
            TemperatureSampled: self._sense_temperature,
            ComputeLoadChanged: self._note_compute,
            TerminalReported: self._note_terminal,
            LinkOpened: self._note_link_opened,
            LinkClosed: self._note_link_closed,
            ImagingChanged: self._note_imaging,
            ModeChanged: self._note_mode,
            TimeSampled: self._note_time,
            EclipseForecastActivated: self._load_table,
            NodeBooted: self._start,
            ResetCounters: self._reset_counters,
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record; the only thing that changes `state`."""
        return self.reactions[type(record)](record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """Never: the power sample is the pulse of this service."""
        return None

    def housekeeping(self) -> ResourcesHousekeeping:
        """Frozen counters and levels."""
        state = self.state
        forecast = state.forecast
        loads = state.loads
        return ResourcesHousekeeping(
            forecast.soc_ratio_e6 / 1_000_000,
            forecast.temperature_mk / 1000,
            forecast.sunlit_ratio_e6 / 1_000_000,
            state.array_mw,
            loads.bus_mw + loads.compute_mw + loads.terminals_mw + loads.radio_mw + loads.imager_mw,
            loads.compute_mw,
            loads.terminals_mw,
            loads.radio_mw,
            loads.imager_mw,
            forecast.energy_available_mj,
            forecast.heat_seconds,
            forecast.eclipse_starts_in_s,
            forecast.eclipse_ends_in_s,
            forecast.charge_ok,
            forecast.heat_ok,
            state.charge.stuck,
            state.temperature.stuck,
            state.forecast_count,
            state.charge_below_floor_count,
            state.too_hot_count,
            state.sensor_stuck_count,
            state.sensor_recovered_count,
            state.eclipse_unforeseen_count,
            state.sample_refused_count,
        )

    # --- samples --------------------------------------------------------------------------------------------

    def _sense_temperature(self, record: TemperatureSampled, now_obt_ns: int) -> Sequence[Record]:
        track = self.state.temperature
        limits = self._temperature_limits
        reading = record.temperature_mk
        elapsed_s = max((now_obt_ns - track.sampled_obt_ns) // NS_PER_S, 1)
        track.sampled_obt_ns = now_obt_ns
        moved = reading - track.reading
        if (
            moved
            and abs(moved) <= limits.change_per_s_max * elapsed_s
            and not track.stuck
            and not track.strike_count
            and limits.reading_min <= reading <= limits.reading_max
        ):
            accept(track, limits, reading)
            return ()
        rate = heating_uk_per_s(
            self._configuration.heat, track.estimate_fine // 1000, self.state.switches.compute_mw
        )
        return self._follow(Sensor.TEMPERATURE, track, limits, reading, elapsed_s, rate * elapsed_s)

    def _sense_charge(self, record: PowerSampled, now_obt_ns: int, in_eclipse: bool) -> Sequence[Record]:
        track = self.state.charge
        limits = self._charge_limits
        reading = record.soc_ratio_e6
        elapsed_s = max((now_obt_ns - track.sampled_obt_ns) // NS_PER_S, 1)
        track.sampled_obt_ns = now_obt_ns
        moved = reading - track.reading
        if (
            moved
            and abs(moved) <= limits.change_per_s_max * elapsed_s
            and not track.stuck
            and not track.strike_count
            and 0 <= reading <= 1_000_000
        ):
            accept(track, limits, reading)
            return ()
        power = self._configuration.power
        loads = self.state.loads
        load_mw = loads.bus_mw + loads.compute_mw + loads.terminals_mw + loads.radio_mw + loads.imager_mw
        change_mj = ((0 if in_eclipse else power.array_mw) - load_mw) * elapsed_s
        full_mj = 1_000_000 * limits.fine_per_unit
        reckoned_mj = min(max(track.estimate_fine + change_mj, 0), full_mj)
        return self._follow(
            Sensor.CHARGE, track, limits, reading, elapsed_s, reckoned_mj - track.estimate_fine
        )

    def _follow(
        self,
        sensor: Sensor,
        track: SensorTrack,
        limits: SensorLimits,
        reading: int,
        elapsed_s: int,
        change_fine: int,
    ) -> Sequence[Record]:
        """The slow path of a reading, with its events."""
        estimate = track.estimate_fine // limits.fine_per_unit
        belief = follow(track, limits, reading, elapsed_s, change_fine)
        if track.stuck or track.strike_count:
            self.state.sample_refused_count += 1
        if belief is Belief.SAME:
            return ()
        if belief is Belief.STUCK:
            self.state.sensor_stuck_count += 1
            return (ReportEvent(SENSOR_STUCK.id, (int(sensor), reading, estimate)),)
        self.state.sensor_recovered_count += 1
        return (ReportEvent(SENSOR_RECOVERED.id, (int(sensor), reading, estimate)),)

    # --- forecast -------------------------------------------------------------------------------------------

    def _forecast(self, record: PowerSampled, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        power = self._configuration.power
        out: list[Record] = []
        state.array_mw = record.array_mw
        outlook = look_ahead(state, now_obt_ns, record.sunlit_ratio_e6)
        sunlit_s, eclipse_s, known = outlook.sunlit_s, outlook.eclipse_s, outlook.known
        if outlook.unforeseen:
            state.eclipse_unforeseen_count += 1
            out.append(ReportEvent(ECLIPSE_UNFORESEEN.id))
        out.extend(self._sense_charge(record, now_obt_ns, in_eclipse=sunlit_s == 0 and eclipse_s > 0))
        charge_mj = state.charge.estimate_fine
        soc_ratio_e6 = charge_mj // self._charge_limits.fine_per_unit
        loads = state.loads
        available_mj = energy_available_mj(
            charge_mj,
            power.battery_mj,
            self._floor_mj,
            power.array_mw,
            loads.bus_mw + loads.terminals_mw + self._idle_mw,
            self._computing_mw,
            sunlit_s,
            eclipse_s,
        )
        temperature_mk = state.temperature.estimate_fine // 1000
        forecast = Forecast(
            now_obt_ns,
            soc_ratio_e6,
            temperature_mk,
            record.sunlit_ratio_e6,
            sunlit_s if known else NEVER_S,
            sunlit_s + eclipse_s if known else NEVER_S,
            available_mj,
            seconds_until_limit(self._curve_mk, temperature_mk),
            self._judge_charge(charge_mj, available_mj, out),
            self._judge_heat(temperature_mk, out),
        )
        state.forecast = forecast
        state.forecast_count += 1
        out.append(ForecastMade(forecast))
        return out

    def _judge_charge(self, charge_mj: int, available_mj: int, out: list[Record]) -> bool:
        """May a task start, by charge? With hysteresis; never in SAFE."""
        state = self.state
        if charge_mj < self._floor_mj:
            if not state.below_floor:
                state.below_floor = True
                state.charge_below_floor_count += 1
                out.append(
                    ReportEvent(
                        CHARGE_BELOW_FLOOR.id,
                        (
                            charge_mj // self._charge_limits.fine_per_unit,
                            self._configuration.power.soc_ratio_e6_min,
                        ),
                    )
                )
            return False
        needed_mj = self._reserve_mj if state.forecast.charge_ok else self._return_mj
        if charge_mj >= self._floor_mj + needed_mj:
            state.below_floor = False
            return available_mj >= needed_mj and state.mode is not Mode.SAFE
        return False

    def _judge_heat(self, temperature_mk: int, out: list[Record]) -> bool:
        """May a task start, by temperature? With hysteresis."""
        limit_mk = self._configuration.heat.temperature_mk_max
        if not self.state.forecast.heat_ok:
            return temperature_mk <= limit_mk - HEAT_RETURN_MK
        if temperature_mk <= limit_mk - HEAT_MARGIN_MK:
            return True
        self.state.too_hot_count += 1
        out.append(ReportEvent(TOO_HOT.id, (temperature_mk, limit_mk)))
        return False

    # --- what is switched on, and what is known -------------------------------------------------------------

    def _account(self) -> Sequence[Record]:
        """Report the loads where a part of their sum changed."""
        state = self.state
        loads = sum_loads(self._configuration, state.switches)
        if state.reported and loads == state.loads:
            return ()
        state.loads = loads
        state.reported = True
        return (loads,)

    def _note_compute(self, record: ComputeLoadChanged, now_obt_ns: int) -> Sequence[Record]:
        self.state.switches.compute_mw = record.compute_mw
        return self._account()

    def _note_terminal(self, record: TerminalReported, now_obt_ns: int) -> Sequence[Record]:
        self.state.switches.terminal_states[record.terminal_index] = int(record.state)
        return self._account()

    def _note_link_opened(self, record: LinkOpened, now_obt_ns: int) -> Sequence[Record]:
        station_ids = self.state.switches.station_ids
        if not is_station(record.peer_id) or record.peer_id in station_ids:
            return ()
        station_ids.append(record.peer_id)
        station_ids.sort()
        return self._account()

    def _note_link_closed(self, record: LinkClosed, now_obt_ns: int) -> Sequence[Record]:
        station_ids = self.state.switches.station_ids
        if record.peer_id not in station_ids:
            return ()
        station_ids.remove(record.peer_id)
        return self._account()

    def _note_imaging(self, record: ImagingChanged, now_obt_ns: int) -> Sequence[Record]:
        self.state.switches.imager_on = record.imager_on
        return self._account()

    def _note_mode(self, record: ModeChanged, now_obt_ns: int) -> Sequence[Record]:
        self.state.mode = record.mode
        return ()

    def _note_time(self, record: TimeSampled, now_obt_ns: int) -> Sequence[Record]:
        if record.tai_minus_obt_ns != self.state.tai_minus_obt_ns:
            self.state.tai_minus_obt_ns = record.tai_minus_obt_ns
            # A clock step may go backwards: the search for the next eclipse starts anew.
            self.state.interval_index = 0
        return ()

    def _load_table(self, record: EclipseForecastActivated, now_obt_ns: int) -> Sequence[Record]:
        self.state.intervals_tai_ns = record.table.intervals_tai_ns
        self.state.interval_index = 0
        return ()

    def _start(self, record: NodeBooted, now_obt_ns: int) -> Sequence[Record]:
        """Devices start from rest: terminals stowed, nothing computes; readings are new ground."""
        state = self.state
        state.switches = initial_switches(self._configuration)
        state.reported = False
        for track in (state.charge, state.temperature):
            track.fresh = True
            track.stuck = False
            track.drift_fine = track.drift_fine_min = track.drift_fine_max = 0
            track.strike_count = 0
            track.sampled_obt_ns = now_obt_ns
        return self._account()

    def _reset_counters(self, record: ResetCounters, now_obt_ns: int) -> Sequence[Record]:
        for counter in COUNTERS:
            setattr(self.state, counter, 0)
        return ()
