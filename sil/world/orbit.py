"""Where satellites are: a circular model for identities, SGP4 for everything that flies.

Positions are in TEME (true equator, mean equinox), the frame SGP4 gives; `rotation.py` turns TEME into ITRF.
The circular model carries the secular J2 rates of node and argument of latitude only; its distance from SGP4
is about 12 km and does not grow over a day. It exists so that closed-form values can be tested.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sgp4.api import SatrecArray

from sil.world.constants import DAY_S, EARTH_RADIUS_KM, J2, MU_KM3_S2, TROPICAL_YEAR_D
from sil.world.epoch import julian_date_pair

Float64Array = NDArray[np.float64]


class PropagationError(ValueError):
    """SGP4 refused an element set at a time; the text names the satellites and the reasons."""


def mean_motion_rad_s(semi_major_axis_km: float) -> float:
    """Two-body mean motion sqrt(mu / a^3)."""
    return float(np.sqrt(MU_KM3_S2 / semi_major_axis_km**3))


def period_s(semi_major_axis_km: float) -> float:
    """Two-body period 2 pi sqrt(a^3 / mu)."""
    return float(2.0 * np.pi / mean_motion_rad_s(semi_major_axis_km))


def circular_speed_km_s(semi_major_axis_km: float) -> float:
    """Speed on a circular orbit, sqrt(mu / a)."""
    return float(np.sqrt(MU_KM3_S2 / semi_major_axis_km))


def nodal_rate_rad_s(semi_major_axis_km: float, inclination_deg: float) -> float:
    """Secular J2 drift of the node of a circular orbit: -1.5 n J2 (RE/a)^2 cos i."""
    return -_j2_rate_rad_s(semi_major_axis_km) * float(np.cos(np.radians(inclination_deg)))


def sun_synchronous_inclination_deg(semi_major_axis_km: float) -> float:
    """Inclination at which the node of a circular orbit follows the mean Sun: 360 degrees a tropical year.

    Raises ValueError above the height (about 5,975 km) where no inclination does it.
    """
    rate_rad_s = 2.0 * np.pi / (TROPICAL_YEAR_D * DAY_S)
    cosine = -rate_rad_s / _j2_rate_rad_s(semi_major_axis_km)
    if cosine < -1.0:
        raise ValueError(
            f"no sun-synchronous circular orbit has a semi-major axis of {semi_major_axis_km} km"
        )
    return float(np.degrees(np.arccos(cosine)))


def circular_positions_teme_km(
    semi_major_axis_km: float,
    inclination_deg: float,
    raan_deg: float,
    argument_of_latitude_deg: Sequence[float],
    t_s: Float64Array,
) -> Float64Array:
    """Positions of satellites on one circular orbit with secular J2, shape (satellites, times, 3), km.

    Node and arguments of latitude are those at t = 0. u = u0 + (n + k (4 cos^2 i - 1)) t with
    k = 1.5 n J2 (RE/a)^2; leaving the J2 term of u out shifts events by about 110 s a day.
    """
    inclination_rad = np.radians(inclination_deg)
    j2_rate = _j2_rate_rad_s(semi_major_axis_km)
    u_rate = mean_motion_rad_s(semi_major_axis_km) + j2_rate * (4.0 * np.cos(inclination_rad) ** 2 - 1.0)
    u = np.radians(np.asarray(argument_of_latitude_deg, dtype=np.float64))[:, None] + u_rate * t_s[None, :]
    node = np.radians(raan_deg) + nodal_rate_rad_s(semi_major_axis_km, inclination_deg) * t_s[None, :]
    x = np.cos(node) * np.cos(u) - np.sin(node) * np.sin(u) * np.cos(inclination_rad)
    y = np.sin(node) * np.cos(u) + np.cos(node) * np.sin(u) * np.cos(inclination_rad)
    z = np.sin(u) * np.sin(inclination_rad)
    return np.asarray(semi_major_axis_km * np.stack([x, y, z], axis=-1), dtype=np.float64)


def propagate_teme(
    satellites: Sequence[Any], epoch_utc: str, t_s: Float64Array
) -> tuple[Float64Array, Float64Array]:
    """SGP4 positions (km) and velocities (km/s) in TEME, each of shape (satellites, times, 3).

    `satellites` are sgp4 Satrec objects with element epochs of their own; t_s counts from epoch_utc.
    Raises PropagationError listing every satellite SGP4 refuses (decayed, elements out of range).
    """
    day, fraction = julian_date_pair(epoch_utc)
    fractions = fraction + t_s / DAY_S
    codes, r_teme_km, v_teme_km_s = SatrecArray(list(satellites)).sgp4(np.full(t_s.shape, day), fractions)
    bad = [
        f"satellite {index + 1}: SGP4 error {int(row[row != 0][0])} at t = {float(t_s[row != 0][0])} s"
        for index, row in enumerate(codes)
        if row.any()
    ]
    if bad:
        raise PropagationError("; ".join(bad))
    return r_teme_km, v_teme_km_s


def _j2_rate_rad_s(semi_major_axis_km: float) -> float:
    """1.5 n J2 (RE/a)^2, the common factor of the secular J2 rates of a circular orbit."""
    return 1.5 * mean_motion_rad_s(semi_major_axis_km) * J2 * (EARTH_RADIUS_KM / semi_major_axis_km) ** 2
