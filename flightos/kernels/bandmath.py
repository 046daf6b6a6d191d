"""Calibration, normalised differences, masks and exact sums over images.

Arrays are of any shape, the same for all arguments of a call, and C-ordered or tiles of larger images (rows apart);
inputs are only read. An output can be given as `out`, which must not overlap an input, or is made new. NaN marks a
bad pixel all the way: NaN in, NaN index out, outside every mask, left out of every sum. Raises TypeError for a wrong
dtype and KernelError for the rest, before anything is written.
"""

from enum import IntFlag
from typing import Any, NamedTuple

import numpy as np

from flightos.kernels import KernelError, backend, reference, reference_imaging
from flightos.kernels.arguments import (
    Float32Image,
    UInt8Image,
    UInt16Image,
    check_array,
    check_tile,
    check_tile_output,
    new_output,
)
from flightos.kernels.foreign import call, read, runs, write

if backend() == "c":
    from flightos._fos import ffi as _ffi
    from flightos._fos import lib as _lib


class PixelFlag(IntFlag):
    """What calibration says of a pixel, FOS_PIXEL_ of the C header."""

    BAD = 1
    SATURATED = 2


class Calibrated(NamedTuple):
    """Radiance and flags of an image, and how many pixels have each flag."""

    radiance: Float32Image
    flags: UInt8Image
    bad_count: int
    saturated_count: int


def correct_radiance(
    raw_dn: UInt8Image | UInt16Image,
    gain: Float32Image,
    dark_dn: Float32Image,
    out: Float32Image | None = None,
) -> Float32Image:
    """Turn detector counts into radiance: gain * (raw - dark), pixel by pixel, in float32.

    gain is in W m^-2 sr^-1 um^-1 per count. A bad pixel has NaN gain and becomes NaN.
    """
    raw_dtype = np.uint16 if isinstance(raw_dn, np.ndarray) and raw_dn.dtype == np.uint16 else np.uint8
    check_tile("raw_dn", raw_dn, raw_dtype)
    check_tile("gain", gain, np.float32, raw_dn.shape)
    check_tile("dark_dn", dark_dn, np.float32, raw_dn.shape)
    radiance = new_output(raw_dn.shape, np.float32) if out is None else out
    check_tile_output("out", radiance, np.float32, raw_dn.shape, raw_dn, gain, dark_dn)
    if backend() == "numpy":
        reference.correct_radiance(raw_dn, gain, dark_dn, radiance)
        return radiance
    wide = raw_dtype is np.uint16
    function = _lib.fos_correct_radiance_u16 if wide else _lib.fos_correct_radiance_u8
    images = (read(raw_dn), read(gain), read(dark_dn), write(radiance))
    call(function, *images, *runs(raw_dn, gain, dark_dn, radiance))
    return radiance


def calibrate(
    raw_dn: UInt16Image,
    gain: Float32Image,
    dark_dn: Float32Image,
    saturation_dn: int,
    fill: float = float("nan"),
    out: tuple[Float32Image, UInt8Image] | None = None,
) -> Calibrated:
    """Turn detector counts into radiance, gain * (raw - dark), and flag bad and saturated pixels, in one pass.

    gain carries the flat field, in W m^-2 sr^-1 um^-1 per count; NaN marks a bad pixel, which becomes `fill`.
    Counts at or above saturation_dn (0..65535) are flagged. `out` is (radiance, flags), see `PixelFlag`.
    """
    check_tile("raw_dn", raw_dn, np.uint16)
    check_tile("gain", gain, np.float32, raw_dn.shape)
    check_tile("dark_dn", dark_dn, np.float32, raw_dn.shape)
    if not 0 <= saturation_dn <= 0xFFFF:
        raise KernelError("FOS_ERR_PARAMETER", f"saturation_dn is {saturation_dn}, not 0..65535")
    radiance, flags = out or (new_output(raw_dn.shape, np.float32), new_output(raw_dn.shape, np.uint8))
    check_tile_output("radiance", radiance, np.float32, raw_dn.shape, raw_dn, gain, dark_dn)
    check_tile_output("flags", flags, np.uint8, raw_dn.shape, raw_dn, gain, dark_dn, radiance)
    if backend() == "numpy":
        counts = reference_imaging.calibrate(raw_dn, gain, dark_dn, saturation_dn, fill, radiance, flags)
        return Calibrated(radiance, flags, *counts)
    found = _ffi.new("fos_calibration_counts_t *")
    inputs = (read(raw_dn), read(gain), read(dark_dn), saturation_dn, fill)
    where = runs(raw_dn, gain, dark_dn, radiance, flags)
    call(_lib.fos_calibrate_u16, *inputs, write(radiance), write(flags), *where, found)
    return Calibrated(radiance, flags, int(found.bad_count), int(found.saturated_count))


def normalised_difference(
    a: Float32Image | UInt16Image, b: Float32Image | UInt16Image, out: Float32Image | None = None
) -> Float32Image:
    """Give (a - b) / (a + b) in float32, 0 where a + b is 0, NaN where a or b is NaN.

    The form of NDVI, NDWI, MNDWI (Xu 2006) and NBR (Key and Benson 2006); within -1..1 for bands that are not
    negative.
    """
    _check_bands(a, b)
    index = new_output(a.shape, np.float32) if out is None else out
    check_tile_output("out", index, np.float32, a.shape, a, b)
    if backend() == "numpy":
        reference.normalised_difference(a, b, index)
        return index
    function = _lib.fos_ndiff_u16 if a.dtype == np.uint16 else _lib.fos_ndiff_f32
    call(function, read(a), read(b), write(index), *runs(a, b, index))
    return index


def normalised_difference_above(
    a: Float32Image | UInt16Image,
    b: Float32Image | UInt16Image,
    threshold: float,
    out: tuple[Float32Image, UInt8Image] | None = None,
) -> tuple[Float32Image, UInt8Image, int]:
    """Give the index of `normalised_difference`, its mask above a threshold and the number of ones, in one pass.

    For "below", swap the bands and negate the threshold: the index only changes its sign. `out` is (index, mask).
    """
    _check_bands(a, b)
    if threshold != threshold:
        raise KernelError("FOS_ERR_PARAMETER", "the threshold is NaN")
    index, mask = out or (new_output(a.shape, np.float32), new_output(a.shape, np.uint8))
    check_tile_output("index", index, np.float32, a.shape, a, b)
    check_tile_output("mask", mask, np.uint8, a.shape, a, b, index)
    if backend() == "numpy":
        reference.normalised_difference(a, b, index)
        return index, mask, reference.mask_above(index, threshold, mask)
    set_count = _ffi.new("uint64_t *")
    function = _lib.fos_ndiff_mask_u16 if a.dtype == np.uint16 else _lib.fos_ndiff_mask_f32
    where = runs(a, b, index, mask)
    call(function, read(a), read(b), threshold, write(index), write(mask), *where, set_count)
    return index, mask, int(set_count[0])


def _check_bands(a: Any, b: Any) -> None:
    dtype = np.uint16 if isinstance(a, np.ndarray) and a.dtype == np.uint16 else np.float32
    check_tile("a", a, dtype)
    check_tile("b", b, dtype, a.shape)


def mask_above(
    index: Float32Image, threshold: float, out: UInt8Image | None = None
) -> tuple[UInt8Image, int]:
    """Give the mask of index > threshold, as 0 and 1, and the number of ones. The threshold is taken as
    float32."""
    return _mask("above", index, threshold, out)


def mask_below(
    index: Float32Image, threshold: float, out: UInt8Image | None = None
) -> tuple[UInt8Image, int]:
    """Give the mask of index < threshold, as 0 and 1, and the number of ones. The threshold is taken as
    float32."""
    return _mask("below", index, threshold, out)


def _mask(side: str, index: Float32Image, threshold: float, out: UInt8Image | None) -> tuple[UInt8Image, int]:
    check_tile("index", index, np.float32)
    if threshold != threshold:
        raise KernelError("FOS_ERR_PARAMETER", "the threshold is NaN")
    mask = new_output(index.shape, np.uint8) if out is None else out
    check_tile_output("out", mask, np.uint8, index.shape, index)
    if backend() == "numpy":
        make = reference.mask_above if side == "above" else reference.mask_below
        return mask, make(index, threshold, mask)
    function = _lib.fos_mask_above_f32 if side == "above" else _lib.fos_mask_below_f32
    set_count = _ffi.new("uint64_t *")
    call(function, read(index), threshold, write(mask), *runs(index, mask), set_count)
    return mask, int(set_count[0])


def pack_bits(mask: UInt8Image) -> bytes:
    """Pack eight mask pixels to a byte, the first in the highest bit; the last byte is padded with 0."""
    check_array("mask", mask, np.uint8)
    if backend() == "numpy":
        return np.packbits(mask.reshape(-1) != 0, bitorder="big").tobytes()
    packed = np.empty((mask.size + 7) // 8, np.uint8)
    call(_lib.fos_pack_bits, read(mask), mask.size, write(packed), packed.size)
    return packed.tobytes()


def unpack_bits(packed: bytes, shape: tuple[int, int]) -> UInt8Image:
    """Give back the mask that `pack_bits` packed. Raises KernelError(SHAPE_MISMATCH) for another number of
    bytes."""
    pixel_count = shape[0] * shape[1]
    if len(packed) != (pixel_count + 7) // 8:
        raise KernelError("SHAPE_MISMATCH", f"{len(packed)} bytes are not {pixel_count} packed pixels")
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=pixel_count, bitorder="big")
    return bits.reshape(shape)


def sum_fixed(index: Float32Image) -> tuple[int, int]:
    """Give the sum of rint(index * 2^30) and the number of pixels counted, which are those that are not NaN.

    The sum is exact, so tiles may be added in any order. Raises KernelError(FOS_ERR_RANGE) when |index| > 4.
    """
    check_tile("index", index, np.float32)
    if backend() == "numpy":
        return reference.sum_fixed(index)
    total = _ffi.new("int64_t *")
    counted = _ffi.new("uint64_t *")
    call(_lib.fos_sum_fixed_f32, read(index), *runs(index), total, counted)
    return int(total[0]), int(counted[0])
