"""Compress further than without loss, with an error that never exceeds a limit: CCSDS 123.0-B-2, 4.8.2.

    python examples/near_lossless.py --out pictures

The limit is a number of counts and holds for every sample, so a threshold on the ground knows what to expect. Both
images that the product ships are coded with every entropy coder and rising limits, decoded, and the largest error is
looked for. The peer, near-lossless JPEG-LS band by band, comes with imagecodecs; without it it is left out, loudly.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib.util import find_spec
from typing import Any, Final, NamedTuple

import numpy as np
from pictures import BLUE, GREEN, ORANGE, PURPLE, SOFT, Example, colour_bar, image_axes, new_figure, plain

from flightos.kernels.codecs import CCSDS123Parameters, EntropyCoder, decode_image, encode_image
from sil.data import LANDSAT7_OLINDA, SENTINEL2_10M
from sil.world.scene import read_scene

LIMITS: Final = (0, 1, 2, 4, 8)
SHOWN_LIMITS: Final = (1, 2, 4)
ABSOLUTE: Final = 1
"""The choice of absolute limits among those of `CCSDS123Parameters.error_limits_used`."""
PEER: Final = "JPEG-LS"
COLOURS: Final = {"hybrid": BLUE, "block-adaptive": GREEN, "sample-adaptive": PURPLE, PEER: ORANGE}
PIECE: Final = (2, slice(60, 180), slice(150, 270))
"""The band, rows and columns that are shown."""


class Lossy(NamedTuple):
    """An image coded with a limit: how small it became, and what came back."""

    ratio: float
    restored: Any


def code(image: Any, limit: int, coder: EntropyCoder) -> Lossy:
    """Encode and decode with an error of at most `limit` counts."""
    choices = {"error_limits_used": ABSOLUTE, "error_absolute_max": limit} if limit else {}
    coded = encode_image(image, CCSDS123Parameters.for_image(image, entropy_coder=coder, **choices))
    return Lossy(image.nbytes / len(coded), decode_image(coded))


def peer_ratios(image: Any) -> list[float]:
    """How small JPEG-LS makes the image with each limit; empty without imagecodecs."""
    if find_spec("imagecodecs") is None:
        return []
    from imagecodecs import jpegls_encode

    return [image.nbytes / sum(len(jpegls_encode(band, level=limit)) for band in image) for limit in LIMITS]


def main(arguments: Sequence[str] | None = None) -> int:
    """Code with every coder and limit, look for the largest error, draw."""
    example = Example(__doc__, arguments)
    with np.load(SENTINEL2_10M) as bands:
        sentinel2 = np.stack([bands[name] for name in ("B02", "B03", "B04", "B08")])
    landsat7 = np.ascontiguousarray(read_scene(LANDSAT7_OLINDA).image)
    for name, image in (("Sentinel-2", sentinel2), ("Landsat 7", landsat7)):
        found = {coder: [code(image, limit, coder) for limit in LIMITS] for coder in EntropyCoder}
        ratios = {
            coder.name.lower().replace("_", "-"): [one.ratio for one in found[coder]]
            for coder in EntropyCoder
        }
        for place, limit in enumerate(LIMITS):
            errors = [one[place].restored.astype(np.int64) - image for one in found.values()]
            worst = max(int(np.abs(error).max()) for error in errors)
            sizes = ", ".join(f"{coder} {one[place]:.3f}" for coder, one in ratios.items())
            example.check(worst <= limit, f"{name}, limit {limit}: {sizes} to 1; largest error {worst}")
        if peer := peer_ratios(image):
            example.say(f"peer: {name}, {PEER} by band {', '.join(f'{ratio:.3f}' for ratio in peer)}")
            ratios[PEER] = peer
        else:
            example.say("NO PEERS: imagecodecs is not installed, so only flightos is measured")
    draw(example, landsat7, found[EntropyCoder.HYBRID], ratios)
    return example.status()


def draw(example: Example, image: Any, found: Sequence[Lossy], ratios: dict[str, list[float]]) -> None:
    """A piece of a band as each limit leaves it, what that changed, and how small each coder makes the image."""
    figure = new_figure(
        "Smaller still, with an error that never exceeds its limit",
        "Landsat 7, red band, 120 x 120 pixels: what is restored; below it restored minus original, in counts.",
        11.0,
        6.2,
    )
    above, below = figure.subplots(2, 1 + len(SHOWN_LIMITS))
    for limit, upper, lower in zip((0, *SHOWN_LIMITS), above, below, strict=True):
        one = found[LIMITS.index(limit)]
        upper.imshow(one.restored[PIECE], cmap="gray", vmax=160)
        image_axes(upper, f"{f'error at most {limit}' if limit else 'lossless'}: {one.ratio:.2f} to 1")
        if limit:
            error = one.restored[PIECE].astype(int) - image[PIECE]
            shown = lower.imshow(error, cmap="PuOr", vmin=-4.5, vmax=4.5, interpolation="nearest")
            image_axes(lower, f"the errors of limit {limit}")
    for name, sizes in ratios.items():
        below[0].plot(LIMITS, sizes, "o-", color=COLOURS[name], label=name, markersize=4)
    plain(below[0], "compression of each coder, to 1")
    below[0].set(xlabel="limit, counts", xticks=LIMITS, ylim=0)
    below[0].legend(frameon=False, fontsize=8.5, labelcolor=SOFT, loc="upper left")
    colour_bar(figure, shown, list(below), "error, counts").set_ticks(range(-4, 5, 2))
    example.save(figure, "near_lossless.png")


if __name__ == "__main__":
    sys.exit(main())
