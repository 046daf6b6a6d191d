"""CCSDS 123.0-B-2 with corrigendum 3, plainly: the oracle of the C coder, and what serves without it.

Every mode of the standard, written from it clause by clause: the header (`header`), the predictor and
the entropy coders (`reference_*`). Images are arrays of shape (bands, rows, cols).
"""

from __future__ import annotations

from dataclasses import replace
from itertools import product
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError
from flightos.kernels.ccsds123.choices import EntropyCoder
from flightos.kernels.ccsds123.header import put_header, take_header
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters
from flightos.kernels.ccsds123.reference_adaptive import (
    put_block_adaptive,
    put_sample_adaptive,
    take_block_adaptive,
    take_sample_adaptive,
)
from flightos.kernels.ccsds123.reference_hybrid import put_hybrid, take_hybrid
from flightos.kernels.ccsds123.reference_order import Input, input_order, limit_value, limits_found
from flightos.kernels.ccsds123.reference_predictor import Predictor
from flightos.kernels.codecs_bits import BitReader, BitWriter

_PUT_BODY = {
    EntropyCoder.SAMPLE_ADAPTIVE: put_sample_adaptive,
    EntropyCoder.HYBRID: put_hybrid,
    EntropyCoder.BLOCK_ADAPTIVE: put_block_adaptive,
}


def encode(image: NDArray[Any], given: CCSDS123Parameters) -> bytes:
    """Compress an image. Raises KernelError(FOS_ERR_RANGE) for a sample of too many bits."""
    predictor = Predictor(given)
    if image.min() < predictor.low or image.max() > predictor.top:
        raise KernelError("FOS_ERR_RANGE", f"a sample has more than {given.sample_bits} bits")
    samples = image.tolist()
    values: dict[Input, int] = {}
    for place in _band_after_band(given):
        sample = samples[place.z][place.y][place.x]
        values[place] = predictor.walk(place.z, place.y, place.x, sample=sample, mapped=None)
    values |= {place: limit_value(given, place) for place in input_order(given) if place.limit is not None}
    writer = BitWriter()
    put_header(writer, given)
    _PUT_BODY[EntropyCoder(given.entropy_coder)](writer, given, values)
    writer.pad_to(8 * given.output_word_bytes)
    return writer.to_bytes()


def decode(encoded: bytes, known: CCSDS123Parameters | None = None) -> NDArray[Any]:
    """Restore an image; `known` has the tables that its header leaves out.

    Raises KernelError(FOS_ERR_CORRUPT) when the bytes are no such code, and as `take_header` does. Bytes beyond the
    last sample are not looked at, but for the hybrid coder, whose code ends where the bytes end.
    """
    return decode_with_parameters(encoded, known)[0]


def decode_with_parameters(
    encoded: bytes, known: CCSDS123Parameters | None = None
) -> tuple[NDArray[Any], CCSDS123Parameters]:
    """Restore an image, and all that is known of its coding: the header, and error limits from the body."""
    reader = BitReader(encoded)
    given = take_header(reader, known)
    if given.entropy_coder == EntropyCoder.HYBRID:
        values = take_hybrid(encoded, reader.position, given)
    elif given.entropy_coder == EntropyCoder.BLOCK_ADAPTIVE:
        values = take_block_adaptive(reader, given)
    else:
        values = take_sample_adaptive(reader, given)
    given = replace(given, limits_by_period=limits_found(given, values))
    predictor = Predictor(given)
    for place in _band_after_band(given):
        predictor.walk(place.z, place.y, place.x, sample=None, mapped=values[place])
    return np.array(predictor.restored, given.dtype), given


def _band_after_band(given: CCSDS123Parameters) -> list[Input]:
    """The order of prediction, in which each sample finds those that it depends on."""
    bands, rows, cols = given.shape
    return [Input(z, y, x) for z, y, x in product(range(bands), range(rows), range(cols))]
