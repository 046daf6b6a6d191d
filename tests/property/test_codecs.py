"""Whatever the samples, the sizes and the parameters: both implementations give the same bytes, and get them back."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flightos.kernels import KernelError, codecs_ccsds121_reference
from flightos.kernels.ccsds123 import reference as ccsds123_reference
from flightos.kernels.codecs import (
    CCSDS121Parameters,
    decode_image,
    decode_samples,
    encode_image,
    encode_samples,
)
from tests.property.ccsds123_strategies import Drawn, images

LAW = settings(max_examples=60, deadline=None)
RANDOM_BYTES = st.binary(max_size=300)


@st.composite
def sample_parameters(draw: st.DrawFn) -> CCSDS121Parameters:
    bits = draw(st.integers(1, 32))
    return CCSDS121Parameters(
        bits_per_sample=bits,
        block_size=draw(st.sampled_from([8, 16, 32, 64])),
        interval_blocks=draw(st.integers(1, 70)),
        is_signed=draw(st.booleans()),
        is_high_byte_first=draw(st.booleans()),
        has_preprocessor=draw(st.booleans()),
        is_restricted=bits <= 4 and draw(st.booleans()),
        pads_interval=draw(st.booleans()),
    )


@LAW
@given(parameters=sample_parameters(), data=st.data())
def test_samples_are_restored_and_equal_the_reference(parameters: CCSDS121Parameters, data: Any) -> None:
    values = st.integers(parameters.sample_min, parameters.sample_max)
    size = data.draw(st.integers(0, 300))
    samples = data.draw(hnp.arrays(parameters.dtype, size, elements=values, fill=values))
    coded = encode_samples(samples, parameters)
    assert coded == codecs_ccsds121_reference.encode([int(sample) for sample in samples], parameters)
    assert np.array_equal(decode_samples(coded, parameters, samples.shape), samples)


@LAW
@given(drawn=images())
def test_images_are_restored_and_equal_the_reference(drawn: Drawn) -> None:
    """In every mode; `tests/property/test_ccsds123.py` holds the reference to the limits."""
    image, parameters = drawn
    coded = encode_image(image, parameters)
    assert coded == ccsds123_reference.encode(image, parameters)
    restored, plain = (
        decode_image(coded, known=parameters),
        ccsds123_reference.decode(coded, parameters),
    )
    assert restored.dtype == plain.dtype == image.dtype
    assert np.array_equal(restored, plain)
    if parameters.error_limits_used == 0:
        assert np.array_equal(restored, image)


def outcome(decode: Any) -> Any:
    """The samples, or the status."""
    try:
        return np.asarray(decode()).tolist()
    except KernelError as error:
        return error.status_name


@LAW
@given(encoded=RANDOM_BYTES, parameters=sample_parameters(), sample_count=st.integers(0, 200))
def test_any_bytes_give_samples_or_a_status(
    encoded: bytes, parameters: CCSDS121Parameters, sample_count: int
) -> None:
    found = outcome(lambda: decode_samples(encoded, parameters, (sample_count,)))
    plain = outcome(lambda: codecs_ccsds121_reference.decode(encoded, parameters, sample_count))
    assert found == plain


@LAW
@given(drawn=images(side_max=4), data=st.data())
def test_a_damaged_image_gives_an_image_or_a_status(drawn: Drawn, data: st.DataObject) -> None:
    image, parameters = drawn
    coded = bytearray(encode_image(image, parameters))
    for _ in range(data.draw(st.integers(1, 3))):
        coded[data.draw(st.integers(0, len(coded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    found = outcome(lambda: decode_image(coded, sample_count_max=2000, known=parameters))
    if found != "FOS_ERR_TOO_LARGE":
        assert found == outcome(lambda: ccsds123_reference.decode(bytes(coded), parameters))
