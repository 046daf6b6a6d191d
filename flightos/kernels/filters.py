"""Small filters on float32 images, with the step that usually follows in the same pass.

Images have shape (rows, cols), C-ordered or tiles of larger ones, and are only read; a tile ends at its own edge.
Products are added in the raster order of the taps, in float32, each rounded: every machine and the reference give the
same bits. Raises TypeError and KernelError.
"""

from enum import IntEnum

import numpy as np

from flightos.kernels import KernelError, backend, reference_imaging
from flightos.kernels.arguments import Float32Image, check_array, check_image, check_tile_output, new_output
from flightos.kernels.foreign import call, read, tile, write

if backend() == "c":
    from flightos._fos import lib as _lib


class Edge(IntEnum):
    """What stands outside the image, FOS_EDGE_ of the C header: zeros, the edge pixel, or the mirrored image."""

    ZERO = 0
    NEAREST = 1
    MIRROR = 2


class Finish(IntEnum):
    """What is done to a sum: nothing; 0 below the limit (NaN stays); 1 above the limit, else 0."""

    NONE = 0
    RELU = 1
    THRESHOLD = 2


def convolve(
    image: Float32Image,
    taps: Float32Image,
    edge: Edge = Edge.NEAREST,
    finish: Finish = Finish.NONE,
    limit: float = 0.0,
    out: Float32Image | None = None,
) -> Float32Image:
    """Filter with 3 x 3 or 5 x 5 taps (correlation: they are not turned).

    Raises KernelError(FOS_ERR_PARAMETER) for other sides, taps that are not finite and a limit that is NaN.
    """
    _, cols = check_image("image", image, np.float32)
    check_array("taps", taps, np.float32)
    if taps.shape not in ((3, 3), (5, 5)):
        raise KernelError("FOS_ERR_PARAMETER", f"taps are {taps.shape}, not (3, 3) or (5, 5)")
    _check_values(taps, limit)
    filtered = new_output(image.shape, np.float32) if out is None else out
    check_tile_output("out", filtered, np.float32, image.shape, image, taps)
    if backend() == "numpy":
        filtered[...] = reference_imaging.convolve(image, taps, int(edge), int(finish), limit)
        return filtered
    side = taps.shape[0]
    scratch = np.empty(side * (cols + side - 1), np.float32)
    options = (int(Edge(edge)), int(Finish(finish)), limit, write(scratch), scratch.size)
    where = tile(image, filtered)
    call(_lib.fos_convolve_f32, read(image), *where, read(taps), side, *options, write(filtered))
    return filtered


def convolve_separable(
    image: Float32Image,
    row_taps: Float32Image,
    col_taps: Float32Image,
    edge: Edge = Edge.NEAREST,
    finish: Finish = Finish.NONE,
    limit: float = 0.0,
    out: Float32Image | None = None,
) -> Float32Image:
    """Filter along each row with row_taps, then along each column with col_taps: both of 3, 5 or 7 taps."""
    _, cols = check_image("image", image, np.float32)
    check_array("row_taps", row_taps, np.float32)
    if row_taps.shape not in ((3,), (5,), (7,)):
        raise KernelError("FOS_ERR_PARAMETER", f"row_taps are {row_taps.shape}, not 3, 5 or 7 in a row")
    check_array("col_taps", col_taps, np.float32, row_taps.shape)
    _check_values(row_taps, limit)
    _check_values(col_taps, limit)
    filtered = new_output(image.shape, np.float32) if out is None else out
    check_tile_output("out", filtered, np.float32, image.shape, image, row_taps, col_taps)
    if backend() == "numpy":
        along = reference_imaging.convolve_separable(image, row_taps, col_taps, int(edge), int(finish), limit)
        filtered[...] = along
        return filtered
    side = row_taps.size
    scratch = np.empty((side + 1) * (cols + side - 1), np.float32)
    taps = (read(row_taps), read(col_taps), side)
    options = (int(Edge(edge)), int(Finish(finish)), limit, write(scratch), scratch.size)
    where = tile(image, filtered)
    call(_lib.fos_convolve_separable_f32, read(image), *where, *taps, *options, write(filtered))
    return filtered


def _check_values(taps: Float32Image, limit: float) -> None:
    if not bool(np.isfinite(taps).all()):
        raise KernelError("FOS_ERR_PARAMETER", "a tap is not finite")
    if limit != limit:
        raise KernelError("FOS_ERR_PARAMETER", "the limit is NaN")
