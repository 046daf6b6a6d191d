"""Writes native/tests/ccsds123_vectors.inc: small images in every mode, coded by the plain Python implementation.

    python -m tests.vectors.kernels.make_ccsds123

The implementation in flightos/kernels/ccsds123/reference*.py follows CCSDS 123.0-B-2 equation by equation; the
C tests compare the C coder and decoder with these bytes, at every instruction-set level and on every machine.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from itertools import chain
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels.ccsds123 import reference as ccsds123_reference
from flightos.kernels.ccsds123.choices import EntropyCoder, LeftOut, SupplementaryTable
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters
from tests.vectors.kernels.ccsds123_modes import modes

TARGET: Final = Path(__file__).parents[3] / "native/tests/ccsds123_vectors.inc"
LINE_WIDTH: Final = 118

HEAD: Final = """/* Written by tests/vectors/kernels/make_ccsds123.py; not to be edited. */
typedef struct {
    fos_ccsds123_parameters_t given;
    const fos_ccsds123_tables_t *tables; /* NULL where none is used */
    size_t image_bytes;
    const uint8_t *image;    /* lowest byte of a sample first */
    const uint8_t *restored; /* what the decoder makes of it: without loss the image */
    size_t encoded_bytes;
    const uint8_t *encoded;
} vector_t;

"""

KINDS: Final = (
    *("weights_first", "weight_exponent_offsets", "representative_damping", "representative_offset"),
    *("accumulator_first", "error_absolute_max", "error_relative_max", "hybrid_accumulator_first"),
)
"""Parameters that may be tables, in the order of C's FOS_CCSDS123_WEIGHTS_FIRST and so on."""

SUPPLEMENTARY_NUMBERS: Final = (
    *("purpose", "kind", "structure", "user_data"),
    *("integer_bits", "significand_bits", "exponent_bits", "exponent_bias"),
)


class Arrays:
    """The arrays of a C file, each with a name; the same bytes are written once."""

    def __init__(self) -> None:
        self._names: dict[tuple[str, tuple[int, ...]], str] = {}
        self.text: list[str] = []

    def name_of(self, prefix: str, ctype: str, numbers: Iterable[int]) -> str:
        """Give the name of the array with these numbers."""
        key = (ctype, tuple(numbers))
        if key not in self._names:
            name = self._names[key] = f"{prefix}_{len(self._names)}"
            self.text.append(f"static {ctype} {name}[] = {{\n{wrapped(key[1])}\n}};\n")
        return self._names[key]

    def bytes_of(self, prefix: str, data: bytes) -> str:
        """Give the name of the array with these bytes."""
        return self.name_of(prefix, "const uint8_t", data)

    def table_of(self, numbers: Iterable[int]) -> str:
        """Give the C text of a table with these numbers."""
        values = tuple(numbers)
        return f"{{{self.name_of('table', 'int64_t', values)}, {len(values)}}}"


def wrapped(numbers: Iterable[int]) -> str:
    """Numbers in lines."""
    lines, line = [], ""
    for number in numbers:
        if len(line) + 13 > LINE_WIDTH:
            lines.append(line)
            line = ""
        line += f"{number},"
    return "\n".join([*lines, line])


def flat(values: Any) -> list[int]:
    """Numbers of a table by band, or by band and weight."""
    return [number for row in values for number in ((row,) if isinstance(row, int) else row)]


def used_tables(given: CCSDS123Parameters) -> dict[str, list[int]]:
    """What C needs a table for, by the name of the parameter."""
    found = {
        name: flat(getattr(given, name))
        for name in KINDS
        if isinstance(getattr(given, name), tuple) and is_used(given, name)
    }
    if given.limits_by_period:
        for which, name in enumerate(("error_absolute_max", "error_relative_max")):
            if is_used(given, name):
                found[name] = flat(limits[which] for limits in given.limits_by_period)
    return found


def is_used(given: CCSDS123Parameters, name: str) -> bool:
    """Whether a parameter means anything beside the others."""
    needs = {
        "error_absolute_max": given.error_limits_used & 1 != 0,
        "error_relative_max": given.error_limits_used & 2 != 0,
        "accumulator_first": given.entropy_coder == EntropyCoder.SAMPLE_ADAPTIVE,
        "hybrid_accumulator_first": given.entropy_coder == EntropyCoder.HYBRID,
    }
    return needs.get(name, True)


def numbers_text(given: CCSDS123Parameters) -> str:
    """The C text of the parameters; those that are 0 are left out."""
    tables_used = 0
    for kind, name in enumerate(KINDS):
        if isinstance(getattr(given, name), tuple) and is_used(given, name):
            tables_used |= 1 << kind
    numbers: dict[str, int] = {
        name: value for name in given.__dataclass_fields__ if isinstance(value := getattr(given, name), int)
    }
    numbers |= {
        "tables_used": tables_used,
        "tables_left_out": given.tables_left_out & tables_used & sum(LeftOut),
        "supplementary_count": len(given.supplementary_tables),
    }
    return ", ".join(f".{name} = {int(value)}" for name, value in numbers.items() if value)


def tables_text(number: int, given: CCSDS123Parameters, arrays: Arrays) -> str:
    """The C text of all tables, or none."""
    parts = [
        f".by_kind[{KINDS.index(name)}] = {arrays.table_of(values)}"
        for name, values in used_tables(given).items()
    ]
    parts += [
        f".supplementary[{index}] = {{{supplementary_text(table, arrays)}}}"
        for index, table in enumerate(given.supplementary_tables)
    ]
    if not parts:
        return ""
    inside = ",\n    ".join(parts)
    return f"static const fos_ccsds123_tables_t tables_{number} = {{\n    {inside}}};\n"


def supplementary_text(table: SupplementaryTable, arrays: Arrays) -> str:
    """The C text of one supplementary table."""
    numbers = [f".{name} = {value}" for name in SUPPLEMENTARY_NUMBERS if (value := int(getattr(table, name)))]
    return ", ".join([*numbers, f".elements = {arrays.table_of(table.values)}"])


def little_endian(image: NDArray[Any]) -> bytes:
    """The samples as they lie in the memory of C."""
    return image.astype(image.dtype.newbyteorder("<")).tobytes()


def text_of_vectors() -> str:
    """The whole C file."""
    arrays, tables, rows = Arrays(), [], []
    for number, (image, choices) in enumerate(modes()):
        given = CCSDS123Parameters.for_image(image, **choices)
        given.check()
        encoded = ccsds123_reference.encode(image, given)
        restored = ccsds123_reference.decode(encoded, given)
        if given.error_limits_used == 0:
            assert np.array_equal(restored, image)
        text = tables_text(number, given, arrays)
        tables.append(text)
        names = [arrays.bytes_of("samples", little_endian(samples)) for samples in (image, restored)]
        coded = arrays.bytes_of("encoded", encoded)
        rows.append(
            f"    {{{{{numbers_text(given)}}},\n     {f'&tables_{number}' if text else 'NULL'}, {image.nbytes}, "
            f"{names[0]}, {names[1]}, {len(encoded)}, {coded}}},\n"
        )
    table = f"static const vector_t vectors[] = {{\n{''.join(rows)}}};\n"
    return HEAD + "".join(chain(arrays.text, ["\n"], filter(None, tables), ["\n", table]))


def main() -> None:
    """Entry point; a path may be given to write to instead."""
    target = Path(sys.argv[1]) if len(sys.argv) > 1 else TARGET
    target.write_text(text_of_vectors())


if __name__ == "__main__":
    main()
