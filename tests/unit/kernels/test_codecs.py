"""The lossless codecs: libaec's bits, real images restored, refusals that touch nothing, damage that is told."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from flightos.kernels import KernelError, backend, codecs_ccsds121_reference
from flightos.kernels.ccsds123 import reference as ccsds123_reference
from flightos.kernels.codecs import (
    CCSDS121Parameters,
    CCSDS123Parameters,
    EntropyCoder,
    LocalSum,
    decode_image,
    decode_samples,
    encode_image,
    encode_samples,
    read_image_header,
)
from sil.data import LANDSAT7_OLINDA, SENTINEL2_10M
from sil.world.scene import read_scene

# 0..99 in 16 bits, by libaec: blocks of 8, intervals of 4 blocks.
RAMP_CODED = (
    "10000492491249249124924912492491002024924892492489249248924924880201249244924924492492449249244018093e"
)


def sentinel2() -> NDArray[np.uint16]:
    with np.load(SENTINEL2_10M) as bands:
        return np.stack([bands[name] for name in ("B02", "B03", "B04", "B08")])


def landsat7() -> NDArray[np.uint8]:
    pytest.importorskip("tifffile")
    return np.ascontiguousarray(read_scene(LANDSAT7_OLINDA).image)


REAL_IMAGES = pytest.mark.parametrize("read", [sentinel2, landsat7])


def walk(sample_count: int, parameters: CCSDS121Parameters, step_bits: int) -> NDArray[Any]:
    """A random walk within the range of the samples."""
    random = np.random.default_rng(step_bits)
    steps = random.integers(-(1 << step_bits), (1 << step_bits) + 1, sample_count)
    walked = np.cumsum(steps).clip(parameters.sample_min, parameters.sample_max)
    return walked.astype(parameters.dtype)


def test_samples_published_by_another_coder() -> None:
    parameters = CCSDS121Parameters(bits_per_sample=16, block_size=8, interval_blocks=4)
    ramp = np.arange(100, dtype=np.uint16)
    assert encode_samples(ramp, parameters).hex() == RAMP_CODED
    assert codecs_ccsds121_reference.encode(ramp.tolist(), parameters).hex() == RAMP_CODED
    assert np.array_equal(decode_samples(bytes.fromhex(RAMP_CODED), parameters, (100,)), ramp)


@pytest.mark.parametrize("block_size", [8, 16, 32, 64])
@pytest.mark.parametrize("bits", [1, 4, 8, 11, 16, 20, 24, 32])
@pytest.mark.parametrize("is_signed", [False, True])
def test_samples_have_the_bits_of_libaec(bits: int, block_size: int, is_signed: bool) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    parameters = CCSDS121Parameters(
        bits_per_sample=bits, block_size=block_size, interval_blocks=70, is_signed=is_signed
    )
    for step_bits in range(0, bits, 3):
        samples = walk(20 * 70 + 5, parameters, step_bits)
        samples[300:900] = samples[300]
        # libaec wants the unused high bits of a signed sample empty.
        unsigned = samples.view(samples.dtype.str.replace("i", "u"))
        given = (unsigned & (2**bits - 1)).astype(unsigned.dtype)
        theirs = imagecodecs.aec_encode(
            given.tobytes(), bitspersample=bits, flags=parameters.flags, blocksize=block_size, rsi=70
        )
        ours = encode_samples(samples, parameters)
        assert ours == theirs
        assert np.array_equal(decode_samples(ours, parameters, samples.shape), samples)


@pytest.mark.parametrize(
    "choices",
    [
        {"bits_per_sample": 12, "is_high_byte_first": True, "is_signed": True},
        {"bits_per_sample": 30, "is_high_byte_first": True},
        {"bits_per_sample": 10, "has_preprocessor": False, "is_signed": True},
        {"bits_per_sample": 3, "is_restricted": True, "pads_interval": True, "interval_blocks": 3},
    ],
)
def test_other_forms_of_samples_equal_the_reference(choices: dict[str, Any]) -> None:
    parameters = CCSDS121Parameters(**choices)
    samples = walk(999, parameters, parameters.bits_per_sample - 2)
    coded = encode_samples(samples, parameters)
    assert coded == codecs_ccsds121_reference.encode([int(sample) for sample in samples], parameters)
    assert np.array_equal(decode_samples(coded, parameters, samples.shape), samples)


@pytest.mark.parametrize("is_high_byte_first", [False, True])
def test_samples_of_three_bytes(is_high_byte_first: bool) -> None:
    parameters = CCSDS121Parameters(
        bits_per_sample=20, is_three_byte=True, is_high_byte_first=is_high_byte_first
    )
    numbers = np.arange(50, dtype=np.uint32) * 17_000 % (1 << 20)
    order = ">" if is_high_byte_first else "<"
    four = numbers.astype(f"{order}u4").view(np.uint8).reshape(-1, 4)
    three = np.ascontiguousarray(four[:, 1:] if is_high_byte_first else four[:, :3])
    coded = encode_samples(three, parameters)
    assert coded == codecs_ccsds121_reference.encode(numbers.tolist(), parameters)
    assert np.array_equal(decode_samples(coded, parameters, three.shape), three)
    with pytest.raises(KernelError, match="SHAPE_MISMATCH"):
        encode_samples(three.reshape(-1), parameters)


@REAL_IMAGES
@pytest.mark.parametrize("coder", EntropyCoder)
def test_real_images_are_restored_bit_for_bit(read: Any, coder: EntropyCoder) -> None:
    image = read()
    if backend() == "numpy":
        image = np.ascontiguousarray(image[:, :20, :30])
    for order in (0, 1, len(image)):
        given = CCSDS123Parameters.for_image(image, interleave_bands=order, entropy_coder=coder)
        coded = encode_image(image, given)
        assert read_image_header(coded) == given
        assert np.array_equal(decode_image(coded), image)
    parameters = CCSDS121Parameters(bits_per_sample=8 * image.itemsize)
    assert np.array_equal(decode_samples(encode_samples(image, parameters), parameters, image.shape), image)


@REAL_IMAGES
def test_real_images_shrink_more_than_with_jpeg_ls(read: Any) -> None:
    imagecodecs = pytest.importorskip("imagecodecs")
    if backend() == "numpy":
        pytest.skip("whole images take the plain reference too long")
    image = read()
    assert len(encode_image(image)) < sum(len(imagecodecs.jpegls_encode(band)) for band in image)


@pytest.mark.parametrize("local_sum", LocalSum)
@pytest.mark.parametrize("is_reduced", [0, 1])
def test_a_piece_of_a_real_image_equals_the_reference(local_sum: LocalSum, is_reduced: int) -> None:
    image = np.ascontiguousarray(sentinel2()[:, 100:112, 50:80])
    for coder in EntropyCoder:
        given = CCSDS123Parameters.for_image(
            image, local_sum=local_sum, is_reduced=is_reduced, entropy_coder=coder
        )
        coded = encode_image(image, given)
        assert coded == ccsds123_reference.encode(image, given)
        assert np.array_equal(ccsds123_reference.decode(coded), image)


@pytest.mark.parametrize(("limits", "error"), [(1, 3), (3, 3), (2, None)])
def test_near_lossless_keeps_to_its_limits(limits: int, error: int | None) -> None:
    image = np.ascontiguousarray(sentinel2()[:, :40, :50])
    given = CCSDS123Parameters.for_image(
        image, error_limits_used=limits, error_absolute_max=3, error_relative_max=200
    )
    coded = encode_image(image, given)
    difference = np.abs(decode_image(coded).astype(int) - image)
    if error is not None:
        assert difference.max() <= error
    else:
        # The limit follows the predicted value, which is off by as much as a residual.
        assert difference.max() <= 200 * 8192 // 65536
    assert len(coded) < len(encode_image(image))


@pytest.mark.parametrize("shape", [(1, 1, 1), (1, 1, 9), (1, 9, 1), (3, 7, 1), (5, 1, 2), (1, 6, 5)])
@pytest.mark.parametrize("dtype", [np.uint8, np.int8, np.uint16, np.int16, np.uint32, np.int32])
def test_every_shape_is_restored(shape: tuple[int, int, int], dtype: Any) -> None:
    numbers = np.iinfo(dtype)
    image = np.random.default_rng(1).integers(numbers.min, numbers.max, shape, dtype, endpoint=True)
    coded = encode_image(image)
    assert coded == ccsds123_reference.encode(image, CCSDS123Parameters.for_image(image))
    restored = decode_image(coded)
    assert restored.dtype == dtype
    assert np.array_equal(restored, image)


@pytest.mark.parametrize("coder", EntropyCoder)
def test_noise_never_outgrows_the_memory_for_it(coder: EntropyCoder) -> None:
    """The longest header, whole words at the end and samples that do not shrink: all fits what is set aside."""
    random = np.random.default_rng(3)
    for cols in range(2, 60):
        image = random.integers(0, 1 << 15, (1, 1, cols)).astype(np.uint16)
        given = CCSDS123Parameters.for_image(
            image,
            sample_bits=15,
            error_limits_used=3,
            entropy_coder=coder,
            block_size=16,
            output_word_bytes=7,
            unary_zeros_max=8,
        )
        assert np.array_equal(decode_image(encode_image(image, given)), image)


def test_what_is_no_image_is_refused() -> None:
    image = np.zeros((2, 4, 6), np.uint16)
    given = CCSDS123Parameters.for_image(image)
    with pytest.raises(TypeError, match="uint16"):
        encode_image(image.astype(np.float32))
    with pytest.raises(TypeError):
        encode_image(image.astype(np.uint8), given)
    with pytest.raises(KernelError, match="SHAPE_MISMATCH"):
        encode_image(image[:, :3].copy(), given)
    with pytest.raises(KernelError, match="SHAPE_MISMATCH"):
        encode_image(image[0])
    with pytest.raises(KernelError, match="NOT_CONTIGUOUS"):
        encode_image(image[:, :, ::2])
    with pytest.raises(KernelError, match="FOS_ERR_RANGE"):
        encode_image(image + np.uint16(1024), replace(given, sample_bits=10))
    refused: list[dict[str, Any]] = [
        {"bands_used": 16},
        {"register_bits": 30},
        {"entropy_coder": 3},
        {"weight_bits": 3},
    ]
    for choices in refused:
        with pytest.raises(KernelError, match="FOS_ERR_PARAMETER"):
            encode_image(image, replace(given, **choices))
    with pytest.raises(KernelError, match="FOS_ERR_PARAMETER"):
        encode_image(np.zeros((0, 4, 4), np.uint8))


def test_what_are_no_samples_is_refused() -> None:
    parameters = CCSDS121Parameters(bits_per_sample=12)
    samples = np.zeros(40, np.uint16)
    with pytest.raises(TypeError, match="uint16"):
        encode_samples(samples.astype(np.uint8), parameters)
    with pytest.raises(KernelError, match="FOS_ERR_RANGE"):
        encode_samples(samples + np.uint16(4096), parameters)
    with pytest.raises(KernelError, match="NOT_CONTIGUOUS"):
        encode_samples(samples[::2], parameters)
    for choices in (
        {"block_size": 12},
        {"interval_blocks": 0},
        {"bits_per_sample": 33},
        {"is_restricted": True},
    ):
        with pytest.raises(KernelError, match="FOS_ERR_PARAMETER"):
            encode_samples(samples, replace(parameters, **choices))
    with pytest.raises(KernelError, match="FOS_ERR_TOO_LARGE"):
        decode_samples(b"", parameters, (1 << 20, 1 << 20))
    with pytest.raises(TypeError):
        decode_samples("text", parameters, (1,))  # type: ignore[arg-type]
    assert encode_samples(samples[:0], parameters) == b""


def test_a_damaged_code_is_told() -> None:
    image = np.random.default_rng(2).integers(0, 4096, (2, 9, 10)).astype(np.uint16)
    coded = encode_image(image)
    for end in (0, 5, 18, 20, len(coded) - 3):
        with pytest.raises(KernelError, match="FOS_ERR_CORRUPT"):
            decode_image(coded[:end])
    with pytest.raises(KernelError, match="FOS_ERR_TOO_LARGE"):
        decode_image(coded, sample_count_max=image.size - 1)
    reserved = bytearray(coded)
    reserved[10] |= 6
    with pytest.raises(KernelError, match="FOS_ERR_UNSUPPORTED"):
        decode_image(reserved)
    parameters = CCSDS121Parameters(bits_per_sample=16)
    with pytest.raises(KernelError, match="FOS_ERR_CORRUPT"):
        decode_samples(encode_samples(image, parameters)[:-8], parameters, image.shape)
