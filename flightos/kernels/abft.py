"""Matrix products that notice and mend a wrong element (algorithm-based fault tolerance, Huang and Abraham 1984).

Before or after the product, `expect` reckons from the factors what its row and column sums must be; `correct`
compares. One wrong element shows in one row and one column, and is set right in place: to the bit for int8
products, to within rounding for float32. Products come from any library. Arrays are C-ordered. Raises
TypeError for a wrong dtype and KernelError for the rest, before anything is written.
"""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError, backend
from flightos.kernels import reference_integer as reference
from flightos.kernels.arguments import Float32Image, check_array, check_output
from flightos.kernels.foreign import call, read, struct, write
from flightos.kernels.integer import Int8Matrix, Int32Matrix, check_matrices

if backend() == "c":
    from flightos._fos import lib as _lib


class Float32Sums(NamedTuple):
    """Expected row and column sums of a float32 product, and how far rounding may take them."""

    row_sums: NDArray[np.float64]
    row_tolerances: NDArray[np.float64]
    column_sums: NDArray[np.float64]
    column_tolerances: NDArray[np.float64]


class Int8Sums(NamedTuple):
    """Expected row and column sums of an int8 product: exact."""

    row_sums: NDArray[np.int64]
    column_sums: NDArray[np.int64]


class AbftFaults(NamedTuple):
    """Rows and columns whose sums are wrong, the first of each, and elements corrected (0 or 1)."""

    row_count: int
    column_count: int
    row_index: int | None
    column_index: int | None
    corrected_count: int


def expect_float32(a: Float32Image, b: Float32Image) -> Float32Sums:
    """Reckon the sums of a @ b from a, shape (m, k), and b, shape (k, n).

    Tolerances are eight times the rounding noise to be expected, 2^-24 sqrt(k) |row| |b|. The numpy backend
    may differ from C in the last bits of the sums.
    """
    check_array("a", a, np.float32)
    check_array("b", b, np.float32)
    if a.ndim != 2 or b.ndim != 2 or a.shape[1] != b.shape[0]:
        raise KernelError("SHAPE_MISMATCH", f"{a.shape} and {b.shape} are not (m, k) and (k, n)")
    (rows, depth), cols = a.shape, b.shape[1]
    if backend() == "numpy":
        return Float32Sums(*reference.expect_float32(a, b))
    sums = Float32Sums(*(np.empty(count, np.float64) for count in (rows, rows, cols, cols)))
    expected = struct("fos_abft_sums_f64_t", *(write(column) for column in sums))
    call(_lib.fos_abft_expect_f32, read(a), read(b), rows, cols, depth, expected)
    return sums


def correct_float32(product: Float32Image, sums: Float32Sums) -> AbftFaults:
    """Compare a product with its expected sums, and correct one wrong element in place."""
    check_array("product", product, np.float32)
    _check_sums(product.shape, np.float64, sums.row_sums, sums.column_sums)
    _check_sums(product.shape, np.float64, sums.row_tolerances, sums.column_tolerances)
    check_output("product", product, np.float32, product.shape, *sums)
    if backend() == "numpy":
        return _faults(*reference.correct_float32(product, *sums))
    rows, cols = product.shape
    scratch = np.empty(rows + cols, np.float64)
    expected = struct("fos_abft_sums_f64_t", *(read(column) for column in sums))
    faults = struct("fos_abft_faults_t")
    call(
        _lib.fos_abft_correct_f32, write(product), rows, cols, expected, write(scratch), scratch.size, faults
    )
    return _read_faults(faults)


def expect_int8(a: Int8Matrix, b_transposed: Int8Matrix) -> Int8Sums:
    """Reckon the sums of a @ b_transposed.T from a, shape (m, k), and b_transposed, shape (n, k)."""
    rows, cols, depth = check_matrices(a, b_transposed)
    if backend() == "numpy":
        return Int8Sums(*reference.expect_int8(a, b_transposed))
    sums = Int8Sums(np.empty(rows, np.int64), np.empty(cols, np.int64))
    factors = (read(a), read(b_transposed), rows, cols, depth)
    call(_lib.fos_abft_expect_i8, *factors, write(sums[0]), write(sums[1]))
    return sums


def correct_int8(product: Int32Matrix, sums: Int8Sums) -> AbftFaults:
    """Compare an int8 product with its expected sums, and correct one wrong element in place."""
    check_array("product", product, np.int32)
    _check_sums(product.shape, np.int64, *sums)
    check_output("product", product, np.int32, product.shape, *sums)
    if backend() == "numpy":
        return _faults(*reference.correct_int8(product, *sums))
    rows, cols = product.shape
    scratch = np.empty(cols, np.int64)
    faults = struct("fos_abft_faults_t")
    expected = (read(sums.row_sums), read(sums.column_sums))
    call(_lib.fos_abft_correct_i32, write(product), rows, cols, *expected, write(scratch), cols, faults)
    return _read_faults(faults)


def _check_sums(
    shape: tuple[int, ...], dtype: type, rows: NDArray[np.generic], columns: NDArray[np.generic]
) -> None:
    if len(shape) != 2:
        raise KernelError("SHAPE_MISMATCH", f"product has {len(shape)} dimensions, not 2")
    check_array("row sums", rows, dtype, shape[:1])
    check_array("column sums", columns, dtype, shape[1:])


def _faults(row_count: int, column_count: int, row: int, column: int, corrected_count: int) -> AbftFaults:
    return AbftFaults(
        row_count,
        column_count,
        row if row_count else None,
        column if column_count else None,
        corrected_count,
    )


def _read_faults(faults: object) -> AbftFaults:
    return _faults(*(int(getattr(faults, name)) for name in AbftFaults._fields))
