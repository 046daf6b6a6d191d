"""CCSDS 123.0-B-2, plainly: the oracle of the C coder, and what serves without it.

Written from the standard, equation by equation, one sample after the other, in Python's own whole numbers; and
unlike the C code, which works in rows and leaves out what cancels. Names are the standard's, spelled out.
Images are arrays of shape (bands, rows, cols); `t` counts the samples of a band. Sample representatives have no
damping and no offset, so they are the restored samples (4.9).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError
from flightos.kernels.codecs_bits import BitReader, BitWriter
from flightos.kernels.codecs_ccsds121_reference import BlockDecoder, BlockEncoder
from flightos.kernels.codecs_ccsds123_choices import EntropyCoder, LocalSum, of_band
from flightos.kernels.codecs_ccsds123_header import put_header, take_header
from flightos.kernels.codecs_ccsds123_parameters import CCSDS123Parameters
from flightos.kernels.codecs_parameters import CCSDS121Parameters


def _clip(value: int, low: int, top: int) -> int:
    return max(low, min(top, value))


class Predictor:
    """Predicts, quantizes and restores one sample after the other; bands may be walked in any legal order."""

    def __init__(self, parameters: CCSDS123Parameters) -> None:
        given = self.given = parameters
        bits = given.sample_bits
        self.low = -(1 << bits - 1) if given.is_signed else 0
        self.top = self.low + (1 << bits) - 1
        self.mid = 0 if given.is_signed else 1 << bits - 1
        self.restored = np.zeros(given.shape, np.int64).tolist()
        self._weights: list[list[int]] = [[] for _ in range(given.bands)]

    def local_sum(self, z: int, y: int, x: int) -> int:
        """4.4: sigma, equations (20) to (23)."""
        band, given = self.restored[z], self.given
        is_last = x == given.cols - 1
        if y == 0:
            if given.local_sum in (LocalSum.WIDE_NEIGHBOUR, LocalSum.WIDE_COLUMN):
                return int(4 * band[0][x - 1])
            return int(4 * (self.restored[z - 1][0][x - 1] if z > 0 else self.mid))
        north = band[y - 1][x]
        if given.local_sum in (LocalSum.WIDE_COLUMN, LocalSum.NARROW_COLUMN):
            return int(4 * north)
        if x == 0:
            return int(2 * (north + band[y - 1][1]))
        north_west = band[y - 1][x - 1]
        if given.local_sum == LocalSum.WIDE_NEIGHBOUR:
            west = band[y][x - 1]
            return int(west + north_west + (2 * north if is_last else north + band[y - 1][x + 1]))
        return int(2 * (north_west + north) if is_last else north_west + 2 * north + band[y - 1][x + 1])

    def differences(self, z: int, y: int, x: int) -> list[int]:
        """4.5.3: the vector U of directional and central local differences."""
        found: list[int] = []
        if not self.given.is_reduced:
            if y == 0:
                found += [0, 0, 0]
            else:
                sigma = self.local_sum(z, y, x)
                north = 4 * self.restored[z][y - 1][x] - sigma
                west = 4 * self.restored[z][y][x - 1] - sigma if x > 0 else north
                north_west = 4 * self.restored[z][y - 1][x - 1] - sigma if x > 0 else north
                found += [north, west, north_west]
        for before in range(z - 1, max(z - self.given.bands_used, 0) - 1, -1):
            found.append(4 * self.restored[before][y][x] - self.local_sum(before, y, x))
        return found

    def _start_weights(self, z: int) -> list[int]:
        """4.6.3.2: the default."""
        weights = [] if self.given.is_reduced else [0, 0, 0]
        weight = (7 << self.given.weight_bits) // 8
        for _ in range(min(z, self.given.bands_used)):
            weights.append(weight)
            weight //= 8
        return weights

    def _update_weights(self, z: int, t: int, differences: list[int], error: int) -> None:
        """4.10: floor((sgn+(e) 2^-rho d + 1) / 2), clipped."""
        given = self.given
        steps = (t - given.cols) >> given.weight_interval_log2
        exponent = _clip(
            given.weight_exponent_first + steps, given.weight_exponent_first, given.weight_exponent_last
        )
        rho = exponent + given.sample_bits - given.weight_bits
        sign = 1 if error >= 0 else -1
        limit = 1 << given.weight_bits + 2
        for index, difference in enumerate(differences):
            if rho >= 0:
                step = (sign * difference + (1 << rho)) // (1 << rho + 1)
            else:
                step = (sign * difference * (1 << -rho) + 1) // 2
            self._weights[z][index] = _clip(self._weights[z][index] + step, -limit, limit - 1)

    def _predict(self, z: int, y: int, x: int, differences: list[int]) -> int:
        """4.7: the double-resolution predicted sample value for t > 0."""
        omega, register = self.given.weight_bits, self.given.register_bits
        central = sum(
            weight * difference for weight, difference in zip(self._weights[z], differences, strict=True)
        )
        inner = central + (self.local_sum(z, y, x) - 4 * self.mid << omega)
        wrapped = (inner + (1 << register - 1)) % (1 << register) - (1 << register - 1)
        high = _clip(
            wrapped + (self.mid << omega + 2) + (1 << omega + 1),
            self.low << omega + 2,
            (self.top << omega + 2) + (1 << omega + 1),
        )
        return high >> omega + 1

    def _error_max(self, predicted: int) -> int:
        """4.8.2: m."""
        given = self.given
        absolute = of_band(given.error_absolute_max, 0)
        relative = of_band(given.error_relative_max, 0) * abs(predicted) >> given.sample_bits
        return (0, absolute, relative, min(absolute, relative))[given.error_limits_used]

    def walk(self, z: int, y: int, x: int, *, sample: int | None, mapped: int | None) -> int:
        """Take one sample and give its mapped value; or take a mapped value and restore the sample.

        Raises KernelError(FOS_ERR_CORRUPT) for a mapped value that no sample has.
        """
        t = y * self.given.cols + x
        if t == 0:
            from_before = z > 0 and self.given.bands_used > 0
            double = 2 * (self.restored[z - 1][0][0] if from_before else self.mid)
            differences: list[int] = []
            self._weights[z] = self._start_weights(z)
        else:
            differences = self.differences(z, y, x)
            double = self._predict(z, y, x, differences)
        predicted = double // 2
        error_max = 0 if t == 0 else self._error_max(predicted)
        width = 2 * error_max + 1
        below = (predicted - self.low + error_max) // width
        above = (self.top - predicted + error_max) // width
        if sample is not None:
            residual = sample - predicted
            index = (abs(residual) + error_max) // width * (1 if residual >= 0 else -1)
            mapped = _map_index(index, double, min(below, above))
        else:
            assert mapped is not None
            if mapped > below + above:
                raise KernelError("FOS_ERR_CORRUPT", "a mapped value that no sample has")
            index = _unmap_index(mapped, double, below, above)
        restored = _clip(predicted + index * width, self.low, self.top)
        self.restored[z][y][x] = restored
        if t > 0:
            self._update_weights(z, t, differences, 2 * restored - double)
        return mapped


def _map_index(index: int, double: int, theta: int) -> int:
    """4.11.1: delta."""
    if abs(index) > theta:
        return abs(index) + theta
    turned = -index if double % 2 else index
    return 2 * abs(index) if turned >= 0 else 2 * abs(index) - 1


def _unmap_index(mapped: int, double: int, below: int, above: int) -> int:
    theta = min(below, above)
    if mapped > 2 * theta:
        return mapped - theta if below == theta else theta - mapped
    turned = mapped // 2 if mapped % 2 == 0 else -(mapped + 1) // 2
    return -turned if double % 2 else turned


def coding_order(given: CCSDS123Parameters) -> Iterator[tuple[int, int, int]]:
    """5.4.2: (z, y, x) of every sample, in the order of coding."""
    if given.interleave_bands == 0:
        yield from np.ndindex(given.shape)
        return
    for y in range(given.rows):
        for first in range(0, given.bands, given.interleave_bands):
            for x in range(given.cols):
                for z in range(first, min(first + given.interleave_bands, given.bands)):
                    yield z, y, x


class Statistics:
    """5.4.3.2: what the sample-adaptive coder knows of one band."""

    def __init__(self, given: CCSDS123Parameters) -> None:
        self._given = given
        self._counter = 1 << given.counter_first_bits
        self._sum = (3 * (1 << of_band(given.accumulator_first, 0) + 6) - 49) * self._counter // (1 << 7)

    def code_bits(self) -> int:
        """5.4.3.2.4: k, the largest with counter 2^k <= sum + floor(49 / 2^7 counter), within 0..D - 2."""
        bound = self._sum + 49 * self._counter // (1 << 7)
        fitting = [k for k in range(1, self._given.sample_bits - 1) if self._counter << k <= bound]
        return 0 if 2 * self._counter > bound else max(fitting, default=0)

    def count(self, mapped: int) -> None:
        """5.4.3.2.3: after each sample; both are halved when the counter is full."""
        self._sum += mapped
        self._counter += 1
        if self._counter == 1 << self._given.counter_bits:
            self._sum = (self._sum + 1) // 2
            self._counter //= 2


def _block_parameters(given: CCSDS123Parameters) -> CCSDS121Parameters:
    return CCSDS121Parameters(
        bits_per_sample=given.sample_bits,
        block_size=given.block_size,
        interval_blocks=given.interval_blocks,
        has_preprocessor=False,
        is_restricted=bool(given.is_restricted),
    )


def encode(image: NDArray[Any], given: CCSDS123Parameters) -> bytes:
    """Do what the C coder does. Raises KernelError(FOS_ERR_RANGE) for a sample of too many bits."""
    predictor = Predictor(given)
    if image.min() < predictor.low or image.max() > predictor.top:
        raise KernelError("FOS_ERR_RANGE", f"a sample has more than {given.sample_bits} bits")
    samples = image.tolist()
    found = np.zeros(given.shape, np.int64)
    for z, y, x in np.ndindex(given.shape):
        found[z, y, x] = predictor.walk(z, y, x, sample=samples[z][y][x], mapped=None)
    writer = BitWriter()
    put_header(writer, given)
    values = [(position, int(found[position])) for position in coding_order(given)]
    if given.entropy_coder == EntropyCoder.BLOCK_ADAPTIVE:
        blocks = BlockEncoder(_block_parameters(given), writer)
        flat = [value for _, value in values]
        flat += [0] * (-len(flat) % given.block_size)
        for first in range(0, len(flat), given.block_size):
            is_last = first + given.block_size == len(flat)
            blocks.put(flat[first : first + given.block_size], None, is_last=is_last)
    else:
        statistics = [Statistics(given) for _ in range(given.bands)]
        for (z, y, x), value in values:
            _put_value(writer, given, statistics[z], value, is_first=y == x == 0)
    writer.pad_to(8 * given.output_word_bytes)
    return writer.to_bytes()


def _put_value(
    writer: BitWriter, given: CCSDS123Parameters, known: Statistics, value: int, *, is_first: bool
) -> None:
    """5.4.3.2.4: the length-limited Golomb code word."""
    if is_first:
        writer.put(value, given.sample_bits)
        return
    code_bits = known.code_bits()
    if value >> code_bits < given.unary_zeros_max:
        writer.put_unary(value >> code_bits)
        writer.put(value, code_bits)
    else:
        writer.put(0, given.unary_zeros_max)
        writer.put(value, given.sample_bits)
    known.count(value)


def _take_value(reader: BitReader, given: CCSDS123Parameters, known: Statistics, *, is_first: bool) -> int:
    if is_first:
        return reader.take(given.sample_bits)
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


def decode(encoded: bytes) -> NDArray[Any]:
    """Do what the C decoder does."""
    reader = BitReader(encoded)
    given = take_header(reader)
    found: dict[tuple[int, int, int], int] = {}
    if given.entropy_coder == EntropyCoder.BLOCK_ADAPTIVE:
        blocks = BlockDecoder(_block_parameters(given), reader)
        waiting: list[int] = []
        for position in coding_order(given):
            if not waiting:
                waiting = blocks.take(has_reference=False)[0][::-1]
            found[position] = waiting.pop()
    else:
        statistics = [Statistics(given) for _ in range(given.bands)]
        for z, y, x in coding_order(given):
            found[z, y, x] = _take_value(reader, given, statistics[z], is_first=y == x == 0)
    predictor = Predictor(given)
    for z, y, x in np.ndindex(given.shape):
        predictor.walk(z, y, x, sample=None, mapped=found[z, y, x])
    return np.array(predictor.restored, given.dtype)
