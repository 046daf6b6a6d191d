"""Range-Doppler focusing, rows and corner turns, against one two-dimensional transform of scipy and back.

One thread; times are medians of that thread's CPU time over alternating rounds. Both compute the same image. The limit
is the transforms alone: scipy's four passes along rows, in place, which both need.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels.arguments import new_output
from flightos.kernels.range_doppler import compression, focus
from sil.bench.kernel_rows import SEED, with_peer
from sil.bench.registry import Options
from sil.bench.rows import Row
from sil.bench.timing import cpu_s

AZIMUTH: Final = 4096
RANGE: Final = 2048
NAME: Final = "kernel_range_doppler"
GOAL: Final = ">= 1.8"


def chirp(sample_count: int) -> NDArray[np.complex64]:
    """A linear sweep over 0.8 of the sampling rate."""
    time = np.arange(sample_count) - (sample_count - 1) / 2
    sweep: NDArray[np.complex64] = np.exp(0.8j * np.pi / sample_count * time * time).astype(np.complex64)
    return sweep


def measure(options: Options) -> Iterator[Row]:
    """One row; the peer is written as scipy is meant to be: in place where it can, broadcasting filters."""
    fft, missing = with_peer(NAME, "scipy", GOAL, "Msamples/s")
    yield from missing
    if fft is None:
        return
    import scipy.fft as transforms

    stream = np.random.default_rng(SEED)
    parts = [stream.random((AZIMUTH, RANGE), np.float32) for _ in range(2)]
    echoes = np.asarray(parts[0] + 1j * parts[1], np.complex64)
    in_range = compression(chirp(RANGE // 4), RANGE, np.hamming(RANGE).astype(np.float32))
    in_azimuth = compression(chirp(AZIMUTH // 4), AZIMUTH, np.hamming(AZIMUTH).astype(np.float32))
    range_factor = in_range.spectrum.conj() * in_range.window
    azimuth_factor = (in_azimuth.spectrum.conj() * in_azimuth.window)[:, None]
    image, spare = new_output(echoes.shape, np.complex64), new_output((RANGE, AZIMUTH), np.complex64)

    def peer() -> NDArray[Any]:
        spectrum = transforms.fft2(echoes)
        spectrum *= range_factor
        spectrum *= azimuth_factor
        focused: NDArray[Any] = transforms.ifft2(spectrum, overwrite_x=True)
        return focused

    rows, columns = np.zeros_like(image), np.zeros_like(spare)

    def row_passes() -> None:
        for passed in (rows, columns):
            transforms.fft(passed, overwrite_x=True)
            transforms.ifft(passed, overwrite_x=True)

    focus(echoes, in_range, in_azimuth, image, spare)
    expected = peer()
    difference = float(np.abs(image - expected).max() / np.abs(expected).max())
    taken = cpu_s(
        {
            "own": lambda: focus(echoes, in_range, in_azimuth, image, spare),
            "scipy.fft2": peer,
            "rows": row_passes,
        },
        options.rounds(7),
    )
    yield Row(
        name=NAME,
        value=echoes.size / taken["own"] / 1e6,
        unit="Msamples/s",
        peer="scipy.fft2",
        ratio=taken["scipy.fft2"] / taken["own"],
        goal=GOAL,
        detail={
            "limit": "transforms",
            "limit_ratio": taken["rows"] / taken["own"],
            **{f"{key}_ms": seconds * 1e3 for key, seconds in taken.items()},
            "largest_difference": difference,
        },
    )
