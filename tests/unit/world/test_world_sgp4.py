"""SGP4, frames, Sun, eclipse and contacts against published vectors and an independent computation."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from sgp4.api import Satrec

from sil.data import STATIONS
from sil.world import rotation, sun
from sil.world.constants import NS_PER_S
from sil.world.elements import ElementSetError, PlaneConfig, load_elements, plane_elements
from sil.world.epoch import days_since_j2000, julian_date_pair
from sil.world.links import elevation_deg, grazing_height_km
from sil.world.orbit import PropagationError, circular_positions_teme_km, propagate_teme
from sil.world.stations import StationError, load_stations
from sil.world.tape import GeometryTape
from sil.world.tape_builder import TapeRequest, build_tape

VECTORS = Path(__file__).parents[2] / "vectors" / "world"
REFERENCE = json.loads((VECTORS / "orbits_reference.json").read_text())
PLACES = ("Svalbard", "Troll", "Inuvik", "Punta Arenas", "Singapore")
CASES = [
    "noon_midnight",
    pytest.param("dawn_dusk_equinox", marks=pytest.mark.slow),
    pytest.param("dawn_dusk_june", marks=pytest.mark.slow),
]


def test_sgp4_reproduces_the_verification_ephemeris() -> None:
    """666 published rows, position within 1e-6 km."""
    lines = [line.rstrip() for line in (VECTORS / "SGP4-VER.TLE").read_text().splitlines() if line[:1] != "#"]
    sets = {int(one[2:7]): (one, two[:69]) for one, two in zip(lines[::2], lines[1::2], strict=True)}
    worst_km, count, satrec = 0.0, 0, None
    for row in (VECTORS / "tcppver.out").read_text().splitlines():
        words = row.split()
        if words[-1] == "xx":
            satrec = Satrec.twoline2rv(*sets[int(words[0])])
            continue
        assert satrec is not None
        code, r_teme_km, _ = satrec.sgp4_tsince(float(words[0]))
        if code == 0:
            expected_km = [float(word) for word in words[1:4]]
            worst_km = max(worst_km, float(np.abs(np.subtract(r_teme_km, expected_km)).max()))
            count += 1
    assert count == 666
    assert worst_km < 1e-6


@pytest.mark.parametrize("case", ["noon_midnight", "dawn_dusk_equinox", "dawn_dusk_june"])
def test_generated_elements_are_those_of_the_reference_ring(case: str) -> None:
    told = REFERENCE["cases"][case]
    made = plane_elements(PlaneConfig(raan_deg=told["raan_deg"], epoch_utc=told["epoch_utc"]))
    read = load_elements(VECTORS / f"ring12_{case}.tle")
    assert [(one.name, one.line1, one.line2) for one in made] == [
        (one.name, one.line1, one.line2) for one in read
    ]


def test_circular_model_stays_near_sgp4_for_a_day() -> None:
    t_s = np.array([3_600.0, 86_400.0])
    made = plane_elements(PlaneConfig())
    r_sgp4_km, _ = propagate_teme([one.satrec for one in made], "2026-03-20T12:00:00Z", t_s)
    r_model_km = circular_positions_teme_km(6878.137, 97.402, 0.0, [30.0 * k for k in range(12)], t_s)
    apart_km = np.linalg.norm(r_sgp4_km - r_model_km, axis=-1).mean(axis=0)
    assert apart_km == pytest.approx([12.1, 12.1], abs=0.2), (
        "an offset of short-period terms that does not grow"
    )


def reference_tape(case: str) -> GeometryTape:
    """One day of the ring of a case with five stations."""
    sets = load_elements(VECTORS / f"ring12_{case}.tle")
    stations = load_stations(STATIONS, PLACES)
    epoch_utc = REFERENCE["cases"][case]["epoch_utc"]
    return build_tape(TapeRequest([one.satrec for one in sets], stations, [(1, 2)], epoch_utc, 86_400))


def rows_of(name: str) -> list[dict[str, str]]:
    """Rows of a reference table."""
    with (VECTORS / f"{name}.csv").open() as file:
        return list(csv.DictReader(file))


def worst_edge_s(mine: list[tuple[int, int]], theirs: list[tuple[float, float]]) -> float:
    """Largest difference of edges after pairing windows by their middle; infinite when one has no partner."""
    worst = 0.0
    for start_s, stop_s in theirs:
        near = [
            max(abs(a / NS_PER_S - start_s), abs(b / NS_PER_S - stop_s))
            for a, b in mine
            if abs((a + b) / 2 / NS_PER_S - (start_s + stop_s) / 2) < 120.0
        ]
        worst = max(worst, min(near, default=float("inf")))
    return worst


def check(key: str, value: float) -> None:
    """Compare one value with the table, within the tolerance given for SGP4."""
    told: dict[str, Any] = REFERENCE["expected"][key]
    assert abs(value - told["value"]) <= told["tolerance_sgp4"], f"{key}: {value}, expected {told}"


@pytest.mark.parametrize("case", CASES)
def test_a_day_of_eclipses_and_contacts_agrees_with_the_reference(case: str) -> None:
    tape = reference_tape(case)
    told = REFERENCE["cases"][case]
    sun_unit = sun.sun_direction_teme_unit(days_since_j2000(told["epoch_utc"]))
    check(f"{case} beta_deg", float(np.degrees(sun.beta_rad(sun_unit, 97.402, told["raan_deg"]))))
    dark = {k: tape.eclipses(k) for k in tape.satellite_ids}
    check(f"{case} eclipse_count", sum(map(len, dark.values())))
    total_s = sum(b - a for spans in dark.values() for a, b in spans) / NS_PER_S
    check(f"{case} eclipse_total_s", total_s)
    edge_s = 0.0
    for k in tape.satellite_ids:
        theirs = [
            (float(row["enter_s"]), float(row["leave_s"]))
            for row in rows_of(f"eclipses_{case}")
            if int(row["satellite"]) == k - 1
        ]
        edge_s = max(edge_s, worst_edge_s(dark[k], theirs))
    check(f"{case} eclipse_worst_edge_s", edge_s)
    seen = rows_of(f"contacts_{case}")
    for station_id, place in zip(tape.station_ids, PLACES, strict=True):
        windows = {k: tape.intervals((k, station_id)) for k in tape.satellite_ids}
        check(f"{case} {place} contacts", sum(map(len, windows.values())))
        total_s = sum(b - a for spans in windows.values() for a, b in spans) / NS_PER_S
        check(f"{case} {place} contact_total_s", total_s)
        for k in tape.satellite_ids:
            theirs = [
                (float(row["rise_s"]), float(row["set_s"]))
                for row in seen
                if int(row["satellite"]) == k - 1
                and row["station"] == place
                and float(row["max_elevation_deg"]) > 15.0
            ]
            check(f"{case} contact_worst_edge_s", worst_edge_s(windows[k], theirs))


def test_neighbour_geometry_over_a_day_agrees_with_the_reference() -> None:
    sets = load_elements(VECTORS / "ring12_noon_midnight.tle")[:3]
    t_s = np.arange(0.0, 86_401.0, 5.0)
    r_km, _ = propagate_teme([one.satrec for one in sets], "2026-03-20T12:00:00Z", t_s)
    check("noon_midnight neighbour_range_km", float(np.linalg.norm(r_km[1] - r_km[0], axis=1).mean()))
    check("noon_midnight neighbour_graze_km", float(grazing_height_km(r_km[0], r_km[1]).min()))
    check("noon_midnight second_neighbour_graze_km", float(grazing_height_km(r_km[0], r_km[2]).max()))


def test_station_frames_agree_with_known_places() -> None:
    equator = rotation.station_itrf_km(0.0, 0.0, 0.0)
    pole = rotation.station_itrf_km(90.0, 0.0, 1000.0)
    assert equator == pytest.approx([6378.137, 0.0, 0.0])
    assert pole == pytest.approx([0.0, 0.0, 6356.752314 + 1.0], abs=1e-6)
    above = rotation.station_itrf_km(-52.94, -70.87, 500_000.0)
    latitude, longitude = rotation.geodetic_deg(above)
    assert float(latitude) == pytest.approx(-52.94, abs=1e-7)
    assert float(longitude) == pytest.approx(-70.87, abs=1e-9)
    site = rotation.station_itrf_km(-52.94, -70.87, 0.0)
    zenith = rotation.zenith_itrf_unit(-52.94, -70.87)
    assert float(elevation_deg(above, site, zenith)) == pytest.approx(90.0)


def test_sidereal_angle_at_a_published_epoch() -> None:
    """Vallado, Fundamentals of Astrodynamics, example 3-5: 1992-08-20 12:14 UT1, 152.578787886 degrees."""
    angle = rotation.sidereal_angle_rad(days_since_j2000("1992-08-20T12:14:00Z"))
    assert float(np.degrees(angle)) == pytest.approx(152.578787886, abs=1e-6)


def test_epoch_text_becomes_a_split_julian_date() -> None:
    assert julian_date_pair("2026-03-20T12:00:00Z") == (2461119.5, 0.5)
    assert days_since_j2000("2000-01-01T13:00:00+01:00") == 0.0
    with pytest.raises(ValueError, match="no time zone"):
        days_since_j2000("2026-03-20T12:00:00")


def test_a_bad_element_file_lists_every_fault(tmp_path: Path) -> None:
    text = (VECTORS / "ring12_noon_midnight.tle").read_text().splitlines()[:6]
    text[1] = text[1][:68] + "9"
    text[4] = text[4][:40]
    path = tmp_path / "bad.tle"
    path.write_text("\n".join(text))
    with pytest.raises(ElementSetError) as caught:
        load_elements(path)
    assert len(caught.value.faults) == 2
    assert "bad.tle:2: expected checksum" in caught.value.faults[0]
    assert "bad.tle:5: expected 69 columns, found 40" in caught.value.faults[1]
    path.write_text("")
    with pytest.raises(ElementSetError, match="expected 1 to 4096 satellites, found 0"):
        load_elements(path)
    with pytest.raises(ElementSetError, match="expected a readable element file"):
        load_elements(tmp_path / "absent.tle")
    with pytest.raises(ElementSetError, match="satellite_count = 0"):
        plane_elements(PlaneConfig(satellite_count=0))


def test_omm_csv_flies_like_the_tle(tmp_path: Path) -> None:
    path = tmp_path / "ring.csv"
    path.write_text(
        "OBJECT_NAME,OBJECT_ID,EPOCH,MEAN_MOTION,ECCENTRICITY,INCLINATION,RA_OF_ASC_NODE,ARG_OF_PERICENTER,"
        "MEAN_ANOMALY,EPHEMERIS_TYPE,CLASSIFICATION_TYPE,NORAD_CAT_ID,ELEMENT_SET_NO,REV_AT_EPOCH,BSTAR,"
        "MEAN_MOTION_DOT,MEAN_MOTION_DDOT\n"
        "RING-01,2026-001A,2026-03-20T12:00:00.000000,15.20928114,.0000001,97.4020,0,0,30,0,U,90001,1,0,0,0,0\n"
    )
    (read,) = load_elements(path)
    assert read.name == "RING-01"
    pair = [read.satrec, load_elements(VECTORS / "ring12_noon_midnight.tle")[1].satrec]
    r_km, _ = propagate_teme(pair, "2026-03-20T12:00:00Z", np.array([0.0, 5_000.0]))
    assert np.abs(r_km[0] - r_km[1]).max() < 1e-6


def test_sgp4_refusal_names_the_satellite() -> None:
    sound = plane_elements(PlaneConfig(satellite_count=1))[0]
    underground = Satrec.twoline2rv(sound.line1, sound.line2[:26] + "5000000" + sound.line2[33:])
    with pytest.raises(PropagationError, match=r"^satellite 2: SGP4 error 6 at t = 0.0 s$"):
        propagate_teme([sound.satrec, underground], "2026-03-20T12:00:00Z", np.array([0.0, 60.0]))


def test_a_bad_station_list_lists_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "stations.csv"
    path.write_text("name,operator,lat_deg,lon_deg,alt_m\nA,x,95,0,0\nB,x,1,two,0\nB,x,1,2,0\nB,x,1,2,0\n")
    with pytest.raises(StationError) as caught:
        load_stations(path)
    assert len(caught.value.faults) == 3
    with pytest.raises(StationError, match="no station named"):
        load_stations(STATIONS, ["Svalbard", "Atlantis"])
    path.write_text("name,lat\nA,1\n")
    with pytest.raises(StationError, match="expected columns"):
        load_stations(path)


def test_shipped_stations_are_complete() -> None:
    stations = load_stations(STATIONS)
    assert len(stations) == 27
    assert [station.station_id for station in stations[:2]] == [1001, 1002]
    assert min(station.latitude_deg for station in stations) == -77.8464
    assert max(station.latitude_deg for station in stations) == 78.23
