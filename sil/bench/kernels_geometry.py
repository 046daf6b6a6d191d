"""The SAR and line-of-sight kernels, each against NumPy and against the limits of this core.

One thread; times are medians of that thread's CPU time over alternating rounds. Where NumPy tuned by hand gains much
over NumPy as one writes it, both are peers; a goal set for the one is not carried over to another formula. Arithmetic
at least needed is counted in the source of the kernels: multiplications and additions alone, without roots, conversions
and fetching.
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
from sil.bench import machine_limits
from sil.bench.kernel_rows import SEED, Peers, Work, rows_against, share_row
from sil.bench.machine_limits import Limits
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.world import links
from sil.world.constants import EARTH_RADIUS_KM, GRAZING_HEIGHT_KM_MIN, LIGHT_M_S

MEGA: Final = 1e6
POINT_COUNT: Final = 4000
PEER_ROWS: Final = 500
"""Rows of the all-pairs table that the peer makes at a time: its temporaries then fit in memory."""
TUNED_ROWS: Final = 50
"""And that the tuned peer does: its temporaries then fit in the cache."""
PULSE_COUNT: Final = 48
BIN_COUNT: Final = 8192
GRID_SIDE: Final = 200
PIXEL_PULSE_F64: Final = 11
PIXEL_PULSE_F32: Final = 39
PAIR_F64: Final = 33
CONTACT_F64: Final = 13
RADIUS_KM: Final = EARTH_RADIUS_KM + GRAZING_HEIGHT_KM_MIN


def _noise(rows: int, cols: int) -> NDArray[np.complex64]:
    stream = np.random.default_rng(SEED)
    parts = [stream.random((rows, cols), np.float32) for _ in range(2)]
    return np.asarray(parts[0] + 1j * parts[1], np.complex64)


def turns_and_filters(rounds: int, limits: Limits) -> Iterator[Row]:
    """Corner turn of a square of a power of two (the hard case) and of another shape; matched filter with window."""
    for rows, cols in ((4096, 2048), (4088, 2056)):
        image = _noise(rows, cols)
        out, peer_out = new_output((cols, rows), np.complex64), np.empty((cols, rows), np.complex64)
        peers: Peers = {"numpy": (partial(np.copyto, peer_out, image.T), None)}
        work = Work(16.0 * image.size, at_least={"copy": 16.0 * image.size})
        own = partial(corner_turn, image, out)
        (row,) = rows_against(f"kernel_corner_turn_{rows}x{cols}", work, own, peers, limits, rounds)
        yield row
        yield share_row(row, ">= 0.7")
    image = _noise(4096, 2048)
    reference, window = image[0].copy(), image[1].real.copy()
    out, product = new_output(image.shape, np.complex64), np.empty_like(image)
    factor = reference.conj() * window

    def peer() -> None:
        np.multiply(image, reference.conj(), out=product)
        np.multiply(product, window, out=product)

    filters: Peers = {
        "numpy": (peer, None),
        "tuned numpy": (lambda: np.multiply(image, factor, out=product), None),
    }
    work = Work(16.0 * image.size, at_least={"copy": 16.0 * image.size})
    own_filter = partial(matched_filter, image, reference, window, out)
    yield from rows_against("kernel_matched_filter", work, own_filter, filters, limits, rounds)


def focusing(rounds: int, limits: Limits) -> Iterator[Row]:
    """Backprojection of pulses of a spotlight set onto 200 x 200 pixels.

    The peer is numpy.interp and numpy.exp in double precision: with places computed and samples and phases in single
    precision, as the kernel does it, NumPy took longer.
    """
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

    work = PULSE_COUNT * image.size
    needs = {"f64": PIXEL_PULSE_F64 * work, "f32": PIXEL_PULSE_F32 * work}
    yield from rows_against(
        "kernel_backproject",
        Work(work, "M pixel pulses/s", MEGA, needs),
        lambda: backproject(profiles, pulses, axis, places, places, image),
        {"numpy": (peer, ">= 20")},
        limits,
        rounds,
    )


def tuned_pairs(r_km: NDArray[np.float64]) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Range and line of sight of all pairs from one matrix product: |b - a|^2 and |a x b|^2 from a.a, b.b and a.b.

    The fastest NumPy known to us; it loses digits of the range of points close to each other.
    """
    count = len(r_km)
    squares = np.einsum("ij,ij->i", r_km, r_km)
    range_km, in_sight = np.empty((count, count)), np.empty((count, count), bool)
    for first in range(0, count, TUNED_ROWS):
        rows = slice(first, first + TUNED_ROWS)
        own = squares[rows, None]
        dot = r_km[rows] @ r_km.T
        chord = own + squares
        chord -= 2.0 * dot
        np.sqrt(np.maximum(chord, 0.0), out=range_km[rows])
        cross = own * squares
        cross -= dot * dot
        chord *= RADIUS_KM * RADIUS_KM
        np.greater_equal(cross, chord, out=in_sight[rows])
        in_sight[rows] |= dot >= np.minimum(own, squares)
    np.fill_diagonal(in_sight, False)
    return range_km, in_sight


def sights(rounds: int, limits: Limits) -> Iterator[Row]:
    """All pairs of 4,000 satellites, and chosen pairs; the peer is the world's NumPy geometry, a block at a time."""
    direction = np.random.default_rng(SEED).normal(size=(POINT_COUNT, 3))
    r_km = direction / np.linalg.norm(direction, axis=1, keepdims=True) * 6_928.0

    def peer_pairs() -> None:
        for first in range(0, POINT_COUNT, PEER_ROWS):
            block = r_km[first : first + PEER_ROWS, None]
            links.range_km(block, r_km[None])
            links.in_line_of_sight(block, r_km[None])

    pair_count = POINT_COUNT * POINT_COUNT
    needs = {"f64": PAIR_F64 * pair_count, limits.hardest("copy"): 9.0 * pair_count}
    yield from rows_against(
        "kernel_pairs_in_sight",
        Work(pair_count, "M/s", MEGA, needs),
        lambda: pairs_in_sight(r_km, RADIUS_KM),
        {"numpy": (peer_pairs, ">= 60"), "tuned numpy": (lambda: tuned_pairs(r_km), None)},
        limits,
        max(1, rounds // 2),
    )
    stream = np.random.default_rng(SEED)
    edges = stream.integers(0, POINT_COUNT, (1_000_000, 2), dtype=np.uint32)

    def peer_edges() -> None:
        ends = r_km[edges[:, 0]], r_km[edges[:, 1]]
        links.range_km(*ends)
        links.in_line_of_sight(*ends)

    # Beside the pair itself the squares of one end more, which all pairs share.
    edge_needs = {"f64": (PAIR_F64 + 5.0) * len(edges), "copy": 17.0 * len(edges)}
    yield from rows_against(
        "kernel_edges_in_sight",
        Work(len(edges), "M/s", MEGA, edge_needs),
        lambda: edges_in_sight(r_km, edges, RADIUS_KM),
        {"numpy": (peer_edges, None)},
        limits,
        rounds,
    )


def contacts(rounds: int, limits: Limits) -> Iterator[Row]:
    """50 stations with 4,000 satellites; the peer is the world's NumPy geometry, a station at a time."""
    direction = np.random.default_rng(SEED).normal(size=(POINT_COUNT, 3))
    unit = direction / np.linalg.norm(direction, axis=1, keepdims=True)
    r_km, zenith = unit * 6_928.0, unit[:50].copy()
    station, sine_min = zenith * 6_371.0, np.full(50, 0.1736)

    def peer() -> None:
        for place, up, lowest in zip(station, zenith, sine_min, strict=True):
            links.range_km(r_km, place)
            links.elevation_sine(r_km, place, up) >= lowest  # noqa: B015

    count = len(station) * POINT_COUNT
    yield from rows_against(
        "kernel_contact_scan",
        Work(count, "M/s", MEGA, {"f64": CONTACT_F64 * count, "copy": 17.0 * count}),
        lambda: scan_contacts(r_km, station, zenith, sine_min),
        {"numpy": (peer, None)},
        limits,
        rounds,
    )


def measure(options: Options) -> Iterator[Row]:
    """All rows, as they come."""
    rounds = 3 if options.is_quick else 7
    limits = machine_limits.measured(3 if options.is_quick else 9)
    for group in (turns_and_filters, focusing, sights, contacts):
        yield from group(rounds, limits)
