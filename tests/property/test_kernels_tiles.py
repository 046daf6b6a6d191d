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
from flightos.kernels.regions import label_regions

IMAGE_SHAPE = (17, 45)
LAW = settings(max_examples=25, deadline=None)
SCENE = SceneLimits(20000, 40, 30000, 10000, 60, 9000, 20000, 15000, 10)

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
        assert np.array_equal(image, before[key], equal_nan=image.dtype == np.float32), key


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
