"""Tell clouds, their shadows and water from clear land, so that no link time is spent on clouds.

    python examples/clouds.py --out pictures

The Landsat-7 scene that the product ships has no clouds: a few are planted, brighter than anything below them and
equally bright in every band, each with its shadow. The band tests are those of ACCA (Irish 2006), in integers.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.colors import ListedColormap
from pictures import BLUE, INK, ORANGE, RULE, SKY, Example, bar_of_length, image_axes, keys, new_figure

from flightos.kernels.classes import SceneClass, SceneLimits, cloud_mask
from sil.data import LANDSAT7_OLINDA
from sil.world.scene import BAND_ROLES, read_scene

PIXEL_M: Final = 28.5
CLOUDS: Final = ((70, 110, 26), (95, 140, 18), (210, 80, 20), (250, 270, 24), (140, 260, 12))
"""Row, column and radius of each, in pixels."""
CLOUD_DN: Final = 225.0
SHADOW_ROWS, SHADOW_COLS, SHADOW_RATIO = 34, -30, 0.72
LIMITS: Final = SceneLimits(
    snow_green_dn_min=100,
    snow_ratio_256=115,
    cloud_red_dn_min=120,
    cloud_swir_dn_min=120,
    cloud_ratio_256=46,
    shadow_red_dn_max=32,
    shadow_nir_dn_max=40,
    shadow_swir_dn_max=40,
    water_ratio_256=80,
)
SHOWN: Final = {
    SceneClass.CLEAR: RULE,
    SceneClass.CLOUD: ORANGE,
    SceneClass.SHADOW: INK,
    SceneClass.WATER: BLUE,
    SceneClass.SNOW: SKY,
}


def opacity(shape: tuple[int, int]) -> Any:
    """How much of each pixel is cloud, 0 to 1: round, soft at the border, with some structure."""
    row, col = np.ogrid[: shape[0], : shape[1]]
    ripple = 1 + 0.15 * np.sin(row / 5.0) * np.cos(col / 7.0)
    thickness = [
        1.6 - np.hypot(row - at_row, col - at_col) * ripple / radius for at_row, at_col, radius in CLOUDS
    ]
    return np.clip(np.max(thickness, axis=0) * 1.6, 0.0, 1.0)


def plant(band: Any, cloud: Any) -> Any:
    """A band with clouds and their shadows, as the kernels take it."""
    shadow = np.roll(cloud, (SHADOW_ROWS, SHADOW_COLS), axis=(0, 1))
    below = band * (1 - SHADOW_RATIO * shadow)
    return np.ascontiguousarray(np.rint((1 - cloud) * below + cloud * CLOUD_DN), np.uint16)


def main(arguments: Sequence[str] | None = None) -> int:
    """Plant, classify, compare with what was planted, draw."""
    example = Example(__doc__, arguments)
    scene = read_scene(LANDSAT7_OLINDA)
    cloud = opacity(scene.image.shape[1:])
    band = {role: plant(scene.band(role), cloud) for role in BAND_ROLES}
    bare = {role: np.ascontiguousarray(scene.band(role), np.uint16) for role in BAND_ROLES}

    classes, counts = cloud_mask(band["green"], band["red"], band["nir"], band["swir1"], LIMITS)
    _, bare_counts = cloud_mask(bare["green"], bare["red"], bare["nir"], bare["swir1"], LIMITS)

    shares = {one.name.lower(): 100 * counts[one] / classes.size for one in SceneClass}
    example.say(", ".join(f"{name} {share:.1f} %" for name, share in shares.items()))
    example.say(
        f"without clouds: cloud {100 * bare_counts[SceneClass.CLOUD] / classes.size:.1f} % (roofs and sand)"
    )
    is_cloud, thick, free = classes == SceneClass.CLOUD, cloud > 0.8, cloud == 0.0
    example.check(
        is_cloud[thick].mean() > 0.99, f"{100 * is_cloud[thick].mean():.1f} % of the thick cloud is found"
    )
    example.check(
        is_cloud[free].mean() < 0.03, f"{100 * is_cloud[free].mean():.1f} % of what is free is called cloud"
    )
    example.check(sum(counts) == classes.size, "every pixel has one class")
    draw(example, band, classes)
    return example.status()


def draw(example: Example, band: dict[str, Any], classes: Any) -> None:
    """The scene with clouds beside its classes."""
    figure = new_figure(
        "Clouds, shadows and water told from clear land",
        "Landsat 7, Olinda (Brazil). The scene is cloudless: five clouds and their shadows are planted.",
        7.6,
        4.75,
    )
    left, right = figure.subplots(1, 2)
    colours = np.stack([band[role] for role in ("red", "green", "blue")], axis=-1) * 1.1 / 255
    image_axes(left, "what the camera saw, natural colours").imshow(np.clip(colours, 0, 1))
    bar_of_length(left, PIXEL_M, 2_000, "2 km")
    place = np.array([list(SHOWN).index(one) if one in SHOWN else 0 for one in SceneClass], np.uint8)
    look = {"cmap": ListedColormap(list(SHOWN.values())), "vmin": 0, "vmax": len(SHOWN) - 1}
    image_axes(right, "scene classes").imshow(place[classes], interpolation="nearest", **look)
    keys(right, {one.name.lower(): colour for one, colour in SHOWN.items()}, columnspacing=0.8)
    example.save(figure, "clouds.png")


if __name__ == "__main__":
    sys.exit(main())
