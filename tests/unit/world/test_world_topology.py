"""Ring and string: pairs, and the geometry that carries or refuses them."""

from __future__ import annotations

import numpy as np
import pytest

from sil.world.elements import PlaneConfig, plane_elements
from sil.world.orbit import Float64Array, propagate_teme
from sil.world.topology import topology_faults, topology_pairs, validate_topology

EPOCH_UTC = "2026-03-20T12:00:00Z"


def fly(plane: PlaneConfig) -> tuple[Float64Array, Float64Array]:
    """Positions and velocities over one orbit, a sample every 5 minutes."""
    satrecs = [one.satrec for one in plane_elements(plane)]
    return propagate_teme(satrecs, plane.epoch_utc, np.arange(0.0, 5_700.0, 300.0))


def test_pairs_of_ring_and_string() -> None:
    assert topology_pairs("string", 2) == [(1, 2)]
    assert topology_pairs("string", 4) == [(1, 2), (2, 3), (3, 4)]
    assert topology_pairs("ring", 4) == [(1, 2), (2, 3), (3, 4), (1, 4)]
    for topology, count in (("ring", 2), ("string", 1)):
        with pytest.raises(ValueError, match="needs at least"):
            topology_pairs(topology, count)
    with pytest.raises(ValueError, match="expected one of"):
        topology_pairs("star", 5)


def test_ring_of_twelve_and_small_strings_fly() -> None:
    r_km, v_km_s = fly(PlaneConfig())
    assert validate_topology("ring", r_km, v_km_s) == []
    assert validate_topology("string", r_km, v_km_s) == []
    assert validate_topology("string", r_km[:2], v_km_s[:2]) == []
    assert validate_topology("string", r_km[3:8], v_km_s[3:8]) == [], "ids go along the plane from anywhere"
    backwards = slice(None, None, -1)
    assert validate_topology("ring", r_km[backwards], v_km_s[backwards]) == [], (
        "against the motion is in order too"
    )


def test_open_ring_is_refused_with_the_pair_that_does_not_close() -> None:
    r_km, v_km_s = fly(PlaneConfig(satellite_count=6))
    (fault,) = validate_topology("ring", r_km, v_km_s)
    assert fault.startswith("open ring: satellites 1 and 6 do not see each other; the beam passes at -")
    assert "expected at least 80 km" in fault


def test_ring_with_a_gap_is_open_there() -> None:
    r_km, v_km_s = fly(PlaneConfig())
    keep = [0, 1, 2, 3, 4, 6, 7, 8, 9, 10, 11]
    (fault,) = validate_topology("ring", r_km[keep], v_km_s[keep])
    assert fault.startswith("open ring: satellites 5 and 6")


def test_blind_ring_is_refused() -> None:
    (fault,) = validate_topology("ring", *fly(PlaneConfig(satellite_count=4, spacing_deg=90.0)))
    assert fault.startswith("blind ring: no satellite sees a neighbour")


def test_transposed_ring_is_refused_even_where_everybody_sees_everybody() -> None:
    r_km, v_km_s = fly(PlaneConfig(satellite_count=36, spacing_deg=10.0))
    order = [*range(36)]
    order[4], order[5] = order[5], order[4]
    (fault,) = validate_topology("ring", r_km[order], v_km_s[order])
    assert fault.startswith("transposed ring: 4-5, 6-7 are not next to each other along the plane")


def test_transposed_string_is_refused() -> None:
    r_km, v_km_s = fly(PlaneConfig(satellite_count=4, spacing_deg=5.0))
    order = [0, 2, 1, 3]
    (fault,) = validate_topology("string", r_km[order], v_km_s[order])
    assert fault.startswith("transposed string: 1-2, 3-4")


def test_two_planes_are_no_ring() -> None:
    a, va = fly(PlaneConfig(satellite_count=6, spacing_deg=60.0))
    b, vb = fly(PlaneConfig(satellite_count=6, spacing_deg=60.0, raan_deg=20.0))
    faults = validate_topology("ring", np.concatenate([a, b]), np.concatenate([va, vb]))
    assert sum(fault.startswith("not one plane") for fault in faults) == 6


def test_too_few_satellites_are_a_fault_not_a_crash() -> None:
    r_km, v_km_s = fly(PlaneConfig(satellite_count=2))
    assert validate_topology("ring", r_km, v_km_s) == ["topology 'ring' needs at least 3 satellites, found 2"]


def test_faults_over_a_run_are_found_from_element_sets() -> None:
    ring = [one.satrec for one in plane_elements(PlaneConfig())]
    assert topology_faults("ring", ring, EPOCH_UTC, 1_800) == []
    assert topology_faults("string", ring[:3], EPOCH_UTC, 10) == []
    assert topology_faults("ring", ring[:6], EPOCH_UTC, 1_800)[0].startswith("open ring")
