"""Random multi-bit upsets do what theory says; every single-bit upset is undone, through the faces too."""

from __future__ import annotations

from itertools import combinations
from math import sqrt

import numpy as np
import pytest

from flightos.kernels import abft, secded, voting
from flightos.kernels.frames import crc16_batch, crc32c_batch
from sil.bench import kernels_upsets


def within_five_deviations(rate: float, theory: float, trials: int) -> bool:
    return abs(rate - theory) <= 5 * sqrt(theory * (1 - theory) / trials) + 1 / trials


def test_theory_counts_what_is_known_of_the_code() -> None:
    """One bit is never lost, two always; of three, 33 568 of 59 640 sets look like one bit."""
    assert kernels_upsets.secded_silent_theory(1) == 1.0
    assert kernels_upsets.secded_silent_theory(2) == 0.0
    assert kernels_upsets.secded_silent_theory(3) == 33_568 / 59_640


@pytest.mark.parametrize("bit_count", [1, 2, 3, 4])
def test_secded_rates(bit_count: int) -> None:
    trials = 5_000
    rate = kernels_upsets.secded_silent_rate(bit_count, trials, np.random.default_rng(bit_count))
    assert within_five_deviations(rate, kernels_upsets.secded_silent_theory(bit_count), trials)


def test_vote_rate() -> None:
    ratio, byte_count = 0.02, 40_000
    rate = kernels_upsets.vote_error_rate(ratio, byte_count, np.random.default_rng(7))
    assert within_five_deviations(rate, 3 * ratio**2 - 2 * ratio**3, 8 * byte_count)


def test_crcs_miss_as_rarely_as_they_must() -> None:
    trials = 100_000
    crc16_rate, crc32c_rate = kernels_upsets.crc_miss_rates(trials, np.random.default_rng(8))
    assert within_five_deviations(crc16_rate, 2.0**-16, trials)
    assert within_five_deviations(crc32c_rate, 2.0**-32, trials)


@pytest.mark.parametrize(("name", "batch"), [("crc16", crc16_batch), ("crc32c", crc32c_batch)])
def test_four_bits_pass_a_crc_as_often_as_its_own_columns_say(name: str, batch: kernels_upsets.Batch) -> None:
    """CRC-32C sees every four bits of so short a frame; CRC-16, whose factor x + 1 halves its choices, misses 2^-15."""
    theory = kernels_upsets.crc_four_bits_theory(kernels_upsets.crc_columns(batch))
    assert theory == 0.0 if name == "crc32c" else theory == pytest.approx(2.0**-15, rel=0.01)
    trials = 200_000
    rate = kernels_upsets.crc_four_bits_rate(batch, trials, np.random.default_rng(12))
    assert within_five_deviations(rate, theory, trials)


def test_sets_of_four_are_counted_once() -> None:
    """Among 1, 2, 4, 7, 8, 11, 13 and 14 every two pairs with the same sum are a set of four with sum 0: 14 of 70."""
    assert kernels_upsets.crc_four_bits_theory([1, 2, 4, 7, 8, 11, 13, 14]) == 14 / 70


def test_words_without_sense_pass_as_73_of_256() -> None:
    trials = 50_000
    assert kernels_upsets.secded_random_theory() == 73 / 256
    rate = kernels_upsets.secded_random_rate(trials, np.random.default_rng(13))
    assert within_five_deviations(rate, 73 / 256, trials)


def test_two_wrong_elements_never_harm_an_int8_product() -> None:
    assert kernels_upsets.abft_two_rate(200, np.random.default_rng(9)) == 0.0


def test_every_three_elements_in_one_bit_harm_as_theory_says() -> None:
    """Exhaustively over the first 4 x 4 elements, with the theory for those."""
    product, _ = kernels_upsets.abft_product()
    corner = product[:4, :4].copy()
    sums = abft.Int8Sums(corner.sum(axis=1, dtype=np.int64), corner.sum(axis=0, dtype=np.int64))
    for bit in (0, 12):
        harmed = 0
        for places in combinations(range(16), 3):
            damaged = corner.copy()
            damaged.reshape(-1)[list(places)] ^= np.int32(1 << bit)
            harmed += kernels_upsets.is_harmed(damaged, sums)
        assert harmed == kernels_upsets.lines_harmed(corner, bit) > 0


def test_random_three_elements_harm_at_the_rate_of_theory() -> None:
    trials = 3_000
    rate = kernels_upsets.abft_line_rate(12, trials, np.random.default_rng(14))
    assert within_five_deviations(rate, kernels_upsets.abft_line_theory(12), trials)


@pytest.mark.parametrize(
    ("count", "trials", "lower", "upper"),
    [(0, 10, 0.0, 0.3085), (5, 10, 0.1871, 0.8129), (10, 10, 0.6915, 1.0), (1, 100, 0.000253, 0.054459)],
)
def test_intervals_are_those_of_the_tables(count: int, trials: int, lower: float, upper: float) -> None:
    """Clopper and Pearson, 95 %."""
    assert kernels_upsets.confidence_interval(count, trials) == pytest.approx((lower, upper), abs=1e-4)


def test_every_single_bit_of_a_protected_buffer_is_undone() -> None:
    """All 72 bits of all words at once, one word each: 100 %."""
    words = np.random.default_rng(10).integers(0, 2**64, 72, np.uint64)
    checks = secded.encode(words)
    upset_words, upset_checks = words.copy(), checks.copy()
    upset_words[:64] ^= np.uint64(1) << np.arange(64, dtype=np.uint64)
    upset_checks[64:] ^= np.uint8(1) << np.arange(8, dtype=np.uint8)
    assert secded.scrub(upset_words, upset_checks) == (64, 8, 0, None)
    assert np.array_equal(upset_words, words)
    assert np.array_equal(upset_checks, checks)
    copies = [checks.copy() for _ in range(3)]
    copies[2] ^= np.uint8(255)  # every bit of one copy
    assert voting.scrub(copies[0], copies[1], copies[2]) == (0, 0, 8 * checks.size)
    assert np.array_equal(copies[2], checks)
