"""Find water and burnt land in a satellite image, and say where and how large.

    python examples/water_and_burn.py --out pictures

The image is the Landsat-7 scene that the product ships (Olinda, Brazil; 28.5 m a pixel). No small pair of images
before and after a fire is public, so the burn is planted: near infrared x 0.4, shortwave infrared 2 x 1.6 inside
known ellipses on land. Water is MNDWI > 0; burn severity is dNBR with the classes of Key and Benson (2006).
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.colors import ListedColormap
from matplotlib.patches import Rectangle
from pictures import (
    BLUE,
    ORANGE,
    PURPLE,
    RED,
    YELLOW,
    Example,
    bar_of_length,
    image_axes,
    keys,
    new_figure,
    quiet_grey,
)

from flightos.kernels.bandmath import normalised_difference_above
from flightos.kernels.classes import ChangeClass, change_classes
from flightos.kernels.regions import RegionColumn, label_regions
from sil.data import LANDSAT7_OLINDA
from sil.world.scene import BAND_ROLES, Scene, plant_burn, read_scene, whole_image_reference

PIXEL_M: Final = 28.5
HECTARES_PER_PIXEL: Final = PIXEL_M**2 / 10_000
REGION_PIXEL_COUNT_MIN: Final = 12
LARGE_ROWS: Final = 200

SEVERITIES: Final = {
    "low": (ChangeClass.SEVERITY_LOW, YELLOW),
    "moderate-low": (ChangeClass.SEVERITY_MODERATE_LOW, ORANGE),
    "moderate-high": (ChangeClass.SEVERITY_MODERATE_HIGH, RED),
    "high": (ChangeClass.SEVERITY_HIGH, PURPLE),
}


def bands(scene: Scene) -> dict[str, Any]:
    """The planes of a scene by role, as the kernels take them: uint16, C order."""
    return {role: np.ascontiguousarray(scene.band(role), np.uint16) for role in BAND_ROLES}


def natural_colours(band: dict[str, Any], brightness: float = 1.5) -> Any:
    """Red, green and blue, stretched for the eye."""
    return np.clip(np.stack([band[role] for role in ("red", "green", "blue")], -1) * brightness / 255, 0, 1)


def draw_boxes(axes: Any, regions: Any, name_count: int) -> None:
    """A box around each region; the largest with their areas."""
    largest = sorted(regions, key=lambda region: -region[RegionColumn.PIXEL_COUNT])
    for rank, box in enumerate(largest):
        row, col = box[RegionColumn.ROW_MIN], box[RegionColumn.COL_MIN]
        size = (box[RegionColumn.COL_MAX] - col + 1, box[RegionColumn.ROW_MAX] - row + 1)
        is_large = size[1] > LARGE_ROWS
        line = {"linestyle": ":", "linewidth": 0.8} if is_large else {"linewidth": 0.8}
        axes.add_patch(Rectangle((col - 0.5, row - 0.5), *size, fill=False, color="white", **line))
        if rank < name_count:
            hectares = box[RegionColumn.PIXEL_COUNT] * HECTARES_PER_PIXEL
            name = f"{hectares:,.0f} ha" if hectares < 1_000 else f"{hectares / 100:.1f} km²"
            place = (-12, size[1] - 12) if is_large else (-1, -4)
            axes.text(col + size[0] + place[0], row + place[1], name, color="white", fontsize=8, ha="right")


def main(arguments: Sequence[str] | None = None) -> int:
    """Find, check against what was planted, draw."""
    example = Example(__doc__, arguments)
    scene = read_scene(LANDSAT7_OLINDA)
    burnt_scene, planted = plant_burn(scene)
    before, after = bands(scene), bands(burnt_scene)

    index, water, water_count = normalised_difference_above(after["green"], after["swir1"], 0.0)
    lakes = label_regions(water, index, REGION_PIXEL_COUNT_MIN)
    classes, counts = change_classes(before["nir"], before["swir2"], after["nir"], after["swir2"])
    burnt = ((classes > ChangeClass.UNBURNED) & (classes < ChangeClass.NO_DATA)).astype(np.uint8)
    burns = label_regions(burnt, None, REGION_PIXEL_COUNT_MIN)

    found_count = int(np.count_nonzero(burnt[planted]))
    example.say(f"water: {water_count:,} pixels, {water_count * HECTARES_PER_PIXEL / 100:.2f} km2")
    example.say(f"water regions of {REGION_PIXEL_COUNT_MIN} pixels or more: {len(lakes)}")
    hectares = ", ".join(
        f"{name} {counts[one] * HECTARES_PER_PIXEL:.0f}" for name, (one, _) in SEVERITIES.items()
    )
    example.say(f"burnt hectares by severity: {hectares}")
    reference = whole_image_reference(burnt_scene, planted)
    example.check(
        water_count == reference.water_pixel_count, "water is that of a float64 computation, to the pixel"
    )
    example.check(
        found_count > 0.95 * planted.sum(),
        f"{found_count:,} of {int(planted.sum()):,} planted pixels are burnt",
    )
    example.check(not burnt[~planted].any(), "no other pixel is")
    draw(example, after, (water, lakes, water_count), (classes, burns, found_count))
    return example.status()


def draw(
    example: Example, after: dict[str, Any], water: tuple[Any, Any, int], burn: tuple[Any, Any, int]
) -> None:
    """The scene; water with boxes and areas; burn severity with boxes and areas."""
    figure = new_figure(
        "Water and burnt land, found on board",
        "Landsat 7, Olinda (Brazil), 28.5 m a pixel. The five burns are planted. Boxes: regions of 1 ha or more.",
        10.0,
        4.5,
    )
    left, middle, right = figure.subplots(1, 3)
    colours = natural_colours(after)
    grey = quiet_grey(colours.mean(axis=-1))
    left.imshow(colours)
    image_axes(left, "what the camera saw, natural colours")
    bar_of_length(left, PIXEL_M, 2_000, "2 km")
    for axes, title, (layer, regions, count), what in (
        (middle, "water", water, "MNDWI > 0"),
        (right, "burn", burn, "dNBR"),
    ):
        area = f"{count * HECTARES_PER_PIXEL / 100:.2f} km²"
        axes.imshow(grey)
        image_axes(axes, f"{title} ({what}): {area}")
        shown = layer if title == "water" else np.where(layer <= ChangeClass.SEVERITY_HIGH, layer, 0)
        first = 1 if title == "water" else ChangeClass.SEVERITY_LOW
        colour_list = [BLUE] if title == "water" else [colour for _, colour in SEVERITIES.values()]
        masked = np.ma.masked_less(shown, first)
        axes.imshow(
            masked,
            cmap=ListedColormap(colour_list),
            vmin=first,
            vmax=first + len(colour_list) - 1,
            interpolation="nearest",
        )
        draw_boxes(axes, regions, 5)
    keys(middle, {"water": BLUE})
    keys(
        right,
        {name: colour for name, (_, colour) in SEVERITIES.items()},
        columnspacing=0.7,
        handletextpad=0.4,
    )
    example.save(figure, "water_and_burn.png")


if __name__ == "__main__":
    sys.exit(main())
