"""Compress real images as a satellite would, and set the standards of space beside those of the ground.

    python examples/image_compression.py --out pictures

Writes image_compression.md (the table) and image_compression.png; near_lossless.py goes on where this ends. The images
are those the product ships. Every code is decoded and compared. Rates are MB/s of samples, one thread, medians of its
CPU time. Peers come with imagecodecs (extra `sil`); without it they are left out, loudly.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Sequence
from statistics import median
from typing import Any, Final, NamedTuple

import numpy as np
from coders import Coder, own_coders, peer_coders
from pictures import BLUE, INK, SKY, SOFT, Example, keys, new_figure, plain

from flightos.kernels import isa_name
from sil.data import LANDSAT7_OLINDA, SENTINEL2_10M
from sil.world.scene import read_scene

ROUNDS: Final = 5
MEGA: Final = 1e6


class Result(NamedTuple):
    """What a coder made of an image."""

    coder: Coder
    ratio: float
    encode_mb_s: float
    decode_mb_s: float
    is_restored: bool


def median_s(action: Callable[[], Any], rounds: int) -> float:
    """Median CPU seconds of this thread over some calls."""
    taken = []
    for _ in range(rounds):
        started_s = time.thread_time()
        action()
        taken.append(time.thread_time() - started_s)
    return max(median(taken), 1e-9)


def measure(coder: Coder, image: Any, rounds: int) -> Result:
    """Encode, decode, compare, time."""
    code = coder.encode(image)
    byte_count = sum(map(len, code)) if isinstance(code, list) else len(code)
    is_restored = bool(np.array_equal(coder.decode(code, image), image))
    encode_s = median_s(lambda: coder.encode(image), rounds)
    decode_s = median_s(lambda: coder.decode(code, image), rounds)
    rates = (image.nbytes / encode_s / MEGA, image.nbytes / decode_s / MEGA)
    return Result(coder, image.nbytes / byte_count, *rates, is_restored)


def images() -> dict[str, Any]:
    """The two images, shape (bands, rows, cols)."""
    with np.load(SENTINEL2_10M) as bands:
        sentinel2 = np.stack([bands[name] for name in ("B02", "B03", "B04", "B08")])
    landsat7 = np.ascontiguousarray(read_scene(LANDSAT7_OLINDA).image)
    return {"Landsat 7, 6 bands of 8 bits": landsat7, "Sentinel-2, 4 bands of 16 bits": sentinel2}


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure every coder on both images; write the table and the pictures."""
    example = Example(__doc__, arguments)
    coders = [*own_coders(), *peer_coders()]
    if not peer_coders():
        example.say("NO PEERS: imagecodecs is not installed, so only flightos is measured")
    found = {name: [measure(coder, image, ROUNDS) for coder in coders] for name, image in images().items()}
    for name, results in found.items():
        for one in results:
            example.check(
                one.is_restored, f"{name}, {one.coder.name}: {one.ratio:.3f} to 1, restored bit for bit"
            )
    table = write_table(found)
    (example.options.out / "image_compression.md").write_text(table, encoding="utf-8")
    example.say(f"rates with {isa_name()}: in image_compression.md")
    draw(example, found)
    return example.status()


def write_table(found: dict[str, list[Result]]) -> str:
    """The figures as Markdown: one row a coder, three columns an image."""
    names = list(found)
    heads = " | ".join(f"{name}: to 1 | encode | decode" for name in names)
    lines = [f"| coder | {heads} |", "|---|" + "---:|" * 3 * len(names)]
    for row in zip(*found.values(), strict=True):
        cells = [f"{one.ratio:.3f} | {one.encode_mb_s:.0f} | {one.decode_mb_s:.0f}" for one in row]
        lines.append(f"| {row[0].coder.name} | {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def draw(example: Example, found: dict[str, list[Result]]) -> None:
    """How small each coder makes each image; its rates beside."""
    figure = new_figure(
        "How small a real image becomes without losing a bit",
        "Size before / size after; longer is better. Beside each bar: MB/s to encode and to decode, one thread.",
        10.6,
        4.3,
    )
    for axes, (name, results) in zip(figure.subplots(1, 2), found.items(), strict=True):
        upwards = results[::-1]
        colours = [SKY if one.coder.is_peer else BLUE for one in upwards]
        names = [one.coder.name for one in upwards]
        axes.barh(names, [one.ratio for one in upwards], color=colours, height=0.72)
        for place, one in enumerate(upwards):
            rates = f"{one.encode_mb_s:.0f}, {one.decode_mb_s:.0f} MB/s"
            inside = {"ha": "right", "color": INK if one.coder.is_peer else "white", "fontsize": 9}
            axes.text(one.ratio - 0.03, place, f"{one.ratio:.2f}", va="center", **inside)
            axes.text(one.ratio + 0.03, place, rates, va="center", color=SOFT, fontsize=8.5)
        plain(axes, name)
        axes.set_xlim(0, 3.0)
        keys(axes, {"flightos": BLUE, "peer": SKY}, loc="upper right", bbox_to_anchor=(1.02, -0.08))
    example.save(figure, "image_compression.png")


if __name__ == "__main__":
    sys.exit(main())
