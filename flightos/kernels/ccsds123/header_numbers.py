"""Parameters of CCSDS 123.0-B-2 as the numbers that its header holds (5.3), and back.

A header says with flags what our parameters say with their form: which values differ from band to band, which tables
are used, and which of those it carries.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

from flightos.kernels import KernelError
from flightos.kernels.ccsds123.choices import (
    ByBand,
    LeftOut,
    SupplementaryTable,
    of_band,
)
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters

Key = str | tuple[str | int, ...]
"""Name of a number of the header; elements of tables have tuples."""

Numbers = dict[Key, int]

NO_CONSTANT: Final = 15
"""What stands for K when each band has its own (table 5-13)."""

_SAME: Final = (
    *(
        "user_data",
        "cols",
        "rows",
        "bands",
        "is_signed",
        "output_word_bytes",
        "entropy_coder",
        "error_limits_used",
    ),
    *("bands_used", "is_reduced", "local_sum", "register_bits", "weight_bits", "weight_interval_log2"),
    *("weight_exponent_first", "weight_exponent_last", "weights_first_bits", "representative_bits"),
    *("unary_zeros_max", "counter_bits", "counter_first_bits", "is_restricted", "interval_blocks"),
)
"""Numbers that are parameters under the same name."""

_TABLE_SAME: Final = (
    *("purpose", "kind", "structure", "integer_bits", "significand_bits", "exponent_bits", "exponent_bias"),
    "user_data",
)


def element_count(values: Numbers, structure: int) -> int:
    """Number of elements of a supplementary table (3.5.2.4)."""
    bands, rows, cols = values["bands"], values["rows"], values["cols"]
    return (1, bands, bands * cols, rows * cols)[structure]


def numbers_of(given: CCSDS123Parameters) -> Numbers:
    """Give all numbers of the header."""
    carried = ~given.tables_left_out
    values: Numbers = {name: int(getattr(given, name)) for name in _SAME}
    limit_bits = given.limit_bits
    values |= {
        "has_large_range": int(given.sample_bits > 16),
        "sample_bits_low": given.sample_bits,
        "is_sequential": int(given.interleave_bands == 0),
        "depth": given.interleave_bands,
        "table_count": len(given.supplementary_tables),
        "has_representatives": int(given.representative_bits > 0),
        "has_periods": int(given.limits_period_log2 >= 0),
        "period_log2": max(given.limits_period_log2, 0),
        "error_absolute_bits": limit_bits[0],
        "error_relative_bits": limit_bits[1],
        "block_size_code": given.block_size.bit_length() - 4,
    }
    _put_by_weight(values, "weights_first", given.weights_first, bool(carried & LeftOut.WEIGHTS_FIRST))
    is_carried = bool(carried & LeftOut.WEIGHT_EXPONENT_OFFSETS)
    _put_by_weight(values, "weight_exponent_offsets", given.weight_exponent_offsets, is_carried)
    for name in ("error_absolute_max", "error_relative_max"):
        _put_by_band(values, name, getattr(given, name), given.bands)
    for name, table in (
        ("representative_damping", LeftOut.REPRESENTATIVE_DAMPING),
        ("representative_offset", LeftOut.REPRESENTATIVE_OFFSET),
        ("accumulator_first", LeftOut.ACCUMULATOR_FIRST),
    ):
        _put_by_band(values, name, getattr(given, name), given.bands)
        values[f"{name}_has_table"] = values[f"{name}_varies"] & int(bool(carried & table))
    if values["accumulator_first_varies"]:
        values["accumulator_first_fixed"] = NO_CONSTANT
    for number, supplementary in enumerate(given.supplementary_tables):
        values |= {(name, number): int(getattr(supplementary, name)) for name in _TABLE_SAME}
        values |= {("value", number, index): value for index, value in enumerate(supplementary.values)}
    return values


def _put_by_band(values: Numbers, name: str, number: ByBand, bands: int) -> None:
    values[f"{name}_varies"] = int(not isinstance(number, int))
    values[f"{name}_fixed"] = number if isinstance(number, int) else 0
    values |= {(name, z): of_band(number, z) for z in range(bands)}


def _put_by_weight(
    values: Numbers, name: str, table: tuple[tuple[int, ...], ...] | None, is_carried: bool
) -> None:
    values[f"{name}_used"] = int(table is not None)
    values[f"{name}_has_table"] = int(table is not None and is_carried)
    for z, numbers in enumerate(table or ()):
        values |= {(name, z, index): number for index, number in enumerate(numbers)}


def parameters_of(values: Numbers, known: CCSDS123Parameters | None) -> CCSDS123Parameters:
    """Give the parameters that a header's numbers say, with the tables that it leaves out from `known`.

    Raises KernelError(FOS_ERR_CORRUPT, FOS_ERR_UNSUPPORTED, FOS_ERR_TOO_LARGE or FOS_ERR_PARAMETER).
    """
    found: dict[str, Any] = {name: values[name] for name in _SAME if name in values}
    found["sample_bits"] = values["sample_bits_low"] + (16 if values["has_large_range"] else 0)
    found["interleave_bands"] = 0 if values["is_sequential"] else values["depth"]
    if "block_size_code" in values:
        found["block_size"] = 8 << values["block_size_code"]
    if values.get("has_periods", 0):
        found["limits_period_log2"] = values["period_log2"]
    for name in ("error_absolute", "error_relative"):
        if f"{name}_bits" in values:
            found[f"{name}_bits"] = values[f"{name}_bits"]
            found[f"{name}_max"] = _take_by_band(values, f"{name}_max")
    if not values["weights_first_used"]:
        found["weights_first_bits"] = 0
    left_out = _take_tables(values, found)
    found["tables_left_out"] = int(left_out)
    if values.get("is_contradictory", 0):
        raise KernelError("FOS_ERR_CORRUPT", "a table that is not used, or cannot be")
    try:
        given = CCSDS123Parameters(supplementary_tables=_take_supplementary(values), **found)
        given.check()
    except KernelError as error:
        if error.status_name == "FOS_ERR_TOO_LARGE":
            raise
        raise KernelError("FOS_ERR_CORRUPT", "a value is outside its range") from error
    return _with_known(given, left_out, known) if left_out else given


def _with_known(
    given: CCSDS123Parameters, left_out: LeftOut, known: CCSDS123Parameters | None
) -> CCSDS123Parameters:
    """Put the tables that the reader knows in the places of those that were left out."""
    names = [_name_of(table) for table in left_out]
    if known is None or any(not isinstance(getattr(known, name), tuple) for name in names):
        raise KernelError("FOS_ERR_UNSUPPORTED", f"the header leaves out {names}, which are not known")
    completed = replace(given, **{name: getattr(known, name) for name in names})
    completed.check()
    return completed


def _name_of(table: LeftOut) -> str:
    return str(table.name).lower()


def _take_by_band(values: Numbers, name: str) -> ByBand:
    """Limits that change in time are not in the header: 0 stands for them."""
    if values[f"{name}_varies"]:
        return tuple(values.get((name, z), 0) for z in range(values["bands"]))
    return values.get((name, 0), values.get(f"{name}_fixed", 0))


def _take_tables(values: Numbers, found: dict[str, Any]) -> LeftOut:
    """Fill in what has a table, with zeros where it is not carried; give those tables that are used and not carried."""
    left_out = LeftOut(0)
    for table in LeftOut:
        name = _name_of(table)
        is_carried = bool(values.get(f"{name}_has_table", 0))
        if values.get(f"{name}_used", 0) or values.get(f"{name}_varies", 0):
            left_out |= LeftOut(0) if is_carried else table
            if f"{name}_used" in values:
                found[name] = tuple(_take_band(values, name, z) for z in range(values["bands"]))
            else:
                found[name] = tuple(values.get((name, z), 0) for z in range(values["bands"]))
        elif f"{name}_fixed" in values:
            found[name] = values[f"{name}_fixed"]
    return left_out


def _take_band(values: Numbers, name: str, z: int) -> tuple[int, ...]:
    directions = 0 if values["is_reduced"] else 3 if name == "weights_first" else 1
    count = min(z, values["bands_used"]) + directions
    return tuple(values.get((name, z, index), 0) for index in range(count))


def _take_supplementary(values: Numbers) -> tuple[SupplementaryTable, ...]:
    found = []
    for number in range(values["table_count"]):
        numbers = {name: values[name, number] for name in _TABLE_SAME if (name, number) in values}
        count = element_count(values, values["structure", number])
        elements = tuple(values["value", number, index] for index in range(count))
        found.append(SupplementaryTable(values=elements, **numbers))
    return tuple(found)
