"""The ranges of CCSDS 123.0-B-2 for what `CCSDS123Parameters` holds, clause by clause."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from flightos.kernels import KernelError
from flightos.kernels.ccsds123.choices import (
    TABLE_COUNT_MAX,
    ByBand,
    EntropyCoder,
    LocalSum,
    SupplementaryTable,
    TableKind,
)
from flightos.kernels.codecs_parameters import BLOCK_SIZES, SAMPLE_COUNT_MAX, require

if TYPE_CHECKING:
    from flightos.kernels.ccsds123.parameters import CCSDS123Parameters

ERROR_BITS_MAX: Final = 16
PURPOSES_RESERVED: Final = range(5, 10)


def check_image_parameters(given: CCSDS123Parameters) -> None:
    """Raise KernelError(FOS_ERR_PARAMETER or FOS_ERR_TOO_LARGE) when a field is outside its range."""
    for size in (given.cols, given.rows, given.bands):
        require(1 <= size <= 65536, "a size is not 1..65536")
    require(2 <= given.sample_bits <= 32, "sample_bits is not 2..32")
    flags = (given.is_signed, given.is_reduced, given.is_restricted)
    require(all(flag in (0, 1) for flag in flags), "a flag is neither 0 nor 1")
    require(0 <= given.interleave_bands <= given.bands, "interleave_bands is not 0..bands")
    require(1 <= given.output_word_bytes <= 8, "output_word_bytes is not 1..8")
    require(0 <= given.user_data <= 255, "user_data is not 0..255")
    require(0 <= given.tables_left_out <= 31, "tables_left_out names tables that there are not")
    _check_limits(given)
    _check_predictor(given)
    _check_weight_tables(given)
    _check_representatives(given)
    _check_coder(given)
    require(len(given.supplementary_tables) <= TABLE_COUNT_MAX, "more than 15 supplementary tables")
    for table in given.supplementary_tables:
        _check_table(table, given.shape)
    if given.cols * given.rows * given.bands > SAMPLE_COUNT_MAX:
        raise KernelError("FOS_ERR_TOO_LARGE", f"{given.shape}")


def _within(values: Iterable[int], low: int, top: int, name: str) -> None:
    require(all(low <= value <= top for value in values), f"{name} is not {low}..{top}")


def _check_by_band(values: ByBand, given: CCSDS123Parameters, top: int, name: str) -> None:
    if isinstance(values, int):
        _within((values,), 0, top, name)
        return
    require(len(values) == given.bands, f"{name} does not have a value for each band")
    _within(values, 0, top, name)


def _check_limits(given: CCSDS123Parameters) -> None:
    """4.8.2."""
    require(0 <= given.error_limits_used <= 3, "error_limits_used is not 0..3")
    bits_max = min(given.sample_bits - 1, ERROR_BITS_MAX)
    forms = (given.error_absolute_max, given.error_relative_max)
    for bits, form in zip((given.error_absolute_bits, given.error_relative_bits), forms, strict=True):
        _within((bits,), 0, bits_max, "an error limit's bits")
        _check_by_band(form, given, (1 << (bits or bits_max)) - 1, "an error limit")
    require(-1 <= given.limits_period_log2 <= 9, "limits_period_log2 is not -1..9")
    if given.limits_period_log2 < 0:
        require(not given.limits_by_period, "limits_by_period needs limits_period_log2")
        return
    require(given.error_limits_used != 0, "lossless has no error limits that could change")
    require(given.interleave_bands != 0, "error limits cannot change with BSQ")
    if not given.limits_by_period:
        return
    period_count = -(-given.rows // given.period_rows)
    require(
        len(given.limits_by_period) == period_count, f"limits_by_period does not have {period_count} entries"
    )
    for limits in given.limits_by_period:
        told = (given.error_absolute_bits, given.error_relative_bits)
        for limit, form, bits in zip(limits, forms, told, strict=True):
            require(isinstance(limit, int) == isinstance(form, int), "limits_by_period changes its form")
            _check_by_band(limit, given, (1 << (bits or bits_max)) - 1, "an error limit")


def _check_predictor(given: CCSDS123Parameters) -> None:
    require(0 <= given.bands_used <= 15, "bands_used is not 0..15")
    require(0 <= given.local_sum <= 3, "local_sum is not 0..3")
    require(4 <= given.weight_bits <= 19, "weight_bits is not 4..19")
    register_bits_min = max(32, given.sample_bits + given.weight_bits + 2)
    _within((given.register_bits,), register_bits_min, 64, "register_bits")
    require(4 <= given.weight_interval_log2 <= 11, "weight_interval_log2 is not 4..11")
    require(-6 <= given.weight_exponent_first <= given.weight_exponent_last <= 9, "exponents are not -6..9")
    if given.cols == 1:
        column_only = given.is_reduced == 1 and given.local_sum >= LocalSum.WIDE_COLUMN
        require(column_only, "one column needs reduced mode and column-oriented sums")


def _check_weight_tables(given: CCSDS123Parameters) -> None:
    """4.6.3.3 and 4.10.4."""
    if given.weight_exponent_offsets is not None:
        # The three directional weights share their offset.
        counts = [given.difference_count(z) - (0 if given.is_reduced else 2) for z in range(given.bands)]
        _check_by_weight(given.weight_exponent_offsets, counts, -6, 5, "weight_exponent_offsets")
    if given.weights_first is None:
        require(given.weights_first_bits == 0, "weights_first_bits without weights_first")
    else:
        _within((given.weights_first_bits,), 3, given.weight_bits + 3, "weights_first_bits")
        half = 1 << given.weights_first_bits - 1
        counts = [given.difference_count(z) for z in range(given.bands)]
        _check_by_weight(given.weights_first, counts, -half, half - 1, "weights_first")


def _check_by_weight(
    table: tuple[tuple[int, ...], ...], counts: list[int], low: int, top: int, name: str
) -> None:
    require(len(table) == len(counts), f"{name} does not have a tuple for each band")
    for z, (values, count) in enumerate(zip(table, counts, strict=True)):
        require(len(values) == count, f"{name} of band {z} does not have {count} values")
        _within(values, low, top, name)


def _check_representatives(given: CCSDS123Parameters) -> None:
    """4.9.1."""
    require(0 <= given.representative_bits <= 4, "representative_bits is not 0..4")
    top = (1 << given.representative_bits) - 1
    _check_by_band(given.representative_damping, given, top, "representative_damping")
    offset_top = top if given.error_limits_used else 0
    _check_by_band(given.representative_offset, given, offset_top, "representative_offset")


def _check_coder(given: CCSDS123Parameters) -> None:
    require(given.entropy_coder in set(EntropyCoder), "entropy_coder is not 0..2")
    if given.entropy_coder == EntropyCoder.BLOCK_ADAPTIVE:
        require(given.block_size in BLOCK_SIZES, f"block_size is not one of {BLOCK_SIZES}")
        require(1 <= given.interval_blocks <= 4096, "interval_blocks is not 1..4096")
        require(not given.is_restricted or given.sample_bits <= 4, "restricted needs at most 4 bits")
        return
    require(8 <= given.unary_zeros_max <= 32, "unary_zeros_max is not 8..32")
    require(1 <= given.counter_first_bits <= 8, "counter_first_bits is not 1..8")
    _within((given.counter_bits,), max(4, given.counter_first_bits + 1), 11, "counter_bits")
    if given.entropy_coder == EntropyCoder.SAMPLE_ADAPTIVE:
        _check_by_band(given.accumulator_first, given, min(given.sample_bits - 2, 14), "accumulator_first")
    else:
        top = (1 << given.sample_bits + given.counter_first_bits) - 1
        _check_by_band(given.hybrid_accumulator_first, given, top, "hybrid_accumulator_first")


def _check_table(table: SupplementaryTable, shape: tuple[int, int, int]) -> None:
    """3.5.2."""
    require(
        0 <= table.purpose <= 15 and table.purpose not in PURPOSES_RESERVED, "a table's purpose is reserved"
    )
    require(0 <= table.kind <= 2, "a table's kind is not 0..2")
    require(0 <= table.structure <= 3, "a table's structure is not 0..3")
    require(0 <= table.user_data <= 15, "a table's user_data is not 0..15")
    if table.kind == TableKind.FLOAT:
        _within((table.significand_bits,), 1, 23, "significand_bits")
        _within((table.exponent_bits,), 2, 8, "exponent_bits")
        _within((table.exponent_bias,), 0, (1 << table.exponent_bits) - 1, "exponent_bias")
        require(table.integer_bits == 0, "a table of floats has no integer_bits")
    else:
        _within((table.integer_bits,), 1, 32, "integer_bits")
        float_fields = (table.significand_bits, table.exponent_bits, table.exponent_bias)
        require(not any(float_fields), "a table of integers has no fields of floats")
    require(len(table.values) == table.value_count(shape), "a table has a wrong number of values")
    width = table.element_bits
    is_signed = table.kind == TableKind.SIGNED
    low = -(1 << width - 1) if is_signed else 0
    _within(table.values, low, low + (1 << width) - 1, "a table's value")
