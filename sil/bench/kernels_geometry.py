"""The SAR and line-of-sight kernels, each against NumPy and, where memory limits them, against a copy of memory.

One thread; times are medians of that thread's CPU time over alternating rounds.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels.arguments import new_output
from flightos.kernels.sar import RangeAxis, backproject, corner_turn, matched_filter
from flightos.kernels.sight import edges_in_sight, pairs_in_sight, scan_contacts
from sil.bench.kernels_imaging import copy_gb_per_s, rows_of
from sil.bench.kernels_protection import SEED, Action, cpu_s
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.world import links
from sil.world.constants import EARTH_RADIUS_KM, GRAZING_HEIGHT_KM_MIN, LIGHT_M_S

POINT_COUNT: Final = 4000
PEER_ROWS: Final = 500
"""Rows of the all-pairs table that the peer makes at a time: its temporaries then fit in memory."""
PULSE_COUNT: Final = 48
BIN_COUNT: Final = 8192
GRID_SIDE: Final = 200


def _noise(rows: int, cols: int) -> NDArray[np.complex64]:
    stream = np.random.default_rng(SEED)
    parts = [stream.random((rows, cols), np.float32) for _ in range(2)]
    return np.asarray(parts[0] + 1j * parts[1], np.complex64)


def turns_and_filters(rounds: int, copy: float) -> Iterator[Row]:
    """Corner turn of a square of a power of two (the hard case) and of another shape; matched filter with window."""
    for rows, cols in ((4096, 2048), (4088, 2056)):
        image = _noise(rows, cols)
        out, peer_out = new_output((cols, rows), np.complex64), np.empty((cols, rows), np.complex64)
        contenders: dict[str, Action] = {
            "own": partial(corner_turn, image, out),
            "numpy": partial(np.copyto, peer_out, image.T),
        }
        name = f"kernel_corner_turn_{rows}x{cols}"
        yield from rows_of(name, 16.0 * image.size, cpu_s(contenders, rounds), None, copy, ">= 0.7")
    image = _noise(4096, 2048)
    reference, window = image[0].copy(), image[1].real.copy()
    out, product = new_output(image.shape, np.complex64), np.empty_like(image)

    def peer() -> None:
        np.multiply(image, reference.conj(), out=product)
        np.multiply(product, window, out=product)

    taken = cpu_s({"own": lambda: matched_filter(image, reference, window, out), "numpy": peer}, rounds)
    yield from rows_of("kernel_matched_filter", 16.0 * image.size, taken, None, copy, None)


def focusing(rounds: int) -> Iterator[Row]:
    """Backprojection of pulses of a spotlight set onto 200 x 200 pixels; the peer is numpy.interp and numpy.exp."""
    profiles = _noise(PULSE_COUNT, BIN_COUNT)
    angle = np.linspace(0.0, 0.01, PULSE_COUNT)
    range_m = np.full(PULSE_COUNT, 10_000.0)
    pulses = np.stack(
        [7_000 * np.cos(angle), 7_000 * np.sin(angle), np.full(PULSE_COUNT, 7_141.428), range_m], axis=1
    )
    step = 203.7 / BIN_COUNT
    axis = RangeAxis(-step * BIN_COUNT / 2, step, 2 * 9.3e9 / LIGHT_M_S)
    places = np.arange(-50, 50, 100 / GRID_SIDE)
    ranges = axis.first_range_m + step * np.arange(BIN_COUNT)
    grid_x, grid_y = np.meshgrid(places, places)
    image = new_output((GRID_SIDE, GRID_SIDE), np.complex64)

    def peer() -> object:
        total = np.zeros(grid_x.shape, complex)
        for profile, (x, y, z, centre) in zip(profiles, pulses, strict=True):
            distance = np.sqrt((x - grid_x) ** 2 + (y - grid_y) ** 2 + z**2) - centre
            phase = np.exp(2j * np.pi * axis.cycles_per_m * distance)
            total += np.interp(distance, ranges, profile) * phase
        return total

    own: Action = lambda: backproject(profiles, pulses, axis, places, places, image)  # noqa: E731
    taken = cpu_s({"own": own, "numpy": peer}, rounds)
    work = PULSE_COUNT * image.size
    yield Row(
        name="kernel_backproject",
        value=work / taken["own"] / 1e6,
        unit="M pixel pulses/s",
        peer="numpy",
        ratio=taken["numpy"] / taken["own"],
        goal=">= 20",
        detail={"own_ms": taken["own"] * 1e3, "numpy_ms": taken["numpy"] * 1e3},
    )


def sights(rounds: int) -> Iterator[Row]:
    """All pairs of 4,000 satellites, edges and contacts; the peer is the world's NumPy geometry, a block at a time."""
    direction = np.random.default_rng(SEED).normal(size=(POINT_COUNT, 3))
    r_km = direction / np.linalg.norm(direction, axis=1, keepdims=True) * 6_928.0
    radius_km = EARTH_RADIUS_KM + GRAZING_HEIGHT_KM_MIN

    def peer_pairs() -> None:
        for first in range(0, POINT_COUNT, PEER_ROWS):
            block = r_km[first : first + PEER_ROWS, None]
            links.range_km(block, r_km[None])
            links.in_line_of_sight(block, r_km[None])

    taken = cpu_s({"own": lambda: pairs_in_sight(r_km, radius_km), "numpy": peer_pairs}, max(1, rounds // 2))
    yield _rate("kernel_pairs_in_sight", POINT_COUNT * POINT_COUNT, taken, ">= 60")

    stream = np.random.default_rng(SEED)
    edges = stream.integers(0, POINT_COUNT, (1_000_000, 2), dtype=np.uint32)

    def peer_edges() -> None:
        ends = r_km[edges[:, 0]], r_km[edges[:, 1]]
        links.range_km(*ends)
        links.in_line_of_sight(*ends)

    taken = cpu_s({"own": lambda: edges_in_sight(r_km, edges, radius_km), "numpy": peer_edges}, rounds)
    yield _rate("kernel_edges_in_sight", len(edges), taken, None)

    zenith = direction[:50] / np.linalg.norm(direction[:50], axis=1, keepdims=True)
    station, sine_min = zenith * 6_371.0, np.full(50, 0.1736)

    def peer_contacts() -> None:
        for place, up, lowest in zip(station, zenith, sine_min, strict=True):
            links.range_km(r_km, place)
            links.elevation_sine(r_km, place, up) >= lowest  # noqa: B015

    own: Action = lambda: scan_contacts(r_km, station, zenith, sine_min)  # noqa: E731
    taken = cpu_s({"own": own, "numpy": peer_contacts}, rounds)
    yield _rate("kernel_contact_scan", 50 * POINT_COUNT, taken, None)


def _rate(name: str, count: int, taken: dict[str, float], goal: str | None) -> Row:
    detail = {f"{key}_ms": seconds * 1e3 for key, seconds in taken.items()}
    ratio = taken["numpy"] / taken["own"]
    value = count / taken["own"] / 1e6
    return Row(name=name, value=value, unit="M/s", peer="numpy", ratio=ratio, goal=goal, detail=detail)


def measure(options: Options) -> Iterator[Row]:
    """All rows, as they come."""
    rounds = 3 if options.is_quick else 7
    yield from turns_and_filters(rounds, copy_gb_per_s(3 * rounds))
    yield from focusing(rounds)
    yield from sights(rounds)
