"""The door of the kernel faces: what an array must be before C may see its address.

cffi takes any buffer for any pointer type, so a wrong dtype or shape would be read as it lies. Everything is
refused here, before anything is written.
"""

from typing import Any

import numpy as np
from numpy.typing import DTypeLike, NDArray

from flightos.kernels import KernelError

UInt8Image = NDArray[np.uint8]
UInt16Image = NDArray[np.uint16]
Float32Image = NDArray[np.float32]
Int64Table = NDArray[np.int64]

Float64Table = NDArray[np.float64]
Complex64Image = NDArray[np.complex64]

LINE_BYTES = 64

PIXEL_COUNT_MAX = 1 << 28
"""FOS_PIXEL_COUNT_MAX of the C header."""


def check_array(
    name: str, array: NDArray[Any], dtype: DTypeLike, shape: tuple[int, ...] | None = None
) -> None:
    """Refuse an array that is not of this dtype and shape in C order.

    Raises TypeError for anything but an array of the dtype in native byte order, KernelError otherwise.
    """
    _check_kind(name, array, dtype, shape)
    if not array.flags.c_contiguous:
        raise KernelError("NOT_CONTIGUOUS", name)


def check_tile(
    name: str, array: NDArray[Any], dtype: DTypeLike, shape: tuple[int, ...] | None = None
) -> None:
    """Like `check_array`, and takes a tile of a larger image as well.

    The pixels of a row of a tile adjoin; its rows may be apart, or be one row for all (`numpy.broadcast_to`).
    """
    _check_kind(name, array, dtype, shape)
    if array.flags.c_contiguous:
        return
    if array.ndim != 2:
        raise KernelError("NOT_CONTIGUOUS", f"{name} has {array.ndim} dimensions; a tile has 2")
    row_bytes, pixel_bytes = array.strides
    adjoins = pixel_bytes == array.itemsize or array.shape[1] == 1
    if not adjoins or row_bytes < 0 or row_bytes % array.itemsize:
        raise KernelError("NOT_CONTIGUOUS", f"the pixels in a row of {name} do not adjoin")
    if row_bytes // array.itemsize > PIXEL_COUNT_MAX:
        raise KernelError("FOS_ERR_TOO_LARGE", f"the rows of {name} are {row_bytes} bytes apart")


def _check_kind(name: str, array: NDArray[Any], dtype: DTypeLike, shape: tuple[int, ...] | None) -> None:
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a numpy array, not {type(array).__name__}")
    if array.dtype != np.dtype(dtype):
        raise TypeError(f"{name} must be {np.dtype(dtype)}, not {array.dtype}")
    if shape is not None and array.shape != shape:
        raise KernelError("SHAPE_MISMATCH", f"{name} is {array.shape}, not {shape}")
    if array.size > PIXEL_COUNT_MAX:
        raise KernelError("FOS_ERR_TOO_LARGE", f"{name} has {array.size} elements")


def check_output(
    name: str, output: NDArray[Any], dtype: DTypeLike, shape: tuple[int, ...], *inputs: NDArray[Any]
) -> None:
    """Refuse an output array that is read-only, of another form, or that shares memory with an input."""
    check_array(name, output, dtype, shape)
    _check_written(name, output, inputs)


def check_tile_output(
    name: str, output: NDArray[Any], dtype: DTypeLike, shape: tuple[int, ...], *inputs: NDArray[Any]
) -> None:
    """Like `check_output`, and takes a tile of a larger image as well."""
    check_tile(name, output, dtype, shape)
    if output.ndim == 2 and output.shape[0] > 1 and output.strides[0] < output.shape[1] * output.itemsize:
        raise KernelError("OVERLAP", f"the rows of {name} share memory")
    _check_written(name, output, inputs)


def _check_written(name: str, output: NDArray[Any], inputs: tuple[NDArray[Any], ...]) -> None:
    if not output.flags.writeable:
        raise KernelError("NOT_WRITABLE", name)
    # Tiles of one image lie between each other without sharing a byte: bounds alone would refuse them.
    if any(np.may_share_memory(output, given) and np.shares_memory(output, given) for given in inputs):
        raise KernelError("OVERLAP", f"{name} shares memory with an input")


def check_image(name: str, image: NDArray[Any], dtype: DTypeLike) -> tuple[int, int]:
    """Refuse what is neither an image nor a tile of this dtype; give its rows and columns."""
    check_tile(name, image, dtype)
    if image.ndim != 2:
        raise KernelError("SHAPE_MISMATCH", f"{name} has {image.ndim} dimensions, not 2")
    return image.shape[0], image.shape[1]


def new_output(shape: tuple[int, ...], dtype: DTypeLike) -> NDArray[Any]:
    """Make an array on a cache line's boundary: C then writes whole lines past the caches."""
    element = np.dtype(dtype)
    byte_count = int(np.prod(shape, dtype=np.int64)) * element.itemsize
    memory = np.empty(byte_count + LINE_BYTES, np.uint8)
    begin = -memory.ctypes.data % LINE_BYTES
    return memory[begin : begin + byte_count].view(element).reshape(shape)
