"""What the coder of images, CCSDS 123.0-B-2, can be told: every option of the standard, under the names of C.

A value that the standard lets differ from band to band is a number, the same for all bands, or a tuple with one number
for each band: the form itself is what the header's assignment flags say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError
from flightos.kernels.ccsds123.checks import check_image_parameters
from flightos.kernels.ccsds123.choices import ByBand, EntropyCoder, LocalSum, SupplementaryTable


@dataclass(frozen=True, kw_only=True, slots=True)
class CCSDS123Parameters:
    """All that the header of a compressed image carries (5.3), and what coder and decoder agree on beside it.

    Symbols of the standard stand beside. The defaults suit multispectral images; `for_image` fills in the sizes.
    """

    cols: int
    rows: int
    bands: int
    sample_bits: int
    """D, 2..32."""
    is_signed: int = 0
    interleave_bands: int = 1
    """Order of coding: 0 is BSQ (5.4.2.3); else M, the sub-frame depth: 1 is BIL, `bands` is BIP (5.4.2.2)."""
    output_word_bytes: int = 1
    """B, 1..8 (5.2.2)."""
    entropy_coder: int = EntropyCoder.SAMPLE_ADAPTIVE
    bands_used: int = 3
    """P, bands before the current one that predict it, 0..15 (4.2)."""
    is_reduced: int = 0
    """1 leaves the directional differences out (4.3)."""
    local_sum: int = LocalSum.WIDE_NEIGHBOUR
    register_bits: int = 64
    """R, max(32, D + Omega + 2)..64 (4.7.2)."""
    weight_bits: int = 13
    """Omega, 4..19 (4.6.1.2)."""
    weight_interval_log2: int = 6
    """t_inc is 2 to this, 4..11 (4.10.2)."""
    weight_exponent_first: int = -1
    """nu_min, -6..9 (4.10.2)."""
    weight_exponent_last: int = 3
    """nu_max, nu_min..9."""
    error_limits_used: int = 0
    """0 is lossless; 1 keeps to the absolute, 2 to the relative, 3 to both error limits (4.8.2.1)."""
    error_absolute_max: ByBand = 0
    """A* or a_z (4.8.2.3.1). Below 2^D_A."""
    error_relative_max: ByBand = 0
    """R* or r_z (4.8.2.3.2): the error is at most this share of 2^D times the predicted value. Below 2^D_R."""
    unary_zeros_max: int = 16
    """U_max, 8..32 (5.4.3.2.2.2, 5.4.3.3.3.2.2)."""
    counter_bits: int = 6
    """gamma*, max(4, gamma_0 + 1)..11 (5.4.3.2.3.4, 5.4.3.3.4.5)."""
    counter_first_bits: int = 1
    """gamma_0, 1..8 (5.4.3.2.3.2, 5.4.3.3.4.2)."""
    accumulator_first: ByBand = 0
    """K or k''_z, 0..min(D - 2, 14): where the sample-adaptive coder starts (5.4.3.2.3.3)."""
    block_size: int = 32
    """J, 8, 16, 32 or 64 (5.4.3.4.2.4)."""
    interval_blocks: int = 64
    """r, 1..4096 (5.4.3.4.2.5)."""
    is_restricted: int = 0
    """1 takes the restricted code options, D up to 4 (5.4.3.4.2.6)."""
    user_data: int = 0
    """A byte of the header that means what the user likes (5.3.2.2)."""
    error_absolute_bits: int = 0
    """D_A, 1..min(D - 1, 16); 0 takes the fewest that hold all absolute limits (4.8.2.2.1)."""
    error_relative_bits: int = 0
    """D_R, 1..min(D - 1, 16); 0 takes the fewest that hold all relative limits (4.8.2.2.2)."""
    limits_period_log2: int = -1
    """u: error limits are given anew every 2^u lines, 0..9; -1 keeps them. Not with BSQ (4.8.2.4)."""
    limits_by_period: tuple[tuple[ByBand, ByBand], ...] = ()
    """(absolute, relative) limits of each 2^u lines, in the forms of error_absolute_max and error_relative_max, whose
    numbers then mean nothing. Empty: those two serve in every period. They travel in the body (5.4.2.2.2): a header
    that is read leaves this empty, and the two at 0."""
    representative_bits: int = 0
    """Theta, resolution of the sample representatives, 0..4 (4.9.1)."""
    representative_damping: ByBand = 0
    """phi_z, 0..2^Theta - 1."""
    representative_offset: ByBand = 0
    """psi_z, 0..2^Theta - 1; 0 when lossless."""
    weight_exponent_offsets: tuple[tuple[int, ...], ...] | None = None
    """varsigma, -6..5, for each band in the order of its header table (5.3.3.3.3.2): in full mode first the intra-band
    offset varsigma*_z, then in both modes those of the min(z, P) bands before, the nearest first (4.10.4)."""
    weights_first_bits: int = 0
    """Q, 3..Omega + 3 with weights_first (4.6.3.3.2); else 0."""
    weights_first: tuple[tuple[int, ...], ...] | None = None
    """Lambda_z for each band: Q-bit signed numbers for the weights N, W, NW (in full mode), then those of the
    min(z, P) bands before, the nearest first (4.6.3.3.1). None: the default weights."""
    hybrid_accumulator_first: ByBand = 0
    """High-resolution accumulator at t = 0, below 2^(D + gamma_0) (5.4.3.3.4.3). The code does not carry it and the
    decoder does not need it. With 0 the first samples choose their codes by themselves alone."""
    tables_left_out: int = 0
    """LeftOut: tables that the header shall not carry."""
    supplementary_tables: tuple[SupplementaryTable, ...] = ()
    """Up to 15 tables for the reader of the image, which do not change its coding (3.5)."""

    @classmethod
    def for_image(cls, image: NDArray[Any], **choices: Any) -> CCSDS123Parameters:
        """Give the parameters for an image of shape (bands, rows, cols), with `choices` instead of defaults."""
        if image.ndim != 3:
            raise KernelError("SHAPE_MISMATCH", f"image has {image.ndim} dimensions, not 3")
        bands, rows, cols = image.shape
        fixed: dict[str, Any] = {
            "sample_bits": 8 * image.dtype.itemsize,
            "is_signed": int(image.dtype.kind == "i"),
        }
        if cols == 1:  # 4.3.1 and 4.4.1: one column has no neighbours
            fixed |= {"is_reduced": 1, "local_sum": LocalSum.WIDE_COLUMN}
        return cls(cols=cols, rows=rows, bands=bands, **(fixed | choices))

    @property
    def shape(self) -> tuple[int, int, int]:
        """Shape of the image."""
        return (self.bands, self.rows, self.cols)

    @property
    def dtype(self) -> np.dtype[Any]:
        """What holds the samples."""
        width = 4 if self.sample_bits > 16 else 2 if self.sample_bits > 8 else 1
        return np.dtype(f"{'i' if self.is_signed else 'u'}{width}")

    @property
    def period_rows(self) -> int:
        """Lines that share their error limits."""
        return self.rows if self.limits_period_log2 < 0 else 1 << self.limits_period_log2

    @property
    def limits_in_order(self) -> tuple[tuple[ByBand, ByBand], ...]:
        """(absolute, relative) error limits of each period; a single one when they are not given anew."""
        period_count = -(-self.rows // self.period_rows)
        return self.limits_by_period or ((self.error_absolute_max, self.error_relative_max),) * period_count

    @property
    def limit_bits(self) -> tuple[int, int]:
        """D_A and D_R as coded: as told, or the fewest that hold all limits."""
        told = (self.error_absolute_bits, self.error_relative_bits)
        return told[0] or self._fewest_bits(0), told[1] or self._fewest_bits(1)

    def _fewest_bits(self, which: int) -> int:
        found = [limits[which] for limits in self.limits_in_order]
        largest = max(max((limit,) if isinstance(limit, int) else limit) for limit in found)
        return max(1, largest.bit_length())

    def difference_count(self, z: int) -> int:
        """C_z, the number of local differences, and weights, of band z, equation (19)."""
        return min(z, self.bands_used) + (0 if self.is_reduced else 3)

    def check(self) -> None:
        """Raise KernelError(FOS_ERR_PARAMETER or FOS_ERR_TOO_LARGE) when a field is outside its range."""
        check_image_parameters(self)
