"""The hybrid entropy coder of CCSDS 123.0-B-2, 5.4.3.3, plainly.

Large values have a code word each; small ones go as symbols into one of 16 low-entropy codes, which each give out a
word when their symbols make one up. No code word ends another, and what the coder knew at the end stands in a tail: so
the body is read from its last bit to its first, and every value and every statistic is found in the reverse order.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from flightos.kernels import KernelError
from flightos.kernels.ccsds123.choices import of_band
from flightos.kernels.ccsds123.low_entropy import (
    SYMBOL_MAX,
    THRESHOLDS,
    Word,
    code_table,
    flush_table,
)
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters
from flightos.kernels.ccsds123.reference_order import Input, input_order
from flightos.kernels.codecs_bits import BitWriter

CODE_COUNT = len(SYMBOL_MAX)


def _low_entropy_code(accumulator: int, counter: int) -> int | None:
    """5.4.3.3.5.1.4 and 5.4.3.3.5.3.1: the index of the code for small values; None for a large one."""
    fitting = [code for code, limit in enumerate(THRESHOLDS) if accumulator << 14 < counter * limit]
    return max(fitting, default=None)


def _code_bits(accumulator: int, counter: int, sample_bits: int) -> int:
    """5.4.3.3.5.2: k, equation (66)."""
    bound = accumulator + (49 * counter >> 5)
    return max(k for k in range(1, max(sample_bits - 2, 2) + 1) if counter << k + 2 <= bound)


def _counters(given: CCSDS123Parameters) -> list[int]:
    """Gamma(t), equations (63) and (65): the same in all bands."""
    found = [1 << given.counter_first_bits]
    while len(found) < given.rows * given.cols:
        grown = found[-1] + 1
        found.append(grown // 2 if grown == 1 << given.counter_bits else grown)
    return found


def _is_rescaled(given: CCSDS123Parameters, counter_before: int) -> bool:
    return counter_before == (1 << given.counter_bits) - 1


def _put_reversed(writer: BitWriter, given: CCSDS123Parameters, value: int, code_bits: int) -> None:
    """5.4.3.3.3.2: the reversed length-limited Golomb code word."""
    if value >> code_bits < given.unary_zeros_max:
        writer.put(value, code_bits)
        writer.put(1, 1)
        writer.put(0, value >> code_bits)
    else:
        writer.put(value, given.sample_bits)
        writer.put(0, given.unary_zeros_max)


def put_hybrid(writer: BitWriter, given: CCSDS123Parameters, values: Mapping[Input, int]) -> None:
    """Write the body."""
    counters = _counters(given)
    accumulators = [of_band(given.hybrid_accumulator_first, z) for z in range(given.bands)]
    prefixes: list[Word] = [()] * CODE_COUNT
    for place in input_order(given):
        value, t = values[place], place.y * given.cols + place.x
        if place.limit is not None:
            writer.put(value, given.limit_bits[place.limit])
            continue
        if t == 0:
            writer.put(value, given.sample_bits)
            continue
        before = accumulators[place.z]
        accumulator = before + 4 * value
        if _is_rescaled(given, counters[t - 1]):
            writer.put(before, 1)
            accumulator = (accumulator + 1) // 2
        accumulators[place.z] = accumulator
        code = _low_entropy_code(accumulator, counters[t])
        if code is None:
            code_bits = _code_bits(accumulator, counters[t], given.sample_bits)
            _put_reversed(writer, given, value, code_bits)
        else:
            prefixes[code] = _put_symbol(writer, given, value, code, prefixes[code])
    _put_tail(writer, given, accumulators, prefixes)


def _put_symbol(writer: BitWriter, given: CCSDS123Parameters, value: int, code: int, prefix: Word) -> Word:
    """5.4.3.3.5.3: give the new active prefix."""
    escape = SYMBOL_MAX[code] + 1
    if value >= escape:
        _put_reversed(writer, given, value - escape, 0)
    word = (*prefix, min(value, escape))
    output = code_table(code).get(word)
    if output is None:
        return word
    writer.put(int(output, 2), len(output))
    return ()


def _put_tail(
    writer: BitWriter, given: CCSDS123Parameters, accumulators: list[int], prefixes: list[Word]
) -> None:
    """5.4.3.3.5.4, but for the fill."""
    for code, prefix in enumerate(prefixes):
        output = flush_table(code)[prefix]
        writer.put(int(output, 2), len(output))
    for accumulator in accumulators:
        writer.put(accumulator, 2 + given.sample_bits + given.counter_bits)
    writer.put(1, 1)


@cache
def _words_of(code: int, *, is_flush: bool) -> dict[str, Word]:
    """Input words by their outputs."""
    table = flush_table(code) if is_flush else code_table(code)
    return {output: word for word, output in table.items()}


class BackwardReader:
    """Gives the bits of a body out from the end. Raises KernelError(FOS_ERR_CORRUPT) before the start."""

    def __init__(self, data: bytes, start: int) -> None:
        self._text = format(int.from_bytes(data, "big"), f"0{8 * len(data)}b")
        self._start = start
        self._end = len(self._text)

    @property
    def bit_count(self) -> int:
        """Bits that are left."""
        return self._end - self._start

    def take(self, width: int) -> int:
        """Give the last `width` bits as a number."""
        if width > self.bit_count:
            raise KernelError("FOS_ERR_CORRUPT", "the code starts too late")
        self._end -= width
        return int(self._text[self._end : self._end + width] or "0", 2)

    def take_fill(self, word_bits: int) -> None:
        """Pass the fill, less than a word of zeros, and the one before it."""
        for _ in range(word_bits):
            if self.take(1):
                return
        raise KernelError("FOS_ERR_CORRUPT", "there is no one before the fill")

    def take_reversed(self, given: CCSDS123Parameters, code_bits: int) -> int:
        """Give the value of a reversed length-limited Golomb code word."""
        zeros = 0
        while zeros < given.unary_zeros_max:
            if self.take(1):
                return zeros << code_bits | self.take(code_bits)
            zeros += 1
        return self.take(given.sample_bits)

    def take_word(self, code: int, *, is_flush: bool) -> Word:
        """Give the input word of the output word at the end."""
        words = _words_of(code, is_flush=is_flush)
        output = ""
        while output not in words:
            output = f"{self.take(1)}{output}"
        return words[output]


def take_hybrid(data: bytes, start: int, given: CCSDS123Parameters) -> dict[Input, int]:
    """Read the body, which starts at bit `start` of the data and ends with them.

    Raises KernelError(FOS_ERR_CORRUPT), also when not all bits and symbols are used up at the start, or the
    accumulators there are out of their range (5.4.3.3.4.3).
    """
    reader = BackwardReader(data, start)
    reader.take_fill(8 * given.output_word_bytes)
    accumulator_bits = 2 + given.sample_bits + given.counter_bits
    accumulators = [reader.take(accumulator_bits) for _ in range(given.bands)][::-1]
    symbols: list[list[int]] = [
        list(reader.take_word(code, is_flush=True)) for code in reversed(range(CODE_COUNT))
    ][::-1]
    counters = _counters(given)
    values: dict[Input, int] = {}
    for place in reversed(list(input_order(given))):
        t = place.y * given.cols + place.x
        if place.limit is not None:
            values[place] = reader.take(given.limit_bits[place.limit])
        elif t == 0:
            values[place] = reader.take(given.sample_bits)
        else:
            accumulator = accumulators[place.z]
            value = values[place] = _take_value(reader, given, accumulator, counters[t], symbols)
            if _is_rescaled(given, counters[t - 1]):
                accumulator = 2 * accumulator - reader.take(1)
            accumulators[place.z] = accumulator - 4 * value
            if not 0 <= accumulators[place.z] < 1 << accumulator_bits:
                raise KernelError("FOS_ERR_CORRUPT", "the accumulators do not fit the values")
    are_low = all(first >> given.sample_bits + given.counter_first_bits == 0 for first in accumulators)
    if reader.bit_count or any(symbols) or not are_low:
        raise KernelError("FOS_ERR_CORRUPT", "the code does not end where the image starts")
    return values


def _take_value(
    reader: BackwardReader,
    given: CCSDS123Parameters,
    accumulator: int,
    counter: int,
    symbols: list[list[int]],
) -> int:
    code = _low_entropy_code(accumulator, counter)
    if code is None:
        value = reader.take_reversed(given, _code_bits(accumulator, counter, given.sample_bits))
    else:
        if not symbols[code]:
            symbols[code] = list(reader.take_word(code, is_flush=False))
        value = symbols[code].pop()
        if value > SYMBOL_MAX[code]:
            value += reader.take_reversed(given, 0)
    if value >> given.sample_bits:
        raise KernelError("FOS_ERR_CORRUPT", "a value has too many bits")
    return value
