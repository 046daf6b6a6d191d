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
    if not isinstance(array, np.ndarray):
        raise TypeError(f"{name} must be a numpy array, not {type(array).__name__}")
    if array.dtype != np.dtype(dtype):
        raise TypeError(f"{name} must be {np.dtype(dtype)}, not {array.dtype}")
    if shape is not None and array.shape != shape:
        raise KernelError("SHAPE_MISMATCH", f"{name} is {array.shape}, not {shape}")
    if not array.flags.c_contiguous:
        raise KernelError("NOT_CONTIGUOUS", name)
    if array.size > PIXEL_COUNT_MAX:
        raise KernelError("FOS_ERR_TOO_LARGE", f"{name} has {array.size} elements")


def check_output(
    name: str, output: NDArray[Any], dtype: DTypeLike, shape: tuple[int, ...], *inputs: NDArray[Any]
) -> None:
    """Refuse an output array that is read-only, of another form, or that shares memory with an input."""
    check_array(name, output, dtype, shape)
    if not output.flags.writeable:
        raise KernelError("NOT_WRITABLE", name)
    # All are contiguous here, so comparing bounds is exact.
    if any(np.may_share_memory(output, given) for given in inputs):
        raise KernelError("OVERLAP", f"{name} shares memory with an input")


def check_image(name: str, image: NDArray[Any], dtype: DTypeLike) -> tuple[int, int]:
    """Refuse what is not an image of this dtype; give its rows and columns."""
    check_array(name, image, dtype)
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
