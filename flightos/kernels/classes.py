"""Classes of pixels from several bands: clouds, snow, shadow and water of a scene; how badly an area burnt.

Bands are uint16 counts of one shape, C-ordered or tiles of larger images, only read; 0 in any band is no data. A
class image can be given as `out`. Raises TypeError for a wrong dtype and KernelError for the rest, before anything is
written.
"""

from enum import IntEnum
from typing import Final, NamedTuple

import numpy as np

from flightos.kernels import KernelError, backend, reference_imaging
from flightos.kernels.arguments import UInt8Image, UInt16Image, check_tile, check_tile_output
from flightos.kernels.foreign import call, read, runs, struct, write

if backend() == "c":
    from flightos._fos import ffi as _ffi
    from flightos._fos import lib as _lib

SEVERITY_THRESHOLDS: Final = (-0.25, -0.1, 0.1, 0.27, 0.44, 0.66)
"""dNBR classes of Key and Benson (2006): regrowth high and low, unburned, severity low, moderate-low,
moderate-high, high."""


class SceneClass(IntEnum):
    """What `cloud_mask` says of a pixel, FOS_SCENE_ of the C header."""

    NO_DATA = 0
    CLEAR = 1
    CLOUD = 2
    SNOW = 3
    SHADOW = 4
    WATER = 5


class ChangeClass(IntEnum):
    """What `change_classes` says of a pixel, with the thresholds of `SEVERITY_THRESHOLDS`."""

    REGROWTH_HIGH = 0
    REGROWTH_LOW = 1
    UNBURNED = 2
    SEVERITY_LOW = 3
    SEVERITY_MODERATE_LOW = 4
    SEVERITY_MODERATE_HIGH = 5
    SEVERITY_HIGH = 6
    NO_DATA = 7


class SceneLimits(NamedTuple):
    """The band tests of `cloud_mask`; ratios are in units of 1/256, from -256 to 256.

    snow: green at least snow_green_dn_min and (green - swir) / (green + swir) above snow_ratio_256; cloud: red
    and swir at least their limits and |nir - red| / (nir + red) below cloud_ratio_256; shadow: red, nir and swir
    below theirs; water: (green - nir) / (green + nir) above water_ratio_256.
    """

    snow_green_dn_min: int
    snow_ratio_256: int
    cloud_red_dn_min: int
    cloud_swir_dn_min: int
    cloud_ratio_256: int
    shadow_red_dn_max: int
    shadow_nir_dn_max: int
    shadow_swir_dn_max: int
    water_ratio_256: int


def cloud_mask(
    green: UInt16Image,
    red: UInt16Image,
    nir: UInt16Image,
    swir: UInt16Image,
    limits: SceneLimits,
    out: UInt8Image | None = None,
) -> tuple[UInt8Image, tuple[int, ...]]:
    """Give the scene class of each pixel and the number of each, by integer band tests after ACCA (Irish 2006).

    The first that fits counts: no data, snow, cloud, shadow, water, clear. Raises
    KernelError(FOS_ERR_PARAMETER) for a ratio outside -256..256 or a limit outside int32.
    """
    bands = (green, red, nir, swir)
    for name, band in zip(("green", "red", "nir", "swir"), bands, strict=True):
        check_tile(name, band, np.uint16, None if band is green else green.shape)
    if any(abs(ratio) > 256 for ratio in (limits[1], limits[4], limits[8])):
        raise KernelError("FOS_ERR_PARAMETER", "a ratio is outside -256..256")
    if any(abs(limit) >= 1 << 31 for limit in limits):
        raise KernelError("FOS_ERR_PARAMETER", "a limit is outside int32")
    classes = np.empty(green.shape, np.uint8) if out is None else out
    check_tile_output("out", classes, np.uint8, green.shape, *bands)
    if backend() == "numpy":
        reference_imaging.cloud_mask(green, red, nir, swir, limits, classes)
        return classes, tuple(np.bincount(classes.reshape(-1), minlength=len(SceneClass)).tolist())
    counts = _ffi.new("uint64_t[]", len(SceneClass))
    tests = struct("fos_scene_limits_t", *limits)
    pixels = (*(read(band) for band in bands), tests, write(classes))
    call(_lib.fos_cloud_mask_u16, *pixels, *runs(*bands, classes), counts)
    return classes, tuple(counts)


def change_classes(
    nir_before: UInt16Image,
    swir_before: UInt16Image,
    nir_after: UInt16Image,
    swir_after: UInt16Image,
    thresholds: tuple[float, ...] = SEVERITY_THRESHOLDS,
    out: UInt8Image | None = None,
) -> tuple[UInt8Image, tuple[int, ...]]:
    """Give how many of six rising thresholds are at or below dNBR, pixel by pixel, and the number of each class.

    dNBR = NBR before - NBR after in float32, NBR = (nir - swir) / (nir + swir), over one common denominator.
    """
    bands = (nir_before, swir_before, nir_after, swir_after)
    for name, band in zip(("nir_before", "swir_before", "nir_after", "swir_after"), bands, strict=True):
        check_tile(name, band, np.uint16, None if band is nir_before else nir_before.shape)
    limits = np.array(thresholds, np.float32)
    if limits.shape != (6,) or not bool((limits[:-1] < limits[1:]).all()):
        raise KernelError("FOS_ERR_PARAMETER", "the thresholds are not six that rise")
    classes = np.empty(nir_before.shape, np.uint8) if out is None else out
    check_tile_output("out", classes, np.uint8, nir_before.shape, *bands)
    if backend() == "numpy":
        reference_imaging.change_classes(nir_before, swir_before, nir_after, swir_after, limits, classes)
        return classes, tuple(np.bincount(classes.reshape(-1), minlength=len(ChangeClass)).tolist())
    counts = _ffi.new("uint64_t[]", len(ChangeClass))
    inputs = (*(read(band) for band in bands), read(limits))
    call(_lib.fos_change_classes_u16, *inputs, write(classes), *runs(*bands, classes), counts)
    return classes, tuple(counts)
