"""Let an upset hit one element of a matrix product, find it by checksums, and correct it to the bit.

    python examples/matrix_product.py --out pictures

The product is of int8 pixels of the Landsat-7 scene that the product ships with random weights, quantised to int8 row
by row as in a layer of a neural network. What the sums of its rows and columns must be is reckoned from the factors
(Huang and Abraham 1984); a wrong element shows in one of each, and by how much.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final

import numpy as np
from pictures import BLUE, ORANGE, RED, Example, image_axes, new_figure, plain

from flightos.kernels.abft import Int8Sums, correct_int8, expect_int8
from flightos.kernels.integer import multiply, quantise
from sil.data import LANDSAT7_OLINDA
from sil.world.scene import read_scene

SIDE: Final = 128
HIT_ROW, HIT_COL, HIT_BIT = 37, 90, 19


def main(arguments: Sequence[str] | None = None) -> int:
    """Multiply, flip a bit, locate, correct, draw."""
    example = Example(__doc__, arguments)
    band = read_scene(LANDSAT7_OLINDA).band("nir")[190 : 190 + SIDE, 190 : 190 + SIDE].astype(np.int16)
    pixels = np.ascontiguousarray(band - int(band.mean()), np.int8)
    real_weights = np.random.default_rng(3).normal(size=(SIDE, SIDE)).astype(np.float32)
    scale, zero_point = np.abs(real_weights).max(axis=1) / np.float32(127), np.zeros(SIDE, np.int8)
    weights = quantise(real_weights, scale, zero_point)
    product, sums = multiply(pixels, weights), expect_int8(pixels, weights)

    damaged = product.copy()
    damaged[HIT_ROW, HIT_COL] ^= np.int32(1 << HIT_BIT)
    mended = damaged.copy()
    faults = correct_int8(mended, sums)

    was, became = product[HIT_ROW, HIT_COL], damaged[HIT_ROW, HIT_COL]
    example.say(f"bit {HIT_BIT} of element ({HIT_ROW}, {HIT_COL}) flipped: {was:,} became {became:,}")
    where = (faults.row_index, faults.column_index)
    example.check(where == (HIT_ROW, HIT_COL), f"the sums of row {where[0]} and column {where[1]} are wrong")
    example.check(faults.corrected_count == 1, "one element is corrected")
    example.check(np.array_equal(mended, product), "the product is right again, to the bit")
    draw(example, damaged, mended, sums)
    return example.status()


def draw(example: Example, damaged: Any, mended: Any, sums: Int8Sums) -> None:
    """The product hit, how far its sums are from what they must be, and the product mended."""
    figure = new_figure(
        "One wrong element of a product, located and corrected",
        "An int8 product of 128 x 128 pixels of Landsat 7 with random weights, and the sums of its rows and columns.",
        9.8,
        3.95,
    )
    left, middle, right = figure.subplots(1, 3, width_ratios=[1, 1.15, 1])
    grey = {"cmap": "gray", "vmin": mended.min(), "vmax": mended.max(), "interpolation": "nearest"}
    image_axes(left, f"bit {HIT_BIT} of one element flipped").imshow(damaged, **grey)
    left.plot(HIT_COL, HIT_ROW, "o", markersize=14, fillstyle="none", color=RED)
    off_rows = damaged.sum(axis=1, dtype=np.int64) - sums.row_sums
    off_columns = damaged.sum(axis=0, dtype=np.int64) - sums.column_sums
    middle.plot(off_rows, color=BLUE, linewidth=1.4)
    middle.plot(off_columns, color=ORANGE, linewidth=1.4)
    plain(middle, "sums found minus sums expected").set(
        xlabel="row or column", xticks=(0, HIT_ROW, HIT_COL, SIDE - 1)
    )
    middle.ticklabel_format(axis="y", style="plain")
    middle.text(HIT_ROW + 4, off_rows.min() * 0.6, "row sums", color=BLUE, fontsize=9)
    middle.text(HIT_COL - 4, off_rows.min() * 0.8, "column sums", color=ORANGE, fontsize=9, ha="right")
    image_axes(right, "corrected, equal to the bit").imshow(mended, **grey)
    example.save(figure, "matrix_product.png")


if __name__ == "__main__":
    sys.exit(main())
