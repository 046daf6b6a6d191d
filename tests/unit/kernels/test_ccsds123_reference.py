"""CCSDS 123.0-B-2 in plain Python: what the standard prints, byte by byte, and what is refused."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from flightos.kernels import KernelError
from flightos.kernels.ccsds123 import reference as ccsds123_reference
from flightos.kernels.ccsds123.choices import (
    EntropyCoder,
    LeftOut,
    SupplementaryTable,
    TableKind,
    TableStructure,
)
from flightos.kernels.ccsds123.header import put_header, take_header
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters
from flightos.kernels.codecs_bits import BitReader, BitWriter

PLAIN = CCSDS123Parameters(cols=7, rows=5, bands=4, sample_bits=12)


def header_of(given: CCSDS123Parameters) -> bytes:
    given.check()
    writer = BitWriter()
    put_header(writer, given)
    return writer.to_bytes()


def as_bytes(*fields: str) -> bytes:
    text = "".join(fields).replace(" ", "")
    assert len(text) % 8 == 0
    return int(text, 2).to_bytes(len(text) // 8, "big")


def test_a_plain_header_is_as_printed() -> None:
    """Tables 5-3, 5-6 and 5-13, field by field."""
    expected = as_bytes(
        f"00000000 {7:016b} {5:016b} {4:016b} 0 0 0 1100 0 {1:016b} 00 001 00 0 00 00 0000",
        "0 0 0011 0 0 00 000000 1001 0010 0101 1001 0 0 0 00000",
        "10000 010 001 0000 0",
    )
    assert header_of(PLAIN) == expected


def test_a_header_with_every_part_is_as_printed() -> None:
    """All optional parts of 5.3, field by field. Largest values are coded as 0."""
    smallest = SupplementaryTable(
        purpose=4, kind=2, structure=0, values=(0b0101,), significand_bits=1, exponent_bits=2, exponent_bias=1
    )
    given = CCSDS123Parameters(
        cols=65536,
        rows=3,
        bands=2,
        sample_bits=32,
        is_signed=1,
        interleave_bands=2,
        output_word_bytes=8,
        bands_used=1,
        local_sum=3,
        register_bits=40,
        weight_bits=4,
        error_limits_used=3,
        error_absolute_max=5,
        error_relative_max=(1, 6),
        unary_zeros_max=32,
        counter_bits=9,
        counter_first_bits=8,
        accumulator_first=(14, 3),
        user_data=0xA5,
        error_absolute_bits=16,
        representative_bits=2,
        representative_damping=(3, 1),
        representative_offset=2,
        weight_exponent_offsets=((-6,), (5, -1)),
        weights_first_bits=3,
        weights_first=((-4, 3, -1), (0, 1, 2, -2)),
        supplementary_tables=(
            SupplementaryTable(purpose=2, kind=1, structure=1, values=(-1, 0), integer_bits=32, user_data=9),
            smallest,
        ),
    )
    expected = as_bytes(
        f"10100101 {0:016b} {3:016b} {2:016b} 1 0 1 0000 0 {2:016b} 00 000 00 0 11 00 0010",  # table 5-3
        f"01 00 0010 0 01 0 1001 00000 {2**32 - 1:032b} {0:032b} 000",  # table 5-4: integers
        "10 00 0100 0 00 0 0000 00001 010 01 0 10 1 00",  # a float
        "0 1 0001 0 1 11 101000 0000 0010 0101 1001 1 1 1 00011",  # table 5-6
        "100 011 111 000 001 010 110 000",  # 5.3.3.3.2
        "1010 0101 1111 0000",  # 5.3.3.3.3
        f"0 0 00 0000 0 0 00 0000 {5:016b}",  # tables 5-9 and 5-10
        "0 1 00 0011 001 110 00",  # table 5-11
        "00000 010 0 1 1 0 0000 0 0 0 0 0010 11 01 0000",  # table 5-12
        "00000 101 000 1111 1 1110 0011",  # table 5-13
    )
    assert header_of(given) == expected


def test_headers_of_the_other_coders_are_as_printed() -> None:
    hybrid = replace(PLAIN, entropy_coder=EntropyCoder.HYBRID)
    assert header_of(hybrid)[-2:] == as_bytes("10000 010 001 00000")
    blocks = replace(PLAIN, entropy_coder=EntropyCoder.BLOCK_ADAPTIVE, block_size=64, interval_blocks=4096)
    assert header_of(blocks)[-2:] == as_bytes("0 11 0 000000000000")
    changing = replace(hybrid, error_limits_used=2, limits_period_log2=9, error_relative_bits=11)
    assert header_of(changing)[17:19] == as_bytes("0 1 00 1001 0 0 00 1011")


def with_bits(header: bytes, byte: int, mask: int) -> bytes:
    changed = bytearray(header)
    changed[byte] |= mask
    return bytes(changed) + bytes(40)


@pytest.mark.parametrize(
    ("byte", "mask", "status"),
    [
        pytest.param(10, 0x06, "FOS_ERR_UNSUPPORTED", id="reserved coder"),
        pytest.param(7, 0x20, "FOS_ERR_CORRUPT", id="28 bits and an empty body"),
        pytest.param(8, 0x01, "FOS_ERR_CORRUPT", id="sub-frames of more bands than there are"),
        pytest.param(12, 0x40, "FOS_ERR_CORRUPT", id="representatives without a resolution"),
        pytest.param(16, 0x80, "FOS_ERR_CORRUPT", id="offset table that is not used"),
        pytest.param(16, 0x20, "FOS_ERR_CORRUPT", id="weight table that is not used"),
        pytest.param(16, 0x40, "FOS_ERR_CORRUPT", id="custom weights of no bits"),
        pytest.param(18, 0x01, "FOS_ERR_CORRUPT", id="accumulator table beside a constant"),
        pytest.param(16, 0x44, "FOS_ERR_UNSUPPORTED", id="custom weights that are nowhere"),
        pytest.param(12, 0x01, "FOS_ERR_UNSUPPORTED", id="exponent offsets that are nowhere"),
        pytest.param(18, 0x1E, "FOS_ERR_UNSUPPORTED", id="accumulators that are nowhere"),
        pytest.param(15, 0x0F, "FOS_ERR_CORRUPT", id="beyond the last weight exponent"),
    ],
)
def test_headers_that_cannot_be_read_are_told(byte: int, mask: int, status: str) -> None:
    with pytest.raises(KernelError, match=status):
        ccsds123_reference.decode(with_bits(header_of(PLAIN), byte, mask))


def test_sub_frames_without_bands_are_told() -> None:
    """5.4.2.2.1: M is modulo 2^16, so 0 is 65536 and not another order."""
    header = bytearray(header_of(replace(PLAIN, interleave_bands=0)))
    header[7] &= 0xFE
    with pytest.raises(KernelError, match="FOS_ERR_CORRUPT"):
        take_header(BitReader(bytes(header)))


@pytest.mark.parametrize("end", [0, 5, 11, 12, 18])
def test_a_header_that_ends_too_early_is_told(end: int) -> None:
    with pytest.raises(KernelError, match="FOS_ERR_CORRUPT"):
        take_header(BitReader(header_of(PLAIN)[:end]))


def test_reserved_bits_are_not_looked_at() -> None:
    for byte, mask in ((7, 0x40), (10, 0xC1), (11, 0x30), (12, 0x80)):
        assert take_header(BitReader(with_bits(header_of(PLAIN), byte, mask))) == PLAIN


def test_tables_left_out_come_from_what_is_known() -> None:
    given = replace(PLAIN, accumulator_first=(1, 2, 3, 4), tables_left_out=int(LeftOut.ACCUMULATOR_FIRST))
    header = header_of(given)
    assert len(header) == len(header_of(PLAIN))
    assert take_header(BitReader(header), given) == given
    with pytest.raises(KernelError, match="FOS_ERR_UNSUPPORTED"):
        take_header(BitReader(header))
    with pytest.raises(KernelError, match="FOS_ERR_PARAMETER"):
        take_header(BitReader(header), replace(given, accumulator_first=(1, 2, 3, 4, 5)))


@pytest.mark.parametrize(
    "choices",
    [
        {"sample_bits": 1},
        {"sample_bits": 33},
        {"user_data": 256},
        {"entropy_coder": 3},
        {"error_limits_used": 4},
        {"error_absolute_max": 1 << 11},
        {"error_absolute_max": (0, 0, 0)},
        {"error_absolute_max": 4, "error_absolute_bits": 2},
        {"error_relative_bits": 12},
        {"limits_period_log2": 0},
        {"limits_period_log2": 10, "error_limits_used": 1},
        {"limits_period_log2": 0, "error_limits_used": 1, "interleave_bands": 0},
        {"limits_period_log2": 1, "error_limits_used": 1, "limits_by_period": ((0, 0), (0, 0))},
        {"limits_period_log2": 3, "error_limits_used": 1, "limits_by_period": (((0, 0, 0, 0), 0),)},
        {"representative_bits": 5},
        {"representative_damping": 1},
        {"representative_bits": 2, "representative_damping": (0, 1, 2, 4)},
        {"representative_bits": 2, "representative_offset": 1},
        {"weights_first_bits": 3},
        {"weights_first_bits": 3, "weights_first": ((0,) * 3, (0,) * 4, (0,) * 5, (0,) * 5)},
        {"weights_first_bits": 3, "weights_first": ((4, 0, 0), (0,) * 4, (0,) * 5, (0,) * 6)},
        {"weights_first_bits": 17, "weights_first": ((0,) * 3, (0,) * 4, (0,) * 5, (0,) * 6)},
        {"weight_exponent_offsets": ((0,), (0, 0), (0, 6, 0), (0, 0, 0, 0))},
        {"weight_exponent_offsets": ((0,) * 3, (0,) * 4, (0,) * 5, (0,) * 6)},
        {"accumulator_first": 11},
        {"accumulator_first": (0, 0, 0, 11)},
        {"entropy_coder": EntropyCoder.HYBRID, "hybrid_accumulator_first": 1 << 13},
        {"tables_left_out": 32},
        {"supplementary_tables": (SupplementaryTable(purpose=0, kind=0, structure=0, values=(1,)),) * 16},
    ],
)
def test_parameters_outside_the_standard_are_refused(choices: dict[str, Any]) -> None:
    with pytest.raises(KernelError, match="FOS_ERR_PARAMETER"):
        replace(PLAIN, **choices).check()


@pytest.mark.parametrize(
    "changes",
    [
        {"purpose": 5},
        {"kind": 3},
        {"structure": 4},
        {"user_data": 16},
        {"values": (0, 1)},
        {"values": (16,)},
        {"values": (-1,)},
        {"integer_bits": 33},
        {"exponent_bits": 2},
        {"kind": TableKind.FLOAT},
    ],
)
def test_tables_outside_the_standard_are_refused(changes: dict[str, Any]) -> None:
    table = SupplementaryTable(purpose=4, kind=0, structure=TableStructure.IMAGE, values=(9,), integer_bits=4)
    replace(PLAIN, supplementary_tables=(table,)).check()
    with pytest.raises(KernelError, match="FOS_ERR_PARAMETER"):
        replace(PLAIN, supplementary_tables=(replace(table, **changes),)).check()


@pytest.mark.parametrize(("dtype", "fields"), [(np.float16, (10, 5, 15)), (np.float32, (23, 8, 127))])
def test_floats_of_tables_are_those_of_ieee_754(dtype: Any, fields: tuple[int, int, int]) -> None:
    """The note of 3.5.2.3.3."""
    width = np.dtype(dtype).itemsize
    codes = np.random.default_rng(5).integers(0, 1 << 8 * width, 2000).astype(f"u{width}")
    codes[:6] = [0, 1 << 8 * width - 1, *np.array([np.inf, -np.inf, np.nan, 1.5], dtype).view(f"u{width}")]
    table = SupplementaryTable(
        purpose=0,
        kind=TableKind.FLOAT,
        structure=0,
        values=tuple(codes.tolist()),
        significand_bits=fields[0],
        exponent_bits=fields[1],
        exponent_bias=fields[2],
    )
    with np.errstate(invalid="ignore"):
        expected = codes.view(dtype).astype(float)
    assert np.array_equal(table.numbers(), expected, equal_nan=True)


def test_a_table_of_wavelengths_keeps_its_numbers() -> None:
    wavelengths_nm = [492.5, 559.75, 664.5, 832.75]
    table = SupplementaryTable.of_floats(wavelengths_nm, purpose=2, structure=TableStructure.BAND)
    image = np.zeros(PLAIN.shape, np.uint16)
    coded = ccsds123_reference.encode(image, replace(PLAIN, supplementary_tables=(table,)))
    found = ccsds123_reference.decode_with_parameters(coded)[1].supplementary_tables
    assert found == (table,)
    assert found[0].numbers() == wavelengths_nm


def test_limits_that_change_are_found_in_the_body() -> None:
    image = np.random.default_rng(4).integers(0, 4096, PLAIN.shape).astype(np.uint16)
    for coder in EntropyCoder:
        given = replace(
            PLAIN,
            entropy_coder=coder,
            error_limits_used=1,
            error_absolute_max=(0,) * 4,
            limits_period_log2=1,
            limits_by_period=(((0, 9, 2, 3), 0), ((0,) * 4, 0), ((7, 7, 7, 0), 0)),
        )
        restored, found = ccsds123_reference.decode_with_parameters(ccsds123_reference.encode(image, given))
        assert found.limits_by_period == given.limits_by_period
        errors = np.abs(restored.astype(int) - image)
        assert errors[1, :2].max() > 3
        assert errors[:, 2:4].max() == 0


def test_the_hybrid_coder_tells_what_no_coder_wrote() -> None:
    """Bits before the first value, a missing end, and accumulators that no start could lead to."""
    image = np.random.default_rng(6).integers(0, 30, PLAIN.shape).astype(np.uint16)
    given = replace(PLAIN, entropy_coder=EntropyCoder.HYBRID)
    coded = ccsds123_reference.encode(image, given)
    size = len(header_of(given))
    assert np.array_equal(ccsds123_reference.decode(coded), image)
    for changed in (
        coded[:size] + bytes(1) + coded[size:],
        coded[:size] + coded[size + 1 :],
        coded[:-1],
        coded + bytes(2),
        coded[:size] + bytes(len(coded) - size),
        coded[:size],
    ):
        with pytest.raises(KernelError, match="FOS_ERR_CORRUPT"):
            ccsds123_reference.decode(changed)


@pytest.mark.parametrize("coder", EntropyCoder)
@pytest.mark.parametrize("is_signed", [False, True])
def test_samples_of_32_bits_at_both_ends_are_restored(coder: EntropyCoder, is_signed: bool) -> None:
    random = np.random.default_rng(7)
    ends = np.iinfo(np.int32 if is_signed else np.uint32)
    image = random.choice([ends.min, ends.max], (3, 4, 5)).astype(ends.dtype)
    for register_bits in (53, 64):
        given = CCSDS123Parameters.for_image(
            image, entropy_coder=coder, weight_bits=19, register_bits=register_bits, weight_exponent_first=-6
        )
        given.check()
        assert np.array_equal(ccsds123_reference.decode(ccsds123_reference.encode(image, given)), image)
