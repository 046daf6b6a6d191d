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
