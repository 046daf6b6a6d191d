"""The int8 product, quantisation and checksums of products again, in NumPy: fallback and oracle.

Integer results have the bits of C. Float32 checksums are summed in another order, in double, so they differ
from C within a small part of the tolerance; the verdicts agree for every fault above twice the tolerance.
"""

import numpy as np
from numpy.typing import NDArray

from flightos.kernels.arguments import Float32Image

Int8Matrix = NDArray[np.int8]
Int32Matrix = NDArray[np.int32]
Sums = NDArray[np.float64]
ExactSums = NDArray[np.int64]

NOISE_FACTOR = 8.0
FLOAT_EPSILON = 2.0**-24


def multiply(a: Int8Matrix, b_transposed: Int8Matrix, product: Int32Matrix) -> None:
    """Write a @ b_transposed.T; double holds every sum of int8 products exactly."""
    product[...] = a.astype(np.float64) @ b_transposed.astype(np.float64).T


def _by_channel(parameter: NDArray[np.generic], dimensions: int) -> NDArray[np.generic]:
    return parameter.reshape((-1,) + (1,) * (dimensions - 1))


def quantise(
    values: Float32Image, scale: Float32Image, zero_point: Int8Matrix, quantised: Int8Matrix
) -> None:
    """Write clamp(rint(value / scale) + zero_point)."""
    zeros = _by_channel(zero_point, values.ndim).astype(np.int32)
    with np.errstate(all="ignore"):
        ratio = values / _by_channel(scale, values.ndim).astype(np.float32)
    ratio = np.where(np.isnan(ratio), np.float32(0), ratio)
    whole = np.rint(np.clip(ratio, -512, 512)).astype(np.int32)
    quantised[...] = np.clip(whole + zeros, -128, 127)


def dequantise(
    quantised: Int8Matrix, scale: Float32Image, zero_point: Int8Matrix, values: Float32Image
) -> None:
    """Write (quantised - zero_point) * scale."""
    difference = quantised.astype(np.int32) - _by_channel(zero_point, quantised.ndim).astype(np.int32)
    with np.errstate(all="ignore"):
        values[...] = difference.astype(np.float32) * _by_channel(scale, quantised.ndim).astype(np.float32)


def expect_float32(a: Float32Image, b: Float32Image) -> tuple[Sums, Sums, Sums, Sums]:
    """Give row sums, row tolerances, column sums and column tolerances of a @ b."""
    with np.errstate(all="ignore"):
        left, right = a.astype(np.float64), b.astype(np.float64)
        noise = NOISE_FACTOR * FLOAT_EPSILON * np.sqrt(float(a.shape[1]))
        row_squares, column_squares = (left**2).sum(axis=1), (right**2).sum(axis=0)
        row_tolerances = noise * np.sqrt(row_squares * column_squares.sum())
        column_tolerances = noise * np.sqrt(column_squares * row_squares.sum())
        return left @ right.sum(axis=1), row_tolerances, left.sum(axis=0) @ right, column_tolerances


def correct_float32(
    product: Float32Image, row_sums: Sums, row_tolerances: Sums, column_sums: Sums, column_tolerances: Sums
) -> tuple[int, int, int, int, int]:
    """Give counts of wrong rows and columns, the first of each, and whether one element was corrected."""
    with np.errstate(all="ignore"):
        exact = product.astype(np.float64)
        wrong_rows = np.flatnonzero(~(np.abs(exact.sum(axis=1) - row_sums) <= row_tolerances))
        wrong_columns = np.flatnonzero(~(np.abs(exact.sum(axis=0) - column_sums) <= column_tolerances))
        row, column = (
            int(wrong_rows[0]) if len(wrong_rows) else 0,
            int(wrong_columns[0]) if len(wrong_columns) else 0,
        )
        verdict = (len(wrong_rows), len(wrong_columns), row, column)
        if len(wrong_rows) != 1 or len(wrong_columns) != 1:
            return (*verdict, 0)
        row_value = row_sums[row] - np.delete(exact[row], column).sum()
        column_value = column_sums[column] - np.delete(exact[:, column], row).sum()
        if not abs(row_value - column_value) <= row_tolerances[row] + column_tolerances[column]:
            return (*verdict, 0)
        is_row_finer = row_tolerances[row] <= column_tolerances[column]
        product[row, column] = row_value if is_row_finer else column_value
    return (*verdict, 1)


def expect_int8(a: Int8Matrix, b_transposed: Int8Matrix) -> tuple[ExactSums, ExactSums]:
    """Give row sums and column sums of a @ b_transposed.T."""
    left, right = a.astype(np.int64), b_transposed.astype(np.int64)
    return left @ right.sum(axis=0), right @ left.sum(axis=0)


def correct_int8(
    product: Int32Matrix, row_sums: ExactSums, column_sums: ExactSums
) -> tuple[int, int, int, int, int]:
    """Give counts of wrong rows and columns, the first of each, and whether one element was corrected."""
    row_differences = product.sum(axis=1, dtype=np.int64) - row_sums
    column_differences = product.sum(axis=0, dtype=np.int64) - column_sums
    rows, columns = np.flatnonzero(row_differences), np.flatnonzero(column_differences)
    row, column = int(rows[0]) if len(rows) else 0, int(columns[0]) if len(columns) else 0
    verdict = (len(rows), len(columns), row, column)
    if len(rows) != 1 or len(columns) != 1 or row_differences[row] != column_differences[column]:
        return (*verdict, 0)
    value = int(product[row, column]) - int(row_differences[row])
    if not -(2**31) <= value < 2**31:
        return (*verdict, 0)
    product[row, column] = value
    return (*verdict, 1)
