"""How a face calls C: pointers into arrays that were checked, and a status that becomes an error."""

from collections.abc import Callable
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError, backend

if backend() == "c":
    from flightos._fos import ffi as _ffi
    from flightos._fos import lib as _lib

_ELEMENT: Final = {
    np.dtype(np.int8): "int8_t[]",
    np.dtype(np.uint8): "uint8_t[]",
    np.dtype(np.uint16): "uint16_t[]",
    np.dtype(np.int32): "int32_t[]",
    np.dtype(np.uint32): "uint32_t[]",
    np.dtype(np.int64): "int64_t[]",
    np.dtype(np.uint64): "uint64_t[]",
    np.dtype(np.float32): "float[]",
    np.dtype(np.float64): "double[]",
}


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Call C. Raises KernelError with the name of any status but FOS_OK."""
    status = function(*arguments)
    if status != 0:
        raise KernelError(_ffi.string(_lib.fos_status_name(status)).decode("ascii"))


def read(array: NDArray[Any]) -> Any:
    """Give a pointer to the elements of a contiguous array that C may read."""
    return _ffi.from_buffer(_ELEMENT[array.dtype], array)


def write(array: NDArray[Any]) -> Any:
    """Give a pointer to the elements of a contiguous array that C may write."""
    return _ffi.from_buffer(_ELEMENT[array.dtype], array, require_writable=True)


def struct(name: str, *values: Any) -> Any:
    """Give a new C structure with these values of its fields, in order; without values, all 0."""
    return _ffi.new(f"{name} *", list(values) or None)
