"""What all examples share: the look of the pictures (that of the run report), and how an example begins and ends."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from io import BytesIO
from pathlib import Path
from typing import Any, Final

import numpy as np
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from PIL import Image, ImageColor

from flightos.kernels import backend

# Colours that differ for colour-blind readers too (Okabe and Ito), as in flightos/ground/templates/report.css.
INK: Final = "#1d2329"
SOFT: Final = "#5c6670"
RULE: Final = "#dfe3e6"
BLUE: Final = "#0072b2"
SKY: Final = "#56b4e9"
GREEN: Final = "#00785a"
ORANGE: Final = "#e69f00"
RED: Final = "#d55e00"
PURPLE: Final = "#a65a8c"
YELLOW: Final = "#ffe14d"
COLOURS: Final = ("#ffffff", INK, SOFT, RULE, BLUE, SKY, GREEN, ORANGE, RED, PURPLE, YELLOW)

DOTS_PER_INCH: Final = 100
COLOUR_COUNT: Final = 256


class Example:
    """One run of an example: its options, what it finds to say, and whether all its checks held."""

    def __init__(self, doc: str | None, arguments: Sequence[str] | None, *extra: tuple[str, str]) -> None:
        """Read the command line: --out, and `extra` options with their meaning, each naming a file."""
        parser = argparse.ArgumentParser(
            description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
        )
        parser.add_argument("--out", type=Path, default=Path("pictures"), help="folder for the pictures")
        for name, meaning in extra:
            parser.add_argument(f"--{name}", type=Path, help=meaning)
        self.options = parser.parse_args(arguments)
        self.options.out.mkdir(parents=True, exist_ok=True)
        self.failed_count = 0
        if backend() == "numpy":
            self.say(
                "THE C KERNELS ARE NOT IN USE: their references serve, the codecs a thousand times slower"
            )

    def say(self, sentence: str) -> None:
        """Print one line of figures."""
        print(sentence, flush=True)

    def check(self, holds: bool, sentence: str) -> None:
        """Print what was checked; a check that does not hold makes the exit status 1."""
        self.failed_count += not holds
        self.say(f"{'checked' if holds else 'WRONG'}: {sentence}")

    def save(self, figure: Any, name: str) -> None:
        """Write a picture of 256 colours, ours among them: about a third of the size of one in true colour."""
        for _ in range(3):  # images of fixed shape move their titles; the layout settles after a few rounds
            figure.draw_without_rendering()
        drawn = BytesIO()
        figure.savefig(drawn, dpi=DOTS_PER_INCH)
        picture = Image.open(drawn).convert("RGB")
        own = [ImageColor.getrgb(colour) for colour in COLOURS]
        reduced = picture.quantize(COLOUR_COUNT - len(own), dither=Image.Dither.NONE)
        index, true_colour = np.asarray(reduced) + len(own), np.asarray(picture)
        for place, colour in enumerate(own):
            index[(true_colour == colour).all(axis=-1)] = place
        written = Image.fromarray(index.astype(np.uint8), "P")
        written.putpalette([*(part for colour in own for part in colour), *(reduced.getpalette() or [])])
        written.save(self.options.out / name, optimize=True)
        self.say(f"drawn: {name}")

    def status(self) -> int:
        """Give the exit status: 0 when every check held."""
        return 1 if self.failed_count else 0


def new_figure(title: str, subtitle: str, width_in: float, height_in: float) -> Any:
    """Give an empty figure with a heading that says what to see, and a line below it that says of what."""
    figure: Any = Figure(figsize=(width_in, height_in), facecolor="white", layout="constrained")
    figure.get_layout_engine().set(rect=(0.005, 0.01, 0.99, 1 - 0.62 / height_in))
    place: dict[str, Any] = {"x": 0.012, "ha": "left", "va": "top"}
    figure.text(y=1 - 0.09 / height_in, s=title, fontsize=13.5, weight="bold", color=INK, **place)
    figure.text(y=1 - 0.36 / height_in, s=subtitle, fontsize=9.5, color=SOFT, **place)
    return figure


def plain(axes: Any, title: str = "") -> Any:
    """Dress axes in the look of the house: quiet frame, title at the left."""
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.tick_params(colors=SOFT, labelsize=8.5, length=3)
    axes.xaxis.label.set(color=SOFT, size=9)
    axes.yaxis.label.set(color=SOFT, size=9)
    for side, spine in axes.spines.items():
        spine.set_color(RULE)
        spine.set_visible(side in ("left", "bottom"))
    return axes


def image_axes(axes: Any, title: str) -> Any:
    """Dress axes that hold an image: no ticks, title at the left."""
    axes.set_title(title, loc="left", fontsize=10, color=INK)
    axes.set_axis_off()
    return axes


def quiet_grey(image: Any) -> Any:
    """Give an image of 0..1 as a dim background in a few shades of grey, for colours to be laid over."""
    shade = np.rint(np.clip(image, 0, 1) * 20) / 20 * 0.8
    return np.repeat(shade[..., None], 3, axis=-1)


def keys(axes: Any, entries: dict[str, str], **place: Any) -> None:
    """Write a legend of coloured squares: {meaning: colour}, below the axes unless `place` says otherwise."""
    handles = [Rectangle((0, 0), 1, 1, color=colour) for colour in entries.values()]
    below = {"loc": "upper left", "bbox_to_anchor": (-0.01, -0.01), "ncols": len(entries)}
    look = {"frameon": False, "fontsize": 8.5, "labelcolor": SOFT, "handlelength": 1.1, "handleheight": 1.0}
    axes.legend(handles, list(entries), **(below | look | {"columnspacing": 1.2} | place))


def colour_bar(figure: Any, shown: Any, axes: Any, meaning: str) -> Any:
    """Write beside an image which number each of its colours is."""
    bar = figure.colorbar(shown, ax=axes, shrink=0.85, pad=0.02)
    bar.set_label(meaning, color=SOFT, size=9)
    bar.ax.tick_params(colors=SOFT, labelsize=8.5, length=3)
    bar.outline.set_visible(False)
    return bar


def bar_of_length(axes: Any, pixel_m: float, length_m: float, name: str) -> None:
    """Draw a scale bar at the lower left of an image."""
    rows = axes.get_ylim()[0]
    axes.plot([12, 12 + length_m / pixel_m], [rows - 14] * 2, color="white", linewidth=2.5)
    axes.text(12, rows - 20, name, color="white", fontsize=8.5)


def flip_bits(memory: Any, bits: Any) -> None:
    """Flip bits of a byte array, counted from the lowest of its first byte."""
    np.bitwise_xor.at(memory.reshape(-1), bits // 8, (1 << (bits % 8)).astype(np.uint8))
