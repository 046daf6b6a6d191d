"""Battery and temperature: exact steps, closed forms, and what limits the nodes of the scenario."""

from __future__ import annotations

import pytest

from sil.world.constants import STEFAN_BOLTZMANN_W_M2_K4
from sil.world.elements import PlaneConfig, plane_elements
from sil.world.heat import (
    NK_PER_K,
    HeatConfig,
    equilibrium_temperature_k,
    radiated_w,
    step_heat,
    temperature_mk,
    time_constant_s,
)
from sil.world.power import (
    MJ_PER_WH,
    Activity,
    PowerConfig,
    array_mw,
    compute_load_mw,
    node_load_mw,
    step_battery,
)
from sil.world.tape_builder import TapeRequest, build_tape

RATES_TOPS = (744, 640, 560, 480, 440, 400, 384, 344, 304, 264, 232, 208)
ORBIT_S = 5_677
POWER, HEAT = PowerConfig(), HeatConfig()


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
    balance_k = equilibrium_temperature_k(HEAT, 80_000)
    temperature_nk = round((balance_k - 1.0) * NK_PER_K)
    for _ in range(round(time_constant_s(HEAT, balance_k))):
        temperature_nk = step_heat(HEAT, temperature_nk, 80_000)
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


def test_loads_of_the_largest_node() -> None:
    assert compute_load_mw(POWER, 744, 1_000_000) == 148_800
    assert compute_load_mw(POWER, 744, 0) == 14_880, "a tenth of busy"
    assert compute_load_mw(POWER, 744, 500_000) == (148_800 + 14_880) // 2
    busy = Activity(tracking_terminal_count=2, sending=True, imaging=True, busy_ratio_e6=1_000_000)
    assert node_load_mw(POWER, 744, busy) == 120_000 + 148_800 + 60_000 + 25_000 + 40_000
    assert node_load_mw(POWER, 744, Activity()) == 120_000 + 14_880
    assert array_mw(POWER, 333_333) == 233_333
    assert POWER.initial_charge_mj() == 540 * MJ_PER_WH
    assert POWER.soc_e6(POWER.capacity_mj) == 1_000_000


def fly_one_orbit_at_full_load() -> dict[int, tuple[int, int]]:
    """Lowest state of charge (millionths) and highest temperature (mK) of each node over one orbit.

    The orbit of the scenario from its epoch, all compute busy, both terminals tracking, the radio sending.
    """
    sets = plane_elements(PlaneConfig())
    tape = build_tape(TapeRequest([one.satrec for one in sets], [], [], "2026-03-20T12:00:00Z", ORBIT_S))
    full = Activity(tracking_terminal_count=2, sending=True, busy_ratio_e6=1_000_000)
    extremes = {}
    for node_id, rate_tops in enumerate(RATES_TOPS, start=1):
        load_mw, box_mw = node_load_mw(POWER, rate_tops, full), compute_load_mw(POWER, rate_tops, 1_000_000)
        charge_mj, temperature_nk = POWER.initial_charge_mj(), HEAT.initial_temperature_nk()
        lowest_mj, highest_nk = charge_mj, temperature_nk
        for second in range(ORBIT_S):
            output_mw = array_mw(POWER, tape.sunlit_ratio_e6(node_id, second))
            charge_mj = step_battery(charge_mj, load_mw, output_mw, POWER.capacity_mj).charge_mj
            temperature_nk = step_heat(HEAT, temperature_nk, box_mw)
            lowest_mj, highest_nk = min(lowest_mj, charge_mj), max(highest_nk, temperature_nk)
        extremes[node_id] = (POWER.soc_e6(lowest_mj), temperature_mk(highest_nk))
    return extremes


def test_over_an_orbit_at_full_load_the_largest_node_is_heat_limited_and_the_busy_ones_charge_limited() -> (
    None
):
    extremes = fly_one_orbit_at_full_load()
    too_hot = [node for node, (_, hot_mk) in extremes.items() if hot_mk > HEAT.limit_temperature_mk]
    too_low = [node for node, (low_e6, _) in extremes.items() if low_e6 < POWER.floor_soc_e6]
    assert too_hot == [1], "744 TOPS"
    assert too_low == [1, 2, 3, 4, 5, 6], "400 TOPS and more"
    assert all(low_e6 > 500_000 for low_e6, _ in extremes.values()), (
        "limits bite well before the battery is empty"
    )


def test_at_rest_no_node_of_the_scenario_reaches_a_limit() -> None:
    """Idle compute and both terminals tracking through the longest eclipse: the floor is not touched."""
    idle = Activity(tracking_terminal_count=2)
    for rate_tops in RATES_TOPS:
        eclipse_mj = 2_146 * node_load_mw(POWER, rate_tops, idle)
        assert POWER.soc_e6(POWER.initial_charge_mj() - eclipse_mj) > POWER.floor_soc_e6
        balance_k = equilibrium_temperature_k(HEAT, compute_load_mw(POWER, rate_tops, 0))
        assert balance_k * 1000.0 < HEAT.limit_temperature_mk
