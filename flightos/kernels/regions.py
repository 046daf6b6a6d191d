"""Connected regions of a mask: size, position, box and mean index of each."""

from enum import IntEnum

import numpy as np

from flightos.kernels import KernelError, backend, reference
from flightos.kernels.arguments import Float32Image, Int64Table, UInt8Image, check_image, check_tile
from flightos.kernels.foreign import call, read, tile, write

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

    Gives an int64 table of shape (regions, 9), see `RegionColumn`, ordered by the first pixel in raster order. mask
    and index have shape (rows, cols), C-ordered or tiles of larger images; without an index the last column is 0. NaN
    pixels of the index add nothing. Raises KernelError(FOS_ERR_RANGE) when |index| > 4 inside the mask,
    SHAPE_MISMATCH, FOS_ERR_PARAMETER.
    """
    rows, cols = check_image("mask", mask, np.uint8)
    if index is not None:
        check_tile("index", index, np.float32, mask.shape)
    if pixel_count_min < 1:
        raise KernelError("FOS_ERR_PARAMETER", "pixel_count_min is below 1")
    if backend() == "numpy":
        return reference.label_regions(mask, index, pixel_count_min)
    # Regions cannot touch, so no more than one 2 x 2 cell in each fits; nor more than their pixels allow.
    capacity = min(((rows + 1) // 2) * ((cols + 1) // 2), mask.size // pixel_count_min)
    scratch = np.empty(_lib.fos_label_scratch_count(rows, cols), np.uint32)
    table = np.zeros((capacity, len(RegionColumn)), np.int64)
    region_count = _ffi.new("size_t *")
    given = (mask,) if index is None else (mask, index)
    values = _ffi.NULL if index is None else read(index)
    memory = (write(scratch), scratch.size, _ffi.cast("fos_region_t *", write(table)), capacity)
    call(_lib.fos_label_regions, read(mask), values, *tile(*given), pixel_count_min, *memory, region_count)
    return table[: int(region_count[0])]
