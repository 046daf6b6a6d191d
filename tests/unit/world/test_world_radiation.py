"""The anomaly, the flux grid and the arrival of upsets."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from sil.data import PROTON_FLUX_GRID
from sil.world.constants import EARTH_ROTATION_RAD_S
from sil.world.orbit import circular_positions_teme_km
from sil.world.radiation import (
    FluxGrid,
    NamedStream,
    UpsetProcess,
    UpsetRates,
    flux_threshold,
    saa_margin,
)

VECTORS = Path(__file__).parents[2] / "vectors" / "world"
EXPECTED = json.loads((VECTORS / "orbits_reference.json").read_text())["saa"]


def check(key: str, value: float) -> None:
    """Compare with the value AP8 itself gave on the track."""
    assert abs(value - EXPECTED[key]["value"]) <= EXPECTED[key]["tolerance"], f"{key}: {value}"


def test_flux_and_ellipse_on_a_500_km_track_agree_with_ap8() -> None:
    """Three days of a 500 km sun-synchronous orbit in 30 s steps, spherical latitude as in the reference."""
    t_s = np.arange(0.0, 3 * 86_400.0, 30.0)
    r_km = circular_positions_teme_km(6878.137, 97.402, 0.0, [0.0], t_s)[0]
    latitude = np.degrees(np.arcsin(r_km[:, 2] / 6878.137))
    longitude = np.degrees(np.arctan2(r_km[:, 1], r_km[:, 0]) - EARTH_ROTATION_RAD_S * t_s)
    longitude = (longitude + 180.0) % 360.0 - 180.0
    flux = FluxGrid.load(PROTON_FLUX_GRID, 500.0).flux(latitude, longitude)
    inside = saa_margin(latitude, longitude) >= 0.0
    check("sso500_mean_flux", float(flux.mean()))
    check("sso500_ellipse_time_fraction", float(inside.mean()))
    check("sso500_ellipse_flux_share", float(flux[inside].sum() / flux.sum()))
    check("sso500_time_fraction_above_10", float((flux > 10.0).mean()))


@pytest.mark.parametrize(("altitude_km", "nearest_km"), [(480.0, 500), (540.0, 550), (800.0, 650)])
def test_grid_of_the_nearest_height_peaks_where_ap8_does(altitude_km: float, nearest_km: int) -> None:
    grid = FluxGrid.load(PROTON_FLUX_GRID, altitude_km)
    assert grid.altitude_km == nearest_km
    latitude = EXPECTED[f"peak_lat_deg_{nearest_km}km"]["value"]
    longitude = EXPECTED[f"peak_lon_deg_{nearest_km}km"]["value"]
    here = float(grid.flux(np.array([latitude]), np.array([longitude]))[0])
    check(f"peak_flux_{nearest_km}km", here)
    assert here == grid.values.max()


def test_flux_wraps_at_the_date_line() -> None:
    grid = FluxGrid(500, np.tile(np.arange(180.0), (91, 1)))
    west, middle, east = grid.flux(np.zeros(3), np.array([178.0, 179.0, -180.0]))
    assert (west, middle, east) == (179.0, 89.5, 0.0)


def test_ellipse_reaches_as_far_as_its_axes() -> None:
    places = np.array([[-30.0, -30.0], [-5.1, -30.0], [-4.9, -30.0], [-30.0, 24.9], [-30.0, 25.1]])
    inside = saa_margin(places[:, 0], places[:, 1]) >= 0.0
    assert inside.tolist() == [True, True, False, True, False]


def test_streams_are_named_and_repeat_everywhere() -> None:
    """The first draws are fixed numbers: another machine, Python or hash seed must give the same."""
    assert [NamedStream(7, 3, "upset").draw() for _ in range(2)] == [NamedStream(7, 3, "upset").draw()] * 2
    first = NamedStream(7, 3, "upset").draw()
    assert first == 3744267116254829705
    others = [NamedStream(8, 3, "upset"), NamedStream(7, 4, "upset"), NamedStream(7, 3, "upset-place")]
    assert first not in [other.draw() for other in others]
    stream = NamedStream(1, 1, "x")
    assert all(0 <= stream.below(6) < 6 for _ in range(50))


def test_upsets_are_bursty_and_keep_their_mean() -> None:
    """Orbits of 5,677 s, the first 6.61 % inside: 90 % of the upsets fall there and the mean holds."""
    rates = UpsetRates(per_day=2_000.0)
    process = UpsetProcess(11, 1, rates)
    inside_count = outside_count = 0
    duration_s = 20 * 5_677
    for second in range(duration_s):
        in_saa = second % 5_677 < 375
        if process.step(in_saa) is not None:
            inside_count += in_saa
            outside_count += not in_saa
    expected = 2_000.0 * duration_s / 86_400.0
    assert process.count == inside_count + outside_count
    assert process.count == pytest.approx(expected, abs=4.0 * expected**0.5)
    assert inside_count / process.count == pytest.approx(0.9, abs=0.03)


def test_a_second_costs_one_draw_whatever_its_rate() -> None:
    """Arrivals after a pass do not depend on whether the pass happened."""
    rates = UpsetRates(per_day=4_000.0, inside_ratio=0.5, time_ratio=0.5)
    calm, passing = UpsetProcess(5, 2, rates), UpsetProcess(5, 2, rates)
    hits = [(calm.step(False) is None, passing.step(True) is None) for _ in range(20_000)]
    assert all(one == other for one, other in hits), "equal rates inside and outside: equal arrivals"
    assert calm.count > 500


def test_rates_that_one_draw_a_second_cannot_serve_are_refused() -> None:
    assert UpsetRates(per_day=0.0).thresholds() == (0, 0)
    with pytest.raises(ValueError, match="one upset a second"):
        UpsetRates(per_day=1e6).thresholds()
    with pytest.raises(ValueError, match="one upset a second"):
        UpsetRates(per_day=-1.0).thresholds()
    with pytest.raises(ValueError, match="inside_ratio"):
        UpsetRates(inside_ratio=1.5).thresholds()


def test_flux_threshold_scales_with_the_flux() -> None:
    mean = flux_threshold(16_000, 16_000, 86.4)
    assert mean == pytest.approx(0.001 * 2.0**63, rel=1e-12)
    assert flux_threshold(160_000, 16_000, 86.4) == 10 * mean
    assert flux_threshold(0, 16_000, 86.4) == 0
    assert flux_threshold(10**12, 1, 86.4) == 1 << 63
    with pytest.raises(ValueError, match="mean_flux_e3 = 0"):
        flux_threshold(1, 0, 1.0)
