"""Laws of the world that hold for whatever orbit, load and bytes are drawn."""

from __future__ import annotations

from array import array
from contextlib import suppress
from itertools import pairwise

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from sil.world import eclipse, links, rotation
from sil.world.constants import EARTH_RADIUS_KM, NS_PER_S
from sil.world.heat import HeatConfig, equilibrium_temperature_k, step_heat
from sil.world.power import step_battery
from sil.world.scene import cut_tiles
from sil.world.tape import ArraySpec, GeometryTape, TapeError, TapeHeader, union_of_intervals

POWER_MW_MAX = 400_000
coordinates = st.floats(min_value=-9_000.0, max_value=9_000.0)
points = st.tuples(coordinates, coordinates, coordinates).filter(
    lambda point: sum(value * value for value in point) > 6_500.0**2
)


def small_tape(ranges_mm: list[int], edges_ms: list[int]) -> GeometryTape:
    """A tape of two satellites, one edge, always in sunlight."""
    duration_s = len(ranges_mm) - 1
    columns: dict[tuple[str, tuple[int, ...]], array[int]] = {
        ("range_mm", (1, 2)): array("q", ranges_mm),
        ("window_ms", (1, 2)): array("q", edges_ms),
    }
    for owner in ((1,), (2,)):
        columns["sunlit_e6", owner] = array("i", [1_000_000] * (duration_s + 1))
        columns["latitude_e6_deg", owner] = array("i", [0] * (duration_s + 1))
        columns["longitude_e6_deg", owner] = array("i", [0] * (duration_s + 1))
        columns["eclipse_ms", owner] = array("q")
        columns["saa_ms", owner] = array("q")
    specs = tuple(ArraySpec(kind, owner, v.itemsize, len(v)) for (kind, owner), v in columns.items())
    header = TapeHeader(
        "2026-03-20T12:00:00Z", duration_s, "cylinder", 80_000, (1, 2), (), (), ((1, 2),), specs
    )
    return GeometryTape(header, list(columns.values()))


@given(
    ranges_mm=st.lists(st.integers(min_value=0, max_value=10**10), min_size=2, max_size=6),
    t_ns=st.integers(min_value=0, max_value=8 * NS_PER_S),
)
@settings(max_examples=100, deadline=None)
def test_light_time_lies_between_its_seconds_and_above_the_lookahead(ranges_mm: list[int], t_ns: int) -> None:
    tape = small_tape(ranges_mm, [])
    found_ns = tape.light_time_ns((1, 2), t_ns)
    second = min(t_ns // NS_PER_S, tape.duration_s)
    ends = [ranges_mm[second], ranges_mm[min(second + 1, tape.duration_s)]]
    assert min(ends) * 10**6 // 299_792_458 <= found_ns <= max(ends) * 10**6 // 299_792_458
    assert tape.light_time_ns_min <= found_ns


@given(
    edges_ms=st.lists(st.integers(min_value=0, max_value=9_000), max_size=8, unique=True),
    t_ns=st.integers(min_value=0, max_value=9 * NS_PER_S),
)
@settings(max_examples=100, deadline=None)
def test_visibility_is_membership_in_the_intervals(edges_ms: list[int], t_ns: int) -> None:
    edges_ms = sorted(edges_ms[: len(edges_ms) // 2 * 2])
    tape = small_tape([1] * 10, edges_ms)
    assert tape.is_visible((1, 2), t_ns) == any(a <= t_ns < b for a, b in tape.intervals((1, 2)))
    assert GeometryTape.from_bytes(tape.to_bytes()).hash() == tape.hash()


@given(cut=st.integers(min_value=0, max_value=400), noise=st.binary(max_size=40))
@settings(max_examples=100, deadline=None)
def test_any_bytes_are_a_tape_or_a_refusal(cut: int, noise: bytes) -> None:
    good = small_tape([1, 2, 3], [0, 2_000]).to_bytes()
    for data in (noise, good[:cut] + noise, good[:cut] + noise + good[cut + len(noise) :]):
        with suppress(TapeError):  # any other exception fails the test
            GeometryTape.from_bytes(data)


@given(windows=st.lists(st.tuples(st.integers(0, 50), st.integers(1, 20)), max_size=10), t=st.integers(0, 75))
@settings(max_examples=100, deadline=None)
def test_union_covers_the_same_times_with_gaps_between(windows: list[tuple[int, int]], t: int) -> None:
    spans = [(start, start + length) for start, length in windows]
    merged = union_of_intervals(spans)
    assert any(a <= t < b for a, b in merged) == any(a <= t < b for a, b in spans)
    assert all(left[1] < right[0] for left, right in pairwise(merged))


@given(
    charge_mj=st.integers(0, 10**10),
    load_mw=st.integers(0, 10**7),
    output_mw=st.integers(0, 10**7),
)
@settings(max_examples=100, deadline=None)
def test_energy_is_conserved_to_the_millijoule(charge_mj: int, load_mw: int, output_mw: int) -> None:
    step = step_battery(charge_mj, load_mw, output_mw, 10**10)
    assert 0 <= step.charge_mj <= 10**10
    assert step.charge_mj + step.unused_mj - step.unserved_mj == charge_mj + output_mw - load_mw


@given(power_mw=st.integers(0, POWER_MW_MAX), start_mk=st.integers(200_000, 400_000))
@settings(max_examples=100, deadline=None)
def test_temperature_moves_towards_balance_and_never_past_it(power_mw: int, start_mk: int) -> None:
    config = HeatConfig()
    balance_nk = equilibrium_temperature_k(config, power_mw) * 1e9
    before_nk = start_mk * 1_000_000
    after_nk = step_heat(config, before_nk, power_mw)
    low, high = sorted((before_nk, round(balance_nk)))
    assert low - 2 <= after_nk <= high + 2
    assert after_nk == step_heat(config, before_nk, power_mw)


@given(a=points, b=points)
@settings(max_examples=100, deadline=None)
def test_beam_height_is_symmetric_and_not_above_its_ends(
    a: tuple[float, float, float], b: tuple[float, float, float]
) -> None:
    a_km, b_km = np.array(a), np.array(b)
    height = float(links.grazing_height_km(a_km, b_km))
    assert abs(height - float(links.grazing_height_km(b_km, a_km))) < 1e-5
    lower_end = min(np.linalg.norm(a_km), np.linalg.norm(b_km)) - EARTH_RADIUS_KM
    assert height <= lower_end + 1e-6


@given(r=points)
@settings(max_examples=100, deadline=None)
def test_cone_and_cylinder_agree_on_night_and_day(r: tuple[float, float, float]) -> None:
    """Umbra lies inside the cylinder, and the cylinder inside the penumbra cone."""
    r_km, sun_unit, distance_km = np.array([r]), np.array([[1.0, 0.0, 0.0]]), np.array([1.496e8])
    ratio = float(eclipse.cone_sunlit_ratio(r_km, sun_unit, distance_km)[0])
    margin_km = float(eclipse.cylinder_margin_km(r_km, sun_unit)[0])
    assert 0.0 <= ratio <= 1.0
    if ratio == 0.0:
        assert margin_km < 1e-3
    if margin_km < 0.0:
        assert ratio < 1.0


@given(
    latitude=st.floats(-90.0, 90.0), longitude=st.floats(-179.999, 179.999), altitude_m=st.floats(0.0, 1.2e6)
)
@settings(max_examples=100, deadline=None)
def test_geodetic_place_survives_the_way_there_and_back(
    latitude: float, longitude: float, altitude_m: float
) -> None:
    back_latitude, back_longitude = rotation.geodetic_deg(
        rotation.station_itrf_km(latitude, longitude, altitude_m)
    )
    assert abs(float(back_latitude) - latitude) < 2e-6
    if abs(latitude) < 89.99:
        assert abs(float(back_longitude) - longitude) < 1e-6


@given(rows=st.integers(4, 300), cols=st.integers(4, 300))
@settings(max_examples=50, deadline=None)
def test_tiles_are_even_and_cover_every_pixel(rows: int, cols: int) -> None:
    cuts = cut_tiles(rows, cols)
    assert sum((cut.row1 - cut.row0) * (cut.col1 - cut.col0) for cut in cuts) == rows * cols
    heights = [cut.row1 - cut.row0 for cut in cuts]
    assert max(heights) - min(heights) <= 1
