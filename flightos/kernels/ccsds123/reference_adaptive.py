"""The sample-adaptive and the block-adaptive entropy coder of CCSDS 123.0-B-2, 5.4.3.2 and 5.4.3.4, plainly."""

from __future__ import annotations

from collections.abc import Mapping

from flightos.kernels import KernelError
from flightos.kernels.ccsds123.choices import of_band
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters
from flightos.kernels.ccsds123.reference_order import Input, input_order
from flightos.kernels.codecs_bits import BitReader, BitWriter
from flightos.kernels.codecs_ccsds121_reference import BlockDecoder, BlockEncoder
from flightos.kernels.codecs_parameters import CCSDS121Parameters


class Statistics:
    """5.4.3.2.3: what the sample-adaptive coder knows of one band."""

    def __init__(self, given: CCSDS123Parameters, z: int) -> None:
        self._given = given
        self._counter = 1 << given.counter_first_bits
        first = of_band(given.accumulator_first, z)
        # Equation (59): large starts of samples with more than 16 bits go up two at a time.
        first = first if first <= 30 - given.sample_bits else 2 * first + given.sample_bits - 30
        self._sum = (3 * (1 << first + 6) - 49) * self._counter // (1 << 7)

    def code_bits(self) -> int:
        """5.4.3.2.4.3: k, the largest with counter 2^k <= sum + floor(49 / 2^7 counter), within 0..D - 2."""
        bound = self._sum + 49 * self._counter // (1 << 7)
        fitting = [k for k in range(1, self._given.sample_bits - 1) if self._counter << k <= bound]
        return 0 if 2 * self._counter > bound else max(fitting, default=0)

    def count(self, mapped: int) -> None:
        """5.4.3.2.3.4: after each sample; both are halved when the counter is full."""
        self._sum += mapped
        self._counter += 1
        if self._counter == 1 << self._given.counter_bits:
            self._sum = (self._sum + 1) // 2
            self._counter //= 2


def put_sample_adaptive(writer: BitWriter, given: CCSDS123Parameters, values: Mapping[Input, int]) -> None:
    """Write the body."""
    statistics = [Statistics(given, z) for z in range(given.bands)]
    for place in input_order(given):
        if place.limit is not None:
            writer.put(values[place], given.limit_bits[place.limit])
        elif place.y == place.x == 0:
            writer.put(values[place], given.sample_bits)
        else:
            _put_value(writer, given, statistics[place.z], values[place])


def _put_value(writer: BitWriter, given: CCSDS123Parameters, known: Statistics, value: int) -> None:
    """5.4.3.2.2: the length-limited Golomb code word."""
    code_bits = known.code_bits()
    if value >> code_bits < given.unary_zeros_max:
        writer.put_unary(value >> code_bits)
        writer.put(value, code_bits)
    else:
        writer.put(0, given.unary_zeros_max)
        writer.put(value, given.sample_bits)
    known.count(value)


def take_sample_adaptive(reader: BitReader, given: CCSDS123Parameters) -> dict[Input, int]:
    """Read the body. Raises KernelError(FOS_ERR_CORRUPT)."""
    statistics = [Statistics(given, z) for z in range(given.bands)]
    values: dict[Input, int] = {}
    for place in input_order(given):
        if place.limit is not None:
            values[place] = reader.take(given.limit_bits[place.limit])
        elif place.y == place.x == 0:
            values[place] = reader.take(given.sample_bits)
        else:
            values[place] = _take_value(reader, given, statistics[place.z])
    return values


def _take_value(reader: BitReader, given: CCSDS123Parameters, known: Statistics) -> int:
    code_bits = known.code_bits()
    if reader.zeros_ahead(given.unary_zeros_max):
        reader.take(given.unary_zeros_max)
        value = reader.take(given.sample_bits)
    else:
        value = reader.take_unary() << code_bits
        value |= reader.take(code_bits)
    if value >> given.sample_bits:
        raise KernelError("FOS_ERR_CORRUPT", "a value has too many bits")
    known.count(value)
    return value


def _block_parameters(given: CCSDS123Parameters) -> CCSDS121Parameters:
    """5.4.3.4.2."""
    return CCSDS121Parameters(
        bits_per_sample=given.sample_bits,
        block_size=given.block_size,
        interval_blocks=given.interval_blocks,
        has_preprocessor=False,
        is_restricted=bool(given.is_restricted),
    )


def put_block_adaptive(writer: BitWriter, given: CCSDS123Parameters, values: Mapping[Input, int]) -> None:
    """Write the body."""
    blocks = BlockEncoder(_block_parameters(given), writer)
    flat = [values[place] for place in input_order(given)]
    flat += [0] * (-len(flat) % given.block_size)
    for first in range(0, len(flat), given.block_size):
        is_last = first + given.block_size == len(flat)
        blocks.put(flat[first : first + given.block_size], None, is_last=is_last)


def take_block_adaptive(reader: BitReader, given: CCSDS123Parameters) -> dict[Input, int]:
    """Read the body. Raises KernelError(FOS_ERR_CORRUPT), also for an error limit of too many bits."""
    blocks = BlockDecoder(_block_parameters(given), reader)
    waiting: list[int] = []
    values: dict[Input, int] = {}
    for place in input_order(given):
        if not waiting:
            waiting = blocks.take(has_reference=False)[0][::-1]
        value = values[place] = waiting.pop()
        if place.limit is not None and value >> given.limit_bits[place.limit]:
            raise KernelError("FOS_ERR_CORRUPT", "an error limit has too many bits")
    return values
