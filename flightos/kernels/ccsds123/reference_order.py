"""What an entropy coder of CCSDS 123.0-B-2 is given, and in which order: 5.4.2."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import product
from typing import NamedTuple

from flightos.kernels.ccsds123.choices import ByBand, of_band
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters


class Input(NamedTuple):
    """One place of the entropy coder's input sequence: a mapped quantizer index, or an error limit of line y."""

    z: int
    y: int
    x: int
    limit: int | None = None
    """0: absolute, 1: relative error limit of band z, or of all bands."""


def input_order(given: CCSDS123Parameters) -> Iterator[Input]:
    """Give the input sequence, 5.4.2.2.2 and 5.4.2.3."""
    bands, rows, cols = given.shape
    if given.interleave_bands == 0:
        yield from (Input(z, y, x) for z, y, x in product(range(bands), range(rows), range(cols)))
        return
    for y in range(rows):
        if given.limits_period_log2 >= 0 and y % given.period_rows == 0:
            yield from _limits_of_line(given, y)
        for first in range(0, bands, given.interleave_bands):
            for x in range(cols):
                for z in range(first, min(first + given.interleave_bands, bands)):
                    yield Input(z, y, x)


def _limits_of_line(given: CCSDS123Parameters, y: int) -> Iterator[Input]:
    for limit, form in enumerate((given.error_absolute_max, given.error_relative_max)):
        if given.error_limits_used & 1 << limit:
            for z in range(1 if isinstance(form, int) else given.bands):
                yield Input(z, y, 0, limit)


def limit_value(given: CCSDS123Parameters, place: Input) -> int:
    """The error limit that stands at this place."""
    assert place.limit is not None
    return of_band(given.limits_in_order[place.y // given.period_rows][place.limit], place.z)


def limits_found(given: CCSDS123Parameters, values: Mapping[Input, int]) -> tuple[tuple[ByBand, ByBand], ...]:
    """Give `limits_by_period` as decoded."""
    if given.limits_period_log2 < 0:
        return ()

    def found(y: int, limit: int, form: ByBand) -> ByBand:
        if isinstance(form, int):
            return values.get(Input(0, y, 0, limit), 0)
        return tuple(values.get(Input(z, y, 0, limit), 0) for z in range(given.bands))

    return tuple(
        (found(y, 0, given.error_absolute_max), found(y, 1, given.error_relative_max))
        for y in range(0, given.rows, given.period_rows)
    )
