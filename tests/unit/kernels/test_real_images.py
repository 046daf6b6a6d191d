"""The kernels on real inputs reproduce the published figures of the data set.

The Landsat image is shipped (sil/data). The Sentinel-2 patch and the Gotcha SAR set are not: `FLIGHTOS_DATA`
names their folder, a `shared/data` beside the checkout otherwise; without them these tests are skipped and say so.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from flightos.kernels import backend, reference_geometry
from flightos.kernels.bandmath import normalised_difference, normalised_difference_above, sum_fixed
from flightos.kernels.classes import ChangeClass, change_classes
from flightos.kernels.filters import convolve_separable
from flightos.kernels.regions import RegionColumn, label_regions
from flightos.kernels.sar import RangeAxis, backproject
from sil.world.scene import BAND_ROLES, plant_burn, read_scene

ROOT = Path(__file__).parents[3]
DATA = Path(os.environ.get("FLIGHTOS_DATA", ROOT.parent / "shared" / "data"))
LIGHT_M_S = 299_792_458.0
FIXED_ONE = float(1 << 30)


def expected(item: str) -> dict[str, Any]:
    """The reference figures of one item: name to value and tolerance."""
    file = DATA / "reference.json"
    if not file.exists():
        pytest.skip(f"{file} is missing: {item} is not checked here (set FLIGHTOS_DATA)")
    figures: dict[str, Any] = json.loads(file.read_text())["items"][item]["expected"]
    return figures


def assert_figure(figures: dict[str, Any], name: str, found: float, more_tolerance: float = 0.0) -> None:
    tolerance = figures[name]["tolerance"] + more_tolerance
    assert abs(found - figures[name]["value"]) <= tolerance, f"{name}: {found}, not {figures[name]['value']}"


def load(path: str) -> Any:
    file = DATA / path
    if not file.exists():
        pytest.skip(f"{file} is missing: not checked here (set FLIGHTOS_DATA)")
    return np.load(file)


def mean_index(index: Any) -> float:
    total, counted = sum_fixed(index)
    return total / FIXED_ONE / counted


def test_sentinel_2_indices() -> None:
    """From counts straight to the mean of the index; float32 and 2^-30 steps cost less than 1e-7."""
    figures, bands = expected("sentinel2_10m"), load("sentinel2_10m/s2_10m.npz")
    green, red, nir = (np.ascontiguousarray(bands[name]) for name in ("B03", "B04", "B08"))
    ndvi = normalised_difference(nir, red)
    assert_figure(figures, "ndvi_mean", mean_index(ndvi), 1e-7)
    assert_figure(figures, "ndvi_min", float(ndvi.min()), 1e-7)
    assert_figure(figures, "ndvi_max", float(ndvi.max()), 1e-7)
    ndwi, _, water_count = normalised_difference_above(green, nir, 0.0)
    assert_figure(figures, "ndwi_mean", mean_index(ndwi), 1e-7)
    assert_figure(figures, "ndwi_fraction_above_0", water_count / ndwi.size)


def test_landsat_7_indices_and_water() -> None:
    figures = expected("landsat7_olinda")
    pytest.importorskip("tifffile", reason="tifffile is not installed: the Landsat image is not read")
    image = read_scene(ROOT / "sil/data/L7_ETMs.tif").image
    bands = {role: band.astype(np.uint16) for role, band in zip(BAND_ROLES, image, strict=True)}
    pairs = {
        "ndvi": ("nir", "red"),
        "nbr": ("nir", "swir2"),
        "mndwi": ("green", "swir1"),
        "ndwi": ("green", "nir"),
    }
    for name, (first, second) in pairs.items():
        index, mask, count = normalised_difference_above(bands[first], bands[second], 0.0)
        assert_figure(figures, f"{name}_mean", mean_index(index), 1e-7)
        assert_figure(figures, f"{name}_fraction_above_0", count / index.size)
        assert label_regions(mask, index, 1)[:, RegionColumn.PIXEL_COUNT].sum() == count


def test_a_planted_burn_is_classified_as_one() -> None:
    """Nearly all pixels of the planted burn become worse than unburned; nearly all others stay as they were."""
    pytest.importorskip("tifffile", reason="tifffile is not installed: the Landsat image is not read")
    scene = read_scene(ROOT / "sil/data/L7_ETMs.tif")
    burnt, burn_mask = plant_burn(scene)
    nir, swir = BAND_ROLES.index("nir"), BAND_ROLES.index("swir2")
    before, after = (np.ascontiguousarray(one.image, np.uint16) for one in (scene, burnt))
    classes, counts = change_classes(before[nir], before[swir], after[nir], after[swir])
    worse = (classes > ChangeClass.UNBURNED) & (classes < ChangeClass.NO_DATA)
    assert sum(counts) == classes.size
    assert worse[burn_mask].mean() > 0.95
    assert not worse[~burn_mask].any()


def focus(pulse_step: int) -> tuple[Any, Any, Any]:
    """Range profiles by a padded inverse transform, then backprojection onto the reference grid."""
    data = load("sar_gotcha/gotcha_pass1_hh_az001-004.npz")
    history, frequency_hz = data["phase_history"].astype(complex), data["frequency_hz"]
    bin_count = 8192
    profile = np.fft.fftshift(np.fft.ifft(history, bin_count, axis=0), axes=0)
    profiles = np.ascontiguousarray(profile.T.astype(np.complex64)[::pulse_step])
    names = ("antenna_x_m", "antenna_y_m", "antenna_z_m", "range_to_centre_m")
    pulses = np.stack([data[name][::pulse_step] for name in names], axis=1)
    step = LIGHT_M_S / (2 * bin_count * np.diff(frequency_hz).mean())
    axis = RangeAxis(-bin_count / 2 * step, step, 2 * frequency_hz[0] / LIGHT_M_S)
    places = np.arange(-50, 50, 0.5)
    arguments = (profiles, pulses, axis, places, places)
    return backproject(*arguments), places, arguments


def test_gotcha_sar_is_focused() -> None:
    figures = expected("sar_gotcha")
    if backend() != "c":
        pytest.skip("flightos._fos is not built: all 469 pulses take the NumPy reference too long")
    image, places, _ = focus(1)
    size = np.abs(image).astype(np.float64)
    row, col = np.unravel_index(size.argmax(), size.shape)
    power = size**2 / (size**2).sum()
    assert_figure(figures, "peak_x_m", float(places[col]))
    assert_figure(figures, "peak_y_m", float(places[row]))
    assert_figure(figures, "peak_to_median_db", 20 * float(np.log10(size.max() / np.median(size))))
    assert_figure(figures, "entropy", float(-(power * np.log(power)).sum()))
    assert_figure(figures, "contrast", float(size.std() / size.mean()))


def test_gotcha_sar_has_the_bits_of_the_reference() -> None:
    """A few pulses of the real set, face against NumPy."""
    image, _, arguments = focus(60)
    reference = np.empty_like(image)
    profiles, pulses, axis, x_m, y_m = arguments
    reference_geometry.backproject(profiles, pulses, axis, x_m, y_m, reference)
    assert np.array_equal(image.view(np.uint64), reference.view(np.uint64))


def test_smoothing_keeps_the_mean_of_a_real_band() -> None:
    bands = load("sentinel2_10m/s2_10m.npz")
    band = np.ascontiguousarray(bands["B08"], np.float32)
    taps = np.array([1, 4, 6, 4, 1], np.float32) / np.float32(16)
    smooth = convolve_separable(band, taps, taps)
    assert abs(float(smooth.mean(dtype=np.float64)) / float(band.mean(dtype=np.float64)) - 1) < 1e-3
    assert smooth.std() < band.std()
