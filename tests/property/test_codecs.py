"""Whatever the samples, the sizes and the parameters: both implementations give the same bytes, and get them back."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from flightos.kernels import KernelError, codecs_ccsds121_reference, codecs_ccsds123_reference
from flightos.kernels.codecs import (
    CCSDS121Parameters,
    CCSDS123Parameters,
    decode_image,
    decode_samples,
    encode_image,
    encode_samples,
)

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


@st.composite
def images(draw: st.DrawFn) -> tuple[NDArray[Any], CCSDS123Parameters]:
    bits = draw(st.integers(2, 16))
    is_signed = draw(st.booleans())
    low = -(1 << bits - 1) if is_signed else 0
    dtype = np.dtype(f"{'i' if is_signed else 'u'}{2 if bits > 8 else 1}")
    shape = draw(hnp.array_shapes(min_dims=3, max_dims=3, min_side=1, max_side=7))
    values = st.integers(low, low + (1 << bits) - 1)
    image = draw(hnp.arrays(dtype, shape, elements=values, fill=values))
    one_column = shape[2] == 1
    weight_bits = draw(st.integers(4, 19))
    first = draw(st.integers(-6, 9))
    counter_first_bits = draw(st.integers(1, 8))
    choices: dict[str, int] = {
        "sample_bits": bits,
        "is_signed": int(is_signed),
        "interleave_bands": draw(st.integers(0, shape[0])),
        "output_word_bytes": draw(st.integers(1, 8)),
        "entropy_coder": draw(st.sampled_from([0, 2])),
        "bands_used": draw(st.integers(0, 15)),
        "is_reduced": 1 if one_column else draw(st.integers(0, 1)),
        "local_sum": draw(st.integers(2 if one_column else 0, 3)),
        "register_bits": draw(st.sampled_from([max(32, bits + weight_bits + 2), 64])),
        "weight_bits": weight_bits,
        "weight_interval_log2": draw(st.integers(4, 11)),
        "weight_exponent_first": first,
        "weight_exponent_last": draw(st.integers(first, 9)),
        "unary_zeros_max": draw(st.integers(8, 32)),
        "counter_first_bits": counter_first_bits,
        "counter_bits": draw(st.integers(max(4, counter_first_bits + 1), 11)),
        "accumulator_first": draw(st.integers(0, min(bits - 2, 14))),
        "block_size": draw(st.sampled_from([8, 16, 32, 64])),
        "interval_blocks": draw(st.integers(1, 100)),
        "is_restricted": draw(st.integers(0, 1)) if bits <= 4 else 0,
    }
    return image, CCSDS123Parameters.for_image(image, **choices)


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
def test_images_are_restored_and_equal_the_reference(drawn: tuple[NDArray[Any], CCSDS123Parameters]) -> None:
    image, parameters = drawn
    coded = encode_image(image, parameters)
    assert coded == codecs_ccsds123_reference.encode(image, parameters)
    assert np.array_equal(decode_image(coded), image)
    assert np.array_equal(codecs_ccsds123_reference.decode(coded), image)


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
@given(drawn=images(), data=st.data())
def test_a_damaged_image_gives_an_image_or_a_status(
    drawn: tuple[NDArray[Any], CCSDS123Parameters], data: Any
) -> None:
    coded = bytearray(encode_image(*drawn))
    for _ in range(data.draw(st.integers(1, 3))):
        coded[data.draw(st.integers(0, len(coded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    found = outcome(lambda: decode_image(coded, sample_count_max=2000))
    if found not in ("FOS_ERR_TOO_LARGE", "FOS_ERR_UNSUPPORTED"):
        assert found == outcome(lambda: codecs_ccsds123_reference.decode(bytes(coded)))
