"""Eclipse: a cylinder behind the Earth, or cones of umbra and penumbra.

Both models give a *margin*, a continuous function of time that is positive in full sunlight and negative in
eclipse, so that edges can be found by bisection, and a sunlit_ratio (0 = umbra, 1 = full Sun).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sil.world.constants import EARTH_RADIUS_KM, SOLAR_RADIUS_KM

Float64Array = NDArray[np.float64]


def cylinder_margin_km(r_teme_km: Float64Array, sun_teme_unit: Float64Array) -> Float64Array:
    """Distance outside the shadow cylinder of radius RE, km; at least 1 km on the day side; shape (...)."""
    along_km = np.sum(r_teme_km * sun_teme_unit, axis=-1)
    across_km = np.linalg.norm(r_teme_km - along_km[..., None] * sun_teme_unit, axis=-1)
    day_side_km = np.maximum(across_km - EARTH_RADIUS_KM, 0.0) + np.maximum(along_km, 0.0) + 1.0
    return np.asarray(np.where(along_km < 0.0, across_km - EARTH_RADIUS_KM, day_side_km))


def cone_margin_rad(
    r_teme_km: Float64Array, sun_teme_unit: Float64Array, sun_distance_km: Float64Array
) -> Float64Array:
    """Angle between the limbs of Earth and Sun, seen aboard: negative from first to last contact."""
    sun_radius, earth_radius, separation = _apparent_angles_rad(r_teme_km, sun_teme_unit, sun_distance_km)
    return np.asarray(separation - sun_radius - earth_radius)


def cone_sunlit_ratio(
    r_teme_km: Float64Array, sun_teme_unit: Float64Array, sun_distance_km: Float64Array
) -> Float64Array:
    """Visible share of the Sun's disc, 0 in umbra to 1 in full Sun.

    Montenbruck & Gill, Satellite Orbits, 3.4.2: overlap of two discs in the plane of the sky.
    """
    a, b, c = _apparent_angles_rad(r_teme_km, sun_teme_unit, sun_distance_km)
    ratio = np.ones(np.shape(c), dtype=np.float64)
    ratio[c <= b - a] = 0.0
    annular = c <= a - b  # the Earth inside the Sun's disc: not reached in low orbit, kept total
    ratio[annular] = 1.0 - (b[annular] / a[annular]) ** 2
    part = (c < a + b) & (c > np.abs(a - b))
    a, b, c = a[part], b[part], c[part]
    x = (c * c + a * a - b * b) / (2.0 * c)
    y = np.sqrt(np.maximum(a * a - x * x, 0.0))
    hidden = a * a * np.arccos(np.clip(x / a, -1.0, 1.0)) + b * b * np.arccos(np.clip((c - x) / b, -1.0, 1.0))
    ratio[part] = 1.0 - (hidden - c * y) / (np.pi * a * a)
    return np.clip(ratio, 0.0, 1.0)


def eclipse_ratio_cylinder(altitude_km: float, beta_rad: float) -> float:
    """Share of a circular orbit spent in the shadow cylinder (0 when |beta| >= asin(RE / a)).

    f = acos(sqrt(h^2 + 2 RE h) / ((RE + h) cos beta)) / pi.
    """
    radius_km = EARTH_RADIUS_KM + altitude_km
    if abs(beta_rad) >= np.arcsin(EARTH_RADIUS_KM / radius_km):
        return 0.0
    rim_km = np.sqrt(altitude_km * altitude_km + 2.0 * EARTH_RADIUS_KM * altitude_km)
    return float(np.arccos(rim_km / (radius_km * np.cos(beta_rad))) / np.pi)


def _apparent_angles_rad(
    r_teme_km: Float64Array, sun_teme_unit: Float64Array, sun_distance_km: Float64Array
) -> tuple[Float64Array, Float64Array, Float64Array]:
    """Apparent radius of the Sun, of the Earth, and the separation of their centres, shape (...) each."""
    radius_km = np.linalg.norm(r_teme_km, axis=-1)
    to_sun_km = sun_teme_unit * np.asarray(sun_distance_km)[..., None] - r_teme_km
    sun_km = np.linalg.norm(to_sun_km, axis=-1)
    cosine = -np.sum(r_teme_km * to_sun_km, axis=-1) / (radius_km * sun_km)
    return (
        np.arcsin(SOLAR_RADIUS_KM / sun_km),
        np.arcsin(np.minimum(EARTH_RADIUS_KM / radius_km, 1.0)),
        np.arccos(np.clip(cosine, -1.0, 1.0)),
    )
