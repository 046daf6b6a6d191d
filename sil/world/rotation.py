"""From TEME to ITRF and to the ground: sidereal angle, stations, sub-satellite points.

TEME is turned by the Greenwich mean sidereal angle only; polar motion (below 15 m at the ground) is left out.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from sil.world.constants import EARTH_ECCENTRICITY_SQUARED, EARTH_FLATTENING, EARTH_RADIUS_KM

Float64Array = NDArray[np.float64]


def sidereal_angle_rad(days_since_j2000: Float64Array | float) -> Float64Array:
    """Greenwich mean sidereal angle, IAU 1982 (Aoki et al., A&A 105, 359), with UT1 = UTC; in [0, 2 pi)."""
    days = np.asarray(days_since_j2000, dtype=np.float64)
    centuries = days / 36_525.0
    degrees = 280.46061837 + 360.98564736629 * days + centuries**2 * (0.000387933 - centuries / 38_710_000.0)
    return np.asarray(np.radians(degrees % 360.0))


def itrf_from_teme(r_teme_km: Float64Array, angle_rad: Float64Array | float) -> Float64Array:
    """Turn TEME vectors (..., 3) about the pole by the sidereal angle (...) into ITRF vectors."""
    cosine, sine = np.cos(angle_rad), np.sin(angle_rad)
    x, y, z = r_teme_km[..., 0], r_teme_km[..., 1], r_teme_km[..., 2]
    return np.stack([cosine * x + sine * y, cosine * y - sine * x, z], axis=-1)


def zenith_itrf_unit(latitude_deg: float, longitude_deg: float) -> Float64Array:
    """Normal of the WGS 84 ellipsoid, outwards, at a geodetic place: the zenith of a station."""
    latitude, longitude = np.radians(latitude_deg), np.radians(longitude_deg)
    return np.array(
        [np.cos(latitude) * np.cos(longitude), np.cos(latitude) * np.sin(longitude), np.sin(latitude)]
    )


def station_itrf_km(latitude_deg: float, longitude_deg: float, altitude_m: float) -> Float64Array:
    """ITRF position of a WGS 84 geodetic place (height above the ellipsoid), km."""
    zenith = zenith_itrf_unit(latitude_deg, longitude_deg)
    normal_km = EARTH_RADIUS_KM / np.sqrt(1.0 - EARTH_ECCENTRICITY_SQUARED * zenith[2] ** 2)
    scale = np.array([1.0, 1.0, 1.0 - EARTH_ECCENTRICITY_SQUARED])
    return np.asarray((normal_km * scale + altitude_m / 1000.0) * zenith, dtype=np.float64)


def geodetic_deg(r_itrf_km: Float64Array) -> tuple[Float64Array, Float64Array]:
    """Geodetic latitude and longitude (-180..180) of ITRF points (..., 3), in degrees.

    Bowring, Survey Review 23, 323 (1976): one step, better than 1e-7 degree in low orbit.
    """
    x, y, z = r_itrf_km[..., 0], r_itrf_km[..., 1], r_itrf_km[..., 2]
    polar_km = EARTH_RADIUS_KM * (1.0 - EARTH_FLATTENING)
    second_squared = EARTH_ECCENTRICITY_SQUARED / (1.0 - EARTH_ECCENTRICITY_SQUARED)
    across = np.hypot(x, y)
    reduced = np.arctan2(z * EARTH_RADIUS_KM, across * polar_km)
    latitude = np.arctan2(
        z + second_squared * polar_km * np.sin(reduced) ** 3,
        across - EARTH_ECCENTRICITY_SQUARED * EARTH_RADIUS_KM * np.cos(reduced) ** 3,
    )
    return np.degrees(latitude), np.degrees(np.arctan2(y, x))
