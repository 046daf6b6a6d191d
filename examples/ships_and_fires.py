"""Find ships on the sea and fires on land, each against what surrounds it, and count hits and misses.

    python examples/ships_and_fires.py --out pictures

The image is the Landsat-7 scene that the product ships; ships and fires are planted in it at places drawn from a fixed
seed. A ship is 2 x 1 pixels (57 x 28 m), 6 to 40 counts above the near infrared of the sea. A fire is 2 x 2 pixels, 60
to 150 counts above shortwave infrared 2, which stands in for the thermal band that the file lacks. What else is found
is natural: breaking waves, roofs, bare soil.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.patches import Rectangle
from pictures import RED, SKY, YELLOW, Example, bar_of_length, image_axes, keys, new_figure, plain, quiet_grey

from flightos.kernels.bandmath import normalised_difference_above
from flightos.kernels.detection import HotspotLimits, TargetLimits, find_hotspots, find_targets
from flightos.kernels.regions import RegionColumn, label_regions
from sil.data import LANDSAT7_OLINDA
from sil.world.scene import read_scene

SEED: Final = 11
PIXEL_M: Final = 28.5
SHIP_LIMITS: Final = TargetLimits(guard_radius=2, train_radius=8, dn_min=16, deviations_squared=16.0)
SHIP_STEPS_DN: Final = np.linspace(6, 40, 20).astype(int)
FIRE_LIMITS: Final = HotspotLimits(
    radius=10,
    candidate_dn_min=150,
    absolute_dn_min=300,
    valid_count_min=100,
    delta_dn=60.0,
    deviations_squared=25.0,
)
FIRE_STEPS_DN: Final = np.linspace(60, 150, 20).astype(int)
APART_PIXELS: Final = 14
FOUND, MISSED, NATURAL = "planted, found", "planted, missed", "natural, found"
COLOURS: Final = {FOUND: SKY, MISSED: RED, NATURAL: YELLOW}


class Search(NamedTuple):
    """A band with what was planted in it, what of that was found, and boxes (row, column, rows, columns) by outcome."""

    band: Any
    is_found: list[bool]
    boxes: dict[str, list[tuple[int, int, int, int]]]


def plant(band: Any, allowed: Any, sizes: tuple[int, int], steps: Any, seed: int) -> list[Any]:
    """Raise small rectangles of a band by `steps` counts, apart from each other; give their boxes."""
    boxes: list[Any] = []
    for row, col in np.random.default_rng(seed).permutation(np.argwhere(allowed)).tolist():
        if len(boxes) < len(steps) and all(
            max(abs(row - box[0]), abs(col - box[1])) >= APART_PIXELS for box in boxes
        ):
            band[row : row + sizes[0], col : col + sizes[1]] += np.uint16(steps[len(boxes)])
            boxes.append((row, col, *sizes))
    np.minimum(band, 255, out=band)
    return boxes


def shrunk(mask: Any, pixels: int) -> Any:
    """The pixels whose neighbours, up to some pixels away, are all in the mask; none at the edge of the image."""
    inside = np.zeros(mask.shape, bool)
    windows = np.lib.stride_tricks.sliding_window_view(mask != 0, (2 * pixels + 1, 2 * pixels + 1))
    inside[pixels:-pixels, pixels:-pixels] = windows.all(axis=(-2, -1))
    return inside


def judge(band: Any, mask: Any, planted: list[Any]) -> Search:
    """Compare the regions of a detection mask with what was planted."""
    boxes: dict[str, Any] = {FOUND: [], MISSED: [], NATURAL: []}
    truth, hit = np.zeros(mask.shape, bool), []
    for row, col, rows, cols in planted:
        hit.append(bool(mask[row : row + rows, col : col + cols].any()))
        boxes[FOUND if hit[-1] else MISSED].append((row, col, rows, cols))
        truth[row - 1 : row + rows + 1, col - 1 : col + cols + 1] = True
    for region in label_regions(mask, None, 1).tolist():
        row, last_row = region[RegionColumn.ROW_MIN], region[RegionColumn.ROW_MAX]
        col, last_col = region[RegionColumn.COL_MIN], region[RegionColumn.COL_MAX]
        if not truth[row : last_row + 1, col : last_col + 1].any():
            boxes[NATURAL].append((row, col, last_row - row + 1, last_col - col + 1))
    return Search(band, hit, boxes)


def stands_out(band: Any, row: int, col: int) -> bool:
    """The definition of a target, in plain NumPy: above the mean of its ring by more than k standard deviations."""
    guard, train = SHIP_LIMITS.guard_radius, SHIP_LIMITS.train_radius
    first_row, first_col = max(row - train, 0), max(col - train, 0)
    window = band[first_row : row + train + 1, first_col : col + train + 1].astype(float)
    rows, cols = np.ogrid[: window.shape[0], : window.shape[1]]
    distance = np.maximum(abs(rows - row + first_row), abs(cols - col + first_col))
    ring = window[distance > guard]
    above = float(band[row, col]) - float(ring.mean())
    is_far = above > 0 and above**2 > SHIP_LIMITS.deviations_squared * float(ring.var())
    return is_far and int(band[row, col]) >= SHIP_LIMITS.dn_min


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant, search, judge, draw."""
    example = Example(__doc__, arguments)
    scene = read_scene(LANDSAT7_OLINDA)
    green, swir1, nir, swir2 = (
        np.ascontiguousarray(scene.band(role), np.uint16) for role in ("green", "swir1", "nir", "swir2")
    )
    _, water, _ = normalised_difference_above(green, swir1, 0.0)

    ships = plant(nir, shrunk(water, 5), (1, 2), SHIP_STEPS_DN, SEED)
    targets, _ = find_targets(nir, SHIP_LIMITS)
    sea = judge(nir, targets & water, ships)
    bright = np.argwhere((water != 0) & (nir >= SHIP_LIMITS.dn_min)).tolist()
    same = all(bool(targets[row, col]) == stands_out(nir, row, col) for row, col in bright)
    example.check(
        same, f"all {len(bright):,} bright pixels on water are decided as the definition of CFAR says"
    )
    fires = plant(swir2, shrunk(water == 0, 5), (2, 2), FIRE_STEPS_DN, SEED)
    hot, _ = find_hotspots(swir2, FIRE_LIMITS)
    land = judge(swir2, hot, fires)
    for name, search in (("ships", sea), ("fires", land)):
        counts = ", ".join(f"{len(boxes)} {outcome}" for outcome, boxes in search.boxes.items())
        example.say(f"{name}: {counts}")
        example.check(all(search.is_found[-5:]), f"{name}: the five brightest are found")
    draw(example, sea, land)
    return example.status()


def draw(example: Example, sea: Search, land: Search) -> None:
    """The sea and the land with a box around everything planted or found; how bright it must be to be found."""
    figure = new_figure(
        "Ships and fires, found against their surroundings",
        "Landsat 7, Olinda (Brazil). 20 ships and 20 fires are planted, weak to strong; what else is found is natural.",
        11.0,
        5.3,
    )
    left, middle, right = figure.subfigures(1, 3, width_ratios=[0.72, 1.08, 0.6])
    for part, search, name, brightness, first_col, sign in (
        (left, sea, "ships: near infrared, CFAR on water", 100, 190, "sea"),
        (middle, land, "fires: shortwave infrared 2, contextual test", 230, 0, "land"),
    ):
        axes = image_axes(part.subplots(), name)
        axes.imshow(quiet_grey(search.band / brightness))
        for outcome, boxes in search.boxes.items():
            for row, col, rows, cols in boxes:
                corner, size = (col - 3.5, row - 3.5), (cols + 6, rows + 6)
                axes.add_patch(Rectangle(corner, *size, fill=False, color=COLOURS[outcome], linewidth=1.4))
        axes.set(
            xlim=(first_col, search.band.shape[1]), ylim=(search.band.shape[0], 105 if sign == "sea" else 0)
        )
        counts = {f"{outcome}: {len(search.boxes[outcome])}": colour for outcome, colour in COLOURS.items()}
        keys(axes, counts, ncols=1)
    bar_of_length(middle.axes[0], PIXEL_M, 2_000, "2 km")
    for axes, search, steps, name in zip(
        right.subplots(2, 1), (sea, land), (SHIP_STEPS_DN, FIRE_STEPS_DN), ("ships", "fires"), strict=True
    ):
        colours = [COLOURS[FOUND if one else MISSED] for one in search.is_found]
        axes.scatter(steps, [int(one) for one in search.is_found], c=colours, s=26)
        plain(axes, f"{name}: bright enough?")
        axes.set(ylim=(-0.5, 1.5), xlabel="counts above what was there")
        axes.set_yticks([0, 1], ["missed", "found"])
    example.save(figure, "ships_and_fires.png")


if __name__ == "__main__":
    sys.exit(main())
