"""The SAR and line-of-sight kernels again, in NumPy: fallback where C is not built, and oracle of the tests.

Complex products are written out, because NumPy's own may fuse a multiplication with an addition. Every function gives
the bits of its C twin; arguments are checked by the faces.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels.arguments import Complex64Image, Float32Image, Float64Table, UInt8Image

SINE_TERMS: Final = (0.07765471, -0.59828973, 2.55007726, -5.16771007, 3.14159264)
"""sin(pi t) / t on -0.5..0.5 as a polynomial in t^2, highest power first: least-maximum fit, error 7e-9."""
COSINE_TERMS: Final = (0.21969675, -1.33188014, 4.05841191, -4.93479286, 0.99999995)
"""cos(pi t) likewise, error 5e-8."""

ROUND_MAGIC: Final = 6755399441055744.0
"""Adding 1.5 * 2^52 rounds a float64 to the nearest integer, half to even."""


def matched_filter(
    signal: Complex64Image, reference: Complex64Image, window: Float32Image, filtered: Complex64Image
) -> None:
    """Write signal * (conj(reference) * window)."""
    with np.errstate(all="ignore"):
        real, imaginary = reference.real * window, -reference.imag * window
        filtered.real = signal.real * real - signal.imag * imaginary
        filtered.imag = signal.real * imaginary + signal.imag * real


def _polynomial(terms: tuple[float, ...], square: Float32Image) -> Float32Image:
    total = np.full(square.shape, terms[0], np.float32)
    for term in terms[1:]:
        total = total * square + np.float32(term)
    return total


def phasor(turn: Float32Image) -> tuple[Float32Image, Float32Image]:
    """Give cos and sin of 2 pi turn, turn within -0.5..0.5, from those of half the angle."""
    square = turn * turn
    sine = _polynomial(SINE_TERMS, square) * turn
    cosine = _polynomial(COSINE_TERMS, square)
    two = np.float32(2.0)
    return np.float32(1.0) - two * (sine * sine), two * (sine * cosine)


def backproject(
    profiles: Complex64Image,
    pulses_m: Float64Table,
    axis: tuple[float, float, float],
    x_m: Float64Table,
    y_m: Float64Table,
    image: Complex64Image,
) -> None:
    """Write the focused image, adding pulse by pulse."""
    first_range_m, range_step_m, cycles_per_m = axis
    bins_per_m = 1.0 / range_step_m
    bin_last = float(profiles.shape[1] - 1)
    image[...] = 0
    real_sum, imaginary_sum = (np.zeros(image.shape, np.float32) for _ in range(2))
    with np.errstate(all="ignore"):
        for profile, (antenna_x, antenna_y, antenna_z, range_to_centre) in zip(
            profiles, pulses_m, strict=True
        ):
            x, y = antenna_x - x_m[None, :], antenna_y - y_m[:, None]
            range_m = np.sqrt(x * x + (y * y + antenna_z * antenna_z)) - range_to_centre
            place = (range_m - first_range_m) * bins_per_m
            inside = (place >= 0.0) & (place < bin_last)
            kept = np.where(inside, place, 0.0)
            turns = np.where(inside, range_m * cycles_per_m, 0.0)
            bins = kept.astype(np.int32)
            fraction = (kept - bins).astype(np.float32)
            cosine, sine = phasor((turns - ((turns + ROUND_MAGIC) - ROUND_MAGIC)).astype(np.float32))
            here, after = profile[bins], profile[bins + 1]
            weight = inside.astype(np.float32)
            real = (here.real + fraction * (after.real - here.real)) * weight
            imaginary = (here.imag + fraction * (after.imag - here.imag)) * weight
            real_sum += real * cosine - imaginary * sine
            imaginary_sum += real * sine + imaginary * cosine
    image.real, image.imag = real_sum, imaginary_sum


def _sight(
    a_km: Float64Table, b_km: Float64Table, blocking_radius_km: float, range_km_max: float
) -> tuple[Float64Table, UInt8Image]:
    """Range and line of sight, point by point; the line passes the origin at |a x b| / |b - a|."""
    (ax, ay, az), (bx, by, bz) = (np.moveaxis(points, -1, 0) for points in (a_km, b_km))
    blocking = blocking_radius_km * blocking_radius_km
    with np.errstate(all="ignore"):
        dx, dy, dz = bx - ax, by - ay, bz - az
        chord = (dx * dx + dy * dy) + dz * dz
        a_squared = (ax * ax + ay * ay) + az * az
        b_squared = (bx * bx + by * by) + bz * bz
        product = (ax * bx + ay * by) + az * bz
        cross_x, cross_y, cross_z = ay * bz - az * by, az * bx - ax * bz, ax * by - ay * bx
        cross = (cross_x * cross_x + cross_y * cross_y) + cross_z * cross_z
        passes = (product >= a_squared) | (product >= b_squared) | (cross >= blocking * chord)
        clear = passes & (a_squared >= blocking) & (b_squared >= blocking)
        clear &= chord <= np.float64(range_km_max) * range_km_max
        return np.sqrt(chord), clear.astype(np.uint8)


def pairs_in_sight(
    r_km: Float64Table, blocking_radius_km: float, range_km_max: float
) -> tuple[Float64Table, UInt8Image]:
    """Give the tables of all pairs."""
    range_km, in_sight = _sight(r_km[:, None, :], r_km[None, :, :], blocking_radius_km, range_km_max)
    np.fill_diagonal(in_sight, 0)
    return range_km, in_sight


def edges_in_sight(
    r_km: Float64Table, edges: NDArray[np.uint32], blocking_radius_km: float, range_km_max: float
) -> tuple[Float64Table, UInt8Image]:
    """Give the tables of chosen pairs."""
    range_km, in_sight = _sight(r_km[edges[:, 0]], r_km[edges[:, 1]], blocking_radius_km, range_km_max)
    in_sight[edges[:, 0] == edges[:, 1]] = 0
    return range_km, in_sight


def scan_contacts(
    r_itrf_km: Float64Table, stations: Float64Table
) -> tuple[Float64Table, Float64Table, UInt8Image]:
    """Give range, sine of the elevation and contact; a station is position, zenith and mask in one row."""
    with np.errstate(all="ignore"):
        x, y, z = (r_itrf_km[None, :, part] - stations[:, part, None] for part in range(3))
        range_km = np.sqrt((x * x + y * y) + z * z)
        up = (x * stations[:, 3, None] + y * stations[:, 4, None]) + z * stations[:, 5, None]
        sine = up / range_km
        return range_km, sine, (sine >= stations[:, 6, None]).astype(np.uint8)
