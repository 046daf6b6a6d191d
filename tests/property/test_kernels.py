"""Every face gives the bits of its plain reference, whatever the shape and the values."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flightos.kernels import KernelError, backend, crc, reference
from flightos.kernels.arguments import Float32Image, UInt8Image
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

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=40)
ANY_FLOAT = st.floats(width=32)
LAW = settings(max_examples=60, deadline=None)


def images(elements: st.SearchStrategy[float]) -> st.SearchStrategy[Float32Image]:
    return hnp.arrays(np.float32, SHAPES, elements=elements)


def masks() -> st.SearchStrategy[UInt8Image]:
    return hnp.arrays(np.uint8, SHAPES, elements=st.sampled_from([0, 0, 1, 255]))


def same_bits(left: Float32Image, right: Float32Image) -> bool:
    """Equal to the last bit, where every NaN is like any other."""
    numbers = ~np.isnan(left)
    same_numbers = np.array_equal(left[numbers].view(np.uint32), right[numbers].view(np.uint32))
    return same_numbers and np.array_equal(np.isnan(left), np.isnan(right))


@LAW
@given(data=st.data(), shape=SHAPES, dtype=st.sampled_from([np.uint8, np.uint16]))
def test_radiance_equals_its_reference(data: Any, shape: tuple[int, int], dtype: Any) -> None:
    raw = data.draw(hnp.arrays(dtype, shape))
    gain, dark = (data.draw(hnp.arrays(np.float32, shape, elements=ANY_FLOAT)) for _ in range(2))
    expected = np.empty(shape, np.float32)
    reference.correct_radiance(raw, gain, dark, expected)
    assert same_bits(correct_radiance(raw, gain, dark), expected)


@LAW
@given(data=st.data(), shape=SHAPES)
def test_normalised_difference_equals_its_reference(data: Any, shape: tuple[int, int]) -> None:
    elements = st.one_of(ANY_FLOAT, st.integers(0, 3).map(float))
    a, b = (data.draw(hnp.arrays(np.float32, shape, elements=elements)) for _ in range(2))
    expected = np.empty(shape, np.float32)
    reference.normalised_difference(a, b, expected)
    assert same_bits(normalised_difference(a, b), expected)


@LAW
@given(index=images(ANY_FLOAT), threshold=st.floats(-2, 2, width=32))
def test_masks_equal_their_references(index: Float32Image, threshold: float) -> None:
    expected = np.empty(index.shape, np.uint8)
    for face, plain in ((mask_above, reference.mask_above), (mask_below, reference.mask_below)):
        count = plain(index, threshold, expected)
        mask, set_count = face(index, threshold)
        assert set_count == count
        assert np.array_equal(mask, expected)


@LAW
@given(index=images(st.one_of(st.floats(-4, 4, width=32), st.just(float("nan")))), data=st.data())
def test_fixed_sum_does_not_depend_on_the_cut(index: Float32Image, data: Any) -> None:
    """The sum of the parts is the sum of the whole, which is that of Python's exact integers."""
    total, counted = sum_fixed(index)
    assert (total, counted) == reference.sum_fixed(index)
    exact = sum(round(float(value) * 2**30) for value in index.reshape(-1) if not np.isnan(value))
    assert total == exact
    cut = data.draw(st.integers(0, index.shape[0]))
    parts = [sum_fixed(index[:cut]), sum_fixed(index[cut:])]
    assert (sum(part[0] for part in parts), sum(part[1] for part in parts)) == (total, counted)


@LAW
@given(mask=masks())
def test_bits_survive_packing(mask: UInt8Image) -> None:
    packed = pack_bits(mask)
    assert packed == np.packbits(mask.reshape(-1) != 0, bitorder="big").tobytes()
    assert np.array_equal(unpack_bits(packed, (mask.shape[0], mask.shape[1])), mask != 0)


@LAW
@given(mask=masks(), pixel_count_min=st.integers(1, 12), seed=st.integers(0, 2**32 - 1))
def test_regions_equal_their_reference(mask: UInt8Image, pixel_count_min: int, seed: int) -> None:
    index = np.random.default_rng(seed).uniform(-1, 1, mask.shape).astype(np.float32)
    table = label_regions(mask, index, pixel_count_min)
    assert np.array_equal(table, reference.label_regions(mask, index, pixel_count_min))
    everything = label_regions(mask, index, 1)
    assert everything[:, RegionColumn.PIXEL_COUNT].sum() == np.count_nonzero(mask)
    inside = np.where(mask != 0, index, np.float32(0))
    assert everything[:, RegionColumn.INDEX_SUM_FIXED].sum() == sum_fixed(inside)[0]


@LAW
@given(data=st.binary(max_size=300), cut=st.integers(0, 300))
def test_crcs_equal_their_references_and_go_on(data: bytes, cut: int) -> None:
    head, tail = data[:cut], data[cut:]
    assert crc.crc16(tail, crc.crc16(head)) == crc.crc16(data) == crc.crc16_reference(data)
    assert crc.crc32c(tail, crc.crc32c(head)) == crc.crc32c(data) == crc.crc32c_reference(data)


@LAW
@given(index=images(ANY_FLOAT))
def test_face_and_reference_refuse_the_same_values(index: Float32Image) -> None:
    outcomes = []
    for function in (sum_fixed, reference.sum_fixed):
        try:
            outcomes.append(str(function(index)))
        except KernelError as error:
            outcomes.append(error.status_name)
    assert outcomes[0] == outcomes[1]


def test_the_c_kernels_are_what_is_tested() -> None:
    """Without the C module the laws above compare the reference with itself: say so rather than pass."""
    import pytest

    if backend() != "c":
        pytest.skip("flightos._fos is not built or FLIGHTOS_KERNELS=numpy: C is not covered here")
