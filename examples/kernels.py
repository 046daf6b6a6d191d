"""Draw what the kernels see: water and burn on the Landsat scene, and a SAR scene as it is focused.

    python examples/kernels.py --out pictures [--sar gotcha_pass1_hh_az001-004.npz]

Writes water_and_burn.png and, given the phase history of the Gotcha set (AFRL; not shipped), sar_focused.png. Needs
the extras `sil` and `plots`. Without --sar a small set with three point targets is made up and focused instead.
"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any, Final

import matplotlib
import numpy as np
from matplotlib import pyplot
from matplotlib.patches import Rectangle

from flightos.kernels import backend, isa_name
from flightos.kernels.bandmath import normalised_difference_above
from flightos.kernels.classes import ChangeClass, change_classes
from flightos.kernels.regions import RegionColumn, label_regions
from flightos.kernels.sar import RangeAxis, backproject
from sil.world.scene import BAND_ROLES, plant_burn, read_scene

matplotlib.use("Agg")

SCENE_FILE: Final = Path(__file__).parents[1] / "sil/data/L7_ETMs.tif"
LIGHT_M_S: Final = 299_792_458.0
BIN_COUNT: Final = 8192
REGION_PIXEL_COUNT_MIN: Final = 200
WATER_COLOUR: Final = (0.15, 0.45, 1.0)
BURN_COLOUR: Final = (1.0, 0.35, 0.1)


def draw_water_and_burn(folder: Path) -> Path:
    """The scene in natural colours; the same with water (MNDWI > 0) and burn (dNBR classes) laid over it."""
    scene = read_scene(SCENE_FILE)
    burnt, _ = plant_burn(scene)
    before, after = (
        {
            role: np.ascontiguousarray(band, np.uint16)
            for role, band in zip(BAND_ROLES, one.image, strict=True)
        }
        for one in (scene, burnt)
    )
    index, water, water_count = normalised_difference_above(after["green"], after["swir1"], 0.0)
    classes, _ = change_classes(before["nir"], before["swir2"], after["nir"], after["swir2"])
    burn = (classes > ChangeClass.UNBURNED) & (classes < ChangeClass.NO_DATA)
    lakes = label_regions(water, index, REGION_PIXEL_COUNT_MIN)

    colours = np.stack([after[role] for role in ("red", "green", "blue")], axis=-1) / 255.0
    marked = colours.copy()
    marked[water != 0] = 0.4 * marked[water != 0] + 0.6 * np.array(WATER_COLOUR)
    marked[burn] = 0.3 * marked[burn] + 0.7 * np.array(BURN_COLOUR)
    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 5.8), constrained_layout=True)
    left.imshow(np.clip(colours * 1.4, 0, 1))
    left.set_title("Landsat 7, Olinda, with a planted burn")
    right.imshow(np.clip(marked * 1.2, 0, 1))
    right.set_title(f"water {water_count:,} pixels, burn {int(burn.sum()):,} pixels")
    for box in lakes:
        corner = (box[RegionColumn.COL_MIN], box[RegionColumn.ROW_MIN])
        width = box[RegionColumn.COL_MAX] - box[RegionColumn.COL_MIN] + 1
        height = box[RegionColumn.ROW_MAX] - box[RegionColumn.ROW_MIN] + 1
        right.add_patch(Rectangle(corner, width, height, fill=False, color="white", linewidth=0.6))
    for axes in (left, right):
        axes.set_axis_off()
    return _save(figure, folder / "water_and_burn.png")


def made_up_history() -> tuple[Any, Any, Any]:
    """Phase history of three point targets: frequencies x pulses, the frequencies, the pulses (x, y, z, range)."""
    frequency_hz = np.linspace(9.3e9, 9.9e9, 256)
    angle = np.radians(np.linspace(0.0, 3.0, 160))
    antenna = np.stack([7_000 * np.cos(angle), 7_000 * np.sin(angle), np.full(angle.size, 7_000.0)], axis=1)
    centre_m = np.linalg.norm(antenna, axis=1)
    history = np.zeros((frequency_hz.size, angle.size), complex)
    for target in ((-20.0, 10.0, 0.0), (15.0, 25.0, 0.0), (5.0, -30.0, 0.0)):
        distance_m = np.linalg.norm(antenna - np.array(target), axis=1) - centre_m
        history += np.exp(-4j * np.pi * frequency_hz[:, None] * distance_m[None, :] / LIGHT_M_S)
    return history, frequency_hz, np.concatenate([antenna, centre_m[:, None]], axis=1)


def read_history(file: Path) -> tuple[Any, Any, Any]:
    """The same three from the data set's file."""
    data = np.load(file)
    names = ("antenna_x_m", "antenna_y_m", "antenna_z_m", "range_to_centre_m")
    return (
        data["phase_history"].astype(complex),
        data["frequency_hz"],
        np.stack([data[name] for name in names], axis=1),
    )


def draw_sar(folder: Path, file: Path | None) -> Path:
    """Range profiles on the left, the focused scene on the right, in decibels below the brightest point."""
    history, frequency_hz, pulses = made_up_history() if file is None else read_history(file)
    profile = np.fft.fftshift(np.fft.ifft(history, BIN_COUNT, axis=0), axes=0)
    profiles = np.ascontiguousarray(profile.T, np.complex64)
    step_m = LIGHT_M_S / (2 * BIN_COUNT * float(np.diff(frequency_hz).mean()))
    axis = RangeAxis(-BIN_COUNT / 2 * step_m, step_m, 2 * float(frequency_hz[0]) / LIGHT_M_S)
    places_m = np.arange(-50, 50, 0.2)
    image = backproject(profiles, np.ascontiguousarray(pulses), axis, places_m, places_m)

    figure, (left, right) = pyplot.subplots(1, 2, figsize=(11, 5.4), constrained_layout=True)
    left.imshow(_decibels(profiles[:, :: BIN_COUNT // 512]), aspect="auto", cmap="gray", vmin=-60, vmax=0)
    left.set_title("range profiles")
    left.set_xlabel("range bin")
    left.set_ylabel("pulse")
    shown = right.imshow(
        _decibels(image), origin="lower", extent=(-50, 50, -50, 50), cmap="gray", vmin=-60, vmax=0
    )
    right.set_title(f"focused from {len(profiles)} pulses")
    right.set_xlabel("x, m")
    right.set_ylabel("y, m")
    figure.colorbar(shown, ax=right, label="dB below the brightest point")
    return _save(figure, folder / "sar_focused.png")


def _decibels(image: Any) -> Any:
    size = np.abs(image)
    return 20 * np.log10(np.maximum(size, 1e-12) / size.max())


def _save(figure: Any, file: Path) -> Path:
    figure.savefig(file, dpi=110)
    pyplot.close(figure)
    return file


def main() -> None:
    """Draw both pictures and say where they are."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--out", type=Path, default=Path("pictures"), help="folder for the pictures")
    parser.add_argument("--sar", type=Path, help="phase history of the Gotcha set (.npz)")
    options = parser.parse_args()
    options.out.mkdir(parents=True, exist_ok=True)
    print(f"kernels: {backend()}, {isa_name()}")
    print(draw_water_and_burn(options.out))
    print(draw_sar(options.out, options.sar))


if __name__ == "__main__":
    main()
