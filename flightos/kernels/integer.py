"""The int8 matrix product, exact, and quantisation per channel.

For protected inference where no neural-network library is on board. Arrays are C-ordered; inputs are only
read. Raises TypeError for a wrong dtype and KernelError for the rest, before anything is written.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError, backend
from flightos.kernels import reference_integer as reference
from flightos.kernels.arguments import Float32Image, check_array, check_output, new_output
from flightos.kernels.foreign import call, read, write

if backend() == "c":
    from flightos._fos import lib as _lib

Int8Matrix = NDArray[np.int8]
Int32Matrix = NDArray[np.int32]

DEPTH_MAX: Final = 131_071
"""FOS_GEMM_DEPTH_MAX of the C header: keeps every sum of products in an int32."""


def check_matrices(a: Int8Matrix, b_transposed: Int8Matrix) -> tuple[int, int, int]:
    """Give rows, cols and depth of the product; refuse matrices that do not fit each other."""
    check_array("a", a, np.int8)
    check_array("b_transposed", b_transposed, np.int8)
    if a.ndim != 2 or b_transposed.ndim != 2 or a.shape[1] != b_transposed.shape[1]:
        raise KernelError("SHAPE_MISMATCH", f"{a.shape} and {b_transposed.shape} are not (m, k) and (n, k)")
    if a.shape[1] > DEPTH_MAX:
        raise KernelError("FOS_ERR_TOO_LARGE", f"depth {a.shape[1]} is above {DEPTH_MAX}")
    return a.shape[0], b_transposed.shape[0], a.shape[1]


def multiply(a: Int8Matrix, b_transposed: Int8Matrix, out: Int32Matrix | None = None) -> Int32Matrix:
    """Give a @ b_transposed.T in int32, exact. a is (m, k), b_transposed (n, k) as weights usually are."""
    rows, cols, depth = check_matrices(a, b_transposed)
    product = np.empty((rows, cols), np.int32) if out is None else out
    check_output("out", product, np.int32, (rows, cols), a, b_transposed)
    if backend() == "numpy":
        reference.multiply(a, b_transposed, product)
    else:
        call(_lib.fos_gemm_i8, read(a), read(b_transposed), rows, cols, depth, write(product))
    return product


def quantise(
    values: Float32Image, scale: Float32Image, zero_point: Int8Matrix, out: Int8Matrix | None = None
) -> Int8Matrix:
    """Give clamp(rint(value / scale) + zero_point, -128, 127), half to even, NaN to the zero point.

    The first axis of `values` is the channel; scale and zero_point have one element for each. A scale must be
    finite and positive.
    """
    check_array("values", values, np.float32)
    _check_channels(values.shape, scale, zero_point)
    quantised = new_output(values.shape, np.int8) if out is None else out
    check_output("out", quantised, np.int8, values.shape, values, scale, zero_point)
    if backend() == "numpy":
        reference.quantise(values, scale, zero_point, quantised)
    else:
        sizes = (len(values), values.size // max(len(values), 1))
        parameters = (read(scale), read(zero_point))
        call(_lib.fos_quantise_f32_i8, read(values), *sizes, *parameters, write(quantised))
    return quantised


def dequantise(
    quantised: Int8Matrix, scale: Float32Image, zero_point: Int8Matrix, out: Float32Image | None = None
) -> Float32Image:
    """Give (quantised - zero_point) * scale in float32, channel by channel along the first axis."""
    check_array("quantised", quantised, np.int8)
    _check_channels(quantised.shape, scale, zero_point)
    values = new_output(quantised.shape, np.float32) if out is None else out
    check_output("out", values, np.float32, quantised.shape, quantised, scale, zero_point)
    if backend() == "numpy":
        reference.dequantise(quantised, scale, zero_point, values)
    else:
        sizes = (len(quantised), quantised.size // max(len(quantised), 1))
        parameters = (read(scale), read(zero_point))
        call(_lib.fos_dequantise_i8_f32, read(quantised), *sizes, *parameters, write(values))
    return values


def _check_channels(shape: tuple[int, ...], scale: Float32Image, zero_point: Int8Matrix) -> None:
    if not shape:
        raise KernelError("SHAPE_MISMATCH", "there is no channel axis")
    check_array("scale", scale, np.float32, shape[:1])
    check_array("zero_point", zero_point, np.int8, shape[:1])
    if not bool((np.isfinite(scale) & (scale > 0)).all()):
        raise KernelError("FOS_ERR_PARAMETER", "a scale is not finite and positive")
