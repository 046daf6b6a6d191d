"""Range-Doppler focusing: point targets peak at their place, and the image is that of the two-dimensional transform."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from flightos.kernels import KernelError, range_doppler
from flightos.kernels.range_doppler import Compression, compress_rows, compression, focus

AZIMUTH, RANGE = 192, 320
PULSE_SAMPLES, HISTORY_PULSES = 96, 64
TARGETS = {(20, 31): 1.0, (20, 150): 0.5, (101, 150): 2.0, (120, 200): 1.0}
"""Place (first pulse, first bin) and amplitude."""


def chirp(length: int, band_ratio: float) -> NDArray[np.complex64]:
    """A linear sweep over band_ratio of the sampling rate."""
    time = np.arange(length) - (length - 1) / 2
    sweep: NDArray[np.complex64] = np.exp(1j * np.pi * band_ratio / length * time * time).astype(np.complex64)
    return sweep


PULSE, HISTORY = chirp(PULSE_SAMPLES, 0.8), chirp(HISTORY_PULSES, -0.7)


def echoes(noise: float = 0.0) -> NDArray[np.complex64]:
    stream = np.random.default_rng(3)
    scene = (stream.normal(size=(AZIMUTH, RANGE, 2)) @ (1, 1j)) * noise
    for (row, col), amplitude in TARGETS.items():
        scene[row : row + HISTORY_PULSES, col : col + PULSE_SAMPLES] += amplitude * np.outer(HISTORY, PULSE)
    return np.asarray(scene, np.complex64)


def plain(
    image: NDArray[np.complex64], in_range: Compression, in_azimuth: Compression
) -> NDArray[np.complex128]:
    """The same image from one two-dimensional transform and back, in double precision."""
    spectrum = np.fft.fft2(image.astype(np.complex128))
    spectrum *= in_range.spectrum.conj() * in_range.window
    spectrum *= (in_azimuth.spectrum.conj() * in_azimuth.window)[:, None]
    return np.fft.ifft2(spectrum)


@pytest.fixture(params=["scipy", "numpy"])
def library(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> str:
    """Both libraries of transforms."""
    name = str(request.param)
    if name == "scipy":
        pytest.importorskip("scipy")
    else:
        monkeypatch.setattr(range_doppler, "find_spec", lambda _: None)
    return name


@pytest.mark.usefixtures("library")
def test_point_targets_peak_at_their_place() -> None:
    """Each with its amplitude times the energy of the references, and above all but its neighbours."""
    image = np.abs(focus(echoes(), compression(PULSE, RANGE), compression(HISTORY, AZIMUTH)))
    whole = PULSE_SAMPLES * HISTORY_PULSES
    for (row, col), amplitude in TARGETS.items():
        around = image[row - 8 : row + 9, col - 8 : col + 9]
        assert int(around.argmax()) == 8 * 17 + 8
        assert image[row, col] == pytest.approx(amplitude * whole, rel=0.05)
    assert int(image.argmax()) == 101 * RANGE + 150


def test_a_window_lowers_the_sidelobes() -> None:
    """With a Hamming window the range sidelobes of the strongest target sink from -13 dB to below -25 dB."""
    levels = []
    for taper in (None, np.hamming(RANGE).astype(np.float32)):
        image = np.abs(focus(echoes(), compression(PULSE, RANGE, taper), compression(HISTORY, AZIMUTH)))
        line = image[101] / image[101, 150]
        levels.append(float(np.delete(line, np.arange(146, 155)).max()))
    assert levels[1] < 10 ** (-25 / 20) < levels[0]


@pytest.mark.usefixtures("library")
def test_it_is_the_image_of_the_two_dimensional_transform() -> None:
    in_range = compression(PULSE, RANGE, np.hanning(RANGE).astype(np.float32))
    in_azimuth = compression(HISTORY, AZIMUTH, np.hamming(AZIMUTH).astype(np.float32))
    given = echoes(noise=0.3)
    kept = given.copy()
    image, expected = focus(given, in_range, in_azimuth), plain(given, in_range, in_azimuth)
    assert image.dtype == np.complex64
    assert np.abs(image - expected).max() <= 2e-6 * np.abs(expected).max()
    assert np.array_equal(given, kept)


def test_blocks_do_not_show(monkeypatch: pytest.MonkeyPatch) -> None:
    """Rows may go one by one, a few at a time with a rest, or all together; a library's transform of several rows at
    once may round a row otherwise than alone."""
    by = compression(PULSE, RANGE)
    given = echoes(noise=0.3)
    whole = compress_rows(given, by)
    for samples in (1, 7 * RANGE):
        monkeypatch.setattr(range_doppler, "BLOCK_SAMPLES", samples)
        assert np.abs(compress_rows(given, by) - whole).max() <= 1e-6 * np.abs(whole).max()


def test_what_does_not_fit_is_refused_untouched() -> None:
    given, by = echoes(), compression(PULSE, RANGE)
    out = np.zeros_like(given)
    with pytest.raises(KernelError, match="SHAPE_MISMATCH"):
        compress_rows(given, compression(PULSE, RANGE - 1), out)
    with pytest.raises(KernelError, match="OVERLAP"):
        compress_rows(given, by, given)
    with pytest.raises(TypeError):
        compress_rows(given.astype(np.complex128), by, out)
    with pytest.raises(KernelError, match="SHAPE_MISMATCH"):
        compression(PULSE, RANGE, np.ones(3, np.float32))
    with pytest.raises(KernelError, match="SHAPE_MISMATCH"):
        compression(PULSE, PULSE_SAMPLES - 1)
    with pytest.raises(KernelError, match="OVERLAP"):
        focus(given, by, compression(HISTORY, AZIMUTH), out, out.reshape(RANGE, AZIMUTH))
    with pytest.raises(KernelError, match="SHAPE_MISMATCH"):
        focus(given, by, by, out)
    assert not out.any()


def test_given_memory_serves_with_the_same_bits() -> None:
    """An image made in given memory, twice, is the one made in fresh memory."""
    by = compression(PULSE, RANGE), compression(HISTORY, AZIMUTH)
    given = echoes(noise=0.3)
    fresh = focus(given, *by)
    out, spare = np.full_like(fresh, np.nan), np.full((RANGE, AZIMUTH), np.nan, np.complex64)
    for _ in range(2):
        assert focus(given, *by, out, spare) is out
        assert np.array_equal(out, fresh)


def test_nothing_gives_nothing() -> None:
    empty = np.zeros((0, RANGE), np.complex64)
    assert focus(empty, compression(PULSE, RANGE), compression(HISTORY[:0], 0)).shape == (0, RANGE)
