"""Random multi-bit upsets do what theory says; every single-bit upset is undone, through the faces too."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from flightos.kernels import secded, voting
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


def test_two_wrong_elements_never_harm_an_int8_product() -> None:
    assert kernels_upsets.abft_harm_rate(200, np.random.default_rng(9)) == 0.0


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
