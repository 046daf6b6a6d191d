"""Focus radar echoes into an image: from phase history to range profiles to the ground, by backprojection.

    python examples/sar_focus.py --out pictures --sar gotcha_pass1_hh_az001-004.npz

The real set is AFRL's Gotcha, pass 1, HH, azimuth 0 to 4 degrees: X band, 424 frequencies x 469 pulses. It is not
shipped; the file holds phase_history (frequencies, pulses), frequency_hz, antenna_x_m, antenna_y_m, antenna_z_m,
range_to_centre_m. Without --sar the echoes of three corner reflectors at known places are made up and focused.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.patches import Circle
from pictures import ORANGE, Example, colour_bar, new_figure, plain

from flightos.kernels.sar import RangeAxis, backproject, corner_turn

LIGHT_M_S: Final = 299_792_458.0
BIN_COUNT: Final = 4096
PLACES_M: Final = np.arange(-50.0, 50.0, 0.25)
GOTCHA_PEAK_M: Final = (-15.5, 21.5)
"""Brightest point of the set on a grid of 0.5 m, by direct summation in float64 without interpolation."""
REFLECTORS_M: Final = ((-20.0, 10.0), (15.0, 25.0), (5.0, -30.0))


class Echoes(NamedTuple):
    """Phase history of shape (frequencies, pulses), and where the antenna was: (pulses, 4): x, y, z, centre range."""

    history: Any
    frequency_hz: Any
    pulses_m: Any
    peaks_m: tuple[tuple[float, float], ...]
    peak_tolerance_m: float
    name: str


def read_gotcha(file: Path) -> Echoes:
    """The real set."""
    columns = ("antenna_x_m", "antenna_y_m", "antenna_z_m", "range_to_centre_m")
    with np.load(file) as data:
        pulses_m = np.stack([data[name] for name in columns], axis=1)
        history, frequency_hz = data["phase_history"], data["frequency_hz"]
    return Echoes(history, frequency_hz, pulses_m, (GOTCHA_PEAK_M,), 0.5, "Gotcha X-band set (AFRL)")


def make_up() -> Echoes:
    """Three reflectors of 1, 0.8 and 0.6, seen from 7 km distance and height over 3 degrees."""
    frequency_hz, angle_rad = np.linspace(9.3e9, 9.9e9, 256), np.radians(np.linspace(0.0, 3.0, 320))
    antenna_m = 7_000 * np.stack([np.cos(angle_rad), np.sin(angle_rad), np.ones(angle_rad.size)], axis=1)
    centre_m = np.linalg.norm(antenna_m, axis=1)
    history = np.zeros((frequency_hz.size, angle_rad.size), complex)
    for strength, place_m in zip((1.0, 0.8, 0.6), REFLECTORS_M, strict=True):
        distance_m = np.linalg.norm(antenna_m - np.array([*place_m, 0.0]), axis=1) - centre_m
        history += strength * np.exp(-4j * np.pi * frequency_hz[:, None] * distance_m[None, :] / LIGHT_M_S)
    pulses_m = np.concatenate([antenna_m, centre_m[:, None]], axis=1)
    return Echoes(history, frequency_hz, pulses_m, REFLECTORS_M, 0.3, "three made-up reflectors")


def focus(echoes: Echoes) -> Any:
    """Range profiles by a padded inverse transform, turned so that pulses lie in rows, then backprojection."""
    profiles = np.fft.fftshift(np.fft.ifft(echoes.history, BIN_COUNT, axis=0), axes=0)
    step_m = LIGHT_M_S / (2 * BIN_COUNT * float(np.diff(echoes.frequency_hz).mean()))
    axis = RangeAxis(-BIN_COUNT / 2 * step_m, step_m, 2 * float(echoes.frequency_hz[0]) / LIGHT_M_S)
    turned = corner_turn(np.ascontiguousarray(profiles, np.complex64))
    return backproject(turned, echoes.pulses_m, axis, PLACES_M, PLACES_M)


def brightest_m(size: Any, place_m: tuple[float, float], within_m: float) -> tuple[float, float]:
    """The brightest point of an image not farther than `within_m` from a place."""
    distance_m = np.hypot(PLACES_M[None, :] - place_m[0], PLACES_M[:, None] - place_m[1])
    row, col = np.unravel_index(np.where(distance_m <= within_m, size, 0.0).argmax(), size.shape)
    return float(PLACES_M[col]), float(PLACES_M[row])


def main(arguments: Sequence[str] | None = None) -> int:
    """Focus, compare the peaks with the places where they must be, draw."""
    example = Example(__doc__, arguments, ("sar", "phase history of the Gotcha set (.npz)"))
    file: Path | None = example.options.sar
    if file is None:
        example.say("NOT THE REAL SET: no --sar given, so the echoes are made up")
    echoes = make_up() if file is None else read_gotcha(file)
    started_s = time.thread_time()
    image = focus(echoes)
    taken_s = time.thread_time() - started_s
    size = np.abs(image)
    frequency_count, pulse_count = echoes.history.shape
    example.say(f"{echoes.name}: {frequency_count} frequencies x {pulse_count} pulses")
    example.say(f"image: {size.shape[1]} x {size.shape[0]} points, 0.25 m apart")
    example.say(f"time: {taken_s:.2f} s of one thread")
    for place_m in echoes.peaks_m:
        within_m = 100.0 if len(echoes.peaks_m) == 1 else 5.0
        x_m, y_m = brightest_m(size, place_m, within_m)
        off_m = max(abs(x_m - place_m[0]), abs(y_m - place_m[1]))
        example.check(
            off_m <= echoes.peak_tolerance_m,
            f"peak at ({x_m:.2f}, {y_m:.2f}) m, stated ({place_m[0]:.1f}, {place_m[1]:.1f}) m",
        )
    draw(example, echoes, size)
    return example.status()


def draw(example: Example, echoes: Echoes, size: Any) -> None:
    """What the radar recorded beside what it shows once focused."""
    figure = new_figure(
        "Radar echoes, focused on board",
        f"{echoes.name}: {len(echoes.pulses_m)} pulses over {len(echoes.frequency_hz)} frequencies; backprojection to "
        "a plane of 100 x 100 m.",
        9.3,
        4.75,
    )
    left, right = figure.subplots(1, 2)
    ghz = echoes.frequency_hz[[0, -1]] / 1e9
    power = np.abs(echoes.history) / np.abs(echoes.history).max()
    extent = (0, len(echoes.pulses_m), ghz[0], ghz[1])
    left.imshow(
        power, origin="lower", aspect="auto", extent=extent, cmap="gray", vmax=np.quantile(power, 0.999)
    )
    plain(left, "before: phase history, magnitude of each echo")
    left.set(xlabel="pulse, along the flight", ylabel="frequency, GHz")
    decibels = 20 * np.log10(np.maximum(size, 1e-12) / size.max())
    shown = right.imshow(decibels, origin="lower", extent=(-50, 50, -50, 50), cmap="gray", vmin=-50, vmax=0)
    plain(right, "after: the ground")
    right.set(xlabel="x, m", ylabel="y, m")
    for place_m in echoes.peaks_m:
        right.add_patch(Circle(place_m, 3.5, fill=False, color=ORANGE, linewidth=1.6))
        name = f"stated peak\n({place_m[0]:.1f}, {place_m[1]:.1f}) m"
        right.text(place_m[0] + 5, place_m[1], name, color="white", fontsize=8.5, va="center")
    colour_bar(figure, shown, right, "dB, the brightest point is 0")
    example.save(figure, "sar_focus.png")


if __name__ == "__main__":
    sys.exit(main())
