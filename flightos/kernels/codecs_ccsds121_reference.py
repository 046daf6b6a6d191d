"""CCSDS 121.0-B-3, plainly: the oracle of the C coder, and what serves without it.

Written from the standard, section by section, and unlike the C code: every option of every block is spelled out
as text of bits and the shortest is taken. Where several splits are equally short the standard leaves the choice
open; here the one nearest to the last block's is taken, which is libaec's choice.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from flightos.kernels import KernelError
from flightos.kernels.codecs_bits import BitReader, BitWriter
from flightos.kernels.codecs_parameters import CCSDS121Parameters

_SEGMENT_BLOCKS = 64
_REMAINDER_OF_SEGMENT = 4


class BlockEncoder:
    """Blocks of mapped values to bits (section 3)."""

    def __init__(self, parameters: CCSDS121Parameters, writer: BitWriter) -> None:
        self._parameters = parameters
        self._writer = writer
        self._split_bits = 0
        self._block_in_interval = 0
        self._zero_blocks = 0
        self._zero_reference: int | None = None

    def put(self, mapped: Sequence[int], reference: int | None, *, is_last: bool) -> None:
        """Code one block. With a reference sample, mapped[0] is 0. The last one ends pending zero blocks."""
        self._block_in_interval += 1
        interval_ends = self._block_in_interval == self._parameters.interval_blocks
        if any(mapped):
            self._put_zero_blocks(to_segment_end=False)
            self._put_shortest(mapped, reference)
        else:
            if self._zero_blocks == 0:
                self._zero_reference = reference
            self._zero_blocks += 1
            if self._block_in_interval % _SEGMENT_BLOCKS == 0 or interval_ends or is_last:
                self._put_zero_blocks(to_segment_end=True)
        if interval_ends:
            self._block_in_interval = 0

    def _put_reference(self, reference: int | None) -> None:
        if reference is not None:
            self._writer.put(reference, self._parameters.bits_per_sample)

    def _put_zero_blocks(self, *, to_segment_end: bool) -> None:
        """3.5: one code for a run of blocks of zeros."""
        if self._zero_blocks == 0:
            return
        self._writer.put(0, self._parameters.id_bits + 1)
        self._put_reference(self._zero_reference)
        if self._zero_blocks <= 4:
            self._writer.put_unary(self._zero_blocks - 1)
        else:
            self._writer.put_unary(_REMAINDER_OF_SEGMENT if to_segment_end else self._zero_blocks)
        self._zero_blocks = 0

    def _best_split(self, values: Sequence[int]) -> tuple[int, int]:
        """3.3: length without the identifier, and k, of the shortest splitting."""
        choices = range((1 << self._parameters.id_bits) - 2)
        lengths = [sum(value >> k for value in values) + len(values) * (k + 1) for k in choices]
        shortest = min(lengths)
        nearest = min((k for k in choices if lengths[k] == shortest), key=lambda k: abs(k - self._split_bits))
        self._split_bits = nearest
        return shortest, nearest

    def _put_shortest(self, mapped: Sequence[int], reference: int | None) -> None:
        """3.2 to 3.6: plain, split, or in pairs; on a tie plain first, pairs next."""
        id_bits, bits = self._parameters.id_bits, self._parameters.bits_per_sample
        values = mapped if reference is None else mapped[1:]
        pairs = [
            (first + second) * (first + second + 1) // 2 + second
            for first, second in zip(mapped[::2], mapped[1::2], strict=True)
        ]
        plain_length = len(values) * bits
        pairs_length = 1 + sum(pairs) + len(pairs)
        split_length, split_bits = (plain_length, 0) if id_bits == 1 else self._best_split(values)
        if split_length < min(plain_length, pairs_length):
            self._writer.put(split_bits + 1, id_bits)
            self._put_reference(reference)
            for value in values:
                self._writer.put_unary(value >> split_bits)
            for value in values:
                self._writer.put(value, split_bits)
        elif pairs_length < plain_length:
            self._writer.put(1, id_bits + 1)
            self._put_reference(reference)
            for pair in pairs:
                self._writer.put_unary(pair)
        else:
            self._writer.put((1 << id_bits) - 1, id_bits)
            self._put_reference(reference)
            for value in values:
                self._writer.put(value, bits)


class BlockDecoder:
    """Bits back to blocks of mapped values. Raises KernelError(FOS_ERR_CORRUPT)."""

    def __init__(self, parameters: CCSDS121Parameters, reader: BitReader) -> None:
        self._parameters = parameters
        self._reader = reader
        self._block_in_interval = 0
        self._zero_blocks = 0

    @property
    def starts_interval(self) -> bool:
        """Whether the next block begins with a reference sample, where there are any."""
        return self._block_in_interval == 0

    def take(self, *, has_reference: bool) -> tuple[list[int], int | None]:
        """Give the next block and its reference sample."""
        reference = None
        if self._zero_blocks:
            self._zero_blocks -= 1
            mapped = [0] * self._parameters.block_size
        else:
            mapped, reference = self._take_block(has_reference)
        if any(value >> self._parameters.bits_per_sample for value in mapped):
            raise KernelError("FOS_ERR_CORRUPT", "a value has too many bits")
        self._block_in_interval = (self._block_in_interval + 1) % self._parameters.interval_blocks
        return mapped, reference

    def _take_block(self, has_reference: bool) -> tuple[list[int], int | None]:
        reader, bits = self._reader, self._parameters.bits_per_sample
        option = reader.take(self._parameters.id_bits)
        is_pairs = option == 0 and reader.take(1) == 1
        reference = reader.take(bits) if has_reference else None
        lead = [0] if has_reference else []
        count = self._parameters.block_size - len(lead)
        if is_pairs:
            codes = (reader.take_unary() for _ in range(self._parameters.block_size // 2))
            return [value for code in codes for value in _split_pair(code)], reference
        if option == 0:
            self._take_zero_blocks()
            return [0] * self._parameters.block_size, reference
        if option == (1 << self._parameters.id_bits) - 1:
            return lead + [reader.take(bits) for _ in range(count)], reference
        high = [reader.take_unary() for _ in range(count)]
        return lead + [part << option - 1 | reader.take(option - 1) for part in high], reference

    def _take_zero_blocks(self) -> None:
        code = self._reader.take_unary()
        in_interval = self._parameters.interval_blocks - self._block_in_interval
        in_segment = _SEGMENT_BLOCKS - self._block_in_interval % _SEGMENT_BLOCKS
        count = code + 1 if code < _REMAINDER_OF_SEGMENT else code
        if code == _REMAINDER_OF_SEGMENT:
            count = min(in_segment, in_interval)
        if code > _SEGMENT_BLOCKS or count > in_interval:
            raise KernelError("FOS_ERR_CORRUPT", "zero blocks pass the end of the interval")
        self._zero_blocks = count - 1


def _split_pair(code: int) -> tuple[int, int]:
    """3.4.2 undone: the largest triangle number within the code gives the sum of the pair."""
    pair_sum = 0
    while (pair_sum + 1) * (pair_sum + 2) // 2 <= code:
        pair_sum += 1
    second = code - pair_sum * (pair_sum + 1) // 2
    return pair_sum - second, second


def map_difference(sample: int, predicted: int, sample_min: int, sample_max: int) -> int:
    """4.4: signed differences to counts, small ones first, as far as both signs are possible."""
    theta = min(predicted - sample_min, sample_max - predicted)
    difference = sample - predicted
    if abs(difference) > theta:
        return theta + abs(difference)
    return 2 * difference if difference >= 0 else -2 * difference - 1


def unmap_difference(mapped: int, predicted: int, sample_min: int, sample_max: int) -> int:
    """4.4 undone."""
    theta = min(predicted - sample_min, sample_max - predicted)
    if mapped > 2 * theta:
        away = mapped - theta
        return predicted + away if predicted - sample_min == theta else predicted - away
    return predicted + mapped // 2 if mapped % 2 == 0 else predicted - (mapped + 1) // 2


def encode(samples: Sequence[int], parameters: CCSDS121Parameters) -> bytes:
    """Do what the C coder does. Raises KernelError(FOS_ERR_RANGE) for a sample of too many bits."""
    low, top = parameters.sample_min, parameters.sample_max
    if any(not low <= sample <= top for sample in samples):
        raise KernelError("FOS_ERR_RANGE", f"a sample has more than {parameters.bits_per_sample} bits")
    mask = (1 << parameters.bits_per_sample) - 1
    writer = BitWriter()
    encoder = BlockEncoder(parameters, writer)
    block_count = -(-len(samples) // parameters.block_size)
    previous = 0
    for number in range(block_count):
        block = list(samples[number * parameters.block_size : (number + 1) * parameters.block_size])
        block += block[-1:] * (parameters.block_size - len(block))
        reference = None
        mapped = [sample & mask for sample in block]
        if parameters.has_preprocessor:
            if number % parameters.interval_blocks == 0:
                reference, previous = block[0], block[0]
            predictions = [previous, *block[:-1]]
            mapped = [map_difference(*pair, low, top) for pair in zip(block, predictions, strict=True)]
            previous = block[-1]
        encoder.put(mapped, reference, is_last=number == block_count - 1)
        if parameters.pads_interval and (number + 1) % parameters.interval_blocks == 0:
            writer.pad_to(8)
    return writer.to_bytes()


def decode(encoded: bytes, parameters: CCSDS121Parameters, sample_count: int) -> list[int]:
    """Do what the C decoder does."""
    return list(_samples(BitReader(encoded), parameters, sample_count))


def _samples(reader: BitReader, parameters: CCSDS121Parameters, sample_count: int) -> Iterator[int]:
    decoder = BlockDecoder(parameters, reader)
    low, top = parameters.sample_min, parameters.sample_max
    extend: Callable[[int], int] = lambda bits: bits - (top - low + 1) if bits > top else bits  # noqa: E731
    previous = 0
    for first in range(0, sample_count, parameters.block_size):
        has_reference = parameters.has_preprocessor and decoder.starts_interval
        mapped, reference = decoder.take(has_reference=has_reference)
        if reference is not None:
            previous = extend(reference)
        for value in mapped[: sample_count - first]:
            if parameters.has_preprocessor:
                previous = unmap_difference(value, previous, low, top)
                yield previous
            else:
                yield extend(value)
        if parameters.pads_interval and decoder.starts_interval:
            reader.skip_to_byte()
