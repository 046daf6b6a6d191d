"""Radar echoes to a focused image by Fourier transforms: range compression, corner turn, azimuth compression.

Theory of operation (Cumming and Wong, Digital Processing of Synthetic Aperture Radar Data, 2005, chapter 6, without
migration correction). Echoes have a row for each pulse and a column for each range. A row is correlated with the
transmitted pulse; the corner turn makes columns rows, and each is correlated with the phase history of a point. So
every transform runs along memory, a few rows at a time while they are in the cache. The same image comes from one
two-dimensional transform and back, whose columns cost two to four times what rows do.

Correlation is circular: pad echoes by the length of the references where targets near the edge must not wrap. The
range of a point must not change by more than a bin during its history, and one azimuth reference serves all ranges: a
short aperture and a narrow swath (longer ones: `sar.backproject`). Transforms are scipy's where it is installed, else
NumPy's; these differ by rounding, so nodes that compare results need the same library.
"""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError
from flightos.kernels.arguments import (
    Complex64Image,
    Float32Image,
    check_array,
    check_image,
    check_output,
    new_output,
)
from flightos.kernels.sar import corner_turn, matched_filter

BLOCK_SAMPLES: Final = 1 << 17
"""Samples of the rows that are transformed together: a mebibyte, about what the second-level cache holds."""

Transform = Callable[[Complex64Image], None]


class Compression(NamedTuple):
    """What rows are correlated with: the spectrum of the reference, complex64, and the window over it, float32.

    Both have one element for each sample of a row, zero frequency first.
    """

    spectrum: Complex64Image
    window: Float32Image


def compression(
    reference: Complex64Image, sample_count: int, window: Float32Image | None = None
) -> Compression:
    """Prepare the correlation of rows of sample_count with a reference, whose first sample is at the place of a target.

    window is over the spectrum, zero frequency in the middle (as the windows of textbooks and libraries are); None is 1
    everywhere. Raises TypeError for a wrong dtype, KernelError for a window of another length or a
    reference that is longer.
    """
    check_array("reference", reference, np.complex64)
    taper = np.ones(sample_count, np.float32) if window is None else window
    check_array("window", taper, np.float32, (sample_count,))
    if reference.size > sample_count or reference.ndim != 1:
        raise KernelError("SHAPE_MISMATCH", f"a reference of {reference.shape} for rows of {sample_count}")
    padded = np.zeros(sample_count, np.complex64)
    padded[: reference.size] = reference
    if sample_count:
        padded = np.fft.fft(padded).astype(np.complex64)
    return Compression(padded, np.fft.ifftshift(taper))


def compress_rows(
    signal: Complex64Image, by: Compression, out: Complex64Image | None = None
) -> Complex64Image:
    """Correlate each row of an image with a reference: transform, matched filter, transform back.

    signal has shape (rows, samples) and is only read. Raises TypeError and KernelError before anything is written.
    """
    _check_compression("by", by, check_image("signal", signal, np.complex64)[1])
    compressed = new_output(signal.shape, np.complex64) if out is None else out
    check_output("out", compressed, np.complex64, signal.shape, signal, *by)
    _compress(signal, by, compressed)
    return compressed


def focus(
    echoes: Complex64Image,
    in_range: Compression,
    in_azimuth: Compression,
    out: Complex64Image | None = None,
    spare: Complex64Image | None = None,
) -> Complex64Image:
    """Focus echoes, shape (azimuth, range), into an image of the same shape.

    A target whose pulse begins in range bin r, and its history in pulse a, gives its peak at [a, r]. spare, shape
    (range, azimuth), is memory to work in: whoever focuses image after image gives both, and nothing large is
    allocated. Raises TypeError and KernelError before anything is written.
    """
    rows, cols = check_image("echoes", echoes, np.complex64)
    _check_compression("in_range", in_range, cols)
    _check_compression("in_azimuth", in_azimuth, rows)
    image = new_output((rows, cols), np.complex64) if out is None else out
    turned = new_output((cols, rows), np.complex64) if spare is None else spare
    check_output("out", image, np.complex64, (rows, cols), echoes, *in_range, *in_azimuth)
    check_output("spare", turned, np.complex64, (cols, rows), echoes, image, *in_range, *in_azimuth)
    _compress(echoes, in_range, image)
    corner_turn(image, turned)
    _compress(turned, in_azimuth, turned)
    return corner_turn(turned, image)


def _check_compression(name: str, by: Compression, samples: int) -> None:
    check_array(f"spectrum of {name}", by.spectrum, np.complex64, (samples,))
    check_array(f"window of {name}", by.window, np.float32, (samples,))


def _compress(signal: Complex64Image, by: Compression, compressed: Complex64Image) -> None:
    """signal and compressed may be the same: rows are copied before they are worked on."""
    if signal.size == 0:
        return
    rows, samples = signal.shape
    transform, transform_back = _transforms()
    block_rows = max(1, BLOCK_SAMPLES // samples)
    spectra = new_output((block_rows, samples), np.complex64)
    for first in range(0, rows, block_rows):
        target = compressed[first : first + block_rows]
        block = spectra[: len(target)]
        np.copyto(block, signal[first : first + block_rows])
        transform(block)
        matched_filter(block, *by, target)
        transform_back(target)


def _transforms() -> tuple[Transform, Transform]:
    """The transform of rows and its inverse, in place."""
    if find_spec("scipy") is not None:
        library: Any = import_module("scipy.fft")
        return (
            lambda rows: _keep(rows, library.fft(rows, overwrite_x=True)),
            lambda rows: _keep(rows, library.ifft(rows, overwrite_x=True)),
        )
    return lambda rows: _keep(rows, np.fft.fft(rows)), lambda rows: _keep(rows, np.fft.ifft(rows))


def _keep(rows: Complex64Image, transformed: NDArray[np.complexfloating[Any, Any]]) -> None:
    """Put the transformed rows in their place, where the library did not work there already."""
    if not np.may_share_memory(rows, transformed):
        rows[...] = transformed
