"""Who is linked to whom: ring and string, and whether the geometry carries them.

A topology is declared by name and checked against the orbits before anything starts: a ring may be *open*
(a neighbour behind the Earth), *blind* (no neighbour in sight at all), *transposed* (the order of ids is
not the order along the plane) or not one plane. Every fault is listed with the satellites it concerns.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from sil.world.constants import GRAZING_HEIGHT_KM_MIN
from sil.world.links import grazing_height_km
from sil.world.orbit import propagate_teme
from sil.world.tape import Pair

Float64Array = NDArray[np.float64]

TOPOLOGIES: Final = ("ring", "string")
_CHECK_STEP_S: Final = 60
PLANE_TILT_DEG_MAX: Final = 5.0
"""Satellites whose orbit planes differ by more are not neighbours of one plane."""


def topology_pairs(topology: str, satellite_count: int) -> list[Pair]:
    """Neighbour pairs (lower id, higher id) of ids 1..N; a ring has one more, which closes it.

    Raises ValueError naming what was expected: a known topology, two satellites for a string, three for a
    ring.
    """
    if topology not in TOPOLOGIES:
        raise ValueError(f"topology = {topology!r}: expected one of {TOPOLOGIES}")
    count_min = 3 if topology == "ring" else 2
    if satellite_count < count_min:
        raise ValueError(
            f"topology {topology!r} needs at least {count_min} satellites, found {satellite_count}"
        )
    pairs = [(low, low + 1) for low in range(1, satellite_count)]
    return [*pairs, (1, satellite_count)] if topology == "ring" else pairs


def validate_topology(
    topology: str,
    r_teme_km: Float64Array,
    v_teme_km_s: Float64Array,
    grazing_height_km_min: float = GRAZING_HEIGHT_KM_MIN,
) -> list[str]:
    """Faults of a topology against the orbits; empty when it flies.

    Positions and velocities have shape (satellites, times, 3). Satellite k of the arrays has id k + 1. Line
    of sight must hold at every time given; order and plane are judged at the first. A string is checked in
    the same way as a ring, without the pair that would close it.
    """
    try:
        pairs = topology_pairs(topology, len(r_teme_km))
    except ValueError as error:
        return [str(error)]
    faults = _plane_faults(r_teme_km[:, 0], v_teme_km_s[:, 0])
    if not faults:
        faults = _order_faults(topology, pairs, r_teme_km[:, 0], v_teme_km_s[:, 0])
    return faults + _sight_faults(topology, pairs, r_teme_km, grazing_height_km_min)


def topology_faults(
    topology: str,
    satellites: Sequence[Any],
    epoch_utc: str,
    duration_s: int,
    grazing_height_km_min: float = GRAZING_HEIGHT_KM_MIN,
) -> list[str]:
    """Faults of a topology over a run, by SGP4 in steps of at most 60 s; empty when it flies.

    satellites are Satrec objects with ids 1..N in order. Raises PropagationError when SGP4 refuses one.
    """
    t_s = np.linspace(0.0, float(duration_s), 2 + duration_s // _CHECK_STEP_S)
    return validate_topology(topology, *propagate_teme(satellites, epoch_utc, t_s), grazing_height_km_min)


def visible_pairs(r_km: Float64Array, grazing_height_km_min: float = GRAZING_HEIGHT_KM_MIN) -> list[Pair]:
    """All pairs of ids in line of sight of each other; positions of shape (satellites, 3)."""
    low, high = np.triu_indices(len(r_km), k=1)
    clear = grazing_height_km(r_km[low], r_km[high]) >= grazing_height_km_min
    return [(int(a) + 1, int(b) + 1) for a, b in zip(low[clear], high[clear], strict=True)]


def _plane_faults(r_km: Float64Array, v_km_s: Float64Array) -> list[str]:
    """Satellites whose orbit normal leans away from that of satellite 1."""
    normal = np.cross(r_km, v_km_s)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)
    tilt_deg = np.degrees(np.arccos(np.clip(normal @ normal[0], -1.0, 1.0)))
    return [
        f"not one plane: the orbits of satellites 1 and {index + 1} differ by {tilt:.1f} degrees"
        for index, tilt in enumerate(tilt_deg)
        if tilt > PLANE_TILT_DEG_MAX
    ]


def _order_faults(
    topology: str, pairs: Sequence[Pair], r_km: Float64Array, v_km_s: Float64Array
) -> list[str]:
    """Declared neighbours with another satellite between them along the plane.

    The angle along the plane is measured from satellite 1; going round, each declared pair must be adjacent.
    """
    normal = np.cross(r_km[0], v_km_s[0])
    ahead = np.cross(normal / np.linalg.norm(normal), r_km[0])
    angle = np.arctan2(r_km @ ahead, r_km @ r_km[0]) % (2.0 * np.pi)
    angle[0] = 0.0
    order = [int(index) + 1 for index in np.argsort(angle, kind="stable")]
    count = len(order)
    place = {satellite_id: index for index, satellite_id in enumerate(order)}
    apart = [pair for pair in pairs if (place[pair[1]] - place[pair[0]]) % count not in (1, count - 1)]
    if not apart:
        return []
    found = ", ".join(f"{low}-{high}" for low, high in apart)
    return [
        f"transposed {topology}: {found} are not next to each other along the plane; the order is {order}"
    ]


def _sight_faults(
    topology: str, pairs: Sequence[Pair], r_teme_km: Float64Array, height_km_min: float
) -> list[str]:
    """Neighbour pairs whose beam passes too low at some time."""
    lowest_km = [
        float(grazing_height_km(r_teme_km[low - 1], r_teme_km[high - 1]).min()) for low, high in pairs
    ]
    if all(height_km < height_km_min for height_km in lowest_km):
        return [
            f"blind {topology}: no satellite sees a neighbour; the highest beam passes at "
            f"{max(lowest_km):.1f} km, expected at least {height_km_min:g} km"
        ]
    return [
        f"open {topology}: satellites {pair[0]} and {pair[1]} do not see each other; the beam passes at "
        f"{height_km:.1f} km, expected at least {height_km_min:g} km"
        for pair, height_km in zip(pairs, lowest_km, strict=True)
        if height_km < height_km_min
    ]
