"""What the coder of samples, CCSDS 121.0-B-3, can be told, and limits that both coders share; field names are C's."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from flightos.kernels import KernelError

BLOCK_SIZES: Final = (8, 16, 32, 64)
SAMPLE_COUNT_MAX: Final = 1 << 28


def require(condition: bool, detail: str) -> None:
    """Raise KernelError(FOS_ERR_PARAMETER) unless the condition holds."""
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
        require(1 <= self.bits_per_sample <= 32, "bits_per_sample is not 1..32")
        require(self.block_size in BLOCK_SIZES, f"block_size is not one of {BLOCK_SIZES}")
        require(1 <= self.interval_blocks <= 4096, "interval_blocks is not 1..4096")
        require(not self.is_restricted or self.bits_per_sample <= 4, "restricted needs at most 4 bits")
