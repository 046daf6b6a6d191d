"""Closed-form check values of a circular orbit: period, node, eclipse, chords, line of sight."""

from __future__ import annotations

import numpy as np
import pytest

from sil.world import eclipse, links, orbit
from sil.world.constants import EARTH_RADIUS_KM
from sil.world.topology import topology_pairs, visible_pairs

RING_KM = EARTH_RADIUS_KM + 500.0


def ring(count: int, altitude_km: float = 500.0) -> orbit.Float64Array:
    """Positions of an evenly spaced plane at t = 0, shape (count, 3)."""
    spacing = [360.0 * index / count for index in range(count)]
    axis_km = EARTH_RADIUS_KM + altitude_km
    return orbit.circular_positions_teme_km(axis_km, 97.402, 0.0, spacing, np.zeros(1))[:, 0]


@pytest.mark.parametrize(
    ("altitude_km", "period_s", "speed_km_s", "inclination_deg"),
    [
        (325.0, 5461.70, 7.7113, 96.760),
        (400.0, 5553.62, 7.6686, 97.030),
        (500.0, 5676.98, 7.6126, 97.402),
        (550.0, 5738.99, 7.5851, 97.593),
        (650.0, 5863.69, 7.5309, 97.986),
        (800.0, 6052.41, 7.4518, 98.603),
    ],
)
def test_period_speed_and_sun_synchronous_inclination(
    altitude_km: float, period_s: float, speed_km_s: float, inclination_deg: float
) -> None:
    axis_km = EARTH_RADIUS_KM + altitude_km
    assert orbit.period_s(axis_km) == pytest.approx(period_s, abs=0.005)
    assert orbit.circular_speed_km_s(axis_km) == pytest.approx(speed_km_s, abs=5e-5)
    assert orbit.sun_synchronous_inclination_deg(axis_km) == pytest.approx(inclination_deg, abs=5e-4)


def test_sun_synchronous_inclination_agrees_with_a_public_designer_and_has_an_upper_limit() -> None:
    assert orbit.sun_synchronous_inclination_deg(7083.1) == pytest.approx(98.208, abs=0.002)
    assert orbit.period_s(7083.1) / 60.0 == pytest.approx(98.88, abs=0.005)
    with pytest.raises(ValueError, match="no sun-synchronous"):
        orbit.sun_synchronous_inclination_deg(EARTH_RADIUS_KM + 6_100.0)


@pytest.mark.parametrize(
    ("altitude_km", "inclination_deg", "deg_per_day"),
    [(550.0, 53.0, -4.4892), (550.0, 97.6, 0.9866), (420.0, 51.64, -4.9466)],
)
def test_node_drifts_as_secular_j2_says(
    altitude_km: float, inclination_deg: float, deg_per_day: float
) -> None:
    rate = orbit.nodal_rate_rad_s(EARTH_RADIUS_KM + altitude_km, inclination_deg)
    assert np.degrees(rate) * 86_400.0 == pytest.approx(deg_per_day, abs=6e-5)


@pytest.mark.parametrize(
    ("altitude_km", "at_0", "minutes", "at_30", "at_60"),
    [
        (325.0, 0.40047, 36.45, 0.38442, 0.28907),
        (400.0, 0.39010, 36.11, 0.37220, 0.26333),
        (500.0, 0.37788, 35.75, 0.35773, 0.23072),
        (550.0, 0.37231, 35.61, 0.35111, 0.21474),
        (650.0, 0.36202, 35.38, 0.33882, 0.18253),
        (800.0, 0.34829, 35.13, 0.32228, 0.13016),
    ],
)
def test_eclipse_share_of_a_circular_orbit(
    altitude_km: float, at_0: float, minutes: float, at_30: float, at_60: float
) -> None:
    for beta_deg, share in ((0.0, at_0), (30.0, at_30), (60.0, at_60), (-60.0, at_60), (75.0, 0.0)):
        ratio = eclipse.eclipse_ratio_cylinder(altitude_km, np.radians(beta_deg))
        assert ratio == pytest.approx(share, abs=6e-6)
    period_min = orbit.period_s(EARTH_RADIUS_KM + altitude_km) / 60.0
    assert eclipse.eclipse_ratio_cylinder(altitude_km, 0.0) * period_min == pytest.approx(minutes, abs=0.005)


def test_sampled_orbit_spends_the_closed_form_share_in_the_cylinder_and_the_cones() -> None:
    angle = np.linspace(0.0, 2.0 * np.pi, 11_354, endpoint=False)  # steps of half a second
    r_km = RING_KM * np.stack([np.cos(angle), np.zeros_like(angle), np.sin(angle)], axis=-1)
    sun_unit = np.tile([1.0, 0.0, 0.0], (len(angle), 1))  # the Sun in the plane: beta = 0
    distance_km = np.full(len(angle), 1.496e8)
    dark_share = float(np.mean(eclipse.cylinder_margin_km(r_km, sun_unit) < 0.0))
    assert dark_share == pytest.approx(0.37788, abs=2e-4)
    ratio = eclipse.cone_sunlit_ratio(r_km, sun_unit, distance_km)
    margin = eclipse.cone_margin_rad(r_km, sun_unit, distance_km)
    assert ratio.min() == 0.0
    assert ratio.max() == 1.0
    assert np.array_equal(margin < 0.0, ratio < 1.0), "the penumbra begins where the margin turns negative"
    # Half the Sun is hidden where the cylinder begins, and the penumbra of 500 km lasts some 8 s a side.
    assert float(np.mean(1.0 - ratio)) == pytest.approx(dark_share, abs=2e-3)
    penumbra_s = 0.5 * float(np.count_nonzero((ratio > 0.0) & (ratio < 1.0)))
    assert 2 * 7.0 < penumbra_s < 2 * 12.0


@pytest.mark.parametrize(
    ("altitude_km", "chord_km"), [(500.0, 3560.386), (535.0, 3578.503), (650.0, 3638.031)]
)
def test_ring_of_twelve_chords(altitude_km: float, chord_km: float) -> None:
    positions = ring(12, altitude_km)
    assert float(links.range_km(positions[0], positions[1])) == pytest.approx(chord_km, abs=6e-4)
    assert links.ring_chord_km(EARTH_RADIUS_KM + altitude_km, 30.0) == pytest.approx(chord_km, abs=6e-4)


def test_ring_of_twelve_sees_its_neighbours_and_nobody_else() -> None:
    positions = ring(12)
    pairs = visible_pairs(positions)
    assert len(pairs) == 12
    assert sorted(pairs) == sorted(topology_pairs("ring", 12))
    one_way_ms = float(links.light_time_ms(links.range_km(positions[0], positions[1])))
    assert one_way_ms == pytest.approx(11.876, abs=5e-4)
    assert 6.0 * one_way_ms == pytest.approx(71.26, abs=5e-3), "half way round the ring"
    assert float(links.grazing_height_km(positions[0], positions[1])) == pytest.approx(265.6, abs=0.1)
    assert float(links.grazing_height_km(positions[0], positions[2])) == pytest.approx(-421.0, abs=1.0)


def test_twenty_two_in_a_plane_see_the_next_nearest_too() -> None:
    positions = ring(22, 550.0)
    assert float(links.range_km(positions[0], positions[1])) == pytest.approx(1971.953, abs=6e-4)
    assert float(links.light_time_ms(links.range_km(positions[0], positions[1]))) == pytest.approx(
        6.578, abs=5e-4
    )
    assert float(links.grazing_height_km(positions[0], positions[2])) == pytest.approx(269.0, abs=0.5)


@pytest.mark.parametrize(
    ("altitude_km", "height_km_min", "chord_km"),
    [
        (500.0, 80.0, 4733.4),
        (500.0, 100.0, 4622.8),
        (550.0, 80.0, 5016.6),
        (550.0, 100.0, 4912.4),
        (650.0, 80.0, 5545.2),
        (650.0, 100.0, 5451.0),
    ],
)
def test_longest_clear_chord(altitude_km: float, height_km_min: float, chord_km: float) -> None:
    axis_km = EARTH_RADIUS_KM + altitude_km
    assert links.line_of_sight_km_max(axis_km, height_km_min) == pytest.approx(chord_km, abs=0.05)
    half_rad = np.arcsin(chord_km / 2.0 / axis_km)
    low, high = 2.0 * half_rad * 0.999, 2.0 * half_rad * 1.001
    a = np.array([axis_km, 0.0, 0.0])
    for angle, clear in ((low, True), (high, False)):
        b = axis_km * np.array([np.cos(angle), np.sin(angle), 0.0])
        assert bool(links.in_line_of_sight(a, b, height_km_min)) is clear


def test_grazing_height_of_a_short_segment_is_its_lower_end() -> None:
    """A satellite straight above another: the beam never comes lower than the lower one."""
    low, high = np.array([7000.0, 0.0, 0.0]), np.array([8000.0, 0.0, 0.0])
    assert float(links.grazing_height_km(low, high)) == pytest.approx(7000.0 - EARTH_RADIUS_KM)
    assert float(links.grazing_height_km(high, low)) == pytest.approx(7000.0 - EARTH_RADIUS_KM)
