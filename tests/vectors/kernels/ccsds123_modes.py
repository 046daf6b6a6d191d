"""The images and modes of the vectors of CCSDS 123.0-B-2: every option of the standard, on small images."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels.ccsds123.choices import (
    ByBand,
    EntropyCoder,
    LeftOut,
    LocalSum,
    SupplementaryTable,
    TableStructure,
)

SHAPE: Final = (4, 5, 7)
BANDS: Final = SHAPE[0]
DEPTHS: Final = (2, 8, 12, 16, 24, 32)

Mode = tuple[NDArray[Any], dict[str, Any]]
"""An image, and choices for `CCSDS123Parameters.for_image`."""


def stored(values: NDArray[Any], bits: int, is_signed: bool) -> NDArray[Any]:
    """Values of 0 to 2^bits - 1 as samples."""
    width = 4 if bits > 16 else 2 if bits > 8 else 1
    dtype = np.dtype(f"{'i' if is_signed else 'u'}{width}")
    return (values - (1 << bits - 1) if is_signed else values).astype(dtype)


def scene(bits: int, is_signed: bool, shape: tuple[int, int, int]) -> NDArray[Any]:
    """A ramp with a step, brighter from band to band, and noise from a fixed recurrence: more with more bits."""
    bands, rows, cols = np.indices(shape)
    noise = (np.arange(np.prod(shape)) * 1103515245 + 12345 >> 7) % (7 << max(0, bits - 14))
    ramp = cols * 5 + rows * 3 + bands * 11 + 40 * (cols > 4)
    return stored(((ramp << max(0, bits - 12)) + noise.reshape(shape)) % (1 << bits), bits, is_signed)


def shown(
    bits: int, choices: dict[str, Any], is_signed: bool = False, shape: tuple[int, int, int] = SHAPE
) -> Mode:
    """The scene, coded so."""
    return scene(bits, is_signed, shape), {"sample_bits": bits} | choices


def quiet(rows: int) -> NDArray[Any]:
    """Long runs of one value: what the codes of the hybrid coder for the smallest means are for."""
    values = np.full(rows * 64, 100)
    for number, step in enumerate((300, 290, 40, 33, 25, 1, 14, 9, 2, 6, 5, 17)):
        values[step * (number + 3) % values.size :] += 1 + number % 3
    return stored(values.reshape(1, rows, 64), 8, False)


def checkered(bits: int) -> Mode:
    """Smallest and largest sample in turn, each predicted by the one above: errors as large as they can be."""
    values = np.indices(SHAPE).sum(axis=0) % 2 * ((1 << bits) - 1)
    choices = {"bands_used": 0, "is_reduced": 1, "local_sum": LocalSum.WIDE_COLUMN, "unary_zeros_max": 8}
    return stored(values, bits, False), {"sample_bits": bits} | choices


LIMITS: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"error_limits_used": 1, "error_absolute_max": 1, "error_absolute_bits": 1},
    {"error_limits_used": 2, "error_relative_max": (1, 0, 1, 1)},
    {"error_limits_used": 3, "error_absolute_max": (0, 1, 1, 0), "error_relative_max": 1},
)
"""Fit for every depth; stronger ones follow in `near_lossless`."""

REPRESENTATIVES: Final[tuple[dict[str, Any], ...]] = (
    {},
    {"representative_bits": 2, "representative_damping": 1},
    {"representative_bits": 4, "representative_damping": (0, 15, 3, 8)},
)


def weights(bands_used: int, is_reduced: int, bits: int) -> tuple[tuple[int, ...], ...]:
    """A weight table: falling, of both signs, with the extremes."""
    half = 1 << bits - 1
    lengths = [min(z, bands_used) + (0 if is_reduced else 3) for z in range(BANDS)]
    return tuple(
        tuple((half - 1, -half, 1, 0, -1, half // 2)[index % 6] for index in range(n)) for n in lengths
    )


def offsets(bands_used: int, is_reduced: int) -> tuple[tuple[int, ...], ...]:
    """A weight exponent offset table, from -6 to 5."""
    lengths = [min(z, bands_used) + (0 if is_reduced else 1) for z in range(BANDS)]
    return tuple(tuple((z * 5 + index * 7) % 12 - 6 for index in range(n)) for z, n in enumerate(lengths))


def crossed() -> Iterator[Mode]:
    """Every coder with every local sum and mode, and with every depth and sign; the other choices go round."""
    for local_sum, reduced, coder in product(LocalSum, (0, 1), EntropyCoder):
        yield shown(12, {"local_sum": local_sum, "is_reduced": reduced, "entropy_coder": coder})
    for (turn, bits), coder, is_signed in product(enumerate(DEPTHS), EntropyCoder, (False, True)):
        number = 2 * coder + is_signed
        accumulator_max = min(bits - 2, 14)
        choices: dict[str, Any] = {
            "entropy_coder": coder,
            "local_sum": (turn + coder) % 4,
            "is_reduced": (turn // 2 + number) % 2,
            "interleave_bands": (turn + number * 2) % 5,
            "output_word_bytes": (turn + number) % 8 + 1,
            "accumulator_first": (0, accumulator_max) * 2 if (turn + is_signed) % 2 else min(bits - 2, 2),
        }
        choices |= LIMITS[(turn + number) % 4] | REPRESENTATIVES[(turn + coder + is_signed) % 3]
        if (turn + number * 2) % 5 == 1:
            choices |= {"weights_first_bits": 6, "weights_first": weights(3, choices["is_reduced"], 6)}
        if (turn * 2 + number) % 5 == 2:
            choices["weight_exponent_offsets"] = offsets(3, choices["is_reduced"])
        yield shown(bits, choices, is_signed=is_signed)


def near_lossless() -> Iterator[Mode]:
    """Larger limits, sample representatives with offsets, and limits that change."""
    strong = {"error_limits_used": 3, "error_absolute_max": 5, "error_relative_max": (900, 90, 9, 0)}
    pulled = {"representative_bits": 3, "representative_damping": 3, "representative_offset": (7, 0, 5, 1)}
    for coder, is_signed in product(EntropyCoder, (False, True)):
        yield shown(
            12, {"entropy_coder": coder, "error_absolute_bits": 11} | strong | pulled, is_signed=is_signed
        )
    forms: tuple[tuple[ByBand, ByBand], ...] = ((0, 0), ((0,) * BANDS, 0), (0, (0,) * BANDS))
    for coder, (absolute, relative), used in product(EntropyCoder, forms, (1, 3)):
        periods = [(period % 4, 100 * period) for period in range(2, -1, -1)]
        choices = {
            "entropy_coder": coder,
            "error_limits_used": used,
            "error_absolute_max": absolute,
            "error_relative_max": relative,
            "limits_period_log2": 1,
            "interleave_bands": 1 if used == 1 else BANDS,
            "limits_by_period": tuple(
                (like(absolute, first), like(relative, second)) for first, second in periods
            ),
        }
        yield shown(10, choices)
    yield shown(12, {"error_limits_used": 1, "error_absolute_max": 3, "limits_period_log2": 0})


def like(form: ByBand, value: int) -> ByBand:
    """The value for all bands, or one near to it for each."""
    return value if isinstance(form, int) else tuple(value ^ (z & 1) for z in range(len(form)))


def with_tables() -> Iterator[Mode]:
    """All optional tables, carried and left out, and their extremes."""
    for left_out, is_reduced, coder in product((0, 31), (0, 1), EntropyCoder):
        choices = {
            "is_reduced": is_reduced,
            "entropy_coder": coder,
            "error_limits_used": 1,
            "error_absolute_max": (3, 0, 1, 2),
            "representative_bits": 4,
            "representative_damping": (0, 15, 3, 8),
            "representative_offset": (15, 1, 0, 8),
            "weights_first_bits": 16 if is_reduced else 3,
            "weights_first": weights(3, is_reduced, 16 if is_reduced else 3),
            "weight_exponent_offsets": offsets(3, is_reduced),
            "accumulator_first": (0, 9, 3, 7),
            "tables_left_out": left_out,
            "user_data": 255 if left_out else 1,
        }
        if coder == EntropyCoder.HYBRID:
            choices["hybrid_accumulator_first"] = (0, 8191, 5, 100)
        yield shown(12, choices, is_signed=bool(is_reduced))
    for table in LeftOut:
        yield shown(12, choices | {"entropy_coder": 0, "is_reduced": 1, "tables_left_out": int(table)})
    yield shown(8, {"supplementary_tables": tuple(supplementary()), "user_data": 7})


def supplementary() -> Iterator[SupplementaryTable]:
    """Tables of every kind and structure."""
    bands, rows, cols = SHAPE
    for structure, count in zip(TableStructure, (1, bands, bands * cols, rows * cols), strict=True):
        unsigned = tuple(index * 37 % 256 for index in range(count))
        yield SupplementaryTable(purpose=4, kind=0, structure=structure, values=unsigned, integer_bits=8)
        signed = tuple(value - 2**31 for value in unsigned)
        yield SupplementaryTable(
            purpose=1, kind=1, structure=structure, values=signed, integer_bits=32, user_data=9
        )
        numbers = [400.5 + value for value in unsigned]
        yield SupplementaryTable.of_floats(numbers, purpose=2, structure=structure)
    smallest = {"significand_bits": 1, "exponent_bits": 2, "exponent_bias": 3}
    yield SupplementaryTable(
        purpose=15, kind=2, structure=TableStructure.BAND, values=(0, 1, 7, 15), **smallest
    )


def edges() -> Iterator[Mode]:
    """Orders of coding, registers that run over, extremes of the coders, images without neighbours."""
    for order in (0, 1, 3, 4):
        yield shown(8, {"interleave_bands": order, "output_word_bytes": 4}, is_signed=order % 2 == 1)
    for used in (0, 1, 15):
        yield shown(16, {"bands_used": used, "weight_bits": 19, "weight_exponent_first": -6}, is_signed=True)
    yield shown(10, {"register_bits": 32, "weight_bits": 16})
    yield shown(26, {"register_bits": 47, "weight_bits": 19, "weight_exponent_first": -6}, is_signed=True)
    yield shown(32, {"register_bits": 53, "weight_bits": 19, "bands_used": 15, "weight_exponent_last": 9})
    restricted = {"entropy_coder": EntropyCoder.BLOCK_ADAPTIVE, "is_restricted": 1, "block_size": 8}
    for bits in (2, 3, 4):
        yield shown(bits, restricted | {"interval_blocks": bits})
    for coder in (EntropyCoder.SAMPLE_ADAPTIVE, EntropyCoder.HYBRID):
        counters = {"unary_zeros_max": 8, "counter_first_bits": 8, "counter_bits": 11}
        yield shown(12, {"entropy_coder": coder} | counters)
        yield shown(12, {"entropy_coder": coder, "unary_zeros_max": 32, "counter_bits": 4})
        yield shown(3, {"entropy_coder": coder}, is_signed=True, shape=(2, 3, 4))
    for coder in EntropyCoder:
        yield shown(16, {"entropy_coder": coder}, shape=(1, 1, 1))
        yield shown(
            11, {"entropy_coder": coder, "local_sum": LocalSum.NARROW_COLUMN}, is_signed=True, shape=(3, 6, 1)
        )
        yield shown(20, {"entropy_coder": coder}, shape=(2, 1, 9))
        yield quiet(16), {"entropy_coder": coder, "block_size": 64, "interval_blocks": 4096}
    for bits, coder in product((3, 32), (EntropyCoder.SAMPLE_ADAPTIVE, EntropyCoder.HYBRID)):
        image, choices = checkered(bits)
        yield image, choices | {"entropy_coder": coder}
    for first in (0, 511):
        yield quiet(30), {"entropy_coder": EntropyCoder.HYBRID, "hybrid_accumulator_first": first}


def modes() -> Iterator[Mode]:
    """All of them."""
    yield from crossed()
    yield from near_lossless()
    yield from with_tables()
    yield from edges()
