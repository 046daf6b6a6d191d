"""The protection and integer faces give the bits of their references, whatever the shape and the values."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flightos.kernels import KernelError, abft, backend, crc, erasure, integer, secded, voting
from flightos.kernels import reference_integer as plain_integer
from flightos.kernels import reference_protection as plain
from flightos.kernels.frames import crc16_batch, crc32c_batch

LAW = settings(max_examples=60, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)
U8 = np.uint8


@LAW
@given(data=st.binary(max_size=400), draw=st.data())
def test_batches_equal_single_crcs(data: bytes, draw: Any) -> None:
    array = np.frombuffer(data, U8)
    offsets = draw.draw(st.lists(st.integers(0, len(data)), max_size=9))
    spans = [(offset, draw.draw(st.integers(0, len(data) - offset))) for offset in offsets]
    frames = np.array(spans, np.uint64).reshape(-1, 2)
    pieces = [data[offset : offset + length] for offset, length in spans]
    assert crc32c_batch(array, frames).tolist() == [crc.crc32c_reference(piece) for piece in pieces]
    assert crc16_batch(array, frames).tolist() == [crc.crc16_reference(piece) for piece in pieces]


@LAW
@given(first=SEEDS, second=SEEDS, byte_count=st.integers(0, 2**64 - 1))
def test_combining_equals_its_reference(first: int, second: int, byte_count: int) -> None:
    combined = crc.crc32c_combine(first, second, byte_count)
    assert combined == crc.crc32c_combine_reference(first, second, byte_count)


@LAW
@given(seed=SEEDS, size=st.integers(0, 700), fault_count=st.integers(0, 40))
def test_votes_equal_their_reference(seed: int, size: int, fault_count: int) -> None:
    generator = np.random.default_rng(seed)
    copies = np.repeat(generator.integers(0, 256, (1, size), U8), 3, axis=0)
    for _ in range(fault_count if size else 0):
        copies[generator.integers(3), generator.integers(size)] ^= U8(1 << generator.integers(8))
    first, second, third = (copy.copy() for copy in copies)
    expected = np.empty(size, U8)
    faults = plain.vote(first, second, third, expected)
    voted, found = voting.vote(first, second, third)
    assert np.array_equal(voted, expected)
    assert found == faults == voting.scrub(first, second, third)
    assert all(np.array_equal(copy, expected) for copy in (first, second, third))


@LAW
@given(seed=SEEDS, size=st.integers(0, 200), upset_count=st.integers(0, 30))
def test_secded_equals_its_reference(seed: int, size: int, upset_count: int) -> None:
    generator = np.random.default_rng(seed)
    words = generator.integers(0, 2**64, size, np.uint64)
    checks = secded.encode(words)
    expected = np.empty(size, U8)
    plain.secded_encode(words, expected)
    assert np.array_equal(checks, expected)
    for _ in range(upset_count if size else 0):
        index, bit = generator.integers(size), int(generator.integers(72))
        if bit < 64:
            words[index] ^= np.uint64(1 << bit)
        else:
            checks[index] ^= U8(1 << (bit - 64))
    plain_words, plain_checks = words.copy(), checks.copy()
    found = secded.check(words, checks)
    assert found == plain.secded_check(plain_words, plain_checks)
    assert secded.scrub(words, checks) == plain.secded_scrub(plain_words, plain_checks) == found
    assert np.array_equal(words, plain_words)
    assert np.array_equal(checks, plain_checks)


@LAW
@given(
    seed=SEEDS,
    data_count=st.integers(1, 20),
    parity_count=st.integers(1, 9),
    shard_bytes=st.integers(0, 300),
    draw=st.data(),
)
def test_erasure_code_equals_its_reference_and_restores(
    seed: int, data_count: int, parity_count: int, shard_bytes: int, draw: Any
) -> None:
    data = np.random.default_rng(seed).integers(0, 256, (data_count, shard_bytes), U8)
    parity = erasure.encode(data, parity_count)
    expected = np.empty_like(parity)
    plain.erasure_encode(data, expected)
    assert np.array_equal(parity, expected)
    shard_count = data_count + parity_count
    lost = draw.draw(st.lists(st.integers(0, shard_count - 1), unique=True, max_size=parity_count + 1))
    is_present = np.ones(shard_count, U8)
    is_present[lost] = 0
    outcomes = []
    for restore in (erasure.restore, plain.erasure_restore):
        shards = np.concatenate((data, parity))
        shards[lost] = 0xEE
        left, right = shards[:data_count].copy(), shards[data_count:].copy()
        try:
            restore(left, right, is_present)
        except KernelError as error:
            outcomes.append(error.status_name)
        else:
            assert np.array_equal(left, data)
            assert np.array_equal(right, parity)
            outcomes.append("restored")
    assert outcomes == ["restored" if len(lost) <= parity_count else "FOS_ERR_UNCORRECTABLE"] * 2


@LAW
@given(data=hnp.arrays(U8, st.tuples(st.integers(1, 9), st.integers(0, 300))))
def test_xor_parity_is_the_sum(data: Any) -> None:
    assert np.array_equal(erasure.xor_parity(data), np.bitwise_xor.reduce(data, axis=0))


@LAW
@given(seed=SEEDS, rows=st.integers(0, 15), cols=st.integers(0, 15), depth=st.integers(0, 200))
def test_int8_products_and_their_sums_are_exact(seed: int, rows: int, cols: int, depth: int) -> None:
    generator = np.random.default_rng(seed)
    a, b = (generator.integers(-128, 128, (side, depth), np.int8) for side in (rows, cols))
    product = integer.multiply(a, b)
    assert np.array_equal(product, a.astype(np.int64) @ b.astype(np.int64).T)
    sums = abft.expect_int8(a, b)
    assert all(np.array_equal(*pair) for pair in zip(sums, plain_integer.expect_int8(a, b), strict=True))
    assert abft.correct_int8(product, sums) == (0, 0, None, None, 0)
    if rows and cols:
        expected = product.copy()
        row, col = int(generator.integers(rows)), int(generator.integers(cols))
        product[row, col] ^= np.int32(1) << np.int32(generator.integers(31))
        assert abft.correct_int8(product, sums) == (1, 1, row, col, 1)
        assert np.array_equal(product, expected)


@LAW
@given(draw=st.data(), shape=hnp.array_shapes(min_dims=1, max_dims=3, min_side=1, max_side=20))
def test_quantisation_equals_its_reference(draw: Any, shape: tuple[int, ...]) -> None:
    values = draw.draw(hnp.arrays(np.float32, shape, elements=st.floats(width=32)))
    positive = st.floats(2.0**-140, 2.0**100, width=32)
    scale = draw.draw(hnp.arrays(np.float32, shape[:1], elements=positive))
    zero_point = draw.draw(hnp.arrays(np.int8, shape[:1]))
    quantised, expected = integer.quantise(values, scale, zero_point), np.empty(shape, np.int8)
    plain_integer.quantise(values, scale, zero_point, expected)
    assert np.array_equal(quantised, expected)
    back, expected_back = integer.dequantise(quantised, scale, zero_point), np.empty(shape, np.float32)
    plain_integer.dequantise(quantised, scale, zero_point, expected_back)
    assert np.array_equal(back.view(np.uint32), expected_back.view(np.uint32))


@LAW
@given(seed=SEEDS, rows=st.integers(1, 20), cols=st.integers(1, 40), depth=st.integers(1, 90))
def test_float_checksums_agree_with_their_reference(seed: int, rows: int, cols: int, depth: int) -> None:
    """Sums agree within the tolerance, and a fault above twice the tolerance is put right."""
    generator = np.random.default_rng(seed)
    a, b = (generator.standard_normal(shape).astype(np.float32) for shape in ((rows, depth), (depth, cols)))
    product = a @ b
    sums, exact = abft.expect_float32(a, b), abft.Float32Sums(*plain_integer.expect_float32(a, b))
    assert np.allclose(sums.row_tolerances, exact.row_tolerances, rtol=1e-4)
    assert np.allclose(sums.column_tolerances, exact.column_tolerances, rtol=1e-4)
    assert (np.abs(sums.row_sums - exact.row_sums) <= exact.row_tolerances).all()
    assert (np.abs(sums.column_sums - exact.column_sums) <= exact.column_tolerances).all()
    assert abft.correct_float32(product, sums).row_count == 0
    row, col = int(generator.integers(rows)), int(generator.integers(cols))
    expected = product.copy()
    tolerance = max(float(sums.row_tolerances[row]), float(sums.column_tolerances[col]))
    product[row, col] += np.float32(3 * tolerance)
    assert abft.correct_float32(product, sums) == (1, 1, row, col, 1)
    assert abs(float(product[row, col]) - float(expected[row, col])) <= tolerance


def test_the_c_kernels_are_what_is_tested() -> None:
    """Without the C module the laws above compare the reference with itself: say so rather than pass."""
    if backend() != "c":
        pytest.skip("flightos._fos is not built or FLIGHTOS_KERNELS=numpy: C is not covered here")
