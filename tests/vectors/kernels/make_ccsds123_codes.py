"""Writes native/src/ccsds123_hybrid_codes.inc: the low-entropy codes of CCSDS 123.0-B-2, annex B, as state machines.

Run from the root of the project: python tests/vectors/kernels/make_ccsds123_codes.py
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

from flightos.kernels.ccsds123.low_entropy import (
    SYMBOL_MAX,
    THRESHOLDS,
    Word,
    code_table,
    flush_table,
)

TARGET: Final = Path(__file__).resolve().parents[3] / "native/src/ccsds123_hybrid_codes.inc"
LINE_WIDTH: Final = 116
STEP_LENGTH_SHIFT: Final = 24
FLUSH_LENGTH_SHIFT: Final = 12


def prefixes_of(code: int) -> list[Word]:
    """Active prefixes of a code, shorter ones first: their places are the states of its machine."""
    return sorted(flush_table(code), key=lambda prefix: (len(prefix), prefix))


def steps_of(code: int) -> list[int]:
    """For each state and symbol the next state, or the length and the bits of the word that goes out."""
    words = code_table(code)
    places = {prefix: place for place, prefix in enumerate(prefixes_of(code))}
    steps = []
    for prefix in prefixes_of(code):
        for symbol in range(SYMBOL_MAX[code] + 2):
            word = (*prefix, symbol)
            if word in words:
                bits = words[word]
                steps.append(len(bits) << STEP_LENGTH_SHIFT | int(bits, 2))
            else:
                steps.append(places[word])
    return steps


def flushes_of(code: int) -> list[int]:
    """For each state the length and the bits of its flush word."""
    words = (flush_table(code)[prefix] for prefix in prefixes_of(code))
    return [len(bits) << FLUSH_LENGTH_SHIFT | int(bits, 2) for bits in words]


def array(declaration: str, numbers: list[int]) -> str:
    """A C array, several numbers to a line."""
    lines = [""]
    for number in numbers:
        if len(lines[-1]) + len(f" {number},") > LINE_WIDTH:
            lines.append("")
        lines[-1] += f" {number},"
    return f"{declaration} = {{\n" + "".join(f"   {line}\n" for line in lines) + "};\n"


def text() -> str:
    """The whole file."""
    steps: list[int] = []
    flushes: list[int] = []
    codes = []
    for code, threshold in enumerate(THRESHOLDS):
        codes.append(
            f"    {{{threshold}, {SYMBOL_MAX[code]}, {len(prefixes_of(code))}, {len(flushes)}, {len(steps)}}},\n"
        )
        steps += steps_of(code)
        flushes += flushes_of(code)
    return (
        "/* Written by tests/vectors/kernels/make_ccsds123_codes.py; not to be edited. */\n"
        "const fos_ccsds123_low_code_t fos_ccsds123_low_codes[FOS_CCSDS123_LOW_CODES] = {\n"
        + "".join(codes)
        + "};\n\n"
        + array(f"const uint32_t fos_ccsds123_low_steps[{len(steps)}]", steps)
        + "\n"
        + array(f"const uint16_t fos_ccsds123_low_flushes[{len(flushes)}]", flushes)
    )


if __name__ == "__main__":
    TARGET.write_text(text(), encoding="utf-8")
