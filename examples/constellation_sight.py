"""Say who sees whom in a shell of 1,584 satellites, and how long its links are.

    python examples/constellation_sight.py --out pictures

A Walker shell: 72 planes x 22 satellites, 53 degrees, 550 km. A line of sight may not dip below 80 km of height. Every
satellite is linked to the next of its plane and to its neighbour in the next plane.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from pictures import BLUE, RED, Example, colour_bar, new_figure, plain

from flightos.kernels.sight import edges_in_sight, pairs_in_sight
from sil.world.constants import EARTH_RADIUS_KM
from sil.world.orbit import circular_positions_teme_km
from sil.world.rotation import geodetic_deg, itrf_from_teme, sidereal_angle_rad

PLANES, PER_PLANE, PHASING = 72, 22, 17
ALTITUDE_KM: Final = 550.0
INCLINATION_DEG: Final = 53.0
GRAZE_KM: Final = 80.0
MARKED_DEG: Final = (25.0, 10.0)
"""Latitude and longitude; the picture shows what the nearest satellite sees."""


class Shell(NamedTuple):
    """Positions at one time, who sees whom, and the ranges of the links from each plane to the next."""

    r_teme_km: Any
    in_sight: Any
    link_range_km: Any


def plane_teme_km(plane: int) -> Any:
    """The satellites of a plane at the start: shape (satellites, 3)."""
    phase_deg = 360.0 * (np.arange(PER_PLANE) / PER_PLANE + PHASING * plane / (PLANES * PER_PLANE))
    radius_km = EARTH_RADIUS_KM + ALTITUDE_KM
    start_s = np.zeros(1)
    at = (radius_km, INCLINATION_DEG, 360.0 * plane / PLANES, phase_deg.tolist(), start_s)
    return circular_positions_teme_km(*at)[:, 0]


def look_around(example: Example) -> Shell:
    """All pairs, and the links of the grid, at the start."""
    r_km = np.ascontiguousarray(np.concatenate([plane_teme_km(plane) for plane in range(PLANES)]))
    started_s = time.thread_time()
    sight = pairs_in_sight(r_km, EARTH_RADIUS_KM + GRAZE_KM)
    taken_s = time.thread_time() - started_s
    degree = sight.in_sight.sum(axis=1)
    pairs = int(sight.in_sight.sum()) // 2
    example.say(f"all pairs: {pairs:,} of {len(r_km) * (len(r_km) - 1) // 2:,} see each other")
    example.say(f"each satellite sees {degree.min()} to {degree.max()} others")
    example.say(f"time: {1_000 * taken_s:.1f} ms of one thread")
    # Two points of one height see each other when they are no farther apart than twice the tangent to the sphere.
    tangent_km = 2 * np.sqrt((EARTH_RADIUS_KM + ALTITUDE_KM) ** 2 - (EARTH_RADIUS_KM + GRAZE_KM) ** 2)
    plain_range_km = np.linalg.norm(r_km[:, None] - r_km[None], axis=2)
    farthest_km = float(sight.range_km[sight.in_sight != 0].max())
    example.check(
        bool(np.array_equal(sight.in_sight != 0, (plain_range_km <= tangent_km) & (plain_range_km > 0))),
        f"pairs see each other up to {tangent_km:,.1f} km, the farthest are {farthest_km:,.1f} km apart",
    )
    index = np.arange(len(r_km))
    plane, slot = index // PER_PLANE, index % PER_PLANE
    ahead = plane * PER_PLANE + (slot + 1) % PER_PLANE
    beside = (index + PER_PLANE)[plane < PLANES - 1]  # the last plane meets the first with another phase
    edges = np.concatenate([np.stack([index, ahead], 1), np.stack([index[: len(beside)], beside], 1)])
    links = edges_in_sight(r_km, np.ascontiguousarray(edges, np.uint32), EARTH_RADIUS_KM + GRAZE_KM)
    across_km = links.range_km[len(index) :]
    example.say(f"links: {len(edges):,}, within a plane {links.range_km[0]:,.0f} km")
    example.say(f"links to the next plane: {across_km.min():,.0f} to {across_km.max():,.0f} km")
    chord_km = 2 * (EARTH_RADIUS_KM + ALTITUDE_KM) * np.sin(np.pi / PER_PLANE)
    example.check(
        bool(links.in_sight.all()) and abs(float(links.range_km[0]) - chord_km) < 1e-6,
        "every link is clear, and one within a plane is the chord of 360 / 22 degrees",
    )
    return Shell(r_km, sight.in_sight != 0, across_km)


def main(arguments: Sequence[str] | None = None) -> int:
    """Look around, scan, draw."""
    example = Example(__doc__, arguments)
    shell = look_around(example)
    draw(example, shell)
    return example.status()


def draw(example: Example, shell: Shell) -> None:
    """The shell over the map by how many others each sees; the lengths of links by latitude."""
    figure = new_figure(
        "Who sees whom in a shell of 1,584 satellites",
        "72 planes x 22, 53 degrees, 550 km; a line of sight stays above 80 km. Ringed: what one of them (star) sees.",
        11.0,
        4.5,
    )
    left, right = figure.subplots(1, 2, width_ratios=[2.6, 1])
    latitude_deg, longitude_deg = geodetic_deg(itrf_from_teme(shell.r_teme_km, sidereal_angle_rad(0.0)))
    degree = shell.in_sight.sum(axis=1)
    shown = left.scatter(longitude_deg, latitude_deg, c=degree, s=10, cmap="cividis")
    marked = int(np.hypot(latitude_deg - MARKED_DEG[0], longitude_deg - MARKED_DEG[1]).argmin())
    seen = shell.in_sight[marked]
    left.scatter(longitude_deg[seen], latitude_deg[seen], s=34, c="none", edgecolors=RED, linewidths=0.8)
    left.plot(longitude_deg[marked], latitude_deg[marked], "*", color=RED, markersize=15)
    plain(left, f"how many others each satellite sees; the star: {degree[marked]}")
    left.set(xlabel="longitude, degrees", ylabel="latitude, degrees", xlim=(-180, 180), ylim=(-62, 62))
    colour_bar(figure, shown, left, "satellites in sight")
    middle_deg = (latitude_deg[:-PER_PLANE] + latitude_deg[PER_PLANE:]) / 2
    right.scatter(middle_deg, shell.link_range_km, s=5, color=BLUE)
    plain(right, "links to the next plane")
    right.set(xlabel="latitude, degrees", ylabel="range, km", ylim=(0, 1_200))
    example.save(figure, "constellation_sight.png")


if __name__ == "__main__":
    sys.exit(main())
