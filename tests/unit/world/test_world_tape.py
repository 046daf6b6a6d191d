"""The geometry tape: lookups, events, file, hash, and the contact statistics of the scenario."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from sil.data import PROTON_FLUX_GRID, STATIONS
from sil.world import eclipse, links, radiation, rotation, sun
from sil.world.constants import DAY_S, LIGHT_M_S, NS_PER_MS, NS_PER_S
from sil.world.elements import PlaneConfig, default_spacing_deg, plane_elements
from sil.world.epoch import days_since_j2000
from sil.world.orbit import propagate_teme
from sil.world.stations import load_stations
from sil.world.tape import GeometryTape, TapeError, union_of_intervals
from sil.world.tape_builder import TapeRequest, build_tape
from sil.world.topology import topology_pairs

EPOCH_UTC = "2026-03-20T12:00:00Z"
PLACES = ("Svalbard", "Troll", "Punta Arenas")


def ring_tape(duration_s: int, eclipse_model: str = "cylinder", flux: bool = False) -> GeometryTape:
    """The ring of the scenario: 12 satellites at 500 km, node 0 (noon-midnight at the March equinox)."""
    sets = plane_elements(PlaneConfig(epoch_utc=EPOCH_UTC))
    grid = radiation.FluxGrid.load(PROTON_FLUX_GRID, 500.0) if flux else None
    return build_tape(
        TapeRequest(
            [one.satrec for one in sets],
            load_stations(STATIONS, PLACES),
            topology_pairs("ring", 12),
            EPOCH_UTC,
            duration_s,
            eclipse_model,
            flux_grid=grid,
        )
    )


@pytest.fixture(scope="module")
def tape() -> GeometryTape:
    """Half an hour and a little: eclipses, contacts and a pass through the anomaly are in it."""
    return ring_tape(2_400)


def positions_km(t_s: list[float]) -> np.ndarray:
    """SGP4 positions of the ring at any times, computed apart from the tape."""
    sets = plane_elements(PlaneConfig(epoch_utc=EPOCH_UTC))
    r_km, _ = propagate_teme([one.satrec for one in sets], EPOCH_UTC, np.array(t_s))
    return r_km


def test_ranges_and_light_times_agree_with_sgp4_between_seconds(tape: GeometryTape) -> None:
    for t_s in (0.0, 0.5, 17.25, 1799.75, 2400.0):
        r_km = positions_km([t_s])[:, 0]
        t_ns = round(t_s * NS_PER_S)
        for low, high in tape.edges:
            if high < 1001:
                exact_m = 1000.0 * float(links.range_km(r_km[low - 1], r_km[high - 1]))
                assert tape.range_m((low, high), t_ns) == pytest.approx(exact_m, abs=1.5)
                light_ns = exact_m / LIGHT_M_S * 1e9
                assert tape.light_time_ns((low, high), t_ns) == pytest.approx(light_ns, abs=5.0)


def test_station_range_agrees_with_sgp4_between_seconds(tape: GeometryTape) -> None:
    station = load_stations(STATIONS, PLACES)[0]
    site_km = rotation.station_itrf_km(station.latitude_deg, station.longitude_deg, 0.0)
    for t_s in (100.5, 1234.5):
        angle = rotation.sidereal_angle_rad(days_since_j2000(EPOCH_UTC) + t_s / DAY_S)
        r_itrf_km = rotation.itrf_from_teme(positions_km([t_s])[:, 0], angle)
        for satellite_id in tape.satellite_ids:
            exact_ns = 1e12 * float(links.range_km(r_itrf_km[satellite_id - 1], site_km)) / LIGHT_M_S
            found_ns = tape.light_time_ns((satellite_id, 1001), round(t_s * NS_PER_S))
            assert found_ns == pytest.approx(exact_ns, abs=30.0)


def test_an_edge_has_one_answer_by_index_and_by_pair(tape: GeometryTape) -> None:
    for index, pair in enumerate(tape.edges):
        assert tape.edge_index(pair[1], pair[0]) == index
        for t_ns in (0, 1_500_000_000, tape.duration_s * NS_PER_S, 10**15):
            assert tape.light_time_ns(index, t_ns) == tape.light_time_ns(pair, t_ns)
            assert tape.range_m(index, t_ns) == tape.range_m(pair, t_ns)
            assert tape.is_visible(index, t_ns) == tape.is_visible(pair, t_ns)
    with pytest.raises(KeyError, match=r"no edge \(1, 3\)"):
        tape.edge_index(3, 1)


def test_lookahead_is_below_every_light_time(tape: GeometryTape) -> None:
    found = [
        tape.light_time_ns(edge, t_ns)
        for edge in range(len(tape.edges))
        for t_ns in range(0, 2_400 * NS_PER_S, 7_777_777_777)
    ]
    assert 0 < tape.light_time_ns_min <= min(found)


def test_ring_neighbours_are_always_in_sight_11_9_ms_away(tape: GeometryTape) -> None:
    for pair in topology_pairs("ring", 12):
        assert tape.intervals(pair) == [(0, 2_400 * NS_PER_S)]
        assert 11_865_000 < tape.light_time_ns(pair, 0) < 11_894_000


def test_contact_edges_are_where_sgp4_crosses_the_mask(tape: GeometryTape) -> None:
    """One millisecond before and after each rise and set, SGP4 itself is on the two sides of 10 degrees."""
    sites = load_stations(STATIONS, PLACES)
    edge_count = 0
    for station in sites:
        place = (station.latitude_deg, station.longitude_deg)
        site_km = rotation.station_itrf_km(*place, 0.0)
        for satellite_id in tape.satellite_ids:
            for start_ns, stop_ns in tape.intervals((satellite_id, station.station_id)):
                for t_ns, turn in ((start_ns, 1), (stop_ns, -1)):
                    if t_ns in (0, tape.duration_s * NS_PER_S):
                        continue
                    t_s = [t_ns / NS_PER_S - 0.001, t_ns / NS_PER_S + 0.001]
                    angle = rotation.sidereal_angle_rad(days_since_j2000(EPOCH_UTC) + np.array(t_s) / DAY_S)
                    r_itrf_km = rotation.itrf_from_teme(positions_km(t_s)[satellite_id - 1], angle)
                    zenith = rotation.zenith_itrf_unit(*place)
                    height = links.elevation_deg(r_itrf_km, site_km, zenith) - 10.0
                    assert height[0] * turn < 0.0 < height[1] * turn
                    edge_count += 1
    assert edge_count > 10


def test_visibility_lookup_follows_the_intervals(tape: GeometryTape) -> None:
    for pair in tape.edges:
        for start_ns, stop_ns in tape.intervals(pair):
            assert tape.is_visible(pair, start_ns)
            assert tape.is_visible(pair, stop_ns - 1)
            assert not tape.is_visible(pair, stop_ns)
            assert start_ns == 0 or not tape.is_visible(pair, start_ns - 1)


def test_sunlight_adds_up_to_the_eclipses(tape: GeometryTape) -> None:
    for satellite_id in tape.satellite_ids:
        dark_ns = sum(leave - enter for enter, leave in tape.eclipses(satellite_id))
        lit_e6 = sum(tape.sunlit_ratio_e6(satellite_id, second) for second in range(tape.duration_s))
        assert 1_000_000 * tape.duration_s - lit_e6 == dark_ns // 1000
        for enter_ns, leave_ns in tape.eclipses(satellite_id):
            assert tape.in_eclipse(satellite_id, enter_ns)
            assert not tape.in_eclipse(satellite_id, leave_ns)
            assert tape.sunlit_ratio_e6(satellite_id, (enter_ns + leave_ns) // 2 // NS_PER_S) == 0


def test_conical_eclipse_wraps_the_cylinder_and_has_a_penumbra() -> None:
    conical, cylinder = ring_tape(4_000, "conical"), ring_tape(4_000)
    (outer,), (inner,) = conical.eclipses(1), cylinder.eclipses(1)
    assert outer[0] < inner[0] < inner[1] < outer[1]
    assert 2 * NS_PER_S < inner[0] - outer[0] < 10 * NS_PER_S
    seconds = range(outer[0] // NS_PER_S - 1, inner[0] // NS_PER_S + 10)
    ratios = [conical.sunlit_ratio_e6(1, second) for second in seconds]
    assert ratios[0] == 1_000_000
    assert ratios[-1] == 0
    assert ratios == sorted(ratios, reverse=True)
    assert len([ratio for ratio in ratios if 0 < ratio < 1_000_000]) >= 5


def test_eclipse_edge_is_where_the_line_to_the_sun_meets_the_cylinder(tape: GeometryTape) -> None:
    enter_ns = tape.eclipses(1)[0][0]
    t_s = [enter_ns / NS_PER_S - 0.001, enter_ns / NS_PER_S + 0.001]
    sun_unit = sun.sun_direction_teme_unit(days_since_j2000(EPOCH_UTC) + np.array(t_s) / DAY_S)
    margin = eclipse.cylinder_margin_km(positions_km(t_s)[0], sun_unit)
    assert margin[0] > 0.0 > margin[1]


def test_anomaly_passes_follow_the_ellipse(tape: GeometryTape) -> None:
    inside_count = 0
    for satellite_id in tape.satellite_ids:
        for second in range(0, tape.duration_s, 13):
            latitude, longitude = (value / 1e6 for value in tape.subpoint_e6_deg(satellite_id, second))
            margin = float(radiation.saa_margin(np.asarray(latitude), np.asarray(longitude)))
            if abs(margin) > 0.01:
                assert tape.in_saa(satellite_id, second * NS_PER_S) is (margin > 0.0)
            inside_count += margin > 0.0
    assert inside_count > 20


def test_flux_grid_rides_on_the_tape_when_asked(tape: GeometryTape) -> None:
    with_flux = ring_tape(2_400, flux=True)
    assert tape.proton_flux_e3(1, 100) == 0
    inside = [
        with_flux.proton_flux_e3(satellite_id, start_ns // NS_PER_S + 60)
        for satellite_id in with_flux.satellite_ids
        for start_ns, stop_ns in with_flux.saa(satellite_id)
        if stop_ns - start_ns > 300 * NS_PER_S
    ]
    assert inside
    assert min(inside) > 1_000, "more than one proton per cm^2 and second"
    assert with_flux.hash() != tape.hash()


def test_file_keeps_the_hash_and_needs_no_numpy(tape: GeometryTape, tmp_path: Path) -> None:
    path = tmp_path / "ring.tape"
    tape.save(path)
    again = GeometryTape.load(path)
    assert again.hash() == tape.hash()
    assert len(again.hash()) == 64
    assert again.to_bytes() == path.read_bytes()
    program = (
        "import sys; from pathlib import Path; from sil.world.tape import GeometryTape;"
        f"tape = GeometryTape.load(Path({str(path)!r})); assert 'numpy' not in sys.modules;"
        "print(tape.hash(), tape.light_time_ns((1, 2), 1_500_000_000))"
    )
    told = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert told.split() == [tape.hash(), str(tape.light_time_ns((1, 2), 1_500_000_000))]


def test_building_twice_gives_the_same_hash(tape: GeometryTape) -> None:
    assert ring_tape(2_400).hash() == tape.hash()


def test_a_bad_file_is_refused_with_the_reason(tape: GeometryTape, tmp_path: Path) -> None:
    data = tape.to_bytes()
    for broken, reason in (
        (b"", "expected a tape beginning"),
        (data[:-1], "bytes of arrays"),
        (data + b"\0", "bytes of arrays"),
        (data[:12] + b"\xc1" + data[13:], "expected a tape header"),
    ):
        with pytest.raises(TapeError, match=reason):
            GeometryTape.from_bytes(broken)
    with pytest.raises(TapeError, match="expected a geometry tape"):
        GeometryTape.load(tmp_path / "absent.tape")


def test_requests_out_of_range_are_refused() -> None:
    for change, reason in (
        ({"duration_s": 0}, "duration_s = 0"),
        ({"eclipse_model": "square"}, "eclipse_model = 'square'"),
        ({"pairs": [(2, 1)]}, r"pair \(2, 1\)"),
        ({"pairs": [(1, 3)]}, r"pair \(1, 3\)"),
    ):
        values = {"duration_s": 60, "eclipse_model": "cylinder", "pairs": [(1, 2)]} | change
        with pytest.raises(ValueError, match=reason):
            TapeRequest([None, None], [], epoch_utc=EPOCH_UTC, **values)  # type: ignore[arg-type]


def test_a_link_through_the_atmosphere_opens_and_closes() -> None:
    """Two planes 45 degrees of node apart see each other near the poles only; edges at 80 km."""
    sets = [
        *plane_elements(PlaneConfig(satellite_count=1, epoch_utc=EPOCH_UTC)),
        *plane_elements(
            PlaneConfig(1, raan_deg=45.0, epoch_utc=EPOCH_UTC, first_argument_of_latitude_deg=20.0)
        ),
    ]
    satrecs = [one.satrec for one in sets]
    tape = build_tape(TapeRequest(satrecs, [], [(1, 2)], EPOCH_UTC, 5_700))
    windows = tape.intervals((1, 2))
    assert 2 <= len(windows) <= 3
    inner = [t_ns for window in windows for t_ns in window if 0 < t_ns < 5_700 * NS_PER_S]
    assert len(inner) >= 3
    for t_ns in inner:
        r_km, _ = propagate_teme(satrecs, EPOCH_UTC, np.array([t_ns / NS_PER_S]))
        assert float(links.grazing_height_km(r_km[0, 0], r_km[1, 0])) == pytest.approx(80.0, abs=0.01)


def test_ring_is_in_contact_about_92_percent_of_the_day() -> None:
    """Epoch 2026-03-20T12:00:00Z, node 0: Svalbard, Troll and Punta Arenas above 10 degrees."""
    tape = ring_tape(DAY_S)
    touched_s = sum(stop - start for start, stop in tape.contact_intervals()) / NS_PER_S
    assert touched_s / DAY_S == pytest.approx(0.92, abs=0.01)
    assert tape.contact_intervals([1])[0][1] < NS_PER_S * DAY_S


def test_union_merges_what_overlaps_or_touches() -> None:
    assert union_of_intervals([(5, 7), (1, 3), (3, 4), (6, 9)]) == [(1, 4), (5, 9)]
    assert union_of_intervals([]) == []


def test_a_hundred_satellites_in_a_string_see_their_neighbours() -> None:
    spacing_deg = default_spacing_deg(100)
    sets = plane_elements(PlaneConfig(100, spacing_deg=spacing_deg, epoch_utc=EPOCH_UTC))
    pairs = topology_pairs("string", 100)
    tape = build_tape(TapeRequest([one.satrec for one in sets], [], pairs, EPOCH_UTC, 60))
    assert all(tape.intervals(pair) == [(0, 60 * NS_PER_S)] for pair in pairs)
    assert tape.light_time_ns_min > NS_PER_MS
