"""CRCs of many frames in one call.

A call from Python costs as much as the CRC of a kilobyte, so whoever checks frames by the hundred names them
all at once: three are then under way at any time, which is also how the processor likes it.
"""

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError, backend
from flightos.kernels.arguments import check_array, check_output
from flightos.kernels.crc import crc16_reference, crc32c_reference
from flightos.kernels.foreign import call, read, write

if backend() == "c":
    from flightos._fos import ffi as _ffi
    from flightos._fos import lib as _lib

Bytes = NDArray[np.uint8]
Frames = NDArray[np.uint64]


def _check_frames(data: Bytes, frames: Frames) -> None:
    check_array("data", data, np.uint8)
    check_array("frames", frames, np.uint64)
    if frames.ndim != 2 or frames.shape[1] != 2:
        raise KernelError("SHAPE_MISMATCH", f"frames is {frames.shape}, not (n, 2)")
    offset_bytes, length_bytes = frames[:, 0], frames[:, 1]
    size = np.uint64(data.size)
    outside = (offset_bytes > size) | (length_bytes > size - np.minimum(offset_bytes, size))
    if bool(outside.any()):
        raise KernelError("FOS_ERR_RANGE", f"frame {int(np.argmax(outside))} is not inside the data")


def crc32c_batch(data: Bytes, frames: Frames, out: NDArray[np.uint32] | None = None) -> NDArray[np.uint32]:
    """Give the CRC-32C of each frame of `data`.

    frames has shape (n, 2): offset and length in bytes; they may overlap and leave gaps. Raises
    KernelError(FOS_ERR_RANGE), before anything is written, when a frame is not inside the data.
    """
    _check_frames(data, frames)
    crcs = np.empty(len(frames), np.uint32) if out is None else out
    check_output("out", crcs, np.uint32, (len(frames),), data, frames)
    if backend() == "numpy":
        crcs[:] = [crc32c_reference(piece) for piece in _pieces(data, frames)]
    else:
        spans = _ffi.cast("fos_span_t *", read(frames))
        call(_lib.fos_crc32c_batch, read(data), data.size, spans, len(frames), write(crcs))
    return crcs


def crc16_batch(data: Bytes, frames: Frames, out: NDArray[np.uint16] | None = None) -> NDArray[np.uint16]:
    """Give the CRC-16/CCITT-FALSE of each frame of `data`; see `crc32c_batch`."""
    _check_frames(data, frames)
    crcs = np.empty(len(frames), np.uint16) if out is None else out
    check_output("out", crcs, np.uint16, (len(frames),), data, frames)
    if backend() == "numpy":
        crcs[:] = [crc16_reference(piece) for piece in _pieces(data, frames)]
    else:
        spans = _ffi.cast("fos_span_t *", read(frames))
        call(_lib.fos_crc16_batch, read(data), data.size, spans, len(frames), write(crcs))
    return crcs


def _pieces(data: Bytes, frames: Frames) -> list[bytes]:
    flat = data.reshape(-1)
    return [flat[int(first) : int(first) + int(length)].tobytes() for first, length in frames]
