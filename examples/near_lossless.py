"""Compress further than without loss, with an error that never exceeds a limit: CCSDS 123.0-B-2, 4.8.2.

    python examples/near_lossless.py --out pictures

The limit is a number of counts and holds for every sample, so a threshold on the ground knows what to expect. Both
images that the product ships are coded with limits of 1, 2 and 4 counts, decoded, and the largest error looked for.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from pictures import BLUE, ORANGE, RED, SOFT, Example, colour_bar, image_axes, new_figure, plain

from flightos.kernels.codecs import CCSDS123Parameters, decode_image, encode_image
from sil.data import LANDSAT7_OLINDA, SENTINEL2_10M
from sil.world.scene import read_scene

LIMITS: Final = (1, 2, 4)
ABSOLUTE: Final = 1
"""The choice of absolute limits among those of `CCSDS123Parameters.error_limits_used`."""
SHOWN_BAND: Final = 2
SHOWN_ROWS: Final = slice(60, 180)
SHOWN_COLS: Final = slice(150, 270)


class Lossy(NamedTuple):
    """An image coded with a limit: how small it became, what came back, and its error."""

    limit: int
    ratio: float
    restored: Any
    error: Any


def code(image: Any, limit: int) -> Lossy:
    """Encode and decode with an error of at most `limit` counts."""
    choices = {"error_limits_used": ABSOLUTE, "error_absolute_max": limit} if limit else {}
    coded = encode_image(image, CCSDS123Parameters.for_image(image, **choices))
    restored = decode_image(coded)
    return Lossy(limit, image.nbytes / len(coded), restored, restored.astype(np.int32) - image)


def main(arguments: Sequence[str] | None = None) -> int:
    """Code with every limit, look for the largest error, draw."""
    example = Example(__doc__, arguments)
    with np.load(SENTINEL2_10M) as bands:
        sentinel2 = np.stack([bands[name] for name in ("B02", "B03", "B04", "B08")])
    landsat7 = np.ascontiguousarray(read_scene(LANDSAT7_OLINDA).image)
    for name, image in (("Sentinel-2", sentinel2), ("Landsat 7", landsat7)):
        found = [code(image, limit) for limit in (0, *LIMITS)]
        for one in found:
            worst, root = int(np.abs(one.error).max()), float(np.sqrt((one.error.astype(float) ** 2).mean()))
            sizes = f"{one.ratio:.3f} to 1, root mean square error {root:.2f}"
            example.check(worst == one.limit, f"{name}, limit {one.limit}: {sizes}, largest error {worst}")
    draw(example, found)
    return example.status()


def draw(example: Example, found: Sequence[Lossy]) -> None:
    """A piece of a band as each limit leaves it, what that changed, and how often each error is made."""
    figure = new_figure(
        "Smaller still, with an error that never exceeds its limit",
        "Landsat 7, red band, 120 x 120 pixels: what is restored; below it restored minus original, in counts.",
        11.0,
        6.2,
    )
    above, below = figure.subplots(2, 1 + len(LIMITS))
    for axes, one in zip(above, found, strict=True):
        axes.imshow(one.restored[SHOWN_BAND, SHOWN_ROWS, SHOWN_COLS], cmap="gray", vmax=160)
        name = f"error at most {one.limit}" if one.limit else "lossless"
        image_axes(axes, f"{name}: {one.ratio:.2f} to 1")
    for axes, one in zip(below[1:], found[1:], strict=True):
        error = one.error[SHOWN_BAND, SHOWN_ROWS, SHOWN_COLS]
        shown = axes.imshow(error, cmap="PuOr", vmin=-4.5, vmax=4.5, interpolation="nearest")
        image_axes(axes, f"the errors of limit {one.limit}")
    for one, colour in zip(found[1:], (BLUE, ORANGE, RED), strict=True):
        values, counts = np.unique(one.error, return_counts=True)
        below[0].plot(
            values, counts / one.error.size, "o-", color=colour, label=f"limit {one.limit}", markersize=4
        )
    plain(below[0], "share of all samples by error")
    below[0].set(xlabel="error, counts", ylim=(0, 0.5), xticks=range(-4, 5, 2))
    below[0].legend(frameon=False, fontsize=8.5, labelcolor=SOFT, loc="upper left")
    colour_bar(figure, shown, list(below), "error, counts").set_ticks(range(-4, 5, 2))
    example.save(figure, "near_lossless.png")


if __name__ == "__main__":
    sys.exit(main())
