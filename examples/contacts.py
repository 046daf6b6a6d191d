"""Say when a ground station sees each satellite of a plane over a day.

    python examples/contacts.py --out pictures

22 satellites on one circular orbit of 53 degrees and 550 km, with the secular drift by J2, every 10 s for a day; the
station is one of those that the product ships, with a horizon of 10 degrees.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from pictures import BLUE, ORANGE, RULE, Example, keys, new_figure, plain

from flightos.kernels.sight import scan_contacts
from sil.data import STATIONS
from sil.world.constants import EARTH_RADIUS_KM
from sil.world.orbit import circular_positions_teme_km, mean_motion_rad_s
from sil.world.rotation import itrf_from_teme, sidereal_angle_rad, station_itrf_km, zenith_itrf_unit
from sil.world.stations import load_stations

SATELLITE_COUNT: Final = 22
RADIUS_KM: Final = EARTH_RADIUS_KM + 550.0
INCLINATION_DEG: Final = 53.0
STATION: Final = "Singapore"
ELEVATION_DEG_MIN: Final = 10.0
EARTH_RAD_S: Final = 2 * np.pi / 86_164.1
STEP_S: Final = 10.0
DAY_S: Final = np.arange(0.0, 86_400.0, STEP_S)


def elevations(example: Example) -> Any:
    """Elevation of each satellite over the day as seen from the station, shape (satellites, times), in radians."""
    station = load_stations(STATIONS, [STATION], ELEVATION_DEG_MIN)[0]
    place = (station.latitude_deg, station.longitude_deg)
    station_km, zenith = station_itrf_km(*place, station.altitude_m)[None], zenith_itrf_unit(*place)[None]
    spread_deg = (np.arange(SATELLITE_COUNT) * 360.0 / SATELLITE_COUNT).tolist()
    r_teme_km = circular_positions_teme_km(RADIUS_KM, INCLINATION_DEG, 0.0, spread_deg, DAY_S)
    r_itrf_km = itrf_from_teme(r_teme_km, sidereal_angle_rad(DAY_S / 86_400.0))
    sine_min = np.array([np.sin(np.radians(ELEVATION_DEG_MIN))])
    contacts = scan_contacts(np.ascontiguousarray(r_itrf_km.reshape(-1, 3)), station_km, zenith, sine_min)
    above = contacts.elevation_sine[0] >= sine_min[0]
    example.check(np.array_equal(above, contacts.in_contact[0] != 0), "in contact is at or above 10 degrees")
    return np.arcsin(contacts.elevation_sine).reshape(SATELLITE_COUNT, -1)


def windows_s(elevation_rad: Any) -> list[tuple[float, float]]:
    """From when to when one satellite is in contact."""
    is_above = np.concatenate([[False], elevation_rad >= np.radians(ELEVATION_DEG_MIN), [False]])
    edges_s = (np.flatnonzero(np.diff(is_above)) * STEP_S).tolist()
    return list(zip(edges_s[::2], edges_s[1::2], strict=True))


def longest_s() -> float:
    """How long a pass through the zenith takes, eastwards, along with the turning Earth: closed form."""
    mask_rad = np.radians(ELEVATION_DEG_MIN)
    arc_rad = np.arccos(EARTH_RADIUS_KM / RADIUS_KM * np.cos(mask_rad)) - mask_rad
    rate_rad_s = mean_motion_rad_s(RADIUS_KM) - EARTH_RAD_S * np.cos(np.radians(INCLINATION_DEG))
    return float(2 * arc_rad / rate_rad_s)


def main(arguments: Sequence[str] | None = None) -> int:
    """Scan, compare the longest contact with theory, draw."""
    example = Example(__doc__, arguments)
    elevation_rad = elevations(example)
    windows = [windows_s(one) for one in elevation_rad]
    lengths_s = [last - first for one in windows for first, last in one]
    example.say(f"{STATION}: {len(lengths_s)} contacts a day, {sum(lengths_s) / 3_600:.1f} h together")
    example.check(
        0.9 * longest_s() < max(lengths_s) <= longest_s() + STEP_S,
        f"the longest is {max(lengths_s):.0f} s (to 10 s), a pass through the zenith {longest_s():.0f} s",
    )
    draw(example, np.degrees(elevation_rad), windows)
    return example.status()


def draw(example: Example, elevation_deg: Any, windows: list[list[tuple[float, float]]]) -> None:
    """A day of contacts, one row a satellite; the elevations of some of them, close by."""
    figure = new_figure(
        f"When {STATION} sees each of 22 satellites of one plane",
        "53 degrees, 550 km, one day in steps of 10 s; a contact is 10 degrees or more above the horizon.",
        11.0,
        4.3,
    )
    left, right = figure.subplots(1, 2)
    for satellite, one in enumerate(windows):
        bars = [(first / 3_600, (last - first) / 3_600) for first, last in one]
        left.broken_barh(bars, (satellite + 0.6, 0.8), color=BLUE)
    plain(left, "contacts").set(xlabel="hours", ylabel="satellite", xlim=(0, 24), xticks=range(0, 25, 4))
    left.set(ylim=(0.3, SATELLITE_COUNT + 0.7), yticks=range(2, SATELLITE_COUNT + 1, 4))
    left.grid(axis="x", color=RULE)
    first_s = min(one[0][0] for one in windows if one)
    minutes = (DAY_S - first_s) / 60
    for curve in elevation_deg:
        right.plot(minutes, curve, color=BLUE, linewidth=1.3)
    right.axhline(ELEVATION_DEG_MIN, color=ORANGE, linewidth=1.3)
    keys(right, {"a satellite": BLUE, "horizon mask": ORANGE}, bbox_to_anchor=(0.01, 0.99))
    plain(right, "elevations in the first hour of contacts").set(
        xlabel="minutes", ylabel="elevation, degrees"
    )
    right.set(xlim=(0, 60), ylim=(0, 90))
    example.save(figure, "contacts.png")


if __name__ == "__main__":
    sys.exit(main())
