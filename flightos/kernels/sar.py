"""Synthetic aperture radar: corner turn, matched filter, backprojection, on complex64 images.

Images are C-ordered or tiles of larger ones, and only read. The transforms in between are a library's (scipy.fft or
numpy.fft). Raises TypeError for a wrong dtype and KernelError for the rest, before anything is written.
"""

import math
from typing import NamedTuple

import numpy as np

from flightos.kernels import KernelError, backend, reference_geometry
from flightos.kernels.arguments import (
    Complex64Image,
    Float32Image,
    Float64Table,
    check_array,
    check_image,
    check_tile_output,
    new_output,
)
from flightos.kernels.foreign import call, read, strides, struct, tile, write

if backend() == "c":
    from flightos._fos import ffi as _ffi
    from flightos._fos import lib as _lib


class RangeAxis(NamedTuple):
    """Bin k of a range profile is at first_range_m + k * range_step_m from the point of zero delay; the phase
    turns cycles_per_m = 2 f / c times a metre."""

    first_range_m: float
    range_step_m: float
    cycles_per_m: float


def corner_turn(image: Complex64Image, out: Complex64Image | None = None) -> Complex64Image:
    """Give the transpose of an image as a new C-ordered image."""
    rows, cols = check_image("image", image, np.complex64)
    turned = new_output((cols, rows), np.complex64) if out is None else out
    check_tile_output("out", turned, np.complex64, (cols, rows), image)
    if backend() == "numpy":
        turned[...] = image.T
        return turned
    call(_lib.fos_corner_turn_c64, read(image), rows, cols, strides(image, turned), write(turned))
    return turned


def matched_filter(
    signal: Complex64Image,
    reference: Complex64Image,
    window: Float32Image,
    out: Complex64Image | None = None,
) -> Complex64Image:
    """Give signal * (conj(reference) * window), row by row: the matched filter in the frequency domain.

    reference and window have one element for each column of the signal.
    """
    _, cols = check_image("signal", signal, np.complex64)
    check_array("reference", reference, np.complex64, (cols,))
    check_array("window", window, np.float32, (cols,))
    filtered = new_output(signal.shape, np.complex64) if out is None else out
    check_tile_output("out", filtered, np.complex64, signal.shape, signal, reference, window)
    if backend() == "numpy":
        reference_geometry.matched_filter(signal, reference, window, filtered)
        return filtered
    scratch = np.empty(2 * cols, np.float32)
    inputs = (read(signal), *tile(signal, filtered), read(reference), read(window))
    call(_lib.fos_matched_filter_c64, *inputs, write(scratch), scratch.size, write(filtered))
    return filtered


def backproject(
    profiles: Complex64Image,
    pulses_m: Float64Table,
    axis: RangeAxis,
    x_m: Float64Table,
    y_m: Float64Table,
    out: Complex64Image | None = None,
) -> Complex64Image:
    """Focus range profiles onto the plane z = 0, at every (x, y): shape (len(y), len(x)).

    profiles has shape (pulses, bins), bins >= 2; pulses_m shape (pulses, 4): antenna x, y, z and the range to the
    point of zero delay. Each profile is interpolated linearly, 0 outside its bins, and turned by
    exp(2 pi i cycles_per_m dR). Ranges are float64, samples and sums float32, pulse by pulse.
    """
    pulse_count, bin_count = check_image("profiles", profiles, np.complex64)
    check_array("pulses_m", pulses_m, np.float64, (pulse_count, 4))
    for name, places in (("x_m", x_m), ("y_m", y_m)):
        check_array(name, places, np.float64)
        if places.ndim != 1:
            raise KernelError("SHAPE_MISMATCH", f"{name} has {places.ndim} dimensions, not 1")
    if bin_count < 2 or not (axis.range_step_m > 0 and all(math.isfinite(value) for value in axis)):
        raise KernelError("FOS_ERR_PARAMETER", f"{bin_count} bins, {axis}")
    shape = (y_m.size, x_m.size)
    image = new_output(shape, np.complex64) if out is None else out
    check_tile_output("out", image, np.complex64, shape, profiles, pulses_m, x_m, y_m)
    if backend() == "numpy":
        reference_geometry.backproject(profiles, pulses_m, axis, x_m, y_m, image)
        return image
    pulses = _ffi.cast("fos_pulse_t *", read(pulses_m))
    inputs = (read(profiles), pulse_count, bin_count, pulses, struct("fos_range_axis_t", *axis))
    grid = (read(x_m), x_m.size, read(y_m), y_m.size)
    call(_lib.fos_backproject_c64, *inputs, *grid, strides(profiles, image), write(image))
    return image
