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
    np.dtype(np.complex64): "float[]",
}


def call(function: Callable[..., int], *arguments: Any) -> None:
    """Call C. Raises KernelError with the name of any status but FOS_OK."""
    status = function(*arguments)
    if status != 0:
        raise KernelError(_ffi.string(_lib.fos_status_name(status)).decode("ascii"))


def read(array: NDArray[Any]) -> Any:
    """Give a pointer to the elements of a contiguous array or of a tile that C may read."""
    return _ffi.from_buffer(_ELEMENT[array.dtype], _memory(array))


def write(array: NDArray[Any]) -> Any:
    """Give a pointer to the elements of a contiguous array or of a tile that C may write."""
    return _ffi.from_buffer(_ELEMENT[array.dtype], _memory(array), require_writable=True)


def tile(*images: NDArray[Any]) -> tuple[int, int, Any]:
    """Give rows, columns and strides of images of one shape for C, in the order of C's arguments."""
    rows, cols = images[0].shape
    return rows, cols, strides(*images)


def strides(*images: NDArray[Any]) -> Any:
    """Give the elements from row to row of images of any shapes, in the order of C's arguments; NULL without a gap."""
    if all(image.flags.c_contiguous for image in images):
        return _ffi.NULL
    return _ffi.new("size_t[]", [_stride(image) for image in images])


def runs(*images: NDArray[Any]) -> tuple[int, int, Any]:
    """The same for kernels that go pixel by pixel: without a gap anywhere one run, whatever the dimensions."""
    if all(image.flags.c_contiguous for image in images):
        return 1, images[0].size, _ffi.NULL
    return tile(*images)


def _stride(image: NDArray[Any]) -> int:
    """Elements from row to row; numpy may say anything of an image that has no second row."""
    return image.strides[0] // image.itemsize if image.shape[0] > 1 else image.shape[1]


def _memory(array: NDArray[Any]) -> NDArray[Any]:
    """The elements from the first to the last of a tile, with those between its rows: what a buffer can be."""
    if array.flags.c_contiguous:
        return array
    rows, cols = array.shape
    count = (rows - 1) * _stride(array) + cols
    return np.lib.stride_tricks.as_strided(array, (count,), (array.itemsize,))


def struct(name: str, *values: Any) -> Any:
    """Give a new C structure with these values of its fields, in order; without values, all 0."""
    return _ffi.new(f"{name} *", list(values) or None)
