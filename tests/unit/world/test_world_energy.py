"""Battery and temperature: exact steps, closed forms, and what limits the nodes of the scenario."""

from __future__ import annotations

import pytest

from flightos.core.configuration import NodeConfiguration
from flightos.services.resources.loads import full_compute_mw, idle_compute_mw
from sil.plan import RunPlan
from sil.scenarios.builder import build_plan
from sil.scenarios.loader import load_scenario
from sil.world.constants import STEFAN_BOLTZMANN_W_M2_K4
from sil.world.heat import (
    NK_PER_K,
    HeatConfig,
    equilibrium_temperature_k,
    radiated_w,
    step_heat,
    temperature_mk,
    time_constant_s,
)
from sil.world.participant import SatelliteWorld
from sil.world.power import step_battery

ORBIT_S = 5_677


@pytest.fixture(scope="module")
def plan() -> RunPlan:
    """The constellation that `flightos run three_body` flies, for one orbit."""
    return build_plan(load_scenario("three_body"), seed=1, duration_s=ORBIT_S)


def test_radiator_at_100_w_settles_at_301_826_k() -> None:
    """Emissivity 0.85, 0.25 m2 one-sided, no environment; 5 kg of 900 J/kgK: time constant 3,396 s."""
    box = HeatConfig(capacity_j_k=4_500.0, radiator_m2=0.25, environment_mw=0)
    balance_k = equilibrium_temperature_k(box, 100_000)
    assert balance_k == pytest.approx(301.826, abs=5e-4)
    assert time_constant_s(box, balance_k) == pytest.approx(3_396.0, abs=0.5)
    temperature_nk = 293 * NK_PER_K
    for _ in range(40_000):
        temperature_nk = step_heat(box, temperature_nk, 100_000)
    assert temperature_nk / NK_PER_K == pytest.approx(balance_k, abs=5e-4)


@pytest.mark.parametrize(
    ("emissivity", "degc", "w_m2"),
    [(1.0, 0, 315.7), (1.0, 20, 418.8), (1.0, 80, 882.0), (0.85, 20, 356.0), (0.85, 60, 593.7)],
)
def test_radiator_sends_the_tabled_flux(emissivity: float, degc: int, w_m2: float) -> None:
    # The 0.85 column of the reference table is for 20, 40, 60 degrees.
    box = HeatConfig(radiator_m2=1.0, emissivity=emissivity)
    kelvin_nk = (degc * 1000 + 273_150) * 1_000_000
    expected = emissivity * STEFAN_BOLTZMANN_W_M2_K4 * ((degc + 273.15) ** 4)
    assert radiated_w(box, kelvin_nk) == pytest.approx(expected, rel=1e-12)
    assert radiated_w(box, kelvin_nk) == pytest.approx(w_m2, abs=0.06)


def test_heating_follows_the_linear_law_near_balance() -> None:
    """A small offset shrinks by 1/e in one time constant."""
    box = HeatConfig()
    balance_k = equilibrium_temperature_k(box, 80_000)
    temperature_nk = round((balance_k - 1.0) * NK_PER_K)
    for _ in range(round(time_constant_s(box, balance_k))):
        temperature_nk = step_heat(box, temperature_nk, 80_000)
    assert balance_k - temperature_nk / NK_PER_K == pytest.approx(0.3679, abs=0.003)


def test_reading_is_rounded_to_whole_millikelvin() -> None:
    assert temperature_mk(293_000_499_999) == 293_000
    assert temperature_mk(293_000_500_000) == 293_001


def test_battery_counts_every_millijoule() -> None:
    step = step_battery(1_000, 300, 700, 2_000)
    assert (step.charge_mj, step.unused_mj, step.unserved_mj) == (1_400, 0, 0)
    step = step_battery(1_900, 300, 700, 2_000)
    assert (step.charge_mj, step.unused_mj, step.unserved_mj) == (2_000, 300, 0)
    step = step_battery(100, 300, 0, 2_000)
    assert (step.charge_mj, step.unused_mj, step.unserved_mj) == (0, 0, 200)


def loads_mw(node: NodeConfiguration, compute_mw: int) -> int:
    """What a node draws with both lasers tracking and nothing sent or imaged."""
    lasers = [terminal for terminal in node.terminals if terminal.kind == "laser"]
    return node.power.bus_mw + compute_mw + sum(terminal.tracking_mw for terminal in lasers)


def fly_one_orbit(plan: RunPlan, is_busy: bool) -> dict[int, tuple[int, int]]:
    """Lowest state of charge (millionths) and highest temperature (mK) of each satellite over one orbit of the
    scenario from its epoch, with all of its compute busy or none."""
    extremes = {}
    for index, world in enumerate(plan.worlds):
        node = plan.nodes[index]
        assert node.node_id == world.node_id
        satellite = SatelliteWorld(world, plan.seed, ())
        satellite.compute_mw = full_compute_mw(node) if is_busy else idle_compute_mw(node)
        satellite.load_mw = loads_mw(node, satellite.compute_mw)
        lowest_mj, highest_nk = satellite.charge_mj, satellite.temperature_nk
        for second in range(ORBIT_S):
            satellite.integrate(plan.tape.sunlit_ratio_e6(node.node_id, second))
            lowest_mj = min(lowest_mj, satellite.charge_mj)
            highest_nk = max(highest_nk, satellite.temperature_nk)
        lowest_e6 = lowest_mj * 1_000_000 // world.power.battery_mj
        extremes[node.node_id] = (lowest_e6, temperature_mk(highest_nk))
    return extremes


def test_loads_of_the_largest_node(plan: RunPlan) -> None:
    largest = plan.nodes[0]
    assert full_compute_mw(largest) == 148_800
    assert idle_compute_mw(largest) == 14_880, "a tenth of busy"
    assert loads_mw(largest, 148_800) == 120_000 + 148_800 + 60_000


def test_full_load_for_an_orbit_would_heat_the_largest_node_too_much_and_drain_the_busy_ones(
    plan: RunPlan,
) -> None:
    """What the limits are for, by a margin that does not hang on a second; that they hold is flown in
    tests/simulation/test_full_load.py."""
    extremes = fly_one_orbit(plan, is_busy=True)
    limit_mk, floor_e6 = plan.worlds[0].heat.temperature_mk_max, plan.worlds[0].power.soc_ratio_e6_min
    assert [node for node, (_, hot_mk) in extremes.items() if hot_mk > limit_mk] == [1], "744 TOPS"
    assert extremes[1][1] > limit_mk + 3_000
    assert extremes[2][1] < limit_mk - 1_000
    too_low = [node for node, (low_e6, _) in extremes.items() if low_e6 < floor_e6]
    assert too_low == [1, 2, 7], "640 TOPS and more, and satellite 7, which begins in eclipse"
    assert all(low_e6 > 500_000 for low_e6, _ in extremes.values()), (
        "limits bite well before the battery is empty"
    )


def test_at_rest_no_node_of_the_scenario_reaches_a_limit(plan: RunPlan) -> None:
    """Idle compute and both terminals tracking for a whole orbit: the floor is not touched, nothing warms up."""
    for low_e6, hot_mk in fly_one_orbit(plan, is_busy=False).values():
        assert low_e6 > plan.worlds[0].power.soc_ratio_e6_min
        assert hot_mk <= plan.worlds[0].heat.temperature_mk_start
