"""Small pieces of SVG for the report. Colours are CSS classes, so that one drawing serves light and dark."""

from __future__ import annotations

import struct
import zlib
from base64 import b64encode
from collections.abc import Iterable, Sequence
from html import escape
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

TICK_STEPS_S: Final = (1, 2, 5, 10, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14_400, 43_200, 86_400)
LETTER_WIDTH_RATIO: Final = 0.56
"""Mean width of a letter over its size, for deciding whether a label fits."""


class Drawing:
    """Collects elements; `svg()` gives the finished picture."""

    def __init__(self, width: float, height: float, label: str) -> None:
        self.width, self.height, self.label = width, height, label
        self._parts: list[str] = []

    def add(self, element: str, css: str = "", tip: str = "", body: str = "", **attributes: object) -> None:
        """One element; attribute names use _ for -. `tip` shows under the pointer."""
        values = "".join(
            f' {name.replace("_", "-")}="{_number(value)}"' for name, value in attributes.items()
        )
        css_part = f' class="{css}"' if css else ""
        inside = (f"<title>{escape(tip)}</title>" if tip else "") + body
        self._parts.append(f"<{element}{css_part}{values}>{inside}</{element}>")

    def rect(
        self, x: float, y: float, width: float, height: float, css: str, tip: str = "", rx: float = 0
    ) -> None:
        """A rectangle; never thinner than what can be seen."""
        self.add("rect", css, tip, x=x, y=y, width=max(width, 0.6), height=height, rx=rx)

    def line(self, x1: float, y1: float, x2: float, y2: float, css: str) -> None:
        """A straight line."""
        self.add("line", css, x1=x1, y1=y1, x2=x2, y2=y2)

    def text(self, x: float, y: float, content: str, css: str = "", anchor: str = "start") -> None:
        """A label; y is its base line."""
        self.add("text", css, body=escape(content), x=x, y=y, text_anchor=anchor)

    def path(
        self, points: Iterable[tuple[float, float]], css: str, close: bool = False, tip: str = ""
    ) -> None:
        """A line through points, or an area."""
        steps = "L".join(f"{_number(x)} {_number(y)}" for x, y in points)
        if steps:
            self.add("path", css, tip, d=f"M{steps}{'Z' if close else ''}")

    def svg(self, css: str = "") -> str:
        """The whole picture; it fills the width of its box."""
        return (
            f'<svg class="{css}" viewBox="0 0 {_number(self.width)} {_number(self.height)}" role="img" '
            f'aria-label="{escape(self.label)}">{"".join(self._parts)}</svg>'
        )


class TimeAxis:
    """Mission seconds to x, with ticks at round times."""

    def __init__(self, stop_s: float, left: float, right: float) -> None:
        self.stop_s, self.left, self.right = max(stop_s, 1e-9), left, right

    def x(self, t_s: float) -> float:
        """Where a time lies; outside times lie on the border."""
        share = min(max(t_s / self.stop_s, 0.0), 1.0)
        return self.left + share * (self.right - self.left)

    def ticks(self, count_max: int = 8) -> list[tuple[float, str]]:
        """Round times with their labels as minutes or hours."""
        steps = [step for step in TICK_STEPS_S if self.stop_s / step <= count_max]
        step = steps[0] if steps else self.stop_s / count_max
        return [(i * step, clock(i * step)) for i in range(int(self.stop_s / step) + 1)]

    def draw(self, drawing: Drawing, top: float, bottom: float, count_max: int = 8) -> None:
        """Grid lines from top to bottom with labels under them."""
        for t_s, label in self.ticks(count_max):
            drawing.line(self.x(t_s), top, self.x(t_s), bottom, "grid")
            drawing.text(self.x(t_s), bottom + 12, label, "tick", self.anchor(t_s))

    def anchor(self, t_s: float) -> str:
        """How a label hangs on its tick, so that none leaves the picture."""
        share = t_s / self.stop_s
        return "start" if share < 0.01 else "end" if share > 0.99 else "middle"


def clock(t_s: float) -> str:
    """Mission time as h:mm:ss or m:ss."""
    minutes, seconds = divmod(round(t_s), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"


def fits(label: str, width: float, size: float = 10) -> bool:
    """True when a label of this letter size fits into a width."""
    return len(label) * size * LETTER_WIDTH_RATIO + 4 <= width


def amount(value: float, unit: str = "") -> str:
    """A number with thin spaces between thousands, or with a decimal prefix for bytes."""
    if unit == "B":
        for prefix, size in (("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
            if abs(value) >= size:
                return f"{value / size:.3g} {prefix}"
        return f"{value:g} B"
    if isinstance(value, float) and not value.is_integer():
        return f"{value:.4g} {unit}".rstrip()
    return f"{int(value):,} {unit}".replace(",", "\N{THIN SPACE}").rstrip()


def png(pixels: NDArray[np.uint8]) -> bytes:
    """A PNG of shape (rows, cols, 3 or 4) (ISO/IEC 15948, 5 and 11): 8 bits, no filter."""
    rows, cols, channels = pixels.shape
    raw = np.zeros((rows, 1 + cols * channels), dtype=np.uint8)
    raw[:, 1:] = pixels.reshape(rows, -1)
    header = struct.pack(">IIBBBBB", cols, rows, 8, {3: 2, 4: 6}[channels], 0, 0, 0)
    chunks = ((b"IHDR", header), (b"IDAT", zlib.compress(raw.tobytes(), 9)), (b"IEND", b""))
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        len(data).to_bytes(4, "big") + kind + data + zlib.crc32(kind + data).to_bytes(4, "big")
        for kind, data in chunks
    )


def data_uri(image: bytes) -> str:
    """A PNG inside the page itself."""
    return "data:image/png;base64," + b64encode(image).decode()


def spans(values: Any) -> list[tuple[float, float]]:
    """Pairs of numbers from a JSON list; what is no pair is left out."""
    found = []
    for pair in values if isinstance(values, Sequence) else ():
        if isinstance(pair, Sequence) and len(pair) == 2 and all(isinstance(v, int | float) for v in pair):
            found.append((float(pair[0]), float(pair[1])))
    return found


def _number(value: object) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else escape(str(value))
