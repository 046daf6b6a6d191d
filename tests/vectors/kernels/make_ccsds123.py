"""Writes native/tests/ccsds123_vectors.inc: small images in every mode, coded by the plain Python implementation.

    python tests/vectors/kernels/make_ccsds123.py

The implementation in flightos/kernels/codecs_ccsds123_reference.py follows CCSDS 123.0-B-2 equation by equation; the
C tests compare the C coder with these bytes, at every instruction-set level and on every machine.
"""

from __future__ import annotations

from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import codecs_ccsds123_reference
from flightos.kernels.codecs_ccsds123_choices import EntropyCoder, LocalSum
from flightos.kernels.codecs_ccsds123_parameters import CCSDS123Parameters

TARGET = Path(__file__).parents[3] / "native/tests/ccsds123_vectors.inc"
SHAPE = (4, 5, 7)
BYTES_PER_LINE = 24

HEAD = """/* Written by tests/vectors/kernels/make_ccsds123.py; not to be edited. */
typedef struct {
    fos_ccsds123_parameters_t given;
    size_t image_bytes;
    const uint8_t *image;
    size_t encoded_bytes;
    const uint8_t *encoded;
} vector_t;

"""


def scene(bits: int, is_signed: bool) -> NDArray[Any]:
    """A ramp with a step, brighter from band to band, and a little noise from a fixed recurrence."""
    bands, rows, cols = np.indices(SHAPE)
    noise = (np.arange(np.prod(SHAPE)) * 1103515245 + 12345 >> 7) % 7
    values = (cols * 5 + rows * 3 + bands * 11 + 40 * (cols > 4) + noise.reshape(SHAPE)) % (1 << bits)
    dtype = np.dtype(f"{'i' if is_signed else 'u'}{2 if bits > 8 else 1}")
    stored: NDArray[Any] = (values - (1 << bits - 1) if is_signed else values).astype(dtype)
    return stored


def modes() -> list[tuple[int, bool, dict[str, int]]]:
    """Bits, sign and choices of each vector."""
    found: list[tuple[int, bool, dict[str, int]]] = []
    for local_sum, reduced, coder in product(
        LocalSum, (0, 1), (EntropyCoder.SAMPLE_ADAPTIVE, EntropyCoder.BLOCK_ADAPTIVE)
    ):
        found.append((12, False, {"local_sum": local_sum, "is_reduced": reduced, "entropy_coder": coder}))
    for order in (0, 1, 3, 4):
        found.append((8, order % 2 == 1, {"interleave_bands": order, "output_word_bytes": 4}))
    for used in (0, 1, 15):
        found.append((16, True, {"bands_used": used, "weight_bits": 19, "weight_exponent_first": -6}))
    found.append((10, False, {"register_bits": 32, "weight_bits": 16}))
    found.append(
        (4, False, {"entropy_coder": EntropyCoder.BLOCK_ADAPTIVE, "is_restricted": 1, "block_size": 8})
    )
    for limits in (1, 2, 3):
        found.append(
            (9, False, {"error_limits_used": limits, "error_absolute_max": 2, "error_relative_max": 8})
        )
    return found


def c_bytes(name: str, data: bytes) -> str:
    """One C array."""
    lines = [
        "    " + " ".join(f"{byte}," for byte in data[first : first + BYTES_PER_LINE])
        for first in range(0, len(data), BYTES_PER_LINE)
    ]
    return f"static const uint8_t {name}[] = {{\n" + "\n".join(lines) + "\n};\n"


def main() -> None:
    """Entry point."""
    arrays, rows = [], []
    images: dict[bytes, str] = {}
    for number, (bits, is_signed, choices) in enumerate(modes()):
        image = scene(bits, is_signed)
        given = CCSDS123Parameters.for_image(image, sample_bits=bits, **choices)
        given.check()
        encoded = codecs_ccsds123_reference.encode(image, given)
        stored = image.astype(image.dtype.newbyteorder("<")).tobytes()
        if stored not in images:
            images[stored] = f"image_{len(images)}"
            arrays.append(c_bytes(images[stored], stored))
        arrays.append(c_bytes(f"encoded_{number}", encoded))
        plain = tuple(given.__dataclass_fields__)[:26]
        fields = ", ".join(str(int(getattr(given, name))) for name in plain)
        image_name = images[stored]
        rows.append(
            f"    {{{{{fields}}},\n     sizeof {image_name}, {image_name}, sizeof encoded_{number}, encoded_{number}}},"
        )
    table = "static const vector_t vectors[] = {\n" + "\n".join(rows) + "\n};\n"
    TARGET.write_text(HEAD + "\n".join(arrays) + "\n" + table)


if __name__ == "__main__":
    main()
