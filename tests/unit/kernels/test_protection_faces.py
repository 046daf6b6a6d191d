"""The faces of the protection kernels: values by definition, refusals that touch nothing."""

from __future__ import annotations

from collections.abc import Callable
from itertools import combinations
from typing import Any

import numpy as np
import pytest

from flightos.kernels import KernelError, abft, backend, crc, erasure, integer, isa_name, secded, voting
from flightos.kernels.dispatch import is_dispatch_intact, renew_dispatch, select_isa
from flightos.kernels.frames import crc16_batch, crc32c_batch

U8 = np.uint8
BYTES = np.arange(64, dtype=U8)
WORDS = np.arange(8, dtype=np.uint64)
MATRIX = np.ones((4, 6), np.int8)
TOO_DEEP = np.zeros((1, integer.DEPTH_MAX + 1), np.int8)
SHARDS = np.arange(40, dtype=U8).reshape(4, 10)


def test_batches_give_the_published_check_values() -> None:
    data = np.frombuffer(b"..123456789.123456789", U8)
    frames = np.array([[2, 9], [12, 9], [0, 0]], np.uint64)
    assert crc32c_batch(data, frames).tolist() == [0xE3069283, 0xE3069283, 0]
    assert crc16_batch(data, frames).tolist() == [0x29B1, 0x29B1, 0xFFFF]
    assert crc32c_batch(data, frames[:0]).tolist() == []


@pytest.mark.parametrize("frame", [[60, 5], [65, 0], [2**63, 2**63], [0, 2**64 - 1]])
def test_a_frame_outside_the_data_is_refused(frame: list[int]) -> None:
    out = np.full(1, 7, np.uint32)
    with pytest.raises(KernelError, match="FOS_ERR_RANGE"):
        crc32c_batch(BYTES, np.array([frame], np.uint64), out)
    assert out[0] == 7


def test_pieces_combine_to_the_whole() -> None:
    whole = BYTES.tobytes() * 9
    for cut in (0, 1, 100, len(whole)):
        pieces = crc.crc32c(whole[:cut]), crc.crc32c(whole[cut:])
        assert crc.crc32c_combine(*pieces, len(whole) - cut) == crc.crc32c(whole)
        assert crc.crc32c_combine_reference(*pieces, len(whole) - cut) == crc.crc32c(whole)


def test_the_vote_counts_for_the_right_copy_and_scrubs() -> None:
    copies = [BYTES.copy() for _ in range(3)]
    copies[0][3] ^= 1
    copies[1][3] ^= 6
    copies[2][63] ^= 0xF0
    voted, faults = voting.vote(copies[0], copies[1], copies[2])
    assert np.array_equal(voted, BYTES)
    assert faults == (1, 2, 4)
    assert voting.scrub(copies[0], copies[1], copies[2]) == faults
    assert all(np.array_equal(copy, BYTES) for copy in copies)
    assert voting.scrub(copies[0], copies[1], copies[2]) == (0, 0, 0)


def test_secded_corrects_one_bit_and_reports_two() -> None:
    words = WORDS.copy()
    checks = secded.encode(words)
    words[2] ^= np.uint64(1 << 63)
    checks[5] ^= U8(2)
    words[7] ^= np.uint64(0b101)
    assert secded.check(words, checks) == (1, 1, 1, 7)
    assert secded.scrub(words, checks) == (1, 1, 1, 7)
    assert np.array_equal(words[:7], WORDS[:7])
    assert np.array_equal(checks, secded.encode(WORDS))
    assert secded.check(words[:7], checks[:7]) == (0, 0, 0, None)


def test_any_four_of_six_shards_are_enough() -> None:
    parity = erasure.encode(SHARDS, 2)
    assert np.array_equal(parity[0], erasure.xor_parity(SHARDS))
    for lost in combinations(range(6), 2):
        data, damaged_parity, is_present = SHARDS.copy(), parity.copy(), np.ones(6, U8)
        for shard in lost:
            is_present[shard] = 0
            (data[shard] if shard < 4 else damaged_parity[shard - 4])[:] = 0xEE
        erasure.restore(data, damaged_parity, is_present)
        assert np.array_equal(data, SHARDS)
        assert np.array_equal(damaged_parity, parity)


def test_too_many_losses_change_nothing() -> None:
    data, parity = SHARDS.copy(), erasure.encode(SHARDS, 2)
    with pytest.raises(KernelError, match="FOS_ERR_UNCORRECTABLE"):
        erasure.restore(data, parity, np.array([0, 0, 0, 1, 1, 1], U8))
    assert np.array_equal(data, SHARDS)


def test_the_int8_product_is_exact_at_its_extremes() -> None:
    lowest = np.full((2, integer.DEPTH_MAX), -128, np.int8)
    assert integer.multiply(lowest, lowest).tolist() == [[integer.DEPTH_MAX * 16384] * 2] * 2


def test_quantisation_rounds_half_to_even_and_saturates() -> None:
    values = np.array([[0.5, 1.5, 2.5, -0.5, 1e30, -np.inf, np.nan]], np.float32)
    unit, zero = np.ones(1, np.float32), np.zeros(1, np.int8)
    assert integer.quantise(values, unit, zero).tolist() == [[0, 2, 2, 0, 127, -128, 0]]
    assert integer.quantise(values, unit, np.array([5], np.int8)).tolist() == [[5, 7, 7, 5, 127, -128, 5]]
    assert integer.dequantise(np.array([[7]], np.int8), unit * 2, np.array([5], np.int8)).tolist() == [[4.0]]


def test_a_wrong_element_of_a_product_is_corrected() -> None:
    generator = np.random.default_rng(3)
    a, b = (generator.standard_normal(shape).astype(np.float32) for shape in ((20, 33), (33, 17)))
    product = a @ b
    sums = abft.expect_float32(a, b)
    assert abft.correct_float32(product.copy(), sums) == (0, 0, None, None, 0)
    for wrong in (1e30, np.inf, np.nan, 0.0):
        damaged = product.copy()
        damaged[7, 11] = wrong
        assert abft.correct_float32(damaged, sums) == (1, 1, 7, 11, 1)
        assert np.allclose(damaged, product, atol=1e-3)
    damaged[1, 2] = damaged[7, 3] = 1e5
    assert abft.correct_float32(damaged, sums).corrected_count == 0


def test_a_wrong_element_of_an_int8_product_is_corrected_to_the_bit() -> None:
    generator = np.random.default_rng(4)
    a, b = (generator.integers(-128, 128, shape, np.int8) for shape in ((20, 33), (17, 33)))
    product = integer.multiply(a, b)
    sums = abft.expect_int8(a, b)
    damaged = product.copy()
    damaged[19, 0] ^= 1 << 30
    assert abft.correct_int8(damaged, sums) == (1, 1, 19, 0, 1)
    assert np.array_equal(damaged, product)


REFUSED: list[tuple[Callable[[], Any], str]] = [
    (lambda: voting.vote(BYTES, BYTES[:5], BYTES), "SHAPE_MISMATCH"),
    (lambda: voting.vote(BYTES, BYTES, BYTES, out=BYTES), "OVERLAP"),
    (lambda: voting.scrub(BYTES, BYTES, BYTES.copy()), "OVERLAP"),
    (lambda: voting.vote(BYTES[::2], BYTES[::2], BYTES[::2]), "NOT_CONTIGUOUS"),
    (lambda: secded.check(WORDS, BYTES), "SHAPE_MISMATCH"),
    (lambda: secded.scrub(WORDS, WORDS.view(U8)[:8]), "OVERLAP"),
    (lambda: erasure.encode(SHARDS, 0), "FOS_ERR_PARAMETER"),
    (lambda: erasure.encode(SHARDS, 33), "FOS_ERR_PARAMETER"),
    (lambda: erasure.encode(np.zeros((129, 1), U8), 1), "FOS_ERR_PARAMETER"),
    (lambda: erasure.encode(BYTES, 1), "SHAPE_MISMATCH"),
    (lambda: erasure.restore(SHARDS, SHARDS[:2], np.ones(6, U8)), "OVERLAP"),
    (lambda: erasure.restore(SHARDS, SHARDS[:2].copy(), np.ones(5, U8)), "SHAPE_MISMATCH"),
    (lambda: erasure.restore(SHARDS, np.zeros((2, 9), U8), np.ones(6, U8)), "SHAPE_MISMATCH"),
    (lambda: erasure.xor_parity(SHARDS[:0]), "SHAPE_MISMATCH"),
    (lambda: integer.multiply(MATRIX, MATRIX[:, :5].copy()), "SHAPE_MISMATCH"),
    (lambda: integer.multiply(TOO_DEEP, TOO_DEEP), "FOS_ERR_TOO_LARGE"),
    (lambda: integer.dequantise(MATRIX, np.zeros(4, np.float32), np.zeros(4, np.int8)), "FOS_ERR_PARAMETER"),
    (lambda: integer.dequantise(MATRIX, np.ones(3, np.float32), np.zeros(4, np.int8)), "SHAPE_MISMATCH"),
    (
        lambda: abft.correct_int8(np.zeros((5, 5), np.int32), abft.expect_int8(MATRIX, MATRIX)),
        "SHAPE_MISMATCH",
    ),
    (lambda: crc32c_batch(BYTES, np.zeros((2, 3), np.uint64)), "SHAPE_MISMATCH"),
]


@pytest.mark.parametrize(("call", "status_name"), REFUSED)
def test_refusals_have_names(call: Callable[[], Any], status_name: str) -> None:
    with pytest.raises(KernelError) as refusal:
        call()
    assert refusal.value.status_name == status_name
    assert np.array_equal(BYTES, np.arange(64))
    assert np.array_equal(SHARDS.reshape(-1), np.arange(40))


@pytest.mark.parametrize(
    "call",
    [
        lambda: voting.vote(BYTES, BYTES, BYTES.view(np.int8)),
        lambda: secded.encode(WORDS.view(np.int64)),
        lambda: secded.encode(WORDS.astype(">u8")),
        lambda: erasure.encode(SHARDS.tolist(), 1),  # type: ignore[arg-type]
        lambda: integer.multiply(MATRIX, MATRIX.view(U8)),
        lambda: abft.expect_float32(MATRIX, MATRIX),  # type: ignore[arg-type]
        lambda: crc32c_batch(BYTES, np.zeros((1, 2), np.int64)),
    ],
)
def test_wrong_types_are_type_errors(call: Callable[[], Any]) -> None:
    with pytest.raises(TypeError):
        call()


def test_read_only_memory_is_not_scrubbed() -> None:
    locked = BYTES.copy()
    locked[0] ^= 1
    locked.flags.writeable = False
    with pytest.raises(KernelError, match="NOT_WRITABLE"):
        voting.scrub(BYTES.copy(), BYTES.copy(), locked)
    assert locked[0] == 1


def test_the_dispatch_is_intact_and_can_be_renewed() -> None:
    level = isa_name()
    assert is_dispatch_intact()
    renew_dispatch()
    assert is_dispatch_intact()
    assert isa_name() == level
    assert crc.crc32c(b"123456789") == 0xE3069283
    with pytest.raises(KernelError, match="FOS_ERR_UNSUPPORTED"):
        select_isa("abacus")


@pytest.mark.skipif(backend() == "numpy", reason="levels belong to the C module")
def test_a_level_can_be_forced() -> None:
    level = isa_name()
    try:
        select_isa("portable")
        assert isa_name() == "portable"
        assert is_dispatch_intact()
    finally:
        select_isa(level)
