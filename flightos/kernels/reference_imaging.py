"""The imaging, class, filter and detection kernels again, in NumPy: fallback where C is not built, and oracle.

Written to be plainly right. Every function gives the bits of its C twin; arguments are checked by the faces.
"""

import numpy as np
from numpy.typing import NDArray

from flightos.kernels.arguments import Float32Image, UInt8Image, UInt16Image

EDGE_MODES = ("constant", "edge", "reflect")
"""How np.pad calls the edges of `filters.Edge`."""


def calibrate(
    raw_dn: UInt16Image,
    gain: Float32Image,
    dark_dn: Float32Image,
    saturation_dn: int,
    fill: float,
    radiance: Float32Image,
    flags: UInt8Image,
) -> tuple[int, int]:
    """Write radiance and flags; give the number of bad and of saturated pixels."""
    with np.errstate(all="ignore"):
        np.multiply(gain, raw_dn.astype(np.float32) - dark_dn, out=radiance)
    bad = np.isnan(radiance)
    radiance[bad] = fill
    saturated = raw_dn >= saturation_dn
    flags[...] = bad.astype(np.uint8) | (saturated.astype(np.uint8) << 1)
    return int(np.count_nonzero(bad)), int(np.count_nonzero(saturated))


def cloud_mask(
    green: UInt16Image,
    red: UInt16Image,
    nir: UInt16Image,
    swir: UInt16Image,
    limits: tuple[int, ...],
    classes: UInt8Image,
) -> None:
    """Write the scene class of each pixel, the last test that holds winning."""
    g, r, n, s = (band.astype(np.int64) for band in (green, red, nir, swir))
    classes[...] = 1
    classes[256 * (g - n) > limits[8] * (g + n)] = 5
    classes[(r < limits[5]) & (n < limits[6]) & (s < limits[7])] = 4
    classes[(r >= limits[2]) & (s >= limits[3]) & (256 * np.abs(n - r) < limits[4] * (n + r))] = 2
    classes[(g >= limits[0]) & (256 * (g - s) > limits[1] * (g + s))] = 3
    classes[(g == 0) | (r == 0) | (n == 0) | (s == 0)] = 0


def change_classes(
    nir_before: UInt16Image,
    swir_before: UInt16Image,
    nir_after: UInt16Image,
    swir_after: UInt16Image,
    thresholds: Float32Image,
    classes: UInt8Image,
) -> None:
    """Write the number of thresholds at or below dNBR, 7 where a band is 0."""
    nir_0, swir_0, nir_1, swir_1 = (
        band.astype(np.float32) for band in (nir_before, swir_before, nir_after, swir_after)
    )
    sum_0, sum_1 = nir_0 + swir_0, nir_1 + swir_1
    with np.errstate(all="ignore"):
        dnbr = ((nir_0 - swir_0) * sum_1 - (nir_1 - swir_1) * sum_0) / (sum_0 * sum_1)
    classes[...] = (dnbr[..., None] >= thresholds).sum(axis=-1)
    classes[(nir_0 == 0) | (swir_0 == 0) | (nir_1 == 0) | (swir_1 == 0)] = 7


def _pad(image: Float32Image, radius_rows: int, radius_cols: int, edge: int) -> Float32Image:
    pads = ((radius_rows, radius_rows), (radius_cols, radius_cols))
    return np.pad(image, pads, mode=EDGE_MODES[edge])  # type: ignore[call-overload, no-any-return]


def _finish(sums: Float32Image, finish: int, limit: float) -> Float32Image:
    bound = np.float32(limit)
    if finish == 1:
        return np.where(sums < bound, np.float32(0.0), sums)
    if finish == 2:
        return (sums > bound).astype(np.float32)
    return sums


def convolve(image: Float32Image, taps: Float32Image, edge: int, finish: int, limit: float) -> Float32Image:
    """Give the filtered image, tap by tap in raster order."""
    if image.size == 0:
        return np.empty_like(image)
    rows, cols = image.shape
    side = taps.shape[0]
    padded = _pad(image, side // 2, side // 2, edge)
    with np.errstate(all="ignore"):
        sums = taps[0, 0] * padded[:rows, :cols]
        for place in range(1, side * side):
            row, col = divmod(place, side)
            sums = sums + taps[row, col] * padded[row : row + rows, col : col + cols]
    return _finish(sums, finish, limit)


def convolve_separable(
    image: Float32Image,
    row_taps: Float32Image,
    col_taps: Float32Image,
    edge: int,
    finish: int,
    limit: float,
) -> Float32Image:
    """Give the filtered image: extended both ways first, then along rows, then along columns."""
    if image.size == 0:
        return np.empty_like(image)
    rows, cols = image.shape
    side = row_taps.size
    padded = _pad(image, side // 2, side // 2, edge)
    with np.errstate(all="ignore"):
        along = row_taps[0] * padded[:, :cols]
        for place in range(1, side):
            along = along + row_taps[place] * padded[:, place : place + cols]
        sums = col_taps[0] * along[:rows]
        for place in range(1, side):
            sums = sums + col_taps[place] * along[place : place + rows]
    return _finish(sums, finish, limit)


def _window_sums(values: NDArray[np.int64], radius: int) -> NDArray[np.int64]:
    """Sum over the square of a radius around each pixel, cut at the edge of the image."""
    rows, cols = values.shape
    prefix = np.zeros((rows + 1, cols + 1), np.int64)
    prefix[1:, 1:] = values.cumsum(axis=0).cumsum(axis=1)
    row, col = np.arange(rows), np.arange(cols)
    top, bottom = np.maximum(row - radius, 0)[:, None], np.minimum(row + radius + 1, rows)[:, None]
    left, right = np.maximum(col - radius, 0)[None], np.minimum(col + radius + 1, cols)[None]
    return np.asarray(prefix[bottom, right] - prefix[top, right] - prefix[bottom, left] + prefix[top, left])


def find_targets(image_dn: UInt16Image, limits: tuple[int, int, int, float]) -> UInt8Image:
    """Give the mask of CFAR targets."""
    guard, train, dn_min, deviations_squared = limits
    value = image_dn.astype(np.int64)
    count, total, squares = (
        (_window_sums(part, train) - _window_sums(part, guard)).astype(np.float64)
        for part in (np.ones_like(value), value, value * value)
    )
    excess = count * value.astype(np.float64) - total
    spread = count * squares - total * total
    found = (excess > 0.0) & (excess * excess > deviations_squared * spread) & (value >= dn_min)
    return found.astype(np.uint8)


def find_hotspots(thermal_dn: UInt16Image, limits: tuple[int, int, int, int, float, float]) -> UInt8Image:
    """Give the mask of fires."""
    radius, candidate_dn_min, absolute_dn_min, valid_count_min, delta_dn, deviations_squared = limits
    value = thermal_dn.astype(np.int64)
    background = ((value != 0) & (value < candidate_dn_min)).astype(np.int64)
    count, total, squares = (
        _window_sums(part, radius).astype(np.float64)
        for part in (background, background * value, background * value * value)
    )
    excess = count * value.astype(np.float64) - total
    spread = count * squares - total * total
    stands_out = (
        (count >= valid_count_min)
        & (excess > count * delta_dn)
        & (excess > 0.0)
        & (excess * excess > deviations_squared * spread)
    )
    found = (value >= candidate_dn_min) & ((value >= absolute_dn_min) | stands_out)
    return found.astype(np.uint8)
