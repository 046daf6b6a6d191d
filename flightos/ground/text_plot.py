"""A chart for a terminal: Braille dots where one series is drawn, letters where several are told apart.

Own code, because the one library for it changes its interface with every major version, and this is all we need.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

DOT_ROWS: Final = 4
DOT_COLS: Final = 2
BRAILLE_DOTS: Final = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
"""Bit of each dot of a Braille cell, by row and column (Unicode 15, block U+2800)."""
LETTERS: Final = "abcdefghijklmnopqrstuvwxyz"
MARGIN_COUNT: Final = 12


def chart(
    series: Sequence[tuple[str, Floats, Floats]], title: str, x_label: str, width: int = 100, height: int = 20
) -> str:
    """Lines of text: title, the drawing with its y axis, the x axis, and who is who.

    `series` holds (name, x, y); values that are not finite are left out.
    """
    finite = [(name, x[np.isfinite(y)], y[np.isfinite(y)]) for name, x, y in series]
    finite = [(name, x, y) for name, x, y in finite if len(x)]
    if not finite:
        return f"{title}\nno samples"
    cols = max(16, width - MARGIN_COUNT - 2)
    x_low, x_high = _limits([x for _, x, _ in finite])
    y_low, y_high = _limits([y for _, _, y in finite])
    is_single = len(finite) == 1
    scale = (DOT_COLS, DOT_ROWS) if is_single else (1, 1)
    canvas = np.zeros((height, cols), dtype=np.int64)
    for index, (_, x, y) in enumerate(finite):
        across = _positions(x, x_low, x_high, cols * scale[0])
        down = height * scale[1] - 1 - _positions(y, y_low, y_high, height * scale[1])
        for row, col in zip(down.tolist(), across.tolist(), strict=True):
            if is_single:
                canvas[row // DOT_ROWS, col // DOT_COLS] |= BRAILLE_DOTS[row % DOT_ROWS][col % DOT_COLS]
            else:
                canvas[row, col] = ord(LETTERS[index % len(LETTERS)])
    base = 0x2800 if is_single else 0
    lines = [title]
    for row in range(height):
        value = y_high - (y_high - y_low) * row / max(1, height - 1)
        tick = f"{value:>{MARGIN_COUNT}.6g}" if row % 5 == 0 or row == height - 1 else " " * MARGIN_COUNT
        cells = "".join(chr(base + cell) if cell else " " for cell in canvas[row].tolist())
        lines.append(f"{tick} |{cells.rstrip()}")
    lines.append(" " * MARGIN_COUNT + " +" + "-" * cols)
    left, right = f"{x_low:.6g}", f"{x_high:.6g}"
    middle = x_label.center(cols - len(left) - len(right))
    lines.append(" " * (MARGIN_COUNT + 2) + left + middle + right)
    if not is_single:
        names = [f"{LETTERS[index % len(LETTERS)]} {name}" for index, (name, _, _) in enumerate(finite)]
        lines.append(" " * (MARGIN_COUNT + 2) + "  ".join(names))
    return "\n".join(lines)


def _limits(arrays: Sequence[Floats]) -> tuple[float, float]:
    low = min(float(array.min()) for array in arrays)
    high = max(float(array.max()) for array in arrays)
    return (low, high) if high > low else (low - 0.5, high + 0.5)


def _positions(values: Floats, low: float, high: float, count: int) -> NDArray[np.int64]:
    return np.minimum(((values - low) / (high - low) * count).astype(np.int64), count - 1)
