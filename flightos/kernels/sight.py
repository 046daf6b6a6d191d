"""Who sees whom: ranges, lines of sight and contacts between many points, in float64.

Positions have shape (points, 3), C-ordered, in km of one frame centred on the Earth, only read. Raises TypeError
for a wrong dtype and KernelError for the rest.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError, backend, reference_geometry
from flightos.kernels.arguments import Float64Table, UInt8Image, check_array, new_output
from flightos.kernels.foreign import call, read, write

if backend() == "c":
    from flightos._fos import ffi as _ffi
    from flightos._fos import lib as _lib

POINT_COUNT_MAX: Final = 1 << 14


class Sight(NamedTuple):
    """Ranges in km, and 1 where the line is clear and not too long."""

    range_km: Float64Table
    in_sight: UInt8Image


class Contacts(NamedTuple):
    """Stations x points: range in km, sine of the elevation (NaN at the station), 1 at or above the mask."""

    range_km: Float64Table
    elevation_sine: Float64Table
    in_contact: UInt8Image


def pairs_in_sight(r_km: Float64Table, blocking_radius_km: float, range_km_max: float = math.inf) -> Sight:
    """Give range and line of sight of all pairs, two symmetric tables of shape (points, points).

    A line is clear that stays at or outside a sphere of blocking_radius_km around the origin and is not longer
    than range_km_max. A point is not in sight of itself. At most 16384 points.
    """
    count = _check_points("r_km", r_km)
    _check_limits(count, blocking_radius_km, range_km_max)
    if backend() == "numpy":
        return Sight(*reference_geometry.pairs_in_sight(r_km, blocking_radius_km, range_km_max))
    sight = Sight(new_output((count, count), np.float64), np.empty((count, count), np.uint8))
    limits = (blocking_radius_km, range_km_max)
    call(_lib.fos_pairs_in_sight, read(r_km), count, *limits, write(sight.range_km), write(sight.in_sight))
    return sight


def edges_in_sight(
    r_km: Float64Table,
    edges: NDArray[np.uint32],
    blocking_radius_km: float,
    range_km_max: float = math.inf,
) -> Sight:
    """Give range and line of sight of chosen pairs; edges has shape (edges, 2), point indices.

    Raises KernelError(FOS_ERR_RANGE) for an index outside.
    """
    count = _check_points("r_km", r_km)
    check_array("edges", edges, np.uint32)
    if edges.ndim != 2 or edges.shape[1] != 2:
        raise KernelError("SHAPE_MISMATCH", f"edges is {edges.shape}, not (edges, 2)")
    _check_limits(count, blocking_radius_km, range_km_max)
    if edges.size and int(edges.max()) >= count:
        raise KernelError("FOS_ERR_RANGE", "an edge has a point that is not there")
    if backend() == "numpy":
        return Sight(*reference_geometry.edges_in_sight(r_km, edges, blocking_radius_km, range_km_max))
    sight = Sight(np.empty(len(edges), np.float64), np.empty(len(edges), np.uint8))
    limits = (blocking_radius_km, range_km_max)
    inputs = (read(r_km), count, read(edges), len(edges), *limits)
    call(_lib.fos_edges_in_sight, *inputs, write(sight.range_km), write(sight.in_sight))
    return sight


def scan_contacts(
    r_itrf_km: Float64Table,
    station_itrf_km: Float64Table,
    zenith_itrf_unit: Float64Table,
    elevation_sine_min: Float64Table,
) -> Contacts:
    """Give range, elevation and contact of every station with every point, tables of shape (stations, points).

    Points may be one satellite at many times or many at one time. Stations have shape (stations, 3) twice and
    (stations,). The elevation is geometric: no refraction.
    """
    count = _check_points("r_itrf_km", r_itrf_km)
    station_count = _check_points("station_itrf_km", station_itrf_km)
    check_array("zenith_itrf_unit", zenith_itrf_unit, np.float64, station_itrf_km.shape)
    check_array("elevation_sine_min", elevation_sine_min, np.float64, (station_count,))
    if station_count > POINT_COUNT_MAX or station_count * count > 1 << 28:
        raise KernelError("FOS_ERR_TOO_LARGE", f"{station_count} stations x {count} points")
    stations = np.concatenate([station_itrf_km, zenith_itrf_unit, elevation_sine_min[:, None]], axis=1)
    if backend() == "numpy":
        return Contacts(*reference_geometry.scan_contacts(r_itrf_km, stations))
    shape = (station_count, count)
    contacts = Contacts(np.empty(shape), np.empty(shape), np.empty(shape, np.uint8))
    inputs: tuple[Any, ...] = (read(r_itrf_km), count, _ffi.cast("fos_station_t *", read(stations)))
    call(_lib.fos_contact_scan, *inputs, station_count, *(write(table) for table in contacts))
    return contacts


def _check_points(name: str, points: Float64Table) -> int:
    check_array(name, points, np.float64)
    if points.ndim != 2 or points.shape[1] != 3:
        raise KernelError("SHAPE_MISMATCH", f"{name} is {points.shape}, not (points, 3)")
    return int(points.shape[0])


def _check_limits(point_count: int, blocking_radius_km: float, range_km_max: float) -> None:
    if point_count > POINT_COUNT_MAX:
        raise KernelError("FOS_ERR_TOO_LARGE", f"{point_count} points are more than {POINT_COUNT_MAX}")
    if not (0.0 <= blocking_radius_km < math.inf and range_km_max >= 0.0):
        raise KernelError("FOS_ERR_PARAMETER", f"radius {blocking_radius_km}, range {range_km_max}")
