"""Upset campaigns on the protection kernels: random multi-bit errors, their measured rates beside theory.

Single-bit upsets are tried exhaustively by the C tests; here several bits are hit at once, as the codes were
not built for. Each row's value is a rate and its peer the rate that theory gives; `detail` has the number of
trials and the interval in which the true rate lies with 95 % confidence (Clopper and Pearson 1934), and whether theory
lies there too. One row in twenty may leave it by chance.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import combinations
from math import comb, exp, lgamma, log, log1p
from typing import Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import abft, integer, secded, voting
from flightos.kernels.frames import crc16_batch, crc32c_batch
from sil.bench.registry import Options
from sil.bench.rows import Row

SEED: Final = 5
WORD_BITS: Final = 72
FRAME_BYTES: Final = 32
PRODUCT_SHAPE: Final = (12, 16)
DEPTH: Final = 40
CONFIDENCE: Final = 0.95

Batch = Callable[[NDArray[np.uint8], NDArray[np.uint64]], NDArray[np.unsignedinteger]]


# --- Statistics -------------------------------------------------------------------------------------------------------


def _at_most(count: int, trials: int, rate: float) -> float:
    """Probability of at most `count` of `trials` at a rate, term by term from the largest."""
    if rate <= 0.0 or count >= trials:
        return 1.0
    if rate >= 1.0:
        return 0.0
    total = 0.0
    for hits in range(count, -1, -1):
        ways = lgamma(trials + 1) - lgamma(hits + 1) - lgamma(trials - hits + 1)
        term = exp(ways + hits * log(rate) + (trials - hits) * log1p(-rate))
        total += term
        if term < 1e-18 * total:
            break
    return min(total, 1.0)


def confidence_interval(count: int, trials: int) -> tuple[float, float]:
    """The rates that would give `count` of `trials` or fewer, and or more, with a chance of at least 2.5 % each.

    Exact (Clopper and Pearson); (0, 3.7 / trials) for none, where nothing was seen.
    """

    def crossing(chance: Callable[[float], float]) -> float:
        low, high = 0.0, 1.0
        for _ in range(60):
            middle = (low + high) / 2
            low, high = (middle, high) if chance(middle) > 0 else (low, middle)
        return (low + high) / 2

    tail = (1 - CONFIDENCE) / 2
    lower = 0.0 if count == 0 else crossing(lambda rate: tail - (1 - _at_most(count - 1, trials, rate)))
    upper = 1.0 if count == trials else crossing(lambda rate: _at_most(count, trials, rate) - tail)
    return lower, upper


# --- SECDED -----------------------------------------------------------------------------------------------------------


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


def secded_random_theory() -> float:
    """A word and its check byte that have nothing to do with each other: every syndrome alike, 73 of 256 silent."""
    return (1 + len(set(secded_columns()))) / 256


def secded_random_rate(trials: int, generator: np.random.Generator) -> float:
    """Share of random words with random check bytes that are not reported as lost."""
    words = generator.integers(0, 2**64, trials, np.uint64)
    checks = generator.integers(0, 256, trials, np.uint8)
    return 1 - secded.check(words, checks).lost_word_count / trials


# --- Vote -------------------------------------------------------------------------------------------------------------


def vote_error_theory(bit_error_ratio: float) -> float:
    """Two or three copies wrong in the same bit."""
    return 3 * bit_error_ratio**2 - 2 * bit_error_ratio**3


def vote_error_rate(bit_error_ratio: float, byte_count: int, generator: np.random.Generator) -> float:
    """Share of bits wrong after the vote when each bit of each copy is wrong with the given probability."""
    copies = [np.packbits(generator.random(8 * byte_count) < bit_error_ratio) for _ in range(3)]
    voted, _ = voting.vote(copies[0], copies[1], copies[2])
    return float(np.unpackbits(voted).mean())


# --- CRC --------------------------------------------------------------------------------------------------------------


def _frames(trials: int) -> NDArray[np.uint64]:
    starts = np.arange(trials) * FRAME_BYTES
    return np.stack((starts, np.full(trials, FRAME_BYTES)), axis=1).astype(np.uint64)


def crc_miss_rates(trials: int, generator: np.random.Generator) -> tuple[float, float]:
    """Share of frames of 32 random bytes whose CRC-16, and whose CRC-32C, fits other random bytes."""
    sent = generator.integers(0, 256, (trials, FRAME_BYTES), np.uint8)
    received = sent ^ generator.integers(0, 256, sent.shape, np.uint8)
    frames = _frames(trials)
    crc16 = crc16_batch(sent, frames) == crc16_batch(received, frames)
    crc32c = crc32c_batch(sent, frames) == crc32c_batch(received, frames)
    return float(crc16.mean()), float(crc32c.mean())


def crc_columns(batch: Batch) -> list[int]:
    """What each bit of a frame, turned over, does to its CRC: asked of the code itself."""
    frames = np.zeros((8 * FRAME_BYTES + 1, FRAME_BYTES), np.uint8)
    for bit in range(8 * FRAME_BYTES):
        frames[bit + 1, bit // 8] = 0x80 >> bit % 8
    crcs = batch(frames, _frames(len(frames)))
    return [int(crc) for crc in crcs[1:] ^ crcs[0]]


def crc_four_bits_theory(columns: list[int]) -> float:
    """Share of all sets of four wrong bits that the CRC does not see: pairs of pairs that change it alike."""
    pairs: dict[int, int] = {}
    for first, second in combinations(columns, 2):
        pairs[first ^ second] = pairs.get(first ^ second, 0) + 1
    # Columns differ, so equal pairs have no bit in common; each set of four is three pairs of pairs.
    return sum(comb(count, 2) for count in pairs.values()) / 3 / comb(len(columns), 4)


def crc_four_bits_rate(batch: Batch, trials: int, generator: np.random.Generator) -> float:
    """Share of frames of 32 random bytes with four random wrong bits whose CRC fits."""
    sent = generator.integers(0, 256, (trials, FRAME_BYTES), np.uint8)
    received = sent.copy()
    bits = generator.integers(0, 8 * FRAME_BYTES, (trials, 4))
    while (repeated := (np.diff(np.sort(bits, axis=1), axis=1) == 0).any(axis=1)).any():
        bits[repeated] = generator.integers(0, 8 * FRAME_BYTES, (int(repeated.sum()), 4))
    for column in bits.T:
        received[np.arange(trials), column // 8] ^= (0x80 >> column % 8).astype(np.uint8)
    return float((batch(sent, _frames(trials)) == batch(received, _frames(trials))).mean())


# --- Checksums of products --------------------------------------------------------------------------------------------


def abft_product() -> tuple[NDArray[np.int32], abft.Int8Sums]:
    """An int8 product and its expected sums."""
    generator = np.random.default_rng(SEED)
    rows, cols = PRODUCT_SHAPE
    a, b = (generator.integers(-128, 128, shape, np.int8) for shape in ((rows, DEPTH), (cols, DEPTH)))
    return integer.multiply(a, b), abft.expect_int8(a, b)


def is_harmed(damaged: NDArray[np.int32], sums: abft.Int8Sums) -> bool:
    """Whether a product with several upsets is called right, or 'corrected' in one element."""
    faults = abft.correct_int8(damaged, sums)
    return faults.corrected_count == 1 or faults.row_count + faults.column_count == 0


def abft_two_rate(trials: int, generator: np.random.Generator) -> float:
    """Share of products harmed by two upsets in different elements; theory 0: two rows or two columns are wrong."""
    product, sums = abft_product()
    harmed = 0
    for _ in range(trials):
        damaged = product.copy()
        places = generator.choice(damaged.size, 2, replace=False)
        damaged.reshape(-1)[places] ^= np.int32(1) << generator.integers(0, 31, 2).astype(np.int32)
        harmed += is_harmed(damaged, sums)
    return harmed / trials


def lines_harmed(product: NDArray[np.int32], bit: int) -> int:
    """How many sets of three elements, struck in the same bit, look like one wrong element.

    Two in a row and two in a column, the one that they share changed the other way: its row and its column then add
    up, and row and column of the others meet where nothing is wrong.
    """
    is_set = (product >> bit & 1).astype(bool)
    harmed = 0
    for row, col in np.ndindex(*product.shape):
        others = is_set[row, col] != is_set
        harmed += int(others[row].sum()) * int(others[:, col].sum())
    return harmed


def abft_line_theory(bit: int) -> float:
    """The share that they are of all sets of three."""
    product, _ = abft_product()
    return lines_harmed(product, bit) / comb(product.size, 3)


def abft_line_rate(bit: int, trials: int, generator: np.random.Generator) -> float:
    """Share of products harmed when three random elements are struck in the same bit, as one bad data line does."""
    product, sums = abft_product()
    harmed = 0
    for _ in range(trials):
        damaged = product.copy()
        places = generator.choice(damaged.size, 3, replace=False)
        damaged.reshape(-1)[places] ^= np.int32(1 << bit)
        harmed += is_harmed(damaged, sums)
    return harmed / trials


# --- Rows -------------------------------------------------------------------------------------------------------------


def _row(name: str, rate: float, theory: float, trials: int) -> Row:
    lower, upper = confidence_interval(round(rate * trials), trials)
    detail = {
        "theory": theory,
        "trials": trials,
        "lowest_95": lower,
        "highest_95": upper,
        "is_theory_inside": lower <= theory <= upper,
    }
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
    rate = secded_random_rate(10 * trials, generator)
    yield _row("upset_secded_random_silent", rate, secded_random_theory(), 10 * trials)
    byte_count = 125_000 * scale
    for ratio in (1e-2, 1e-3):
        rate = vote_error_rate(ratio, byte_count, generator)
        yield _row(f"upset_vote_at_{ratio:g}", rate, vote_error_theory(ratio), 8 * byte_count)
    trials = 200_000 * scale
    crc16_rate, crc32c_rate = crc_miss_rates(trials, generator)
    yield _row("upset_crc16_random_missed", crc16_rate, 2.0**-16, trials)
    yield _row("upset_crc32c_random_missed", crc32c_rate, 2.0**-32, trials)
    for name, batch in (("crc16", crc16_batch), ("crc32c", crc32c_batch)):
        theory = crc_four_bits_theory(crc_columns(batch))
        yield _row(
            f"upset_{name}_4_bits_missed", crc_four_bits_rate(batch, trials, generator), theory, trials
        )
    trials = 2_000 * scale
    yield _row("upset_abft_int8_2_elements_harmed", abft_two_rate(trials, generator), 0.0, trials)
    rate = abft_line_rate(12, trials, generator)
    yield _row("upset_abft_int8_3_elements_harmed", rate, abft_line_theory(12), trials)
