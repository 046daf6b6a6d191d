"""Images and parameters of CCSDS 123.0-B-2, drawn from every mode of the standard."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from flightos.kernels.ccsds123.choices import ByBand, EntropyCoder, SupplementaryTable, TableKind
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters

Drawn = tuple[NDArray[Any], CCSDS123Parameters]
DEPTHS = st.one_of(st.sampled_from([2, 3, 4, 8, 16, 17, 32]), st.integers(2, 32))


def by_band(values: st.SearchStrategy[int], bands: int) -> st.SearchStrategy[ByBand]:
    """One number, or one for each band."""
    return st.one_of(values, st.lists(values, min_size=bands, max_size=bands).map(tuple))


def rows_of(
    values: st.SearchStrategy[int], counts: list[int]
) -> st.SearchStrategy[tuple[tuple[int, ...], ...]]:
    """So many numbers for each band."""
    return st.tuples(*(st.lists(values, min_size=count, max_size=count).map(tuple) for count in counts))


@st.composite
def images(draw: st.DrawFn, side_max: int = 6) -> Drawn:
    """An image, noisy or nearly empty, with parameters for it."""
    bits, is_signed = draw(DEPTHS), draw(st.booleans())
    low = -(1 << bits - 1) if is_signed else 0
    width = 4 if bits > 16 else 2 if bits > 8 else 1
    bands, rows, cols = draw(hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=side_max))
    shape = (bands, rows, cols)
    values = st.integers(low, low + (1 << bits) - 1)
    dtype = np.dtype(f"{'i' if is_signed else 'u'}{width}")
    image = draw(hnp.arrays(dtype, shape, elements=values, fill=values))
    choices: dict[str, Any] = {"sample_bits": bits, "is_signed": int(is_signed)}
    choices |= {
        "user_data": draw(st.integers(0, 255)),
        "tables_left_out": draw(st.sampled_from([0, 0, 31, 5, 10, 16])),
    }
    choices |= draw(predictors(shape, bits))
    choices |= draw(limits(shape, bits, choices["interleave_bands"]))
    choices |= draw(representatives(bands, choices["error_limits_used"] > 0))
    choices |= draw(coders(bands, bits))
    if draw(st.integers(0, 3)) == 0:
        choices["supplementary_tables"] = tuple(draw(st.lists(tables(shape), min_size=1, max_size=3)))
    return image, CCSDS123Parameters.for_image(image, **choices)


@st.composite
def predictors(draw: st.DrawFn, shape: tuple[int, int, int], bits: int) -> dict[str, Any]:
    """Chapter 4, but for errors, and the order of coding."""
    bands, _, cols = shape
    weight_bits, first = draw(st.integers(4, 19)), draw(st.integers(-6, 9))
    bands_used = draw(st.integers(0, 15))
    is_reduced = 1 if cols == 1 else draw(st.integers(0, 1))
    choices: dict[str, Any] = {
        "interleave_bands": draw(st.integers(0, bands)),
        "output_word_bytes": draw(st.integers(1, 8)),
        "bands_used": bands_used,
        "is_reduced": is_reduced,
        "local_sum": draw(st.integers(2 if cols == 1 else 0, 3)),
        "register_bits": draw(st.sampled_from([max(32, bits + weight_bits + 2), 64])),
        "weight_bits": weight_bits,
        "weight_interval_log2": draw(st.integers(4, 11)),
        "weight_exponent_first": first,
        "weight_exponent_last": draw(st.integers(first, 9)),
    }
    reach = [min(z, bands_used) for z in range(bands)]
    if draw(st.booleans()):
        width = choices["weights_first_bits"] = draw(st.integers(3, weight_bits + 3))
        weights = st.integers(-(1 << width - 1), (1 << width - 1) - 1)
        choices["weights_first"] = draw(rows_of(weights, [count + 3 * (1 - is_reduced) for count in reach]))
    if draw(st.booleans()):
        counts = [count + 1 - is_reduced for count in reach]
        choices["weight_exponent_offsets"] = draw(rows_of(st.integers(-6, 5), counts))
    return choices


@st.composite
def limits(draw: st.DrawFn, shape: tuple[int, int, int], bits: int, interleave_bands: int) -> dict[str, Any]:
    """4.8.2."""
    bands, rows, _ = shape
    used, bits_max = draw(st.integers(0, 3)), min(bits - 1, 16)
    if used == 0:
        return {"error_limits_used": 0}
    widths = draw(st.tuples(st.integers(1, min(3, bits_max)), st.integers(1, bits_max)))
    forms = [draw(by_band(st.integers(0, (1 << width) - 1), bands)) for width in widths]
    choices: dict[str, Any] = {
        "error_limits_used": used,
        "error_absolute_max": forms[0],
        "error_relative_max": forms[1],
        "error_absolute_bits": draw(st.sampled_from([0, widths[0], bits_max])),
        "error_relative_bits": draw(st.sampled_from([0, widths[1], bits_max])),
    }
    if interleave_bands and draw(st.booleans()):
        period_log2 = choices["limits_period_log2"] = draw(st.integers(0, 9))
        drawn = tuple(
            tuple(draw(_of_form(form, width, bands)) for form, width in zip(forms, widths, strict=True))
            for _ in range(-(-rows >> period_log2))
        )
        choices["limits_by_period"] = draw(st.sampled_from([(), drawn]))
    return choices


def _of_form(form: ByBand, width: int, bands: int) -> st.SearchStrategy[ByBand]:
    values = st.integers(0, (1 << width) - 1)
    return values if isinstance(form, int) else st.tuples(*[values] * bands)


@st.composite
def representatives(draw: st.DrawFn, bands: int, has_errors: bool) -> dict[str, Any]:
    """4.9."""
    bits = draw(st.integers(0, 4))
    if bits == 0:
        return {}
    values = st.integers(0, (1 << bits) - 1)
    return {
        "representative_bits": bits,
        "representative_damping": draw(by_band(values, bands)),
        "representative_offset": draw(by_band(values, bands)) if has_errors else 0,
    }


@st.composite
def coders(draw: st.DrawFn, bands: int, bits: int) -> dict[str, Any]:
    """5.4.3."""
    coder = draw(st.sampled_from(EntropyCoder))
    if coder == EntropyCoder.BLOCK_ADAPTIVE:
        return {
            "entropy_coder": int(coder),
            "block_size": draw(st.sampled_from([8, 16, 32, 64])),
            "interval_blocks": draw(st.integers(1, 100)),
            "is_restricted": draw(st.integers(0, 1)) if bits <= 4 else 0,
        }
    counter_first_bits = draw(st.integers(1, 8))
    choices: dict[str, Any] = {
        "entropy_coder": int(coder),
        "unary_zeros_max": draw(st.integers(8, 32)),
        "counter_first_bits": counter_first_bits,
        "counter_bits": draw(st.integers(max(4, counter_first_bits + 1), 11)),
    }
    if coder == EntropyCoder.HYBRID:
        starts = st.integers(0, (1 << bits + counter_first_bits) - 1)
        return choices | {"hybrid_accumulator_first": draw(by_band(starts, bands))}
    return choices | {"accumulator_first": draw(by_band(st.integers(0, min(bits - 2, 14)), bands))}


@st.composite
def tables(draw: st.DrawFn, shape: tuple[int, int, int]) -> SupplementaryTable:
    """3.5."""
    kind = draw(st.sampled_from(TableKind))
    fields: dict[str, int] = {
        "kind": int(kind),
        "purpose": draw(st.sampled_from([0, 1, 2, 3, 4, 10, 15])),
        "structure": draw(st.integers(0, 3)),
        "user_data": draw(st.integers(0, 15)),
    }
    if kind == TableKind.FLOAT:
        exponent_bits = draw(st.integers(2, 8))
        fields |= {"significand_bits": draw(st.integers(1, 23)), "exponent_bits": exponent_bits}
        fields["exponent_bias"] = draw(st.integers(0, (1 << exponent_bits) - 1))
    else:
        fields["integer_bits"] = draw(st.integers(1, 32))
    empty = SupplementaryTable(values=(), **fields)
    low = -(1 << empty.element_bits - 1) if kind == TableKind.SIGNED else 0
    element = st.integers(low, low + (1 << empty.element_bits) - 1)
    count = empty.value_count(shape)
    return SupplementaryTable(values=tuple(draw(st.lists(element, min_size=count, max_size=count))), **fields)
