"""The predictor and quantizer of CCSDS 123.0-B-2, chapter 4, plainly: equation by equation, sample after sample.

Written from the standard in Python's own whole numbers, and unlike the C code, which works in rows and leaves out what
cancels. Names are the standard's, spelled out; `t` counts the samples of a band.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from flightos.kernels import KernelError
from flightos.kernels.ccsds123.choices import LocalSum, of_band
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters


def _clip(value: int, low: int, top: int) -> int:
    return max(low, min(top, value))


def _sign(value: int) -> int:
    return (value > 0) - (value < 0)


class Prediction(NamedTuple):
    """What 4.7 says of one sample."""

    differences: list[int]
    """U_z(t); empty for t = 0."""
    high: int
    """The high-resolution predicted sample value; of no meaning for t = 0."""
    double: int
    """The double-resolution predicted sample value."""


class Predictor:
    """Predicts, quantizes and restores one sample after the other; bands may be walked in any legal order."""

    def __init__(self, parameters: CCSDS123Parameters) -> None:
        given = self.given = parameters
        bits = given.sample_bits
        self.low = -(1 << bits - 1) if given.is_signed else 0
        self.top = self.low + (1 << bits) - 1
        self.mid = 0 if given.is_signed else 1 << bits - 1
        self.restored: list[list[list[int]]] = np.zeros(given.shape, np.int64).tolist()
        self._represented: list[list[list[int]]] = np.zeros(given.shape, np.int64).tolist()
        self._weights: list[list[int]] = [[] for _ in range(given.bands)]
        self._limits = given.limits_in_order

    def local_sum(self, z: int, y: int, x: int) -> int:
        """4.4: sigma, equations (20) to (23)."""
        band, given = self._represented[z], self.given
        is_last = x == given.cols - 1
        if y == 0:
            if given.local_sum in (LocalSum.WIDE_NEIGHBOUR, LocalSum.WIDE_COLUMN):
                return 4 * band[0][x - 1]
            return 4 * (self._represented[z - 1][0][x - 1] if z > 0 else self.mid)
        north = band[y - 1][x]
        if given.local_sum in (LocalSum.WIDE_COLUMN, LocalSum.NARROW_COLUMN):
            return 4 * north
        if x == 0:
            return 2 * (north + band[y - 1][1])
        north_west = band[y - 1][x - 1]
        if given.local_sum == LocalSum.WIDE_NEIGHBOUR:
            west = band[y][x - 1]
            return west + north_west + (2 * north if is_last else north + band[y - 1][x + 1])
        return 2 * (north_west + north) if is_last else north_west + 2 * north + band[y - 1][x + 1]

    def differences(self, z: int, y: int, x: int) -> list[int]:
        """4.5.3: the vector U of directional and central local differences."""
        found: list[int] = []
        if not self.given.is_reduced:
            if y == 0:
                found += [0, 0, 0]
            else:
                band, sigma = self._represented[z], self.local_sum(z, y, x)
                north = 4 * band[y - 1][x] - sigma
                west = 4 * band[y][x - 1] - sigma if x > 0 else north
                north_west = 4 * band[y - 1][x - 1] - sigma if x > 0 else north
                found += [north, west, north_west]
        for before in range(z - 1, max(z - self.given.bands_used, 0) - 1, -1):
            found.append(4 * self._represented[before][y][x] - self.local_sum(before, y, x))
        return found

    def _start_weights(self, z: int) -> list[int]:
        """4.6.3: W_z(1), default or custom."""
        given = self.given
        omega, directions = given.weight_bits, 0 if given.is_reduced else 3
        if given.weights_first is None:
            weight = (7 << omega) // 8
            return [0] * directions + [weight // 8**i for i in range(min(z, given.bands_used))]
        free_bits = omega + 3 - given.weights_first_bits
        # The ceiling in equation (35) only matters where no bit is free: 2^-1 - 1 becomes 0.
        filling = (1 << free_bits - 1) - 1 if free_bits > 0 else 0
        return [(value << free_bits) + filling for value in given.weights_first[z]]

    def _exponent_offsets(self, z: int) -> list[int]:
        """4.10.4: varsigma for each weight; the three directions share theirs."""
        offsets = self.given.weight_exponent_offsets
        if offsets is None:
            return [0] * self.given.difference_count(z)
        if self.given.is_reduced:
            return list(offsets[z])
        return [offsets[z][0]] * 3 + list(offsets[z][1:])

    def _update_weights(self, z: int, t: int, differences: list[int], error: int) -> None:
        """4.10: floor((sgn+(e) 2^-(rho + varsigma) d + 1) / 2), clipped."""
        given = self.given
        steps = (t - given.cols) // (1 << given.weight_interval_log2)
        first, last = given.weight_exponent_first, given.weight_exponent_last
        rho = _clip(first + steps, first, last) + given.sample_bits - given.weight_bits
        sign = 1 if error >= 0 else -1
        limit = 1 << given.weight_bits + 2
        weights = self._weights[z]
        offsets = self._exponent_offsets(z)
        for index, (difference, offset) in enumerate(zip(differences, offsets, strict=True)):
            exponent = rho + offset
            if exponent >= 0:
                step = (sign * difference + (1 << exponent)) // (1 << exponent + 1)
            else:
                step = (sign * difference * (1 << -exponent) + 1) // 2
            weights[index] = _clip(weights[index] + step, -limit, limit - 1)

    def _predict(self, z: int, y: int, x: int) -> Prediction:
        """4.7: equations (36) to (38)."""
        if y == x == 0:
            from_before = z > 0 and self.given.bands_used > 0
            return Prediction([], 0, 2 * (self.restored[z - 1][0][0] if from_before else self.mid))
        differences = self.differences(z, y, x)
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
        return Prediction(differences, high, high >> omega + 1)

    def _error_max(self, z: int, y: int, predicted: int) -> int:
        """4.8.2: m."""
        limits = self._limits[y // self.given.period_rows]
        absolute = of_band(limits[0], z)
        relative = of_band(limits[1], z) * abs(predicted) >> self.given.sample_bits
        return (0, absolute, relative, min(absolute, relative))[self.given.error_limits_used]

    def _representative(self, z: int, restored: int, index: int, error_max: int, high: int) -> int:
        """4.9.2: equations (46) and (47) for t > 0."""
        given = self.given
        omega, theta = given.weight_bits, given.representative_bits
        damping = of_band(given.representative_damping, z)
        offset = of_band(given.representative_offset, z)
        centre = (restored << omega) - (_sign(index) * error_max * offset << omega - theta)
        numerator = 4 * ((1 << theta) - damping) * centre + damping * high - (damping << omega + 1)
        double = numerator >> omega + theta + 1
        return (double + 1) // 2

    def walk(self, z: int, y: int, x: int, *, sample: int | None, mapped: int | None) -> int:
        """Take one sample and give its mapped quantizer index; or take such an index and restore the sample.

        Raises KernelError(FOS_ERR_CORRUPT) for an index that no sample has.
        """
        t = y * self.given.cols + x
        if t == 0:
            self._weights[z] = self._start_weights(z)
        differences, high, double = self._predict(z, y, x)
        predicted = double // 2
        # Equations (41), (46) and (56) take t = 0 without loss.
        error_max = 0 if t == 0 else self._error_max(z, y, predicted)
        width = 2 * error_max + 1
        below = (predicted - self.low + error_max) // width
        above = (self.top - predicted + error_max) // width
        if sample is not None:
            residual = sample - predicted
            index = _sign(residual) * ((abs(residual) + error_max) // width)
            mapped = _map_index(index, double, min(below, above))
        else:
            assert mapped is not None
            if mapped > below + above:
                raise KernelError("FOS_ERR_CORRUPT", "a mapped value that no sample has")
            index = _unmap_index(mapped, double, below, above)
        restored = self.restored[z][y][x] = _clip(predicted + index * width, self.low, self.top)
        if t == 0:
            self._represented[z][y][x] = restored
        else:
            self._represented[z][y][x] = self._representative(z, restored, index, error_max, high)
            self._update_weights(z, t, differences, 2 * restored - double)
        return mapped


def _map_index(index: int, double: int, theta: int) -> int:
    """4.11: delta, equation (55)."""
    if abs(index) > theta:
        return abs(index) + theta
    turned = -index if double % 2 else index
    return 2 * abs(index) if turned >= 0 else 2 * abs(index) - 1


def _unmap_index(mapped: int, double: int, below: int, above: int) -> int:
    """The index that equation (55) maps so."""
    theta = min(below, above)
    if mapped > 2 * theta:
        return mapped - theta if below == theta else theta - mapped
    turned = mapped // 2 if mapped % 2 == 0 else -(mapped + 1) // 2
    return -turned if double % 2 else turned
