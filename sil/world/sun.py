"""Direction and distance of the Sun, good to 0.01 degree from 1950 to 2050."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sil.world.constants import ASTRONOMICAL_UNIT_KM

Float64Array = NDArray[np.float64]


def sun_direction_teme_unit(days_since_j2000: Float64Array | float) -> Float64Array:
    """Unit vector to the Sun in the mean equator and equinox of date, shape (..., 3).

    The Astronomical Almanac, section C, "Low precision formulas for the Sun's coordinates". Mean equinox of
    date and TEME differ by the equation of the equinoxes (below 0.005 degree), less than the formula's error.
    """
    days = np.asarray(days_since_j2000, dtype=np.float64)
    anomaly = np.radians(357.529 + 0.98560028 * days)
    longitude = np.radians(
        280.459 + 0.98564736 * days + 1.915 * np.sin(anomaly) + 0.020 * np.sin(2.0 * anomaly)
    )
    obliquity = np.radians(23.439 - 0.00000036 * days)
    return np.stack(
        [np.cos(longitude), np.cos(obliquity) * np.sin(longitude), np.sin(obliquity) * np.sin(longitude)],
        axis=-1,
    )


def sun_distance_km(days_since_j2000: Float64Array | float) -> Float64Array:
    """Distance of the Sun from the Earth's centre, same source as the direction."""
    anomaly = np.radians(357.529 + 0.98560028 * np.asarray(days_since_j2000, dtype=np.float64))
    ratio = 1.00014 - 0.01671 * np.cos(anomaly) - 0.00014 * np.cos(2.0 * anomaly)
    return np.asarray(ratio * ASTRONOMICAL_UNIT_KM)


def beta_rad(sun_unit: Float64Array, inclination_deg: float, raan_deg: float) -> float:
    """Angle between the Sun direction and the orbit plane, positive on the side of the orbit normal."""
    inclination, node = np.radians(inclination_deg), np.radians(raan_deg)
    normal = np.array(
        [np.sin(inclination) * np.sin(node), -np.sin(inclination) * np.cos(node), np.cos(inclination)]
    )
    return float(np.arcsin(np.clip(normal @ sun_unit, -1.0, 1.0)))
