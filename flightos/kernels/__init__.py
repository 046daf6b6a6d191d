"""Typed faces of the C kernels, and the plain references that stand in for them.

Theory of operation: each area (`crc`, `bandmath`, `secded`, ...) is one module. A face checks dtype, shape,
contiguity, overlap and writability before anything is touched, then calls C; where the C module is not built,
the same face runs the NumPy reference, which is also the oracle of the tests and gives the same bits.
Importing this package, or `kernels.crc`, loads no NumPy: node processes stay small.
"""

from typing import Final, Literal

from flightos.core.errors import FlightosError

try:
    from flightos._fos import ffi as _ffi
    from flightos._fos import lib as _lib
except ImportError:
    _BACKEND: Literal["c", "numpy"] = "numpy"
else:
    _BACKEND = "c"

# The ABI that these faces were written for; native/include/flightos_kernels.h owns the number.
_ABI_VERSION: Final = 1

if _BACKEND == "c" and _lib.fos_abi_version() != _ABI_VERSION:
    raise ImportError(f"flightos._fos has ABI {_lib.fos_abi_version()}, not {_ABI_VERSION}: build it again")


class KernelError(FlightosError):
    """A kernel refused its arguments; nothing was written. `status_name` is the name of the C status.

    The faces refuse before C is called, with the names of C (`FOS_ERR_...`) and four more that only arrays
    can have: `SHAPE_MISMATCH`, `NOT_CONTIGUOUS`, `NOT_WRITABLE`, `OVERLAP`. A wrong dtype is a TypeError.
    """

    def __init__(self, status_name: str, detail: str = "") -> None:
        super().__init__(f"{status_name}: {detail}" if detail else status_name)
        self.status_name = status_name


def backend() -> Literal["c", "numpy"]:
    """Say which kernels serve in this process: the C module, or the references in NumPy and Python."""
    return _BACKEND


def isa_name() -> str:
    """Give the instruction-set level in use: portable, sse42, avx2, avx512, neon, neon_dot; `numpy` without
    the C module."""
    if _BACKEND == "numpy":
        return "numpy"
    return str(_ffi.string(_lib.fos_isa_name()).decode("ascii"))
