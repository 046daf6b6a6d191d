"""Which instruction-set level serves, and whether the table behind the kernels is as it was written.

The C library's only state is a table of function pointers and some look-up tables. Memory of a spacecraft is
hit by particles; an upset there would send a call anywhere, or make results wrong for good. A node verifies
between tasks and renews. Without the C module there is nothing to choose or to guard.
"""

from flightos.kernels import KernelError, backend

if backend() == "c":
    from flightos._fos import ffi as _ffi
    from flightos._fos import lib as _lib


def is_dispatch_intact() -> bool:
    """Say whether the table of functions and the look-up tables still fit their checksums."""
    return backend() == "numpy" or _lib.fos_dispatch_verify() == 0


def renew_dispatch() -> None:
    """Fill the tables anew from code. Not to be called while other threads run kernels."""
    if backend() == "c":
        _lib.fos_dispatch_renew()


def select_isa(name: str) -> None:
    """Choose a level by name (portable, sse42, avx2, avx512, neon, neon_dot), for tests and measurements.

    Raises KernelError(FOS_ERR_UNSUPPORTED), and changes nothing, where it cannot run.
    """
    if backend() == "numpy":
        raise KernelError("FOS_ERR_UNSUPPORTED", "the C module is not in use")
    status = _lib.fos_isa_select(name.encode("ascii"))
    if status != 0:
        raise KernelError(_ffi.string(_lib.fos_status_name(status)).decode("ascii"), name)
