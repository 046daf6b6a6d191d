"""The kernels again, in NumPy and Python: the fallback where C is not built, and the oracle of the tests.

Written to be plainly right, not fast. Every function gives the bits of its C twin. Arguments are checked by
the faces.
"""

from collections import deque

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError
from flightos.kernels.arguments import Float32Image, Int64Table, UInt8Image, UInt16Image

FIXED_POINT_ONE = float(1 << 30)
INDEX_ABS_MAX = 4.0
"""FOS_INDEX_ABS_MAX of the C header: keeps the sum of any image in an int64."""


def correct_radiance(
    raw_dn: UInt8Image | UInt16Image, gain: Float32Image, dark_dn: Float32Image, radiance: Float32Image
) -> None:
    """Write gain * (raw - dark) into `radiance`."""
    np.subtract(raw_dn.astype(np.float32), dark_dn, out=radiance)
    with np.errstate(all="ignore"):
        np.multiply(gain, radiance, out=radiance)


def normalised_difference(
    a: Float32Image | UInt16Image, b: Float32Image | UInt16Image, index: Float32Image
) -> None:
    """Write (a - b) / (a + b), 0 where the sum is 0, into `index`."""
    a_float, b_float = a.astype(np.float32), b.astype(np.float32)
    with np.errstate(all="ignore"):
        band_sum = a_float + b_float
        np.divide(a_float - b_float, band_sum, out=index)
    index[band_sum == 0.0] = 0.0


def mask_above(index: Float32Image, threshold: float, mask: UInt8Image) -> int:
    """Write index > threshold into `mask` and count it."""
    mask[...] = index > np.float32(threshold)
    return int(np.count_nonzero(mask))


def mask_below(index: Float32Image, threshold: float, mask: UInt8Image) -> int:
    """Write index < threshold into `mask` and count it."""
    mask[...] = index < np.float32(threshold)
    return int(np.count_nonzero(mask))


def fixed_point(index: Float32Image) -> NDArray[np.int64]:
    """Give rint(index * 2^30) pixel by pixel, 0 for NaN. Raises KernelError(FOS_ERR_RANGE)."""
    valid = np.where(np.isnan(index), np.float32(0.0), index)
    if valid.size and float(np.abs(valid).max()) > INDEX_ABS_MAX:
        raise KernelError("FOS_ERR_RANGE", f"an index is outside +-{INDEX_ABS_MAX}")
    return np.rint(valid.astype(np.float64) * FIXED_POINT_ONE).astype(np.int64)


def sum_fixed(index: Float32Image) -> tuple[int, int]:
    """Give the exact sum and the number of pixels that are not NaN."""
    total = int(fixed_point(index).sum(dtype=np.int64))
    return total, int(np.count_nonzero(~np.isnan(index)))


def label_regions(mask: UInt8Image, index: Float32Image | None, pixel_count_min: int) -> Int64Table:
    """Give the region table by flood filling from each first pixel in raster order."""
    rows, cols = mask.shape
    fixed = None
    if index is not None:
        fixed = fixed_point(np.where(mask != 0, index, np.float32(0.0))).tolist()
    unvisited = (mask != 0).tolist()
    table: list[list[int]] = []
    for row in range(rows):
        for col in range(cols):
            if not unvisited[row][col]:
                continue
            pixels = _flood(unvisited, row, col, rows, cols)
            if len(pixels) < pixel_count_min:
                continue
            pixel_rows = [pixel[0] for pixel in pixels]
            pixel_cols = [pixel[1] for pixel in pixels]
            table.append(
                [
                    row * cols + col,
                    len(pixels),
                    sum(pixel_rows),
                    sum(pixel_cols),
                    min(pixel_rows),
                    max(pixel_rows),
                    min(pixel_cols),
                    max(pixel_cols),
                    sum(fixed[r][c] for r, c in pixels) if fixed is not None else 0,
                ]
            )
    return np.array(table, dtype=np.int64).reshape(-1, 9)


def _flood(unvisited: list[list[bool]], row: int, col: int, rows: int, cols: int) -> list[tuple[int, int]]:
    """Take the 8-connected region of one pixel out of `unvisited`."""
    unvisited[row][col] = False
    found: list[tuple[int, int]] = []
    waiting = deque([(row, col)])
    while waiting:
        row, col = waiting.popleft()
        found.append((row, col))
        for near_row in range(max(row - 1, 0), min(row + 2, rows)):
            for near_col in range(max(col - 1, 0), min(col + 2, cols)):
                if unvisited[near_row][near_col]:
                    unvisited[near_row][near_col] = False
                    waiting.append((near_row, near_col))
    return found
