"""Connected regions of a mask: size, position, box and mean index of each."""

from enum import IntEnum

import numpy as np

from flightos.kernels import KernelError, backend, reference
from flightos.kernels.arguments import Float32Image, Int64Table, UInt8Image, check_array

if backend() == "c":
    from flightos._fos import ffi as _ffi
    from flightos._fos import lib as _lib


class RegionColumn(IntEnum):
    """Columns of a region table, the fields of fos_region_t in order. Boxes include their last row and
    column."""

    FIRST_PIXEL_INDEX = 0
    PIXEL_COUNT = 1
    ROW_SUM = 2
    COL_SUM = 3
    ROW_MIN = 4
    ROW_MAX = 5
    COL_MIN = 6
    COL_MAX = 7
    INDEX_SUM_FIXED = 8


def label_regions(mask: UInt8Image, index: Float32Image | None, pixel_count_min: int) -> Int64Table:
    """Find the 8-connected regions of non-zero pixels with at least `pixel_count_min` pixels.

    Gives an int64 table of shape (regions, 9), see `RegionColumn`, ordered by the first pixel in raster
    order. mask and index have shape (rows, cols); without an index the last column is 0. NaN pixels of the
    index add nothing. Raises KernelError(FOS_ERR_RANGE) when |index| > 4 inside the mask, SHAPE_MISMATCH,
    FOS_ERR_PARAMETER.
    """
    check_array("mask", mask, np.uint8)
    if mask.ndim != 2:
        raise KernelError("SHAPE_MISMATCH", f"mask has {mask.ndim} dimensions, not 2")
    if index is not None:
        check_array("index", index, np.float32, mask.shape)
    if pixel_count_min < 1:
        raise KernelError("FOS_ERR_PARAMETER", "pixel_count_min is below 1")
    if backend() == "numpy":
        return reference.label_regions(mask, index, pixel_count_min)
    rows, cols = mask.shape
    # Regions cannot touch, so no more than one 2 x 2 cell in each fits; nor more than their pixels allow.
    capacity = min(((rows + 1) // 2) * ((cols + 1) // 2), mask.size // pixel_count_min)
    scratch = np.empty(_lib.fos_label_scratch_count(rows, cols), np.uint32)
    table = np.zeros((capacity, len(RegionColumn)), np.int64)
    region_count = _ffi.new("size_t *")
    status = _lib.fos_label_regions(
        _ffi.from_buffer("uint8_t[]", mask),
        _ffi.NULL if index is None else _ffi.from_buffer("float[]", index),
        rows,
        cols,
        pixel_count_min,
        _ffi.from_buffer("uint32_t[]", scratch, require_writable=True),
        scratch.size,
        _ffi.cast("fos_region_t *", _ffi.from_buffer(table, require_writable=True)),
        capacity,
        region_count,
    )
    if status != 0:
        raise KernelError(_ffi.string(_lib.fos_status_name(status)).decode("ascii"))
    return table[: int(region_count[0])]
