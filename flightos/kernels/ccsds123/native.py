"""Parameters of CCSDS 123.0-B-2 as C takes them: numbers in one struct, and tables beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import numpy as np

from flightos.kernels.ccsds123.choices import ByBand, EntropyCoder, SupplementaryTable
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters

KINDS: Final = (
    *("weights_first", "weight_exponent_offsets", "representative_damping", "representative_offset"),
    *("accumulator_first", "error_absolute_max", "error_relative_max", "hybrid_accumulator_first"),
)
"""Parameters that may be tables, in the order of FOS_CCSDS123_WEIGHTS_FIRST and so on."""

_LIMITS: Final = ("error_absolute_max", "error_relative_max")
_LEFT_OUT_MAX: Final = 31
_SUPPLEMENTARY_NUMBERS: Final = (
    *("purpose", "kind", "structure", "user_data"),
    *("integer_bits", "significand_bits", "exponent_bits", "exponent_bias"),
)


def _is_used(given: CCSDS123Parameters, name: str) -> bool:
    """Whether a parameter means anything beside the others."""
    needs = {
        "error_absolute_max": given.error_limits_used & 1 != 0,
        "error_relative_max": given.error_limits_used & 2 != 0,
        "representative_damping": given.representative_bits > 0,
        "representative_offset": given.representative_bits > 0,
        "accumulator_first": given.entropy_coder == EntropyCoder.SAMPLE_ADAPTIVE,
        "hybrid_accumulator_first": given.entropy_coder == EntropyCoder.HYBRID,
    }
    return needs.get(name, True)


def _flat(values: Sequence[ByBand]) -> list[int]:
    return [number for row in values for number in ((row,) if isinstance(row, int) else row)]


class NativeParameters:
    """The structs `numbers` and `tables`, and the memory that they point to."""

    def __init__(self, ffi: Any, given: CCSDS123Parameters) -> None:
        self._ffi = ffi
        self._kept: list[Any] = []
        self._given = given
        self.numbers = ffi.new("fos_ccsds123_parameters_t *")
        self.tables = ffi.new("fos_ccsds123_tables_t *")
        used = 0
        for kind, name in enumerate(KINDS):
            if isinstance(getattr(given, name), tuple) and _is_used(given, name):
                used |= 1 << kind
            self._put_table(self.tables.by_kind[kind], self._table_of(name))
        for index, table in enumerate(given.supplementary_tables):
            self._put_supplementary(self.tables.supplementary[index], table)
        self._put_numbers(used)

    def _table_of(self, name: str) -> list[int] | None:
        """Give the values of a table, None when the parameter is one number."""
        value = getattr(self._given, name)
        if not _is_used(self._given, name):
            return None
        if name in _LIMITS and self._given.limits_period_log2 >= 0:
            return _flat([limits[_LIMITS.index(name)] for limits in self._given.limits_in_order])
        return _flat(value) if isinstance(value, tuple) else None

    def _put_table(self, table: Any, values: Sequence[int] | None) -> None:
        if values is None:
            return
        # A table may be empty, as the weights of a single band are; C still wants to see that there is one.
        memory = np.array(values or [0], np.int64)
        pointer = self._ffi.from_buffer("int64_t[]", memory)
        self._kept += [memory, pointer]
        table.values = pointer
        table.count = len(values)

    def _put_supplementary(self, into: Any, table: SupplementaryTable) -> None:
        for name in _SUPPLEMENTARY_NUMBERS:
            setattr(into, name, int(getattr(table, name)))
        self._put_table(into.elements, table.values)

    def _put_numbers(self, used: int) -> None:
        own = {
            "tables_used": used,
            "tables_left_out": self._given.tables_left_out & used & _LEFT_OUT_MAX,
            "supplementary_count": len(self._given.supplementary_tables),
        }
        for name, _ in self._ffi.typeof("fos_ccsds123_parameters_t").fields:
            value = own.get(name, getattr(self._given, name, 0))
            setattr(self.numbers, name, value if isinstance(value, int) else 0)
