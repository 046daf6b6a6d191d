"""Erasure code k + m: parity shards that replace as many lost shards, and plain exclusive-or parity.

Shards are the rows of C-ordered uint8 arrays: data of shape (k, shard bytes), parity of shape (m, shard
bytes), k <= 128, m <= 32. The code is systematic Cauchy Reed-Solomon over GF(256), stated in
native/include/flightos_kernels_protection.h; its first parity is the exclusive or. It restores what is known
to be lost and finds no wrong byte: that is for the CRC of each shard. Raises TypeError for a wrong dtype and
KernelError for the rest, before anything is written.
"""

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError, backend
from flightos.kernels import reference_protection as reference
from flightos.kernels.arguments import check_array, check_output
from flightos.kernels.foreign import call, read, struct, write

if backend() == "c":
    from flightos._fos import lib as _lib

Shards = NDArray[np.uint8]

DATA_SHARD_COUNT_MAX: Final = 128
PARITY_SHARD_COUNT_MAX: Final = 32


def _check_data(data: Shards) -> None:
    check_array("data", data, np.uint8)
    if data.ndim != 2:
        raise KernelError("SHAPE_MISMATCH", f"data has {data.ndim} dimensions, not 2")
    if not 1 <= len(data) <= DATA_SHARD_COUNT_MAX:
        raise KernelError("FOS_ERR_PARAMETER", f"{len(data)} data shards, not 1 to {DATA_SHARD_COUNT_MAX}")


def _check_parity_count(parity_count: int) -> None:
    if not 1 <= parity_count <= PARITY_SHARD_COUNT_MAX:
        raise KernelError(
            "FOS_ERR_PARAMETER", f"{parity_count} parity shards, not 1 to {PARITY_SHARD_COUNT_MAX}"
        )


def _shape(data: Shards, parity: Shards) -> Any:
    shard_bytes = data.shape[1]
    return struct("fos_erasure_shape_t", len(data), len(parity), shard_bytes, shard_bytes, shard_bytes)


def encode(data: Shards, parity_count: int, out: Shards | None = None) -> Shards:
    """Give the parity shards of the data shards, shape (parity_count, shard bytes)."""
    _check_data(data)
    _check_parity_count(parity_count)
    shape = (parity_count, data.shape[1])
    parity = np.empty(shape, np.uint8) if out is None else out
    check_output("out", parity, np.uint8, shape, data)
    if backend() == "numpy":
        reference.erasure_encode(data, parity)
    else:
        call(_lib.fos_erasure_encode, _shape(data, parity), read(data), data.size, write(parity), parity.size)
    return parity


def restore(data: Shards, parity: Shards, is_present: NDArray[np.uint8]) -> None:
    """Write the shards that are not present into their rows, data and parity, in place.

    is_present has shape (k + m,), data shards first; 0 says that the row holds nothing. Raises
    KernelError(FOS_ERR_UNCORRECTABLE), and writes nothing, when fewer than k shards are present.
    """
    _check_data(data)
    check_array("parity", parity, np.uint8)
    if parity.ndim != 2:
        raise KernelError("SHAPE_MISMATCH", f"parity has {parity.ndim} dimensions, not 2")
    _check_parity_count(len(parity))
    check_array("is_present", is_present, np.uint8, (len(data) + len(parity),))
    check_output("data", data, np.uint8, data.shape, parity, is_present)
    check_output("parity", parity, np.uint8, (len(parity), data.shape[1]), data, is_present)
    if backend() == "numpy":
        reference.erasure_restore(data, parity, is_present)
        return
    buffers = (write(data), data.size, write(parity), parity.size)
    call(_lib.fos_erasure_restore, _shape(data, parity), *buffers, read(is_present))


def xor_parity(data: Shards, out: NDArray[np.uint8] | None = None) -> NDArray[np.uint8]:
    """Give the exclusive or of all rows of `data`, of any number from 1."""
    check_array("data", data, np.uint8)
    if data.ndim != 2 or len(data) < 1:
        raise KernelError("SHAPE_MISMATCH", f"data is {data.shape}, not rows of shards")
    parity = np.empty(data.shape[1], np.uint8) if out is None else out
    check_output("out", parity, np.uint8, (data.shape[1],), data)
    if backend() == "numpy":
        np.bitwise_xor.reduce(data, axis=0, out=parity)
    else:
        shape = (len(data), data.shape[1], data.shape[1])
        call(_lib.fos_xor_parity, read(data), data.size, *shape, write(parity))
    return parity
