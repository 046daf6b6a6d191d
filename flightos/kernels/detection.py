"""Detection against a background: ships on the sea (CFAR), fires in a thermal band.

Images are uint16 counts of shape (rows, cols), C-ordered or tiles of larger images, at most 32768 columns, only read.
A mask (0 or 1) can be given as `out`. Windows are cut at the edge of what is given: tiles that overlap by the radius
join without a seam.
Raises TypeError for a wrong dtype and KernelError for the rest, before anything is written.
"""

import math
from typing import Any, Final, NamedTuple

import numpy as np

from flightos.kernels import KernelError, backend, reference_imaging
from flightos.kernels.arguments import UInt8Image, UInt16Image, check_image, check_tile_output
from flightos.kernels.foreign import call, read, struct, tile, write

if backend() == "c":
    from flightos._fos import ffi as _ffi
    from flightos._fos import lib as _lib

COLS_MAX: Final = 32768
WINDOW_RADIUS_MAX: Final = 20


class TargetLimits(NamedTuple):
    """The background ring (a square of train_radius without one of guard_radius) and what stands out of it.

    deviations_squared is k^2, where a target is above the mean by more than k standard deviations.
    """

    guard_radius: int
    train_radius: int
    dn_min: int
    deviations_squared: float


class HotspotLimits(NamedTuple):
    """Contextual fire test after Giglio et al. (2003, 4).

    Candidates have candidate_dn_min or more. Fires have absolute_dn_min or more, or stand out of at least
    valid_count_min background pixels (neither candidate nor 0) of a window by more than delta_dn and by more than
    k standard deviations, k^2 = deviations_squared.
    """

    radius: int
    candidate_dn_min: int
    absolute_dn_min: int
    valid_count_min: int
    delta_dn: float
    deviations_squared: float


def find_targets(
    image_dn: UInt16Image, limits: TargetLimits, out: UInt8Image | None = None
) -> tuple[UInt8Image, int]:
    """Give the mask of bright targets, at a constant false alarm rate over changing clutter, and its ones.

    A pixel x is a target when n x - S > 0 and (n x - S)^2 > k^2 (n Q - S^2), with n, S, Q the number, sum and
    sum of squares of its ring. The sums are exact, the rest is float64 in a fixed order.
    """
    guard, train = limits.guard_radius, limits.train_radius
    if not (0 <= guard < train <= WINDOW_RADIUS_MAX and 0 <= limits.dn_min <= 0xFFFF):
        raise KernelError("FOS_ERR_PARAMETER", f"{limits}")
    _check_deviations(limits.deviations_squared)
    mask = _check_images("image_dn", image_dn, out)
    if backend() == "numpy":
        mask[...] = reference_imaging.find_targets(image_dn, limits)
        return mask, int(np.count_nonzero(mask))
    scratch = np.empty(9 * (image_dn.shape[1] + 2 * train + 1), np.float64)
    return mask, _detect(_lib.fos_cfar_u16, image_dn, struct("fos_cfar_limits_t", *limits), scratch, mask)


def find_hotspots(
    thermal_dn: UInt16Image, limits: HotspotLimits, out: UInt8Image | None = None
) -> tuple[UInt8Image, int]:
    """Give the mask of fires in a thermal band, and its number of ones."""
    if not (0 < limits.radius <= WINDOW_RADIUS_MAX and 0 < limits.candidate_dn_min <= 0xFFFF):
        raise KernelError("FOS_ERR_PARAMETER", f"{limits}")
    if not (0 <= limits.absolute_dn_min <= 0xFFFF and 0 < limits.valid_count_min < 1 << 31):
        raise KernelError("FOS_ERR_PARAMETER", f"{limits}")
    if not math.isfinite(limits.delta_dn):
        raise KernelError("FOS_ERR_PARAMETER", "delta_dn is not finite")
    _check_deviations(limits.deviations_squared)
    mask = _check_images("thermal_dn", thermal_dn, out)
    if backend() == "numpy":
        mask[...] = reference_imaging.find_hotspots(thermal_dn, limits)
        return mask, int(np.count_nonzero(mask))
    scratch = np.empty(6 * (thermal_dn.shape[1] + 2 * limits.radius + 1), np.float64)
    return mask, _detect(
        _lib.fos_hotspot_u16, thermal_dn, struct("fos_hotspot_limits_t", *limits), scratch, mask
    )


def _check_deviations(deviations_squared: float) -> None:
    if not (0.0 <= deviations_squared < math.inf):
        raise KernelError("FOS_ERR_PARAMETER", f"deviations_squared is {deviations_squared}")


def _check_images(name: str, image_dn: UInt16Image, out: UInt8Image | None) -> UInt8Image:
    _, cols = check_image(name, image_dn, np.uint16)
    if cols > COLS_MAX:
        raise KernelError("FOS_ERR_TOO_LARGE", f"{name} has {cols} columns, more than {COLS_MAX}")
    mask = np.empty(image_dn.shape, np.uint8) if out is None else out
    check_tile_output("out", mask, np.uint8, image_dn.shape, image_dn)
    return mask


def _detect(function: Any, image_dn: UInt16Image, limits: Any, scratch: Any, mask: UInt8Image) -> int:
    set_count = _ffi.new("uint64_t *")
    memory = (write(scratch), scratch.size, write(mask))
    call(function, read(image_dn), *tile(image_dn, mask), limits, *memory, set_count)
    return int(set_count[0])
