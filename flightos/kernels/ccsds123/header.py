"""The header of a compressed image, CCSDS 123.0-B-2, 5.3: one list of its fields serves both directions.

What a reader makes of odd headers: reserved bits, and fields that mean nothing in the mode at hand, are not looked at.
FOS_ERR_CORRUPT: the bytes end too early, a value is outside its range, or a table is there that the flags beside say
is not used. FOS_ERR_UNSUPPORTED: the coder or a table's type is a reserved one, or a table is used and left out, and
the reader was not told it. FOS_ERR_PARAMETER: it was told one of another image. FOS_ERR_TOO_LARGE: more samples than
SAMPLE_COUNT_MAX.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

from flightos.kernels import KernelError
from flightos.kernels.ccsds123.choices import EntropyCoder, TableKind
from flightos.kernels.ccsds123.header_numbers import (
    NO_CONSTANT,
    Key,
    Numbers,
    element_count,
    numbers_of,
    parameters_of,
)
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters
from flightos.kernels.codecs_bits import BitReader, BitWriter


class Field(NamedTuple):
    """One field: width in bits and the number it holds (None: reserved).

    The bits are (number - offset) modulo 2^width. When read, 0 stands for 2^width where `has_no_zero`, and the
    highest bit is a sign where `is_signed`.
    """

    width: int
    key: Key | None = None
    offset: int = 0
    has_no_zero: bool = False
    is_signed: bool = False
    is_fill: bool = False


_FILL: Final = Field(0, is_fill=True)
"""Zeros up to a whole byte."""

_ESSENTIAL: Final = (  # table 5-3
    Field(8, "user_data"),
    Field(16, "cols", has_no_zero=True),
    Field(16, "rows", has_no_zero=True),
    Field(16, "bands", has_no_zero=True),
    Field(1, "is_signed"),
    Field(1),
    Field(1, "has_large_range"),
    Field(4, "sample_bits_low", has_no_zero=True),
    Field(1, "is_sequential"),
    Field(16, "depth", has_no_zero=True),
    Field(2),
    Field(3, "output_word_bytes", has_no_zero=True),
    Field(2, "entropy_coder"),
    Field(1),
    Field(2, "error_limits_used"),
    Field(2),
    Field(4, "table_count"),
)
_PRIMARY: Final = (  # table 5-6
    Field(1),
    Field(1, "has_representatives"),
    Field(4, "bands_used"),
    Field(1, "is_reduced"),
    Field(1, "weight_exponent_offsets_used"),
    Field(2, "local_sum"),
    Field(6, "register_bits", has_no_zero=True),
    Field(4, "weight_bits", offset=4),
    Field(4, "weight_interval_log2", offset=4),
    Field(4, "weight_exponent_first", offset=-6),
    Field(4, "weight_exponent_last", offset=-6),
    Field(1, "weight_exponent_offsets_has_table"),
    Field(1, "weights_first_used"),
    Field(1, "weights_first_has_table"),
    Field(5, "weights_first_bits"),
)
_ADAPTIVE: Final = (  # table 5-13 and table 5-14
    Field(5, "unary_zeros_max", has_no_zero=True),
    Field(3, "counter_bits", offset=4),
    Field(3, "counter_first_bits", has_no_zero=True),
)
_ACCUMULATOR: Final = (
    Field(4, "accumulator_first_fixed"),
    Field(1, "accumulator_first_has_table"),
)  # table 5-13
_BLOCK_ADAPTIVE: Final = (  # table 5-15
    Field(1),
    Field(2, "block_size_code"),
    Field(1, "is_restricted"),
    Field(12, "interval_blocks", has_no_zero=True),
)


def _has_table(values: Numbers, name: str, use: str) -> bool:
    """Whether a table follows. It may only be there when the flags beside say that it is used."""
    if values[f"{name}_has_table"] and not values[use]:
        values["is_contradictory"] = 1
    return bool(values[f"{name}_has_table"] and values[use])


def _supplementary(values: Numbers, table: int) -> Iterator[Field]:
    """5.3.2.3: table 5-4 and the table data subblock."""
    yield Field(2, ("kind", table))
    kind = values["kind", table]
    if kind not in set(TableKind):
        raise KernelError("FOS_ERR_UNSUPPORTED", "a table of a reserved type")
    yield Field(2)
    yield Field(4, ("purpose", table))
    yield Field(1)
    yield Field(2, ("structure", table))
    yield Field(1)
    yield Field(4, ("user_data", table))
    if kind == TableKind.FLOAT:
        yield Field(5, ("significand_bits", table))
        yield Field(3, ("exponent_bits", table), has_no_zero=True)
        exponent_bits = values["exponent_bits", table]
        yield Field(exponent_bits, ("exponent_bias", table))
        width = 1 + exponent_bits + values["significand_bits", table]
        if not (1 <= values["significand_bits", table] <= 23 and exponent_bits >= 2):
            values["is_contradictory"] = 1  # 3.5.2.3.3: nobody can tell how long such a table is
            return
    else:
        yield Field(5, ("integer_bits", table), has_no_zero=True)
        width = values["integer_bits", table]
    for index in range(element_count(values, values["structure", table])):
        yield Field(width, ("value", table, index), is_signed=kind == TableKind.SIGNED)
    yield _FILL


def _weight_tables(values: Numbers) -> Iterator[Field]:
    """5.3.3.3."""
    full = 0 if values["is_reduced"] else 1
    reach = [min(z, values["bands_used"]) for z in range(values["bands"])]
    if _has_table(values, "weights_first", "weights_first_used"):
        for z, before in enumerate(reach):
            for index in range(before + 3 * full):
                yield Field(values["weights_first_bits"], ("weights_first", z, index), is_signed=True)
        yield _FILL
    if _has_table(values, "weight_exponent_offsets", "weight_exponent_offsets_used"):
        for z, before in enumerate(reach):
            for index in range(before + full):
                yield Field(4, ("weight_exponent_offsets", z, index), is_signed=True)
        yield _FILL


def _quantization(values: Numbers) -> Iterator[Field]:
    """5.3.3.4: tables 5-9, 5-10, 5-11. Limits that change in time are in the body."""
    if not values["is_sequential"]:
        yield Field(1)
        yield Field(1, "has_periods")
        yield Field(2)
        yield Field(4, "period_log2")
    for bit, kind in ((1, "absolute"), (2, "relative")):
        if not values["error_limits_used"] & bit:
            continue
        yield Field(1)
        yield Field(1, f"error_{kind}_max_varies")
        yield Field(2)
        yield Field(4, f"error_{kind}_bits", has_no_zero=True)
        if not values.get("has_periods", 0):
            for z in range(values["bands"] if values[f"error_{kind}_max_varies"] else 1):
                yield Field(values[f"error_{kind}_bits"], (f"error_{kind}_max", z))
            yield _FILL


def _representatives(values: Numbers) -> Iterator[Field]:
    """5.3.3.5: table 5-12."""
    yield Field(5)
    yield Field(3, "representative_bits")
    kinds = ("representative_damping", "representative_offset")
    for kind in kinds:
        yield Field(1)
        yield Field(1, f"{kind}_varies")
        yield Field(1, f"{kind}_has_table")
        yield Field(1)
        yield Field(4, f"{kind}_fixed")
    if values["representative_bits"] == 0:
        values["is_contradictory"] = 1  # 5.3.3.5.1.1
    for kind in kinds:
        if _has_table(values, kind, f"{kind}_varies"):
            for z in range(values["bands"]):
                yield Field(values["representative_bits"], (kind, z))
            yield _FILL


def _coder(values: Numbers) -> Iterator[Field]:
    """5.3.4."""
    coder = values["entropy_coder"]
    if coder not in set(EntropyCoder):
        raise KernelError("FOS_ERR_UNSUPPORTED", "a reserved entropy coder")
    if coder == EntropyCoder.BLOCK_ADAPTIVE:
        yield from _BLOCK_ADAPTIVE
        return
    yield from _ADAPTIVE
    if coder == EntropyCoder.HYBRID:
        yield Field(5)
        return
    yield from _ACCUMULATOR
    values["accumulator_first_varies"] = int(values["accumulator_first_fixed"] == NO_CONSTANT)
    if _has_table(values, "accumulator_first", "accumulator_first_varies"):
        for z in range(values["bands"]):
            yield Field(4, ("accumulator_first", z))
        yield _FILL


def _fields(values: Numbers) -> Iterator[Field]:
    """Give the fields in order; later ones look at the values of earlier ones."""
    yield from _ESSENTIAL
    for table in range(values["table_count"]):
        yield from _supplementary(values, table)
    yield from _PRIMARY
    yield from _weight_tables(values)
    if values["error_limits_used"]:
        yield from _quantization(values)
    if values["has_representatives"]:
        yield from _representatives(values)
    yield from _coder(values)


def put_header(writer: BitWriter, given: CCSDS123Parameters) -> None:
    """Write the header."""
    values = numbers_of(given)
    for field in _fields(values):
        if field.is_fill:
            writer.pad_to(8)
        else:
            writer.put(0 if field.key is None else values[field.key] - field.offset, field.width)


def take_header(reader: BitReader, known: CCSDS123Parameters | None = None) -> CCSDS123Parameters:
    """Read the header; `known` has the tables that it may leave out (5.3.3.3.2.1 and others).

    Raises KernelError: FOS_ERR_CORRUPT, FOS_ERR_UNSUPPORTED, FOS_ERR_PARAMETER or FOS_ERR_TOO_LARGE.
    """
    values: Numbers = {}
    for field in _fields(values):
        if field.is_fill:
            reader.skip_to_byte()
            continue
        bits = reader.take(field.width)
        if field.is_signed and field.width and bits >> field.width - 1:
            bits -= 1 << field.width
        if field.key is not None:
            values[field.key] = (bits or 1 << field.width if field.has_no_zero else bits) + field.offset
    return parameters_of(values, known)
