"""Tiles: a face gives on views of larger images what it gives on copies of them, and writes nothing beside a tile."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.kernels import KernelError
from flightos.kernels.bandmath import (
    calibrate,
    correct_radiance,
    mask_above,
    mask_below,
    normalised_difference,
    normalised_difference_above,
    sum_fixed,
)
from flightos.kernels.classes import SceneLimits, change_classes, cloud_mask
from flightos.kernels.detection import HotspotLimits, TargetLimits, find_hotspots, find_targets
from flightos.kernels.filters import Edge, Finish, convolve, convolve_separable
from flightos.kernels.regions import label_regions
from flightos.kernels.sar import RangeAxis, backproject, corner_turn, matched_filter

IMAGE_SHAPE = (17, 45)
LAW = settings(max_examples=25, deadline=None)
SCENE = SceneLimits(20000, 40, 30000, 10000, 60, 9000, 20000, 15000, 10)

TAPS = np.linspace(-1, 1.5, 9).astype(np.float32)
ROW_F = np.linspace(0, 1, IMAGE_SHAPE[1]).astype(np.float32)
ROW_Z = (ROW_F + 1j * ROW_F[::-1]).astype(np.complex64)

Images = dict[str, Any]
Call = Callable[[Images, Any], Any]


def images_of(seed: int) -> Images:
    """Counts, floats with some NaN, and outputs full of a pattern."""
    chance = np.random.default_rng(seed)
    counts = {name: chance.integers(0, 65536, IMAGE_SHAPE, np.uint16) for name in ("a", "b", "c", "d")}
    floats = {name: chance.uniform(-4, 4, IMAGE_SHAPE).astype(np.float32) for name in ("f", "g")}
    floats["f"][chance.random(IMAGE_SHAPE) < 0.05] = np.nan
    return {
        "inside": (chance.random(IMAGE_SHAPE) < 0.4).astype(np.uint8),
        "bytes": chance.integers(0, 256, IMAGE_SHAPE, np.uint8),
        **counts,
        **floats,
        "z": (chance.normal(size=IMAGE_SHAPE) + 1j * chance.normal(size=IMAGE_SHAPE)).astype(np.complex64),
        "echoes": np.full(IMAGE_SHAPE, -7.5, np.complex64),
        "values": np.full(IMAGE_SHAPE, -7.5, np.float32),
        "marks": np.full(IMAGE_SHAPE, 0xA5, np.uint8),
    }


CALLS: dict[str, tuple[tuple[str, ...], Call]] = {
    "correct_radiance_u8": (("values",), lambda i, out: correct_radiance(i["bytes"], i["f"], i["g"], *out)),
    "correct_radiance_u16": (("values",), lambda i, out: correct_radiance(i["a"], i["f"], i["g"], *out)),
    "calibrate": (("values", "marks"), lambda i, out: calibrate(i["a"], i["f"], i["g"], 40000, 3.0, out)),
    "ndiff_u16": (("values",), lambda i, out: normalised_difference(i["a"], i["b"], *out)),
    "ndiff_f32": (("values",), lambda i, out: normalised_difference(i["f"], i["g"], *out)),
    "ndiff_mask_u16": (
        ("values", "marks"),
        lambda i, out: normalised_difference_above(i["a"], i["b"], 0.2, out),
    ),
    "ndiff_mask_f32": (
        ("values", "marks"),
        lambda i, out: normalised_difference_above(i["f"], i["g"], 0.2, out),
    ),
    "mask_above": (("marks",), lambda i, out: mask_above(i["f"], 0.5, *out)),
    "mask_below": (("marks",), lambda i, out: mask_below(i["f"], 0.5, *out)),
    "sum_fixed": ((), lambda i, out: sum_fixed(i["f"])),
    "cloud_mask": (("marks",), lambda i, out: cloud_mask(i["a"], i["b"], i["c"], i["d"], SCENE, *out)),
    "change_classes": (
        ("marks",),
        lambda i, out: change_classes(i["a"], i["b"], i["c"], i["d"], out=out[0]),
    ),
    "find_targets": (("marks",), lambda i, out: find_targets(i["a"], TargetLimits(1, 4, 100, 2.5), *out)),
    "find_hotspots": (
        ("marks",),
        lambda i, out: find_hotspots(i["a"], HotspotLimits(3, 40000, 60000, 5, 100.0, 1.5), *out),
    ),
    "convolve": (
        ("values",),
        lambda i, out: convolve(i["f"], TAPS.reshape(3, 3), Edge.MIRROR, Finish.NONE, 0.0, *out),
    ),
    "convolve_separable": (
        ("values",),
        lambda i, out: convolve_separable(i["f"], TAPS[:5], TAPS[2:7], Edge.ZERO, Finish.RELU, 0.5, *out),
    ),
    "corner_turn": ((), lambda i, out: corner_turn(i["z"]).tolist()),
    "matched_filter": (
        ("echoes",),
        lambda i, out: matched_filter(i["z"], ROW_Z[: i["z"].shape[1]], ROW_F[: i["z"].shape[1]], *out),
    ),
    "label_regions": ((), lambda i, out: label_regions(i["inside"], i["f"], 2).tolist()),
    "label_regions_alone": ((), lambda i, out: label_regions(i["inside"], None, 1).tolist()),
}


def numbers_of(result: Any) -> list[Any]:
    """What a face gives beside arrays."""
    parts = result if isinstance(result, tuple) else (result,)
    return [part for part in parts if not isinstance(part, np.ndarray)]


@pytest.mark.parametrize("name", CALLS)
@LAW
@given(
    seed=st.integers(0, 1 << 32),
    rows=st.tuples(st.integers(0, IMAGE_SHAPE[0]), st.integers(0, IMAGE_SHAPE[0])),
    cols=st.tuples(st.integers(0, IMAGE_SHAPE[1]), st.integers(0, IMAGE_SHAPE[1])),
    every=st.integers(1, 3),
)
def test_a_tile_is_as_its_copy(
    name: str, seed: int, rows: tuple[int, int], cols: tuple[int, int], every: int
) -> None:
    outputs, call = CALLS[name]
    images = images_of(seed)
    window = (slice(min(rows), max(rows), every), slice(min(cols), max(cols)))
    before = {key: image.copy() for key, image in images.items()}
    copies = {key: image[window].copy() for key, image in images.items()}
    views = {key: image[window] for key, image in images.items()}
    expected = call(copies, tuple(copies[key] for key in outputs))
    found = call(views, tuple(views[key] for key in outputs))
    assert numbers_of(found) == numbers_of(expected)
    for key in outputs:
        before[key][window] = copies[key]
    for key, image in images.items():
        assert np.array_equal(image, before[key], equal_nan=image.dtype.kind in "fc"), key


def test_an_image_is_turned_and_focused_into_a_tile() -> None:
    z = images_of(6)["z"]
    large = np.full((60, 70), -7.5, np.complex64)
    turned = corner_turn(z[3:12, 5:40], large[7:42, 11:20])
    assert np.array_equal(turned, z[3:12, 5:40].T)
    large[7:42, 11:20] = -7.5
    assert (large == np.complex64(-7.5)).all()

    pulses_m = np.tile([100.0, 0.0, 50.0, 111.0], (9, 1))
    axis, x_m, y_m = RangeAxis(-20.0, 1.25, 0.3), np.arange(-4.0, 4.0), np.arange(-3.0, 3.0)
    expected = backproject(z[3:12, 5:40].copy(), pulses_m, axis, x_m, y_m)
    found = backproject(z[3:12, 5:40], pulses_m, axis, x_m, y_m, large[1:7, 2:10])
    assert np.array_equal(found, expected)


def test_one_row_of_gains_serves_all_rows() -> None:
    images = images_of(3)
    gain, dark = (np.broadcast_to(images[key][:1], IMAGE_SHAPE) for key in ("f", "g"))
    expected = correct_radiance(images["a"], gain.copy(), dark.copy())
    assert np.array_equal(correct_radiance(images["a"], gain, dark), expected, equal_nan=True)


def test_tiles_of_one_image_may_be_input_and_output() -> None:
    """The left half of the counts goes into the right half of a mask that shares nothing with it."""
    image = images_of(4)["f"]
    left, right = image[:, :20], image[:, 20:40]
    expected = normalised_difference(left.copy(), left.copy())
    normalised_difference(left, left, right)
    assert np.array_equal(right, expected, equal_nan=True)


def test_what_is_no_tile_is_refused() -> None:
    image = images_of(5)["f"]
    for refused in (image[:, ::2], image.T, image[::-1], image[:, ::-1]):
        with pytest.raises(KernelError, match="NOT_CONTIGUOUS"):
            sum_fixed(refused)
    with pytest.raises(KernelError, match="NOT_CONTIGUOUS"):
        sum_fixed(np.zeros((4, 4, 4), np.float32)[:, :2])
    with pytest.raises(KernelError, match="OVERLAP"):
        mask_above(image, 0.0, np.broadcast_to(np.zeros(IMAGE_SHAPE[1], np.uint8), IMAGE_SHAPE))
    with pytest.raises(KernelError, match="OVERLAP"):
        normalised_difference(image[:, :20], image[:, :20], image[:, 19:39])
    with pytest.raises(TypeError, match="float32, not uint16"):
        sum_fixed(images_of(5)["a"][:, :3])
    with pytest.raises(KernelError, match="SHAPE_MISMATCH"):
        normalised_difference(image[:, :3], image[:, :4])
