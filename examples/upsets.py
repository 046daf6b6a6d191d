"""Flip bits of a real image in memory as radiation does, find every one, and have the image back to the bit.

    python examples/upsets.py --out pictures

The image is a piece of the near-infrared band of the Landsat-7 scene that the product ships: 128 x 128 bytes. It is
held first as three copies with a vote, then as words of 64 bits with 8 check bits. What is flipped comes from a fixed
seed. Other examples tell of lost shards, of a wrong product and of the library's own tables.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import numpy as np
from matplotlib.colors import ListedColormap
from pictures import BLUE, GREEN, ORANGE, PURPLE, RED, RULE, Example, flip_bits, image_axes, keys, new_figure

from flightos.kernels import secded, voting
from sil.data import LANDSAT7_OLINDA
from sil.world.scene import read_scene

SEED: Final = 3
SIDE: Final = 128
FLIPPED_IN_COPIES: Final = (1_500, 1_000, 500)
SINGLE_WORDS: Final = 300
DOUBLE_WORDS: Final = 12


class Picture(NamedTuple):
    """An image with its title; `colours` name the classes 1, 2, ... of an image of what was found."""

    title: str
    image: Any
    colours: dict[str, str] | None = None


def vote(example: Example, image: Any, generator: np.random.Generator) -> list[Picture]:
    """Three copies; bits of each are flipped, none in two copies at once."""
    copies = [image.copy() for _ in range(3)]
    bits = generator.permutation(8 * image.size)[: sum(FLIPPED_IN_COPIES)]
    for copy, hit in zip(copies, np.split(bits, np.cumsum(FLIPPED_IN_COPIES)[:-1]), strict=True):
        flip_bits(copy, hit)
    damaged = copies[0].copy()
    voted, faults = voting.vote(*copies)
    found = np.select([copy != voted for copy in copies], (1, 2, 3))
    example.say(f"vote: {FLIPPED_IN_COPIES} bits of the three copies flipped, {tuple(faults)} outvoted")
    example.check(tuple(faults) == FLIPPED_IN_COPIES, "every flipped bit is counted for its copy")
    voting.scrub(*copies)
    is_whole = all(np.array_equal(copy, image) for copy in (voted, *copies))
    example.check(is_whole, "the majority is the image, and so is each copy after the scrub")
    example.check(sum(voting.scrub(*copies)) == 0, "a second scrub finds nothing")
    return [
        Picture(f"copy 1 of 3: {FLIPPED_IN_COPIES[0]:,} bits flipped", damaged),
        Picture("outvoted bits", found, {"in copy 1": BLUE, "copy 2": ORANGE, "copy 3": PURPLE}),
        Picture("majority, equal to the original", voted),
    ]


def check_words(example: Example, image: Any, generator: np.random.Generator) -> list[Picture]:
    """Words of 64 bits with 8 check bits: one flipped bit in some words, two in a few."""
    original = image.reshape(-1).view(np.uint64)
    words, checks = original.copy(), secded.encode(original)
    hit = generator.permutation(words.size)[: SINGLE_WORDS + DOUBLE_WORDS]
    flip_bits(words.view(np.uint8), 64 * hit + generator.integers(0, 32, hit.size))
    flip_bits(words.view(np.uint8), 64 * hit[:DOUBLE_WORDS] + generator.integers(32, 64, DOUBLE_WORDS))
    damaged = words.copy()
    faults = secded.scrub(words, checks)
    found = (words != damaged).astype(np.uint8)
    lost, start = [], 0
    while (first := secded.check(words[start:], checks[start:]).first_lost_word_index) is not None:
        lost.append(start + first)
        start = lost[-1] + 1
    found[lost] = 2
    example.say(f"SECDED: one bit of {SINGLE_WORDS} words flipped, two of {DOUBLE_WORDS}")
    example.check(faults.data_bit_count == SINGLE_WORDS, f"{faults.data_bit_count} single bits are corrected")
    is_right = sorted(lost) == sorted(hit[:DOUBLE_WORDS].tolist())
    example.check(is_right, f"{faults.lost_word_count} words are detected as lost: those with two")
    words[lost] = original[lost]  # as from another copy: that it must be fetched, and where, is now known
    example.check(np.array_equal(words, original), "with these fetched again, the image is whole")
    shape = (SIDE, SIDE)
    return [
        Picture(
            f"{SINGLE_WORDS} words hit once, {DOUBLE_WORDS} twice", damaged.view(np.uint8).reshape(shape)
        ),
        Picture(
            "words of 8 pixels", found.repeat(8).reshape(shape), {"corrected": GREEN, "detected, lost": RED}
        ),
        Picture("corrected, lost ones fetched again", words.view(np.uint8).reshape(shape)),
    ]


def main(arguments: Sequence[str] | None = None) -> int:
    """Flip, find, correct, draw."""
    example = Example(__doc__, arguments)
    generator = np.random.default_rng(SEED)
    image = np.ascontiguousarray(read_scene(LANDSAT7_OLINDA).band("nir")[190 : 190 + SIDE, 190 : 190 + SIDE])
    draw(example, [vote(example, image, generator), check_words(example, image, generator)])
    return example.status()


def draw(example: Example, rows: Sequence[Sequence[Picture]]) -> None:
    """A row for each protection: damaged, found, corrected."""
    figure = new_figure(
        "Upsets in memory, found and corrected",
        "Landsat 7, near infrared, 128 x 128 bytes. Above: three copies and a vote. Below: words with check bits.",
        8.8,
        6.9,
    )
    for axes, picture in zip(figure.subplots(2, 3).flat, [one for row in rows for one in row], strict=True):
        image_axes(axes, picture.title)
        if picture.colours is None:
            axes.imshow(picture.image, cmap="gray", vmin=0, vmax=140, interpolation="nearest")
            continue
        colours = ListedColormap([RULE, *picture.colours.values()])
        axes.imshow(picture.image, cmap=colours, vmax=len(picture.colours), interpolation="nearest")
        keys(axes, picture.colours)
    example.save(figure, "upsets.png")


if __name__ == "__main__":
    sys.exit(main())
