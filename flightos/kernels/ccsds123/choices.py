"""What one can choose from in CCSDS 123.0-B-2: forms and coders, and tables for the reader of the image (3.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final

import numpy as np

TABLE_COUNT_MAX: Final = 15

ByBand = int | tuple[int, ...]
"""One number for all bands, or one for each."""


def of_band(values: ByBand, z: int) -> int:
    """Give the value of band z."""
    return values if isinstance(values, int) else values[z]


class LocalSum(IntEnum):
    """Form of the local sums (4.4)."""

    WIDE_NEIGHBOUR = 0
    NARROW_NEIGHBOUR = 1
    WIDE_COLUMN = 2
    NARROW_COLUMN = 3


class EntropyCoder(IntEnum):
    """Coder of the mapped quantizer indices (5.4.3)."""

    SAMPLE_ADAPTIVE = 0
    HYBRID = 1
    BLOCK_ADAPTIVE = 2


class LeftOut(IntFlag):
    """Tables that are used but that the header does not carry; the decoder must be told them."""

    WEIGHTS_FIRST = 1
    """5.3.3.3.2"""
    WEIGHT_EXPONENT_OFFSETS = 2
    """5.3.3.3.3"""
    REPRESENTATIVE_DAMPING = 4
    """5.3.3.5.2"""
    REPRESENTATIVE_OFFSET = 8
    """5.3.3.5.3"""
    ACCUMULATOR_FIRST = 16
    """5.3.4.2.2"""


class TableKind(IntEnum):
    """What a table's elements are (3.5.2.3)."""

    UNSIGNED = 0
    SIGNED = 1
    FLOAT = 2


class TableStructure(IntEnum):
    """What a table has an element for (3.5.2.4)."""

    IMAGE = 0
    """Zero-dimensional: the image as a whole."""
    BAND = 1
    """One-dimensional: each z."""
    BAND_COLUMN = 2
    """Two-dimensional-zx: each (z, x), row by row of that matrix."""
    ROW_COLUMN = 3
    """Two-dimensional-yx: each (y, x)."""


class TablePurpose(IntEnum):
    """What a table is for (table 3-1); 5 to 9 are reserved, 10 to 15 are the user's."""

    SCALE = 0
    OFFSET = 1
    WAVELENGTH = 2
    FULL_WIDTH_AT_HALF_MAXIMUM = 3
    DEFECT_INDICATOR = 4


@dataclass(frozen=True, kw_only=True, slots=True)
class SupplementaryTable:
    """One table. A float is given as its bits: sign, exponent and significand, from high to low (5.3.2.3.2.3)."""

    purpose: int
    kind: int
    structure: int
    values: tuple[int, ...]
    integer_bits: int = 0
    """D_I, 1..32, unless the elements are floats; else 0."""
    significand_bits: int = 0
    """D_F, 1..23 for floats; else 0."""
    exponent_bits: int = 0
    """D_E, 2..8 for floats; else 0."""
    exponent_bias: int = 0
    """beta, below 2^D_E for floats; else 0."""
    user_data: int = 0
    """Four bits that mean what the user likes."""

    @property
    def element_bits(self) -> int:
        """Width of an element in the header."""
        if self.kind == TableKind.FLOAT:
            return 1 + self.exponent_bits + self.significand_bits
        return self.integer_bits

    def value_count(self, shape: tuple[int, int, int]) -> int:
        """Number of elements for an image of this shape (bands, rows, cols)."""
        bands, rows, cols = shape
        return (1, bands, bands * cols, rows * cols)[self.structure]

    @classmethod
    def of_floats(
        cls, numbers: Sequence[float], *, purpose: int, structure: int, user_data: int = 0
    ) -> SupplementaryTable:
        """Give the table of these numbers as binary32 of IEEE 754, which it equals (note of 3.5.2.3.3)."""
        codes = np.asarray(numbers, np.float32).view(np.uint32)
        return cls(
            purpose=purpose,
            kind=TableKind.FLOAT,
            structure=structure,
            values=tuple(int(code) for code in codes),
            significand_bits=23,
            exponent_bits=8,
            exponent_bias=127,
            user_data=user_data,
        )

    def numbers(self) -> list[float]:
        """Give the elements as numbers, floats by equations (16) and (17)."""
        if self.kind != TableKind.FLOAT:
            return [float(value) for value in self.values]
        return [self._float(value) for value in self.values]

    def _float(self, code: int) -> float:
        significand = code & (1 << self.significand_bits) - 1
        exponent = code >> self.significand_bits & (1 << self.exponent_bits) - 1
        sign = -1.0 if code >> self.significand_bits + self.exponent_bits else 1.0
        scale = -self.exponent_bias - self.significand_bits
        if exponent == 0:
            return sign * significand * 2.0 ** (1 + scale)
        if exponent == (1 << self.exponent_bits) - 1:
            return float("nan") if significand else sign * float("inf")
        return sign * ((1 << self.significand_bits) + significand) * 2.0 ** (exponent + scale)
