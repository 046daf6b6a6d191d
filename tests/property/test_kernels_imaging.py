"""Imaging and detection faces give the bits of their references, whatever the shape and the values."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flightos.kernels import reference, reference_imaging
from flightos.kernels.bandmath import calibrate, normalised_difference, normalised_difference_above
from flightos.kernels.classes import ChangeClass, SceneClass, SceneLimits, change_classes, cloud_mask
from flightos.kernels.detection import HotspotLimits, TargetLimits, find_hotspots, find_targets
from flightos.kernels.filters import Edge, Finish, convolve, convolve_separable

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=40)
ANY_FLOAT = st.floats(width=32)
FINITE = st.floats(-8, 8, width=32)
FEW_COUNTS = st.sampled_from([0, 1, 2, 99, 100, 4095, 32767, 32768, 65534, 65535])
LAW = settings(max_examples=40, deadline=None)


def same_bits(left: Any, right: Any) -> bool:
    """Equal to the last bit, where every NaN is like any other."""
    numbers = ~np.isnan(left)
    same_numbers = np.array_equal(left[numbers].view(np.uint32), right[numbers].view(np.uint32))
    return same_numbers and np.array_equal(np.isnan(left), np.isnan(right))


def counts(data: Any, shape: tuple[int, ...], number: int) -> Any:
    elements = data.draw(st.sampled_from([FEW_COUNTS, st.integers(0, 65535)]))
    return [data.draw(hnp.arrays(np.uint16, shape, elements=elements)) for _ in range(number)]


@LAW
@given(data=st.data(), shape=SHAPES, saturation_dn=st.integers(0, 65535), fill=ANY_FLOAT)
def test_calibration(data: Any, shape: tuple[int, int], saturation_dn: int, fill: float) -> None:
    (raw,) = counts(data, shape, 1)
    gain, dark = (data.draw(hnp.arrays(np.float32, shape, elements=ANY_FLOAT)) for _ in range(2))
    radiance, flags = np.empty(shape, np.float32), np.empty(shape, np.uint8)
    expected = reference_imaging.calibrate(raw, gain, dark, saturation_dn, fill, radiance, flags)
    found = calibrate(raw, gain, dark, saturation_dn, fill)
    assert (found.bad_count, found.saturated_count) == expected
    assert same_bits(found.radiance, radiance)
    assert np.array_equal(found.flags, flags)


@LAW
@given(data=st.data(), shape=SHAPES, threshold=st.floats(-1, 1, width=32), wide=st.booleans())
def test_indices_and_their_masks(data: Any, shape: tuple[int, int], threshold: float, wide: bool) -> None:
    if wide:
        a, b = (data.draw(hnp.arrays(np.float32, shape, elements=ANY_FLOAT)) for _ in range(2))
    else:
        a, b = counts(data, shape, 2)
    expected, mask = np.empty(shape, np.float32), np.empty(shape, np.uint8)
    reference.normalised_difference(a, b, expected)
    count = reference.mask_above(expected, threshold, mask)
    assert same_bits(normalised_difference(a, b), expected)
    index, found_mask, found_count = normalised_difference_above(a, b, threshold)
    assert same_bits(index, expected)
    assert np.array_equal(found_mask, mask)
    assert found_count == count


@LAW
@given(data=st.data(), shape=SHAPES)
def test_scene_classes(data: Any, shape: tuple[int, int]) -> None:
    bands: tuple[Any, Any, Any, Any] = tuple(counts(data, shape, 4))
    limit, ratio = st.integers(-1, 70_000), st.integers(-256, 256)
    drawn = [data.draw(ratio if place in (1, 4, 8) else limit) for place in range(9)]
    expected = np.empty(shape, np.uint8)
    reference_imaging.cloud_mask(*bands, tuple(drawn), expected)
    classes, class_counts = cloud_mask(*bands, SceneLimits(*drawn))
    assert np.array_equal(classes, expected)
    assert class_counts == tuple(int((expected == scene).sum()) for scene in SceneClass)


@LAW
@given(data=st.data(), shape=SHAPES)
def test_change_classes(data: Any, shape: tuple[int, int]) -> None:
    bands: tuple[Any, Any, Any, Any] = tuple(counts(data, shape, 4))
    drawn = data.draw(st.lists(st.floats(-2, 2, width=32), min_size=6, max_size=6, unique=True))
    thresholds = tuple(sorted(drawn))
    expected = np.empty(shape, np.uint8)
    reference_imaging.change_classes(*bands, np.array(thresholds, np.float32), expected)
    classes, class_counts = change_classes(*bands, thresholds)
    assert np.array_equal(classes, expected)
    assert class_counts == tuple(int((expected == change).sum()) for change in ChangeClass)


@LAW
@given(
    data=st.data(),
    shape=SHAPES,
    edge=st.sampled_from(Edge),
    finish=st.sampled_from(Finish),
    limit=FINITE,
    with_nan=st.booleans(),
)
def test_filters(
    data: Any, shape: tuple[int, int], edge: Edge, finish: Finish, limit: float, with_nan: bool
) -> None:
    image = data.draw(hnp.arrays(np.float32, shape, elements=ANY_FLOAT if with_nan else FINITE))
    side = data.draw(st.sampled_from([3, 5]))
    taps = data.draw(hnp.arrays(np.float32, (side, side), elements=FINITE))
    expected = reference_imaging.convolve(image, taps, edge, finish, limit)
    assert same_bits(convolve(image, taps, edge, finish, limit), expected)
    side = data.draw(st.sampled_from([3, 5, 7]))
    row_taps, col_taps = (data.draw(hnp.arrays(np.float32, side, elements=FINITE)) for _ in range(2))
    expected = reference_imaging.convolve_separable(image, row_taps, col_taps, edge, finish, limit)
    assert same_bits(convolve_separable(image, row_taps, col_taps, edge, finish, limit), expected)


@LAW
@given(data=st.data(), shape=SHAPES, train=st.integers(1, 20), k_squared=st.floats(0, 40))
def test_targets(data: Any, shape: tuple[int, int], train: int, k_squared: float) -> None:
    (image,) = counts(data, shape, 1)
    limits = TargetLimits(data.draw(st.integers(0, train - 1)), train, data.draw(FEW_COUNTS), k_squared)
    mask, count = find_targets(image, limits)
    assert np.array_equal(mask, reference_imaging.find_targets(image, limits))
    assert count == np.count_nonzero(mask)


@LAW
@given(data=st.data(), shape=SHAPES, radius=st.integers(1, 20), k_squared=st.floats(0, 40))
def test_hotspots(data: Any, shape: tuple[int, int], radius: int, k_squared: float) -> None:
    (image,) = counts(data, shape, 1)
    limits = HotspotLimits(
        radius,
        data.draw(st.integers(1, 65535)),
        data.draw(FEW_COUNTS),
        data.draw(st.integers(1, 30)),
        data.draw(st.floats(-10, 1000)),
        k_squared,
    )
    mask, count = find_hotspots(image, limits)
    assert np.array_equal(mask, reference_imaging.find_hotspots(image, limits))
    assert count == np.count_nonzero(mask)
