"""Computes the geometry tape: SGP4 on a 1 s grid, events to 1 ms by bisection.

Theory of operation. All positions and velocities are computed once on the whole-second grid. Each condition
(line of sight, elevation above the mask, sunlight, anomaly) is a *margin*: a continuous function that is
positive inside. A change of sign between two seconds is bisected; positions between seconds come
from the cubic through both positions and velocities (Hermite), which is within 1e-10 km of SGP4 at 1 s
spacing, so bisection costs no propagation. A condition that opens and closes again within one second is not
seen.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sil.world import eclipse, links, radiation, rotation, sun
from sil.world.constants import DAY_S, GRAZING_HEIGHT_KM_MIN
from sil.world.epoch import days_since_j2000
from sil.world.orbit import propagate_teme
from sil.world.stations import Station
from sil.world.tape import GeometryTape, Pair, TapeHeader, arrays_of

Float64Array = NDArray[np.float64]
IntArray = NDArray[np.int64]
Margin = Callable[[Float64Array], Float64Array]

_BISECTION_COUNT: Final = 14  # to 0.06 ms, so that rounding to 1 ms is the only error left
DURATION_S_MAX: Final = 14 * DAY_S
ECLIPSE_MODELS: Final = ("cylinder", "conical")


@dataclass(frozen=True)
class TapeRequest:
    """What a tape must cover.

    satellites are Satrec objects with ids 1..N in order; pairs name satellites by id. Every satellite is
    paired with every station. Raises ValueError where a value is out of range.
    """

    satellites: Sequence[Any]
    stations: Sequence[Station]
    pairs: Sequence[Pair]
    epoch_utc: str
    duration_s: int
    eclipse_model: str = "cylinder"
    grazing_height_km_min: float = GRAZING_HEIGHT_KM_MIN
    flux_grid: radiation.FluxGrid | None = field(default=None)

    def __post_init__(self) -> None:
        """Refuse what cannot be computed, naming the value."""
        if not 1 <= self.duration_s <= DURATION_S_MAX:
            raise ValueError(f"duration_s = {self.duration_s}: expected 1 to {DURATION_S_MAX}")
        if self.eclipse_model not in ECLIPSE_MODELS:
            raise ValueError(f"eclipse_model = {self.eclipse_model!r}: expected one of {ECLIPSE_MODELS}")
        for low, high in self.pairs:
            if not 1 <= low < high <= len(self.satellites):
                raise ValueError(f"pair {(low, high)}: expected two ids of 1..{len(self.satellites)}, rising")


def build_tape(request: TapeRequest) -> GeometryTape:
    """Compute the tape of a request. Raises PropagationError when SGP4 refuses a satellite."""
    sky = _Sky(request)
    columns: dict[tuple[str, tuple[int, ...]], array[int]] = {}
    edges: list[Pair] = []
    for low, high in request.pairs:
        a, b = low - 1, high - 1
        edges.append((low, high))
        columns["range_mm", (low, high)] = _grid_mm(links.range_km(sky.r_teme_km[a], sky.r_teme_km[b]))
        margin = _line_of_sight_margin(sky, a, b, request.grazing_height_km_min)
        columns["window_ms", (low, high)] = _events_ms(margin, sky.t_s)
    for index in range(len(request.satellites)):
        _add_satellite(sky, index, request, columns)
        for station in request.stations:
            pair = (index + 1, station.station_id)
            edges.append(pair)
            _add_contact(sky, index, station, pair, columns)
    header = TapeHeader(
        epoch_utc=request.epoch_utc,
        duration_s=request.duration_s,
        eclipse_model=request.eclipse_model,
        grazing_height_m_min=round(request.grazing_height_km_min * 1000.0),
        satellite_ids=tuple(range(1, len(request.satellites) + 1)),
        station_ids=tuple(station.station_id for station in request.stations),
        station_names=tuple(station.name for station in request.stations),
        edges=tuple(edges),
        arrays=arrays_of(columns),
    )
    return GeometryTape(header, list(columns.values()))


class _Sky:
    """Positions of all satellites, the Sun and the turn of the Earth, on the grid and between its points."""

    def __init__(self, request: TapeRequest) -> None:
        self.t_s = np.arange(request.duration_s + 1, dtype=np.float64)
        self.start_days = days_since_j2000(request.epoch_utc)
        self.r_teme_km, self._v_teme_km_s = propagate_teme(request.satellites, request.epoch_utc, self.t_s)
        self._angle_grid_rad = rotation.sidereal_angle_rad(self._days(self.t_s))
        self._sun_grid = sun.sun_direction_teme_unit(self._days(self.t_s))

    def _days(self, t_s: Float64Array) -> Float64Array:
        return self.start_days + t_s / DAY_S

    def teme_km(self, satellite: int, t_s: Float64Array) -> Float64Array:
        """TEME position of a satellite: the grid itself for the grid times, else the Hermite cubic."""
        if t_s is self.t_s:
            return np.asarray(self.r_teme_km[satellite])
        second = np.minimum(t_s.astype(np.int64), len(self.t_s) - 2)
        s = (t_s - second)[:, None]
        r, v = self.r_teme_km[satellite], self._v_teme_km_s[satellite]
        r0, r1, v0, v1 = r[second], r[second + 1], v[second], v[second + 1]
        step = r1 - r0
        return np.asarray(r0 + s * (v0 + s * (3.0 * step - 2.0 * v0 - v1 + s * (v0 + v1 - 2.0 * step))))

    def itrf_km(self, satellite: int, t_s: Float64Array) -> Float64Array:
        """ITRF position of a satellite."""
        if t_s is self.t_s:
            return rotation.itrf_from_teme(self.r_teme_km[satellite], self._angle_grid_rad)
        return rotation.itrf_from_teme(
            self.teme_km(satellite, t_s), rotation.sidereal_angle_rad(self._days(t_s))
        )

    def sun_unit(self, t_s: Float64Array) -> Float64Array:
        """Direction of the Sun in TEME."""
        return self._sun_grid if t_s is self.t_s else sun.sun_direction_teme_unit(self._days(t_s))

    def sun_km(self, t_s: Float64Array) -> Float64Array:
        """Distance of the Sun."""
        return sun.sun_distance_km(self._days(t_s))


def _add_satellite(
    sky: _Sky, index: int, request: TapeRequest, columns: dict[tuple[str, tuple[int, ...]], array[int]]
) -> None:
    """Ground track, sunlight, anomaly and (with a grid) proton flux of one satellite."""
    owner = (index + 1,)
    itrf_km = sky.itrf_km(index, sky.t_s)
    latitude_deg, longitude_deg = rotation.geodetic_deg(itrf_km)
    columns["latitude_e6_deg", owner] = _grid(latitude_deg * 1e6, "i")
    columns["longitude_e6_deg", owner] = _grid(longitude_deg * 1e6, "i")

    def saa_margin(t_s: Float64Array) -> Float64Array:
        return radiation.saa_margin(*rotation.geodetic_deg(sky.itrf_km(index, t_s)))

    columns["saa_ms", owner] = _events_ms(saa_margin, sky.t_s)
    if request.flux_grid is not None:
        flux = request.flux_grid.flux(latitude_deg, longitude_deg)
        columns["proton_flux_e3", owner] = _grid(flux * 1e3, "i")
    conical = request.eclipse_model == "conical"

    def shadow_margin(t_s: Float64Array) -> Float64Array:
        r_teme_km, sun_unit = sky.teme_km(index, t_s), sky.sun_unit(t_s)
        if conical:
            return -eclipse.cone_margin_rad(r_teme_km, sun_unit, sky.sun_km(t_s))
        return -eclipse.cylinder_margin_km(r_teme_km, sun_unit)

    events_ms = _events_ms(shadow_margin, sky.t_s)
    columns["eclipse_ms", owner] = events_ms
    if conical:
        ratio = eclipse.cone_sunlit_ratio(
            sky.teme_km(index, sky.t_s), sky.sun_unit(sky.t_s), sky.sun_km(sky.t_s)
        )
        columns["sunlit_e6", owner] = _grid(ratio * 1e6, "i")
    else:
        columns["sunlit_e6", owner] = _sunlit_from_events_e6(events_ms, request.duration_s)


def _add_contact(
    sky: _Sky,
    index: int,
    station: Station,
    pair: Pair,
    columns: dict[tuple[str, tuple[int, ...]], array[int]],
) -> None:
    """Range and contacts of one satellite and one station."""
    place = (station.latitude_deg, station.longitude_deg)
    site_km = rotation.station_itrf_km(*place, station.altitude_m)
    zenith = rotation.zenith_itrf_unit(*place)
    mask_sine = float(np.sin(np.radians(station.elevation_deg_min)))

    def margin(t_s: Float64Array) -> Float64Array:
        return links.elevation_sine(sky.itrf_km(index, t_s), site_km, zenith) - mask_sine

    columns["range_mm", pair] = _grid_mm(links.range_km(sky.itrf_km(index, sky.t_s), site_km))
    columns["window_ms", pair] = _events_ms(margin, sky.t_s)


def _line_of_sight_margin(sky: _Sky, a: int, b: int, height_km_min: float) -> Margin:
    """Height of the beam between two satellites above the least allowed."""

    def margin(t_s: Float64Array) -> Float64Array:
        return links.grazing_height_km(sky.teme_km(a, t_s), sky.teme_km(b, t_s)) - height_km_min

    return margin


def _events_ms(margin: Margin, t_s: Float64Array) -> array[int]:
    """start, stop, start, stop ... of the times where the margin is not negative, in milliseconds.

    A condition that holds from the first second starts at 0; one that holds at the last stops there.
    """
    inside = margin(t_s) >= 0.0
    second = np.flatnonzero(inside[1:] != inside[:-1])
    low = second.astype(np.float64)
    high = low + 1.0
    rising = inside[second + 1]
    for _ in range(_BISECTION_COUNT):
        if not len(second):
            break
        middle = 0.5 * (low + high)
        past = (margin(middle) >= 0.0) == rising
        low, high = np.where(past, low, middle), np.where(past, middle, high)
    # Never the whole second before the change: starts and stops stay strictly ascending.
    edges = np.maximum(np.rint(high * 1000.0).astype(np.int64), 1000 * second + 1).tolist()
    if inside[0]:
        edges.insert(0, 0)
    if inside[-1]:
        end_ms = int(t_s[-1]) * 1000
        if edges[-1] == end_ms:  # it begins within the last millisecond: nothing is left of it
            edges.pop()
        else:
            edges.append(end_ms)
    return array("q", edges)


def _sunlit_from_events_e6(eclipse_ms: array[int], duration_s: int) -> array[int]:
    """Share of each second outside the cylinder, in millionths; the last value is the state at the end."""
    dark_ms = np.zeros(duration_s + 2, dtype=np.int64)
    for enter_ms, leave_ms in zip(eclipse_ms[::2], eclipse_ms[1::2], strict=True):
        # The first and the last second are cut, those between are dark as a whole.
        first, last = enter_ms // 1000, leave_ms // 1000
        dark_ms[first : last + 1] += 1000
        dark_ms[first] -= enter_ms - first * 1000
        dark_ms[last] -= 1000 - (leave_ms - last * 1000)
    if len(eclipse_ms) and eclipse_ms[-1] == duration_s * 1000:
        dark_ms[duration_s] = 1000
    return _grid(1_000_000 - 1000 * dark_ms[: duration_s + 1], "i")


def _grid_mm(distance_km: Float64Array) -> array[int]:
    """Distances as whole millimetres."""
    return _grid(distance_km * 1e6, "q")


def _grid(values: Float64Array | IntArray, typecode: str) -> array[int]:
    """Round to integers of the wanted width, native byte order."""
    return array(typecode, np.rint(values).astype(np.int32 if typecode == "i" else np.int64).tobytes())
