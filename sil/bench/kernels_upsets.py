"""Upset campaigns on the protection kernels: random multi-bit errors, their measured rates beside theory.

Single-bit upsets are tried exhaustively by the C tests; here several bits are hit at once, as the codes were
not built for. Each row's value is a rate and its peer the rate that theory gives; `detail` has the number of
trials and the standard deviation to be expected.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import comb, sqrt
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import abft, integer, secded, voting
from flightos.kernels.frames import crc16_batch, crc32c_batch
from sil.bench.registry import Options
from sil.bench.rows import Row

SEED: Final = 5
WORD_BITS: Final = 72


def secded_columns() -> list[int]:
    """The syndrome of each of the 72 bits, asked of the code itself: a word with one bit has its column as check."""
    ones = np.array([1 << bit for bit in range(64)], np.uint64)
    return [*secded.encode(ones).tolist(), *(1 << bit for bit in range(8))]


def secded_silent_theory(bit_count: int) -> float:
    """Share of all sets of `bit_count` wrong bits whose syndrome is 0 or that of one bit, counted exactly."""
    columns = secded_columns()
    ways = [[0] * 256 for _ in range(bit_count + 1)]  # by number of bits chosen and their syndrome
    ways[0][0] = 1
    for column in columns:
        for chosen in range(bit_count, 0, -1):
            for syndrome in range(256):
                ways[chosen][syndrome] += ways[chosen - 1][syndrome ^ column]
    silent = ways[bit_count][0] + sum(ways[bit_count][column] for column in columns)
    return silent / comb(WORD_BITS, bit_count)


def secded_silent_rate(bit_count: int, trials: int, generator: np.random.Generator) -> float:
    """Share of words with `bit_count` random wrong bits that are not reported as lost."""
    words = generator.integers(0, 2**64, trials, np.uint64)
    checks = secded.encode(words)
    order = generator.random((trials, WORD_BITS)).argpartition(bit_count, axis=1)[:, :bit_count]
    for bits in order.T:
        data = bits < 64
        words[data] ^= np.uint64(1) << bits[data].astype(np.uint64)
        checks[~data] ^= np.uint8(1) << (bits[~data] - 64).astype(np.uint8)
    return 1 - secded.check(words, checks).lost_word_count / trials


def vote_error_rate(bit_error_ratio: float, byte_count: int, generator: np.random.Generator) -> float:
    """Share of bits wrong after the vote when each bit of each copy is wrong with the given probability."""
    copies = [np.packbits(generator.random(8 * byte_count) < bit_error_ratio) for _ in range(3)]
    voted, _ = voting.vote(copies[0], copies[1], copies[2])
    return float(np.unpackbits(voted).mean())


def _corrupted(
    trials: int, generator: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8], NDArray[np.uint64]]:
    sent = generator.integers(0, 256, (trials, 32), np.uint8)
    noise = generator.integers(0, 256, sent.shape, np.uint8)
    frames = np.stack((np.arange(trials) * 32, np.full(trials, 32)), axis=1).astype(np.uint64)
    return sent, sent ^ noise, frames


def crc_miss_rates(trials: int, generator: np.random.Generator) -> tuple[float, float]:
    """Share of frames of 32 random bytes whose CRC-16, and whose CRC-32C, fits other random bytes."""
    sent, received, frames = _corrupted(trials, generator)
    missed = [
        float((batch(sent, frames) == batch(received, frames)).mean())
        for batch in (
            lambda data, spans: crc16_batch(data, spans),
            lambda data, spans: crc32c_batch(data, spans),
        )
    ]
    return missed[0], missed[1]


def abft_harm_rate(trials: int, generator: np.random.Generator) -> float:
    """Share of int8 products with two upsets in different elements that were called right or 'corrected' wrongly."""
    a, b = (generator.integers(-128, 128, shape, np.int8) for shape in ((12, 40), (16, 40)))
    product, sums = integer.multiply(a, b), abft.expect_int8(a, b)
    harmed = 0
    for _ in range(trials):
        damaged = product.copy()
        places = generator.choice(damaged.size, 2, replace=False)
        damaged.reshape(-1)[places] ^= np.int32(1) << generator.integers(0, 31, 2).astype(np.int32)
        faults = abft.correct_int8(damaged, sums)
        harmed += faults.corrected_count == 1 or faults.row_count + faults.column_count == 0
    return harmed / trials


def _row(name: str, rate: float, theory: float, trials: int) -> Row:
    deviation = sqrt(max(theory * (1 - theory), 0.0) / trials)
    detail = {"theory": theory, "trials": trials, "standard_deviation": deviation}
    ratio = rate / theory if theory > 0 else None
    return Row(name=name, value=rate, unit="ratio", peer="theory", ratio=ratio, detail=detail)


def measure(options: Options) -> Iterator[Row]:
    """All rows, as they come."""
    scale = 1 if options.is_quick else 10
    generator = np.random.default_rng(SEED)
    trials = 20_000 * scale
    for bit_count in (2, 3, 4, 5):
        rate = secded_silent_rate(bit_count, trials, generator)
        yield _row(f"upset_secded_{bit_count}_bits_silent", rate, secded_silent_theory(bit_count), trials)
    byte_count = 125_000 * scale
    for ratio in (1e-2, 1e-3):
        rate = vote_error_rate(ratio, byte_count, generator)
        yield _row(f"upset_vote_at_{ratio:g}", rate, 3 * ratio**2 - 2 * ratio**3, 8 * byte_count)
    trials = 200_000 * scale
    crc16_rate, crc32c_rate = crc_miss_rates(trials, generator)
    yield _row("upset_crc16_random_missed", crc16_rate, 2.0**-16, trials)
    yield _row("upset_crc32c_random_missed", crc32c_rate, 2.0**-32, trials)
    trials = 200 * scale
    yield _row("upset_abft_int8_two_elements_harmed", abft_harm_rate(trials, generator), 0.0, trials)
