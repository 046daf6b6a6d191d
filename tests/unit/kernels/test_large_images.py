"""Images large enough to be written past the caches: the bits of the references, wherever the result begins."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from flightos.kernels import (
    bandmath,
    filters,
    integer,
    reference,
    reference_geometry,
    reference_imaging,
    reference_integer,
    sar,
)
from flightos.kernels.arguments import new_output

SHAPE = (1031, 1025)
"""More than 2^20 pixels, in rows that are no whole number of vectors or lines of the cache."""

BEGINS = pytest.mark.parametrize("begin", [0, 1, 4])
"""Elements between a line of the cache and the result."""


def out_at(begin: int, shape: tuple[int, ...], dtype: Any) -> NDArray[Any]:
    """An array that begins so many elements after a line of the cache."""
    size = int(np.prod(shape))
    return new_output((size + begin,), dtype)[begin:].reshape(shape)


@pytest.fixture(scope="module")
def counts() -> list[NDArray[np.uint16]]:
    stream = np.random.default_rng(3)
    return [stream.integers(0, 4096, SHAPE, np.uint16) for _ in range(2)]


@pytest.fixture(scope="module")
def floats() -> list[NDArray[np.float32]]:
    stream = np.random.default_rng(4)
    images = [stream.standard_normal(SHAPE, np.float32) for _ in range(2)]
    images[0][::7, ::11] = np.nan
    return images


@BEGINS
def test_calibration(counts: Any, floats: Any, begin: int) -> None:
    radiance, flags = out_at(begin, SHAPE, np.float32), out_at(begin, SHAPE, np.uint8)
    gain, dark = floats
    found = bandmath.calibrate(counts[0], gain, dark, 4000, -1.0, (radiance, flags))
    expected = np.empty_like(radiance), np.empty_like(flags)
    numbers = reference_imaging.calibrate(counts[0], gain, dark, 4000, -1.0, *expected)
    assert np.array_equal(radiance, expected[0])
    assert np.array_equal(flags, expected[1])
    assert (found.bad_count, found.saturated_count) == numbers
    bandmath.correct_radiance(counts[0], gain, dark, radiance)
    reference.correct_radiance(counts[0], gain, dark, expected[0])
    assert np.array_equal(radiance, expected[0], equal_nan=True)


@BEGINS
def test_differences_and_masks(counts: Any, floats: Any, begin: int) -> None:
    index, mask = out_at(begin, SHAPE, np.float32), out_at(begin, SHAPE, np.uint8)
    expected, expected_mask = np.empty_like(index), np.empty_like(mask)
    for a, b in (counts, floats):
        reference.normalised_difference(a, b, expected)
        assert np.array_equal(bandmath.normalised_difference(a, b, index), expected, equal_nan=True)
        found = bandmath.normalised_difference_above(a, b, 0.1, (index, mask))
        assert found[2] == reference.mask_above(expected, 0.1, expected_mask)
        assert np.array_equal(index, expected, equal_nan=True)
        assert np.array_equal(mask, expected_mask)
    for own, plain in (
        (bandmath.mask_above, reference.mask_above),
        (bandmath.mask_below, reference.mask_below),
    ):
        assert own(floats[0], 0.25, mask)[1] == plain(floats[0], 0.25, expected_mask)
        assert np.array_equal(mask, expected_mask)


@BEGINS
def test_filters(floats: Any, begin: int) -> None:
    image, filtered = floats[0], out_at(begin, SHAPE, np.float32)
    taps = np.random.default_rng(5).standard_normal((7, 7), np.float32)
    for side, edge, finish in ((3, 0, 1), (5, 2, 0)):
        square = np.ascontiguousarray(taps[:side, :side])
        filters.convolve(image, square, filters.Edge(edge), filters.Finish(finish), 0.5, filtered)
        expected = reference_imaging.convolve(image, square, edge, finish, 0.5)
        assert np.array_equal(filtered, expected, equal_nan=True)
    filters.convolve_separable(image, taps[0], taps[1], filters.Edge.ZERO, out=filtered)
    expected = reference_imaging.convolve_separable(image, taps[0], taps[1], 0, 0, 0.0)
    assert np.array_equal(filtered, expected, equal_nan=True)


@BEGINS
def test_quantisation(floats: Any, begin: int) -> None:
    values, scale, zero_point = floats[0].reshape(1, -1), np.array([0.03], np.float32), np.array([7], np.int8)
    quantised, back = out_at(begin, values.shape, np.int8), out_at(begin, values.shape, np.float32)
    expected, expected_back = np.empty_like(quantised), np.empty_like(back)
    integer.quantise(values, scale, zero_point, quantised)
    reference_integer.quantise(values, scale, zero_point, expected)
    assert np.array_equal(quantised, expected)
    integer.dequantise(quantised, scale, zero_point, back)
    reference_integer.dequantise(quantised, scale, zero_point, expected_back)
    assert np.array_equal(back, expected_back)


@BEGINS
def test_radar(floats: Any, begin: int) -> None:
    signal = floats[0] + 1j * floats[1]
    turned = out_at(begin, SHAPE[::-1], np.complex64)
    assert np.array_equal(sar.corner_turn(signal, turned), signal.T, equal_nan=True)
    line, window = signal[1].copy(), floats[1][0].copy()
    filtered, expected = out_at(begin, SHAPE, np.complex64), np.empty_like(signal)
    sar.matched_filter(signal, line, window, filtered)
    reference_geometry.matched_filter(signal, line, window, expected)
    assert np.array_equal(filtered, expected, equal_nan=True)
