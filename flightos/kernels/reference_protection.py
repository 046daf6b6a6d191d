"""The protection kernels again, in NumPy: fallback where C is not built, and oracle of the tests.

Written to be plainly right, not fast. Every function gives the bits of its C twin; faces check the arguments.
"""

from functools import cache

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError

Bytes = NDArray[np.uint8]
Words = NDArray[np.uint64]

_ONES = np.array([bin(byte).count("1") for byte in range(256)], np.uint8)
_LOST = 255
"""FOS_SECDED_LOST: a syndrome that no single bit gives."""


def vote(first: Bytes, second: Bytes, third: Bytes, voted: Bytes) -> tuple[int, int, int]:
    """Write the bitwise majority into `voted`; give the outvoted bits of each copy."""
    voted[...] = (first & second) | (third & (first | second))
    first_count, second_count, third_count = (
        int(_ONES[copy ^ voted].sum(dtype=np.int64)) for copy in (first, second, third)
    )
    return first_count, second_count, third_count


def vote_scrub(first: Bytes, second: Bytes, third: Bytes) -> tuple[int, int, int]:
    """Make all three the majority."""
    voted = np.empty_like(first)
    faults = vote(first, second, third, voted)
    for copy in (first, second, third):
        copy[...] = voted
    return faults


@cache
def _columns() -> tuple[int, ...]:
    weight_three = [byte for byte in range(256) if _ONES[byte] == 3]
    weight_five = [((0x1F << turn) | (0x1F >> (8 - turn))) & 0xFF for turn in range(8)]
    return (*weight_three, *weight_five)


@cache
def _check_table() -> NDArray[np.uint8]:
    """The check byte of each byte at each of the eight positions of a word, shape (8, 256)."""
    table = np.zeros((8, 256), np.uint8)
    for position in range(8):
        for byte in range(256):
            for bit in range(8):
                if byte >> bit & 1:
                    table[position, byte] ^= _columns()[8 * position + bit]
    return table


@cache
def _actions() -> NDArray[np.uint8]:
    """What a syndrome means: 0 nothing, 1 to 64 a data bit, 65 to 72 a check bit, else lost."""
    actions = np.full(256, _LOST, np.uint8)
    actions[0] = 0
    for bit, column in enumerate(_columns()):
        actions[column] = 1 + bit
    for bit in range(8):
        actions[1 << bit] = 65 + bit
    return actions


def secded_encode(words: Words, checks: Bytes) -> None:
    """Write the check byte of each word."""
    as_bytes = words.reshape(-1).astype("<u8").view(np.uint8).reshape(-1, 8)
    total = np.zeros(len(as_bytes), np.uint8)
    for position in range(8):
        total ^= _check_table()[position][as_bytes[:, position]]
    checks[...] = total.reshape(checks.shape)


def _secded_actions(words: Words, checks: Bytes) -> NDArray[np.uint8]:
    expected = np.empty(words.shape, np.uint8)
    secded_encode(words, expected)
    actions: NDArray[np.uint8] = _actions()[(expected ^ checks).reshape(-1)]
    return actions


def _count(actions: NDArray[np.uint8]) -> tuple[int, int, int, int | None]:
    lost = np.flatnonzero(actions == _LOST)
    data_bits = int(np.count_nonzero((actions >= 1) & (actions <= 64)))
    check_bits = int(np.count_nonzero((actions >= 65) & (actions <= 72)))
    return data_bits, check_bits, len(lost), int(lost[0]) if len(lost) else None


def secded_check(words: Words, checks: Bytes) -> tuple[int, int, int, int | None]:
    """Count wrong data bits, wrong check bits and lost words; the index of the first of these."""
    return _count(_secded_actions(words, checks))


def secded_scrub(words: Words, checks: Bytes) -> tuple[int, int, int, int | None]:
    """Correct single bits in place."""
    actions = _secded_actions(words, checks)
    flat_words, flat_checks = words.reshape(-1), checks.reshape(-1)
    for index in np.flatnonzero((actions != 0) & (actions != _LOST)):
        bit = int(actions[index]) - 1
        if bit < 64:
            flat_words[index] ^= np.uint64(1 << bit)
        else:
            flat_checks[index] ^= np.uint8(1 << (bit - 64))
    return _count(actions)


@cache
def _gf_tables() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Powers of x modulo x^8 + x^4 + x^3 + x^2 + 1, twice round, and logarithms."""
    powers = np.zeros(510, np.uint8)
    logarithms = np.zeros(256, np.int64)
    value = 1
    for exponent in range(255):
        powers[exponent] = powers[exponent + 255] = value
        logarithms[value] = exponent
        value = (value << 1) ^ (0x11D if value & 0x80 else 0)
    return powers, logarithms


def gf_multiply(factor: int, values: Bytes) -> Bytes:
    """Give the products of a factor with values in GF(256)."""
    powers, logarithms = _gf_tables()
    if factor == 0:
        return np.zeros_like(values)
    products: Bytes = powers[logarithms[values] + logarithms[factor]]
    return np.where(values == 0, np.uint8(0), products)


def _gf_inverse(value: int) -> int:
    powers, logarithms = _gf_tables()
    return int(powers[255 - int(logarithms[value])])


def _factor(parity: int, data: int) -> int:
    inverse = np.array([_gf_inverse((255 - parity) ^ data)], np.uint8)
    return int(gf_multiply(255 ^ data, inverse)[0])


def _encode_row(data: Bytes, row: int) -> Bytes:
    total = np.zeros(data.shape[1], np.uint8)
    for column in range(len(data)):
        total ^= gf_multiply(_factor(row, column), data[column])
    return total


def erasure_encode(data: Bytes, parity: Bytes) -> None:
    """Write the parity shards."""
    for row in range(len(parity)):
        parity[row] = _encode_row(data, row)


def erasure_restore(data: Bytes, parity: Bytes, is_present: Bytes) -> None:
    """Solve for the lost data shards, one equation for each from a parity that is present; then encode."""
    lost = [index for index in range(len(data)) if not is_present[index]]
    helpers = [row for row in range(len(parity)) if is_present[len(data) + row]]
    if len(helpers) < len(lost):
        raise KernelError(
            "FOS_ERR_UNCORRECTABLE", f"{len(lost)} data shards lost, {len(helpers)} parity shards left"
        )
    kept = data.copy()
    kept[lost] = 0
    equations = []
    for row in helpers[: len(lost)]:
        right_side = parity[row] ^ _encode_row(kept, row)
        factors = np.array([_factor(row, column) for column in lost], np.uint8)
        equations.append(np.concatenate((factors, right_side)))
    for pivot in range(len(lost)):
        equations[pivot] = gf_multiply(_gf_inverse(int(equations[pivot][pivot])), equations[pivot])
        for row in range(len(lost)):
            if row != pivot:
                equations[row] = equations[row] ^ gf_multiply(int(equations[row][pivot]), equations[pivot])
    for index, equation in zip(lost, equations, strict=True):
        data[index] = equation[len(lost) :]
    for row in range(len(parity)):
        if not is_present[len(data) + row]:
            parity[row] = _encode_row(data, row)
