"""The faces refuse before they write, and give the values the definitions say."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from flightos.kernels import KernelError, isa_name
from flightos.kernels.bandmath import (
    correct_radiance,
    mask_above,
    mask_below,
    normalised_difference,
    pack_bits,
    sum_fixed,
    unpack_bits,
)
from flightos.kernels.regions import RegionColumn, label_regions

F32 = np.float32
IMAGE = np.linspace(-1, 1, 12, dtype=F32).reshape(3, 4)


def test_isa_is_named() -> None:
    assert isa_name() in {"portable", "sse42", "avx2", "avx512", "neon", "neon_dot", "numpy"}


def test_radiance_of_both_sample_types_and_bad_pixels() -> None:
    gain = np.array([2.0, 0.5, np.nan], F32)
    dark = np.array([1.0, 10.0, 0.0], F32)
    for raw_dn in (np.array([3, 20, 9], np.uint8), np.array([3, 20, 9], np.uint16)):
        radiance = correct_radiance(raw_dn, gain, dark)
        assert radiance[:2].tolist() == [4.0, 5.0]
        assert math.isnan(radiance[2])
    assert correct_radiance(np.array([65535], np.uint16), np.ones(1, F32), np.zeros(1, F32)) == 65535


def test_index_is_zero_where_the_sum_is_zero_and_nan_where_a_band_is() -> None:
    index = normalised_difference(np.array([3, 0, 5, np.nan], F32), np.array([1, 0, -5, 1], F32))
    assert index[:3].tolist() == [0.5, 0.0, 0.0]
    assert math.isnan(index[3])


def test_masks_leave_out_the_threshold_itself_and_nan() -> None:
    index = np.array([-0.5, -0.375, 0.0, 0.25, np.nan], F32)
    above, above_count = mask_above(index, 0.0)
    below, below_count = mask_below(index, -0.375)
    assert (above.tolist(), above_count) == ([0, 0, 0, 1, 0], 1)
    assert (below.tolist(), below_count) == ([1, 0, 0, 0, 0], 1)


def test_burn_threshold_is_exact_for_every_pair_of_bytes() -> None:
    """float32 puts exactly those pairs of counts under -0.375 that integers do: 8 (a - b) < -3 (a + b)."""
    a, b = np.meshgrid(np.arange(256), np.arange(256))
    index = normalised_difference(a.astype(F32), b.astype(F32))
    mask, _ = mask_below(index, -0.375)
    assert np.array_equal(mask.astype(bool), (8 * (a - b) < -3 * (a + b)) & (a + b > 0))


def test_fixed_sum_rounds_half_to_even_and_leaves_out_nan() -> None:
    unit = 2.0**-30
    halves = [(0.5, 0), (1.5, 2), (2.5, 2), (-0.5, 0), (-1.5, -2)]
    for value, expected in halves:
        assert sum_fixed(np.array([value * unit], F32)) == (expected, 1)
    assert sum_fixed(np.array([1, np.nan, -0.25], F32)) == (3 << 28, 2)
    assert sum_fixed(np.empty(0, F32)) == (0, 0)


@pytest.mark.parametrize("value", [4.0001, -5.0, np.inf, -np.inf])
def test_fixed_sum_refuses_what_could_overflow(value: float) -> None:
    with pytest.raises(KernelError) as refusal:
        sum_fixed(np.array([0, value], F32))
    assert refusal.value.status_name == "FOS_ERR_RANGE"
    with pytest.raises(KernelError):
        label_regions(np.ones((1, 2), np.uint8), np.array([[0, value]], F32), 1)


def test_bits_are_packed_first_pixel_high() -> None:
    assert pack_bits(np.array([1, 0, 0, 0, 0, 0, 0, 1, 9], np.uint8)) == b"\x81\x80"
    assert unpack_bits(b"\x81\x80", (1, 9)).tolist() == [[1, 0, 0, 0, 0, 0, 0, 1, 1]]
    with pytest.raises(KernelError, match="SHAPE_MISMATCH"):
        unpack_bits(b"\x81\x80", (2, 9))


def test_regions_join_diagonally_and_keep_raster_order() -> None:
    mask = np.array([[1, 0, 1, 0, 0, 1], [1, 0, 1, 0, 1, 0], [1, 1, 1, 0, 0, 1]], np.uint8)
    index = np.full(mask.shape, 0.5, F32)
    table = label_regions(mask, index, 1)
    assert table[:, RegionColumn.FIRST_PIXEL_INDEX].tolist() == [0, 5]
    assert table[:, RegionColumn.PIXEL_COUNT].tolist() == [7, 3]
    assert table[1].tolist() == [5, 3, 3, 14, 0, 2, 4, 5, 3 << 29]
    assert label_regions(mask, index, 4).shape == (1, 9)
    assert label_regions(mask, None, 1)[:, RegionColumn.INDEX_SUM_FIXED].tolist() == [0, 0]
    assert label_regions(np.zeros((0, 0), np.uint8), None, 1).shape == (0, 9)


def test_a_checkerboard_of_lone_pixels_fits_the_table() -> None:
    mask = np.zeros((5, 7), np.uint8)
    mask[::2, ::2] = 1
    assert len(label_regions(mask, None, 1)) == 12


@pytest.mark.parametrize(
    ("call", "status_name"),
    [
        (lambda: normalised_difference(IMAGE, IMAGE[:2].copy()), "SHAPE_MISMATCH"),
        (lambda: normalised_difference(IMAGE.T, IMAGE.T), "NOT_CONTIGUOUS"),
        (lambda: normalised_difference(IMAGE[:, ::2], IMAGE[:, ::2]), "NOT_CONTIGUOUS"),
        (lambda: mask_above(IMAGE, math.nan), "FOS_ERR_PARAMETER"),
        (lambda: label_regions(np.zeros(4, np.uint8), None, 1), "SHAPE_MISMATCH"),
        (lambda: label_regions(np.zeros((2, 2), np.uint8), IMAGE, 1), "SHAPE_MISMATCH"),
        (lambda: label_regions(np.zeros((2, 2), np.uint8), None, 0), "FOS_ERR_PARAMETER"),
    ],
)
def test_refusals_have_names(call: Any, status_name: str) -> None:
    with pytest.raises(KernelError) as refusal:
        call()
    assert refusal.value.status_name == status_name


@pytest.mark.parametrize(
    "call",
    [
        lambda: normalised_difference(IMAGE.astype(np.float64), IMAGE.astype(np.float64)),  # type: ignore[arg-type]
        lambda: normalised_difference(IMAGE, IMAGE.astype(">f4")),
        lambda: normalised_difference(IMAGE.tolist(), IMAGE),  # type: ignore[arg-type]
        lambda: correct_radiance(IMAGE, IMAGE, IMAGE),  # type: ignore[arg-type]
        lambda: mask_above(IMAGE.astype(np.uint8), 0.0),
        lambda: pack_bits(IMAGE),  # type: ignore[arg-type]
        lambda: label_regions(IMAGE > 0, None, 1),  # type: ignore[arg-type]
    ],
)
def test_wrong_types_are_type_errors(call: Any) -> None:
    with pytest.raises(TypeError):
        call()


def test_an_output_that_is_refused_is_not_written() -> None:
    bands = np.ones((2, 8), F32)
    with pytest.raises(KernelError, match="OVERLAP"):
        normalised_difference(bands[0], bands[1], out=bands[0])
    with pytest.raises(KernelError, match="OVERLAP"):
        normalised_difference(bands.reshape(-1)[:8], bands.reshape(-1)[8:], out=bands.reshape(-1)[4:12])
    assert bands.min() == bands.max() == 1
    locked = np.full(8, 7, F32)
    locked.flags.writeable = False
    with pytest.raises(KernelError, match="NOT_WRITABLE"):
        normalised_difference(bands[0], bands[1], out=locked)
    with pytest.raises(KernelError, match="SHAPE_MISMATCH"):
        normalised_difference(bands[0], bands[1], out=np.empty(9, F32))
    assert locked.min() == locked.max() == 7


def test_a_given_output_is_the_one_returned() -> None:
    out = np.empty(IMAGE.shape, F32)
    assert normalised_difference(IMAGE, IMAGE, out=out) is out
    mask = np.empty(IMAGE.shape, np.uint8)
    assert mask_above(IMAGE, 0.0, out=mask)[0] is mask
