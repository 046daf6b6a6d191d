"""CCSDS 123 in every mode, in plain Python: what is coded is restored, headers say all, and damage is told."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from flightos.kernels import KernelError
from flightos.kernels.ccsds123 import reference as ccsds123_reference
from flightos.kernels.ccsds123.choices import ByBand, EntropyCoder, LeftOut, of_band
from flightos.kernels.ccsds123.header import put_header, take_header
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters
from flightos.kernels.codecs_bits import BitReader, BitWriter
from tests.property.ccsds123_strategies import Drawn, images

LAW = settings(max_examples=80, deadline=None)

TABLES = {
    LeftOut.WEIGHTS_FIRST: "weights_first",
    LeftOut.WEIGHT_EXPONENT_OFFSETS: "weight_exponent_offsets",
    LeftOut.REPRESENTATIVE_DAMPING: "representative_damping",
    LeftOut.REPRESENTATIVE_OFFSET: "representative_offset",
    LeftOut.ACCUMULATOR_FIRST: "accumulator_first",
}


def error_bound(parameters: CCSDS123Parameters, z: int, y: int) -> int:
    """The largest error that 4.8.2 allows, with the largest prediction that there can be."""
    absolute, relative = (
        of_band(limit, z) for limit in parameters.limits_in_order[y // parameters.period_rows]
    )
    largest = 1 << parameters.sample_bits - 1 if parameters.is_signed else (1 << parameters.sample_bits) - 1
    relative = relative * largest >> parameters.sample_bits
    return (0, absolute, relative, min(absolute, relative))[parameters.error_limits_used]


def as_told(limit: ByBand) -> ByBand:
    """What a header tells of a limit that the body holds."""
    return 0 if isinstance(limit, int) else (0,) * len(limit)


def as_read(parameters: CCSDS123Parameters) -> CCSDS123Parameters:
    """What a header tells: all but what means nothing in this mode, and what it does not carry."""
    plain = CCSDS123Parameters(cols=1, rows=1, bands=1, sample_bits=8)
    fields: dict[str, Any] = {"hybrid_accumulator_first": 0, "limits_by_period": ()}
    for bit, kind in ((1, "absolute"), (2, "relative")):
        limit = getattr(parameters, f"error_{kind}_max")
        if not parameters.error_limits_used & bit:
            fields |= {f"error_{kind}_max": 0, f"error_{kind}_bits": 0}
        else:
            fields[f"error_{kind}_bits"] = parameters.limit_bits[bit - 1]
            fields[f"error_{kind}_max"] = as_told(limit) if parameters.limits_period_log2 >= 0 else limit
    if parameters.entropy_coder == EntropyCoder.BLOCK_ADAPTIVE:
        names = ["unary_zeros_max", "counter_bits", "counter_first_bits", "accumulator_first"]
    else:
        names = ["block_size", "interval_blocks", "is_restricted"]
        if parameters.entropy_coder == EntropyCoder.HYBRID:
            names.append("accumulator_first")
    fields |= {name: getattr(plain, name) for name in names}
    found = replace(parameters, **fields)
    used = [table for table, name in TABLES.items() if isinstance(getattr(found, name), tuple)]
    return replace(found, tables_left_out=sum(used) & found.tables_left_out)


@LAW
@given(drawn=images())
def test_every_mode_is_restored_within_its_limits(drawn: Drawn) -> None:
    image, parameters = drawn
    parameters.check()
    coded = ccsds123_reference.encode(image, parameters)
    assert len(coded) % parameters.output_word_bytes == 0
    restored, found = ccsds123_reference.decode_with_parameters(coded, parameters)
    assert restored.dtype == image.dtype
    errors = np.abs(restored.astype(np.int64) - image.astype(np.int64))
    for z in range(parameters.bands):
        for y in range(parameters.rows):
            assert errors[z, y].max() <= error_bound(parameters, z, y)
    again = replace(found, hybrid_accumulator_first=parameters.hybrid_accumulator_first)
    assert ccsds123_reference.encode(image, again) == coded


@LAW
@given(drawn=images(side_max=4), rest=st.binary(max_size=3))
def test_a_header_tells_all(drawn: Drawn, rest: bytes) -> None:
    _, parameters = drawn
    writer = BitWriter()
    put_header(writer, parameters)
    assert writer.bit_count % 8 == 0
    reader = BitReader(writer.to_bytes() + rest)
    assert take_header(reader, parameters) == as_read(parameters)
    assert reader.position == writer.bit_count


def outcome(decode: Callable[[], NDArray[Any]]) -> tuple[int, ...] | str:
    """The shape of what comes out, or the status."""
    try:
        return decode().shape
    except KernelError as error:
        return error.status_name


@LAW
@given(drawn=images(side_max=4), data=st.data())
def test_damage_gives_an_image_or_a_status(drawn: Drawn, data: st.DataObject) -> None:
    image, parameters = drawn
    coded = bytearray(ccsds123_reference.encode(image, parameters))
    for _ in range(data.draw(st.integers(1, 3))):
        coded[data.draw(st.integers(12, len(coded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    found = outcome(lambda: ccsds123_reference.decode(bytes(coded), parameters))
    assert found in (image.shape, "FOS_ERR_CORRUPT", "FOS_ERR_UNSUPPORTED", "FOS_ERR_PARAMETER")
