"""The world as a participant of the run: at each whole second it moves charge, heat and light, and tells the nodes.

Theory of operation: the step of second k uses what nodes reported before k (their loads, where their terminals point),
integrates the second that has just passed, and posts sensor records due at k + port latency. Terminals are matched
here: two that point at each other, with line of sight and no outage, acquire for the time the scenario says and then
track; the report of a break comes at the next step, but frames stop at the very edge, because the sender's shaper
asks the tape. The world knows nothing of what flies in the messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from heapq import heappop, heappush
from typing import Final

from flightos.core.ids import WORLD_ID
from flightos.core.ports import (
    LoadsReported,
    NodeLifeChanged,
    PowerSampled,
    RadiationSampled,
    TemperatureSampled,
    TerminalPointed,
    TimeSampled,
    UpsetStruck,
)
from flightos.core.records import Record
from flightos.core.time import NS_PER_S
from flightos.host.message import Message
from flightos.node.clock import OnBoardClock
from sil.plan import NodeWorld, RunPlan, StuckSensor
from sil.world.heat import HeatConfig, step_heat, temperature_mk
from sil.world.power import step_battery
from sil.world.radiation import NamedStream
from sil.world.terminals import Terminals

TIME_SAMPLE_PERIOD_S: Final = 60
TIME_UNCERTAINTY_NS: Final = 100


class SatelliteWorld:
    """Charge, temperature and radiation of one satellite."""

    def __init__(self, world: NodeWorld, seed: int, stuck: Sequence[StuckSensor]) -> None:
        self.world = world
        self.charge_mj = world.power.battery_mj * world.power.soc_ratio_e6_start // 1_000_000
        self.heat = HeatConfig(
            capacity_j_k=float(world.heat.capacity_j_per_k),
            initial_temperature_mk=world.heat.temperature_mk_start,
            limit_temperature_mk=world.heat.temperature_mk_max,
            radiator_m2=world.heat.radiator_mm2 / 1_000_000,
            emissivity=world.heat.emissivity_e6 / 1_000_000,
            environment_mw=world.heat.environment_mw,
        )
        self.temperature_nk = self.heat.initial_temperature_nk()
        self.load_mw = world.power.bus_mw
        self.compute_mw = 0
        self.in_saa = False
        self.upset_count = 0
        self.arrivals = NamedStream(seed, world.node_id, "upset")
        self.places = NamedStream(seed, world.node_id, "upset-place")
        self.stuck = tuple(stuck)
        self.last_power = PowerSampled(0, 0, 0, 0)
        self.last_temperature = TemperatureSampled(0)

    def integrate(self, sunlit_ratio_e6: int) -> None:
        """Advance by the second that had this much sunlight."""
        array_mw = self.world.power.array_mw * sunlit_ratio_e6 // 1_000_000
        step = step_battery(self.charge_mj, self.load_mw, array_mw, self.world.power.battery_mj)
        self.charge_mj = step.charge_mj
        self.temperature_nk = step_heat(self.heat, self.temperature_nk, self.compute_mw)

    def is_stuck(self, sensor: str, t_ns: int) -> bool:
        """True while a fault holds this sensor at its last value."""
        return bool(self.stuck) and any(
            fault.sensor == sensor and fault.start_ns <= t_ns < fault.stop_ns for fault in self.stuck
        )


class World:
    """See the module. Driven like a node's host: `post`, `next_event_ns`, `run_until`, `outbox`."""

    def __init__(self, plan: RunPlan) -> None:
        self.id = WORLD_ID
        self.outbox: list[Message] = []
        self._plan = plan
        self._tape = plan.tape
        self._latency_ns = plan.port_latency_ns
        self._heap: list[tuple[int, int, int, Record]] = []
        self._sequence = 0
        self._step_s = 0
        stuck = [fault for fault in plan.faults if isinstance(fault, StuckSensor)]
        self._satellites = {
            world.node_id: SatelliteWorld(
                world, plan.seed, [fault for fault in stuck if fault.node_id == world.node_id]
            )
            for world in plan.worlds
        }
        self._clocks = {node.node_id: OnBoardClock(node.obt_offset_ns, node.drift_ppb) for node in plan.nodes}
        self._terminals = Terminals(plan)

    def post(self, message: Message) -> None:
        """Take what a node reports."""
        heappush(self._heap, (message.due_ns, message.source_id, message.sequence, message.record))

    def next_event_ns(self) -> int:
        """The next whole second, or an earlier report."""
        step_ns = self._step_s * NS_PER_S
        return min(step_ns, self._heap[0][0]) if self._heap else step_ns

    def run_until(self, horizon_ns: int) -> None:
        """Take reports and make steps before the horizon; a step sees the reports of earlier times only."""
        heap = self._heap
        while True:
            step_ns = self._step_s * NS_PER_S
            if heap and heap[0][0] < step_ns:
                if heap[0][0] >= horizon_ns:
                    return
                self._take(heappop(heap)[3])
            else:
                if step_ns >= horizon_ns:
                    return
                self._step(self._step_s)
                self._step_s += 1

    def _take(self, record: Record) -> None:
        if type(record) is LoadsReported:
            satellite = self._satellites.get(record.node_id)
            if satellite is not None:
                satellite.load_mw = record.load_mw
                satellite.compute_mw = record.compute_mw
        elif type(record) is TerminalPointed:
            self._terminals.point(record.node_id, record.terminal_index, record.peer_id)
        else:
            assert isinstance(record, NodeLifeChanged)
            self._change_life(record)

    def _change_life(self, record: NodeLifeChanged) -> None:
        if not record.alive:
            self._terminals.kill(record.node_id)
        satellite = self._satellites.get(record.node_id)
        if satellite is not None:
            satellite.load_mw = satellite.world.power.bus_mw if record.alive else 0
            satellite.compute_mw = 0

    def _send(self, t_s: int, node_id: int, record: Record) -> None:
        self._sequence += 1
        due_ns = t_s * NS_PER_S + self._latency_ns
        self.outbox.append(Message(due_ns, self.id, self._sequence, node_id, record))

    def _step(self, t_s: int) -> None:
        t_ns = t_s * NS_PER_S
        if t_s % TIME_SAMPLE_PERIOD_S == 0:
            for node in self._plan.nodes:
                self._send_time(t_s, node.node_id)
        for node_id, satellite in self._satellites.items():
            self._step_satellite(t_s, t_ns, node_id, satellite)
        for node_id, report in self._terminals.step(t_ns):
            self._send(t_s, node_id, report)

    def _send_time(self, t_s: int, node_id: int) -> None:
        due_ns = t_s * NS_PER_S + self._latency_ns
        tai_minus_obt_ns = self._plan.epoch_tai_ns + due_ns - self._clocks[node_id].obt_ns(due_ns)
        self._send(t_s, node_id, TimeSampled(tai_minus_obt_ns, TIME_UNCERTAINTY_NS))

    def _step_satellite(self, t_s: int, t_ns: int, node_id: int, satellite: SatelliteWorld) -> None:
        sunlit_ratio_e6 = self._tape.sunlit_ratio_e6(node_id, t_s)
        if t_s > 0:
            satellite.integrate(self._tape.sunlit_ratio_e6(node_id, t_s - 1))
        array_mw = satellite.world.power.array_mw * sunlit_ratio_e6 // 1_000_000
        if not satellite.is_stuck("power", t_ns):
            soc_ratio_e6 = satellite.charge_mj * 1_000_000 // satellite.world.power.battery_mj
            satellite.last_power = PowerSampled(soc_ratio_e6, array_mw, satellite.load_mw, sunlit_ratio_e6)
        if not satellite.is_stuck("temperature", t_ns):
            satellite.last_temperature = TemperatureSampled(temperature_mk(satellite.temperature_nk))
        self._send(t_s, node_id, satellite.last_temperature)
        self._send(t_s, node_id, satellite.last_power)
        self._irradiate(t_s, t_ns, node_id, satellite)

    def _irradiate(self, t_s: int, t_ns: int, node_id: int, satellite: SatelliteWorld) -> None:
        in_saa = self._tape.in_saa(node_id, t_ns)
        world = satellite.world
        threshold = world.upset_threshold_saa if in_saa else world.upset_threshold_quiet
        struck = satellite.arrivals.draw() < threshold
        if struck:
            satellite.upset_count += 1
            upset = UpsetStruck(satellite.places.draw() >> 32, satellite.places.draw() >> 20)
            self._send(t_s, node_id, upset)
        if in_saa != satellite.in_saa or struck:
            satellite.in_saa = in_saa
            self._send(t_s, node_id, RadiationSampled(in_saa, satellite.upset_count))
