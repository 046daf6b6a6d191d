"""Geometry of links: range, light time, height of the beam over the Earth, elevation.

Every function takes arrays of shape (..., 3) and gives shape (...), so one pair and a million pairs read
the same.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sil.world.constants import EARTH_RADIUS_KM, GRAZING_HEIGHT_KM_MIN, LIGHT_M_S

Float64Array = NDArray[np.float64]


def range_km(a_km: Float64Array, b_km: Float64Array) -> Float64Array:
    """Distance between two points of the same frame."""
    return np.asarray(np.linalg.norm(b_km - a_km, axis=-1))


def light_time_ms(distance_km: Float64Array | float) -> Float64Array:
    """One-way light time over a distance, milliseconds."""
    return np.asarray(distance_km, dtype=np.float64) * (1.0e6 / LIGHT_M_S)


def grazing_height_km(a_km: Float64Array, b_km: Float64Array) -> Float64Array:
    """Least height of the segment a-b over a sphere of the equatorial radius; negative = through it."""
    chord = b_km - a_km
    length_squared = np.maximum(np.sum(chord * chord, axis=-1), 1e-12)
    share = np.clip(-np.sum(a_km * chord, axis=-1) / length_squared, 0.0, 1.0)
    nearest = a_km + share[..., None] * chord
    return np.asarray(np.linalg.norm(nearest, axis=-1) - EARTH_RADIUS_KM)


def in_line_of_sight(
    a_km: Float64Array, b_km: Float64Array, height_km_min: float = GRAZING_HEIGHT_KM_MIN
) -> NDArray[np.bool_]:
    """True where the beam stays at or above height_km_min."""
    return np.asarray(grazing_height_km(a_km, b_km) >= height_km_min)


def elevation_sine(
    r_itrf_km: Float64Array, station_itrf_km: Float64Array, zenith_itrf_unit: Float64Array
) -> Float64Array:
    """Sine of the geometric elevation (no refraction) of a satellite over a station's WGS 84 horizon."""
    to_satellite = r_itrf_km - station_itrf_km
    return np.asarray((to_satellite @ zenith_itrf_unit) / np.linalg.norm(to_satellite, axis=-1))


def elevation_deg(
    r_itrf_km: Float64Array, station_itrf_km: Float64Array, zenith_itrf_unit: Float64Array
) -> Float64Array:
    """Geometric elevation over the station's horizon, degrees."""
    sine = elevation_sine(r_itrf_km, station_itrf_km, zenith_itrf_unit)
    return np.asarray(np.degrees(np.arcsin(np.clip(sine, -1.0, 1.0))))


def line_of_sight_km_max(semi_major_axis_km: float, height_km_min: float = GRAZING_HEIGHT_KM_MIN) -> float:
    """Longest clear chord between two satellites on one circular orbit: 2 sqrt(a^2 - (RE + g)^2)."""
    return float(2.0 * np.sqrt(semi_major_axis_km**2 - (EARTH_RADIUS_KM + height_km_min) ** 2))


def ring_chord_km(semi_major_axis_km: float, spacing_deg: float) -> float:
    """Distance of two satellites of one circular orbit, spacing_deg apart: 2 a sin(spacing / 2)."""
    return float(2.0 * semi_major_axis_km * np.sin(np.radians(spacing_deg) / 2.0))
