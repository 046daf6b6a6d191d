"""Lose a third of an image on its way and have it back: shards with parity, each with a CRC.

    python examples/lost_shards.py --out pictures

The image is a piece of the near-infrared band of the Landsat-7 scene that the product ships, cut into 8 shards; 4 more
are parity (Reed-Solomon over GF(256)). Two shards never arrive; two arrive with flipped bits, as their CRC-32C tells.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from matplotlib.colors import ListedColormap
from pictures import INK, ORANGE, RED, RULE, Example, flip_bits, image_axes, keys, new_figure

from flightos.kernels.crc import crc32c
from flightos.kernels.erasure import encode, restore
from sil.data import LANDSAT7_OLINDA
from sil.world.scene import read_scene

SIDE: Final = 128
DATA_COUNT: Final = 8
PARITY_COUNT: Final = 4
MISSING: Final = [1, 4]
HIT: Final = [6, 9]
HIT_BIT_COUNT: Final = 200


def main(arguments: Sequence[str] | None = None) -> int:
    """Cut and protect, lose and damage, find and restore, draw."""
    example = Example(__doc__, arguments)
    image = np.ascontiguousarray(read_scene(LANDSAT7_OLINDA).band("nir")[190 : 190 + SIDE, 190 : 190 + SIDE])
    data = image.reshape(DATA_COUNT, -1)
    sent = np.concatenate([data, encode(data, PARITY_COUNT)])
    crcs = [crc32c(shard.tobytes()) for shard in sent]

    received, generator = sent.copy(), np.random.default_rng(3)
    received[MISSING] = 0
    for shard in HIT:
        flip_bits(received[shard], generator.permutation(8 * sent.shape[1])[:HIT_BIT_COUNT])
    damaged = received.copy()

    arrived = [shard for shard in range(len(sent)) if shard not in MISSING]
    wrong = [shard for shard in arrived if crc32c(received[shard].tobytes()) != crcs[shard]]
    is_present = np.isin(np.arange(len(sent)), [*MISSING, *wrong], invert=True).astype(np.uint8)
    restore(received[:DATA_COUNT], received[DATA_COUNT:], is_present)

    example.say(
        f"12 shards of {sent.shape[1]:,} bytes: {MISSING} lost, {HIT_BIT_COUNT} bits of {HIT} flipped"
    )
    example.check(wrong == HIT, f"CRC-32C finds {wrong} wrong, and no other")
    example.check(np.array_equal(received, sent), "all twelve are restored from the eight that are left")
    draw(example, damaged, wrong, received)
    return example.status()


def draw(example: Example, damaged: Any, wrong: list[int], restored: Any) -> None:
    """The shards below each other as they arrived, what is known of each, and restored."""
    figure = new_figure(
        "A third of an image lost, and restored",
        "Landsat 7, near infrared, 128 x 128 bytes in 8 shards; below the line, 4 shards of parity.",
        8.2,
        5.3,
    )
    left, middle, right = figure.subplots(1, 3)
    for axes, title, shards in (
        (left, "as it arrived", damaged),
        (right, "restored, equal to the bit", restored),
    ):
        image_axes(axes, title).imshow(
            shards.reshape(-1, SIDE), cmap="gray", vmax=140, interpolation="nearest"
        )
        axes.axhline(SIDE - 0.5, color=ORANGE, linewidth=1)
    classes = np.zeros((len(damaged), 1), np.uint8)
    classes[wrong], classes[MISSING] = 1, 2
    look = {
        "cmap": ListedColormap([RULE, ORANGE, RED]),
        "vmax": 2,
        "interpolation": "nearest",
        "aspect": "auto",
    }
    extent = (0, SIDE, len(damaged) * SIDE / DATA_COUNT, 0)
    image_axes(middle, "what is known of each shard").imshow(classes, extent=extent, **look)
    middle.set_aspect("equal")
    for shard in range(len(damaged)):
        name = f"data {shard}" if shard < DATA_COUNT else f"parity {shard - DATA_COUNT}"
        middle.text(
            SIDE / 2,
            (shard + 0.5) * SIDE / DATA_COUNT,
            name,
            ha="center",
            va="center",
            fontsize=8,
            color=INK,
        )
    keys(middle, {"CRC wrong": ORANGE, "never arrived": RED})
    example.save(figure, "lost_shards.png")


if __name__ == "__main__":
    sys.exit(main())
