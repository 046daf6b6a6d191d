"""Turn what a detector counted into radiance, mark what cannot be trusted, and look for details.

    python examples/calibration.py --out pictures

The raw image is made from the red band of the Landsat-7 scene that the product ships, as a line detector of 12 bits
would have taken it: every column has its own gain and dark level, some pixels are dead, bright ones saturate. Since
the truth is known, the result can be compared. Details are what a convolution with a threshold in the same pass leaves.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.colors import ListedColormap
from pictures import ORANGE, RED, RULE, Example, image_axes, keys, new_figure

from flightos.kernels.bandmath import PixelFlag, calibrate
from flightos.kernels.filters import Finish, convolve, convolve_separable
from sil.data import LANDSAT7_OLINDA
from sil.world.scene import read_scene

SEED: Final = 4
SIDE: Final = 200
SATURATION_DN: Final = 4_095
DEAD_COUNT: Final = 60
SMOOTH: Final = np.array([1, 4, 6, 4, 1], np.float32) / np.float32(16)
LAPLACE: Final = np.array([[-1, -1, -1], [-1, 8, -1], [-1, -1, -1]], np.float32)
DETAIL_RADIANCE: Final = 22.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Make a raw image, calibrate it, compare with the truth, find details, draw."""
    example = Example(__doc__, arguments)
    generator = np.random.default_rng(SEED)
    truth = read_scene(LANDSAT7_OLINDA).band("red")[60 : 60 + SIDE, 120 : 120 + SIDE].astype(np.float32)
    gain = np.tile(generator.uniform(0.03, 0.055, SIDE).astype(np.float32), (SIDE, 1))
    dark_dn = np.tile(generator.uniform(40, 300, SIDE).astype(np.float32), (SIDE, 1))
    raw_dn = np.minimum(np.rint(truth / gain + dark_dn), SATURATION_DN).astype(np.uint16)
    dead = np.unravel_index(generator.permutation(truth.size)[:DEAD_COUNT], truth.shape)
    gain[dead], raw_dn[dead] = np.nan, 0

    found = calibrate(raw_dn, gain, dark_dn, SATURATION_DN, fill=float(np.median(truth)))
    smooth = convolve_separable(found.radiance, SMOOTH, SMOOTH)
    details = convolve(smooth, LAPLACE, finish=Finish.THRESHOLD, limit=DETAIL_RADIANCE)

    saturated_count = int((raw_dn == SATURATION_DN).sum())
    good = found.flags == 0
    off = np.abs(found.radiance - truth)
    example.say(f"{truth.size:,} pixels: {found.bad_count} dead, {found.saturated_count} saturated")
    counts = (int((found.flags & flag != 0).sum()) for flag in (PixelFlag.BAD, PixelFlag.SATURATED))
    example.check(tuple(counts) == (DEAD_COUNT, saturated_count), "exactly those are flagged")
    worst = float((off[good] / gain[good]).max())
    example.check(
        worst < 0.51, f"all others are within {worst:.2f} counts of the truth: the rounding of the raw image"
    )
    example.say(f"details that stand out: {int(details.sum()):,} pixels")
    draw(example, raw_dn, found, details)
    return example.status()


def draw(example: Example, raw_dn: Any, found: Any, details: Any) -> None:
    """Raw, calibrated, flags, details."""
    figure = new_figure(
        "From what a detector counted to radiance",
        "Landsat 7, red band, 200 x 200 pixels, as a line detector with uneven columns and dead pixels sees it.",
        11.0,
        3.75,
    )
    raw, radiance, flags, edge = figure.subplots(1, 4)
    grey = {"cmap": "gray", "interpolation": "nearest"}
    image_axes(raw, "counts").imshow(raw_dn, vmin=0, vmax=4_000, **grey)
    image_axes(radiance, "radiance").imshow(found.radiance, vmin=20, vmax=150, **grey)
    colours = ListedColormap([RULE, RED, ORANGE])
    image_axes(flags, "flags").imshow(
        np.minimum(found.flags, 2), cmap=colours, vmax=2, interpolation="nearest"
    )
    keys(flags, {"dead": RED, "saturated": ORANGE})
    image_axes(edge, "details: Laplace, threshold").imshow(1 - details, **grey)
    example.save(figure, "calibration.png")


if __name__ == "__main__":
    sys.exit(main())
