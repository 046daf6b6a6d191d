"""The world's closed loop against a plain sum over the tape."""

from __future__ import annotations

from flightos.core.ports import LoadsReported, PowerSampled
from flightos.core.time import NS_PER_S
from flightos.host.message import Message
from sil.scenarios.builder import build_plan
from sil.scenarios.loader import load_scenario
from sil.world.participant import World

DURATION_S = 1_200
LOAD_MW = 350_000
LOADED_FROM_S = 300


def test_charge_is_the_sum_of_sunlight_and_loads() -> None:
    """Second by second, through sunlight, eclipse and the edge between them, and with a load that changes."""
    plan = build_plan(load_scenario("three_body"), 1, DURATION_S)
    world = World(plan)
    for sequence, each in enumerate(plan.worlds):
        # Reported before second 300: it counts from the second that begins then.
        record = LoadsReported(each.node_id, LOAD_MW, 0)
        world.post(Message((LOADED_FROM_S - 1) * NS_PER_S + 1, each.node_id, sequence, world.id, record))
    world.run_until(DURATION_S * NS_PER_S)
    sampled = {
        message.destination_id: message.record.soc_ratio_e6
        for message in world.outbox
        if isinstance(message.record, PowerSampled)
    }
    kinds = {plan.tape.sunlit_ratio_e6(each.node_id, DURATION_S) for each in plan.worlds}
    assert {0, 1_000_000} <= kinds, "the ring lies in sunlight and in shadow"
    for each in plan.worlds:
        power = each.power
        charge_mj = power.battery_mj * power.soc_ratio_e6_start // 1_000_000
        for t_s in range(DURATION_S - 1):
            array_mw = power.array_mw * plan.tape.sunlit_ratio_e6(each.node_id, t_s) // 1_000_000
            load_mw = LOAD_MW if t_s >= LOADED_FROM_S - 1 else power.bus_mw
            charge_mj = min(max(charge_mj + array_mw - load_mw, 0), power.battery_mj)
        assert sampled[each.node_id] == charge_mj * 1_000_000 // power.battery_mj
