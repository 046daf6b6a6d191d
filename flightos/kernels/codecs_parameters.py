"""What the two lossless coders can be told, with the limits of the standards; field names are those of C."""

from __future__ import annotations

from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError

BLOCK_SIZES: Final = (8, 16, 32, 64)
SAMPLE_COUNT_MAX: Final = 1 << 28


def _require(condition: bool, detail: str) -> None:
    if not condition:
        raise KernelError("FOS_ERR_PARAMETER", detail)


@dataclass(frozen=True, kw_only=True, slots=True)
class CCSDS121Parameters:
    """How CCSDS 121.0-B-3 codes. The compressed bytes do not carry it: the decoder must be told the same.

    `interval_blocks` is the number of blocks from one reference sample to the next. The same parameters give
    libaec the same bits.
    """

    bits_per_sample: int
    block_size: int = 32
    interval_blocks: int = 64
    is_signed: bool = False
    is_three_byte: bool = False
    """Samples of 17 to 24 bits lie in 3 bytes each."""
    is_high_byte_first: bool = False
    has_preprocessor: bool = True
    """Code differences from the sample before (section 4) instead of the samples."""
    is_restricted: bool = False
    """The short code options for samples of up to 4 bits (5.1.2)."""
    pads_interval: bool = False
    """Each reference interval starts on a whole byte."""

    @property
    def flags(self) -> int:
        """The flags of C, which are libaec's."""
        return (
            self.is_signed
            | self.is_three_byte << 1
            | self.is_high_byte_first << 2
            | self.has_preprocessor << 3
            | self.is_restricted << 4
            | self.pads_interval << 5
        )

    @property
    def id_bits(self) -> int:
        """Length of the option identifier (5.1.2)."""
        if self.is_restricted:
            return 1 if self.bits_per_sample <= 2 else 2
        return 5 if self.bits_per_sample > 16 else 4 if self.bits_per_sample > 8 else 3

    @property
    def dtype(self) -> np.dtype[Any]:
        """What holds the samples; with `is_three_byte` each is a last axis of 3 bytes."""
        if self.is_three_byte and 16 < self.bits_per_sample <= 24:
            return np.dtype(np.uint8)
        width = 4 if self.bits_per_sample > 16 else 2 if self.bits_per_sample > 8 else 1
        order = ">" if self.is_high_byte_first else "<"
        return np.dtype(f"{order}{'i' if self.is_signed else 'u'}{width}")

    @property
    def sample_min(self) -> int:
        """Smallest sample that bits_per_sample hold."""
        return -(1 << self.bits_per_sample - 1) if self.is_signed else 0

    @property
    def sample_max(self) -> int:
        """Largest sample that bits_per_sample hold."""
        return self.sample_min + (1 << self.bits_per_sample) - 1

    def check(self) -> None:
        """Raise KernelError(FOS_ERR_PARAMETER) when a field is outside its range."""
        _require(1 <= self.bits_per_sample <= 32, "bits_per_sample is not 1..32")
        _require(self.block_size in BLOCK_SIZES, f"block_size is not one of {BLOCK_SIZES}")
        _require(1 <= self.interval_blocks <= 4096, "interval_blocks is not 1..4096")
        _require(not self.is_restricted or self.bits_per_sample <= 4, "restricted needs at most 4 bits")


class LocalSum(IntEnum):
    """Form of the local sums, CCSDS 123.0-B-2, 4.4."""

    WIDE_NEIGHBOUR = 0
    NARROW_NEIGHBOUR = 1
    WIDE_COLUMN = 2
    NARROW_COLUMN = 3


class EntropyCoder(IntEnum):
    """Coder of the mapped values, CCSDS 123.0-B-2, 5.4.3. The hybrid coder is not here."""

    SAMPLE_ADAPTIVE = 0
    BLOCK_ADAPTIVE = 2


@dataclass(frozen=True, kw_only=True, slots=True)
class CCSDS123Parameters:
    """All that the header of a compressed image carries (CCSDS 123.0-B-2, 5.3); symbols of the standard beside.

    The defaults suit multispectral images; `for_image` fills in the sizes.
    """

    cols: int
    rows: int
    bands: int
    sample_bits: int
    """D, 2..16."""
    is_signed: int = 0
    interleave_bands: int = 1
    """Order of coding: 0 is BSQ; else M, the sub-frame depth: 1 is BIL, `bands` is BIP (5.4.2)."""
    output_word_bytes: int = 1
    entropy_coder: int = EntropyCoder.SAMPLE_ADAPTIVE
    bands_used: int = 3
    """P, bands before the current one that predict it, 0..15."""
    is_reduced: int = 0
    """1 leaves the directional differences out (4.3)."""
    local_sum: int = LocalSum.WIDE_NEIGHBOUR
    register_bits: int = 64
    """R."""
    weight_bits: int = 13
    """Omega, 4..19."""
    weight_interval_log2: int = 6
    """t_inc is 2 to this, 4..11."""
    weight_exponent_first: int = -1
    """nu_min, -6..9."""
    weight_exponent_last: int = 3
    """nu_max, nu_min..9."""
    error_limits_used: int = 0
    """0 is lossless; 1 keeps to the absolute, 2 to the relative, 3 to both error limits (4.8.2)."""
    error_absolute_max: int = 0
    error_relative_max: int = 0
    """The error is at most this share of 2^D times the predicted value."""
    unary_zeros_max: int = 16
    """U_max, 8..32."""
    counter_bits: int = 6
    """gamma*, max(4, gamma_0 + 1)..11."""
    counter_first_bits: int = 1
    """gamma_0, 1..8."""
    accumulator_first: int = 0
    """K, 0..min(D - 2, 14)."""
    block_size: int = 32
    interval_blocks: int = 64
    is_restricted: int = 0

    @classmethod
    def for_image(cls, image: NDArray[Any], **choices: int) -> CCSDS123Parameters:
        """Give the parameters for an image of shape (bands, rows, cols), with `choices` instead of defaults."""
        if image.ndim != 3:
            raise KernelError("SHAPE_MISMATCH", f"image has {image.ndim} dimensions, not 3")
        bands, rows, cols = image.shape
        fixed: dict[str, int] = {
            "sample_bits": 8 * image.dtype.itemsize,
            "is_signed": int(image.dtype.kind == "i"),
        }
        if cols == 1:  # 4.3 and 4.4: one column has no neighbours
            fixed |= {"is_reduced": 1, "local_sum": LocalSum.WIDE_COLUMN}
        return cls(cols=cols, rows=rows, bands=bands, **(fixed | choices))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the image."""
        return (self.bands, self.rows, self.cols)

    @property
    def dtype(self) -> np.dtype[Any]:
        """What holds the samples."""
        return np.dtype(f"{'i' if self.is_signed else 'u'}{2 if self.sample_bits > 8 else 1}")

    def check(self) -> None:
        """Raise KernelError(FOS_ERR_PARAMETER or FOS_ERR_TOO_LARGE) when a field is outside its range."""
        for size in (self.cols, self.rows, self.bands):
            _require(1 <= size <= 65536, "a size is not 1..65536")
        bits = self.sample_bits
        _require(2 <= bits <= 16, "sample_bits is not 2..16")
        flags = (self.is_signed, self.is_reduced, self.is_restricted)
        _require(all(flag in (0, 1) for flag in flags), "a flag is neither 0 nor 1")
        _require(0 <= self.interleave_bands <= self.bands, "interleave_bands is not 0..bands")
        _require(1 <= self.output_word_bytes <= 8, "output_word_bytes is not 1..8")
        _require(0 <= self.error_limits_used <= 3, "error_limits_used is not 0..3")
        for limit in (self.error_absolute_max, self.error_relative_max):
            _require(0 <= limit < 1 << (bits - 1), "an error limit is not below 2^(D - 1)")
        self._check_predictor()
        self._check_coder()
        if self.cols * self.rows * self.bands > SAMPLE_COUNT_MAX:
            raise KernelError("FOS_ERR_TOO_LARGE", f"{self.shape}")

    def _check_predictor(self) -> None:
        _require(0 <= self.bands_used <= 15, "bands_used is not 0..15")
        _require(0 <= self.local_sum <= 3, "local_sum is not 0..3")
        _require(4 <= self.weight_bits <= 19, "weight_bits is not 4..19")
        register_bits_min = max(32, self.sample_bits + self.weight_bits + 2)
        _require(
            register_bits_min <= self.register_bits <= 64, f"register_bits is not {register_bits_min}..64"
        )
        _require(4 <= self.weight_interval_log2 <= 11, "weight_interval_log2 is not 4..11")
        _require(
            -6 <= self.weight_exponent_first <= self.weight_exponent_last <= 9, "exponents are not -6..9"
        )
        if self.cols == 1:
            column_only = self.is_reduced == 1 and self.local_sum >= LocalSum.WIDE_COLUMN
            _require(column_only, "one column needs reduced mode and column-oriented sums")

    def _check_coder(self) -> None:
        if self.entropy_coder == EntropyCoder.BLOCK_ADAPTIVE:
            _require(self.block_size in BLOCK_SIZES, f"block_size is not one of {BLOCK_SIZES}")
            _require(1 <= self.interval_blocks <= 4096, "interval_blocks is not 1..4096")
            _require(not self.is_restricted or self.sample_bits <= 4, "restricted needs at most 4 bits")
            return
        _require(self.entropy_coder == EntropyCoder.SAMPLE_ADAPTIVE, "entropy_coder is neither 0 nor 2")
        _require(8 <= self.unary_zeros_max <= 32, "unary_zeros_max is not 8..32")
        _require(1 <= self.counter_first_bits <= 8, "counter_first_bits is not 1..8")
        _require(max(4, self.counter_first_bits + 1) <= self.counter_bits <= 11, "counter_bits is not 4..11")
        _require(
            0 <= self.accumulator_first <= min(self.sample_bits - 2, 14), "accumulator_first is not 0..14"
        )
