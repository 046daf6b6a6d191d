"""The header of a compressed image, CCSDS 123.0-B-2, 5.3: one list of its fields serves both directions.

Streams with tables, sample representatives, changing error limits, more than 16 bits or the hybrid coder are
refused with KernelError(FOS_ERR_UNSUPPORTED).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

from flightos.kernels import KernelError
from flightos.kernels.codecs_bits import BitReader, BitWriter
from flightos.kernels.codecs_ccsds123_choices import EntropyCoder
from flightos.kernels.codecs_ccsds123_parameters import CCSDS123Parameters


class Field(NamedTuple):
    """One field: width in bits, the parameter's name (None: reserved, or a choice that is not here).

    The bits are (parameter - offset) modulo 2^width. When read, 0 stands for 2^width where `has_no_zero`.
    """

    width: int
    name: str | None = None
    offset: int = 0
    has_no_zero: bool = False
    must_be_zero: bool = False


def _missing(width: int) -> Field:
    return Field(width, must_be_zero=True)


_IMAGE: Final = (  # table 5-3
    Field(8),
    Field(16, "cols", has_no_zero=True),
    Field(16, "rows", has_no_zero=True),
    Field(16, "bands", has_no_zero=True),
    Field(1, "is_signed"),
    Field(1),
    _missing(1),  # large dynamic range
    Field(4, "sample_bits", has_no_zero=True),
    Field(1, "is_sequential"),
    Field(16, "depth"),
    Field(2),
    Field(3, "output_word_bytes", has_no_zero=True),
    Field(2, "entropy_coder"),
    Field(1),
    Field(2, "error_limits_used"),
    Field(2),
    _missing(4),  # supplementary tables
)
_PREDICTOR: Final = (  # table 5-6
    Field(1),
    _missing(1),  # sample representatives
    Field(4, "bands_used"),
    Field(1, "is_reduced"),
    _missing(1),  # weight exponent offsets
    Field(2, "local_sum"),
    Field(6, "register_bits", has_no_zero=True),
    Field(4, "weight_bits", offset=4),
    Field(4, "weight_interval_log2", offset=4),
    Field(4, "weight_exponent_first", offset=-6),
    Field(4, "weight_exponent_last", offset=-6),
    _missing(8),  # weight tables
)
_SAMPLE_ADAPTIVE: Final = (  # table 5-13
    Field(5, "unary_zeros_max", has_no_zero=True),
    Field(3, "counter_bits", offset=4),
    Field(3, "counter_first_bits", has_no_zero=True),
    Field(4, "accumulator_first"),
    _missing(1),  # accumulator table
)
_BLOCK_ADAPTIVE: Final = (  # table 5-15
    Field(1),
    Field(2, "block_size_code"),
    Field(1, "is_restricted"),
    Field(12, "interval_blocks", has_no_zero=True),
)


def _limit_fields(values: dict[str, int]) -> Iterator[Field]:
    """5.3.3.4: error limits, the same for all bands and lines. Their width stands before them."""
    if values["is_sequential"] == 0:
        yield _missing(8)  # table 5-9: periodic updating
    for bit, kind in ((1, "absolute"), (2, "relative")):
        if values["error_limits_used"] & bit:
            yield _missing(4)
            yield Field(4, f"{kind}_width", has_no_zero=True)
            width = values[f"{kind}_width"]
            yield Field(width, f"error_{kind}_max")
            yield Field(-width % 8)


def _fields(values: dict[str, int]) -> Iterator[Field]:
    """Give the fields in order; later ones look at the values of earlier ones."""
    yield from _IMAGE
    yield from _PREDICTOR
    if values["error_limits_used"]:
        yield from _limit_fields(values)
    yield from _BLOCK_ADAPTIVE if values["entropy_coder"] == EntropyCoder.BLOCK_ADAPTIVE else _SAMPLE_ADAPTIVE


def put_header(writer: BitWriter, given: CCSDS123Parameters) -> None:
    """Write the header."""
    values: dict[str, int] = {
        name: value for name in given.__dataclass_fields__ if isinstance(value := getattr(given, name), int)
    }
    values |= {
        "is_sequential": int(given.interleave_bands == 0),
        "depth": given.interleave_bands,
        "block_size_code": given.block_size.bit_length() - 4,
        "absolute_width": given.sample_bits - 1,
        "relative_width": given.sample_bits - 1,
    }
    for field in _fields(values):
        writer.put(0 if field.name is None else values[field.name] - field.offset, field.width)


def take_header(reader: BitReader) -> CCSDS123Parameters:
    """Read the header. Raises KernelError(FOS_ERR_CORRUPT, FOS_ERR_UNSUPPORTED or FOS_ERR_TOO_LARGE)."""
    values: dict[str, Any] = {}
    is_supported = True
    for field in _fields(values):
        bits = reader.take(field.width)
        if field.must_be_zero and bits:
            is_supported = False
        if field.name is not None:
            values[field.name] = (bits or 1 << field.width if field.has_no_zero else bits) + field.offset
    if not is_supported or values["entropy_coder"] & 1 or values.get("accumulator_first") == 15:
        raise KernelError("FOS_ERR_UNSUPPORTED", "the header asks for what is not here")
    depth = values["depth"] or 1 << 16
    values["interleave_bands"] = 0 if values["is_sequential"] else depth
    if "block_size_code" in values:
        values["block_size"] = 8 << values["block_size_code"]
    names = CCSDS123Parameters.__dataclass_fields__
    try:
        given = CCSDS123Parameters(**{name: value for name, value in values.items() if name in names})
        given.check()
    except KernelError as error:
        if error.status_name == "FOS_ERR_TOO_LARGE":
            raise
        raise KernelError("FOS_ERR_CORRUPT", "the header contradicts itself") from error
    return given
