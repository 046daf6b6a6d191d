"""Compression: CCSDS 121.0-B-3 for sequences of samples, CCSDS 123.0-B-2 for images of several bands.

`encode_image` also takes error limits (near-lossless), and its bytes carry their own parameters, but for tables that
they are told to leave out; those of `encode_samples` do not. Decoders take any bytes: what is no such code is a
KernelError, and nothing is given. Without the C module the plain references serve, with the same bytes, some thousand
times slower.
"""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import KernelError, backend, codecs_ccsds121_reference
from flightos.kernels.arguments import check_array
from flightos.kernels.ccsds123 import reference as ccsds123_reference
from flightos.kernels.ccsds123.choices import (
    EntropyCoder,
    LeftOut,
    LocalSum,
    SupplementaryTable,
    TableKind,
    TablePurpose,
    TableStructure,
)
from flightos.kernels.ccsds123.header import take_header
from flightos.kernels.ccsds123.native import NativeParameters
from flightos.kernels.ccsds123.parameters import CCSDS123Parameters
from flightos.kernels.codecs_bits import BitReader
from flightos.kernels.codecs_parameters import SAMPLE_COUNT_MAX, CCSDS121Parameters
from flightos.kernels.foreign import call

__all__ = [
    "CCSDS121Parameters",
    "CCSDS123Parameters",
    "EntropyCoder",
    "LeftOut",
    "LocalSum",
    "SupplementaryTable",
    "TableKind",
    "TablePurpose",
    "TableStructure",
    "decode_image",
    "decode_samples",
    "encode_image",
    "encode_samples",
    "read_image_header",
]

if backend() == "c":
    from flightos._fos import ffi as _ffi
    from flightos._fos import lib as _lib

Buffer = bytes | bytearray | memoryview


def _check_buffer(name: str, buffer: Buffer) -> None:
    if not isinstance(buffer, bytes | bytearray | memoryview):
        raise TypeError(f"{name} must be bytes-like, not {type(buffer).__name__}")
    if isinstance(buffer, memoryview) and not buffer.c_contiguous:
        raise KernelError("NOT_CONTIGUOUS", name)


def _has_three_bytes(parameters: CCSDS121Parameters) -> bool:
    return parameters.is_three_byte and 16 < parameters.bits_per_sample <= 24


def _sample_numbers(samples: NDArray[Any], parameters: CCSDS121Parameters) -> list[int]:
    """The samples as Python numbers, for the reference."""
    if not _has_three_bytes(parameters):
        return [int(sample) for sample in samples.ravel()]
    order = "big" if parameters.is_high_byte_first else "little"
    triples = samples.reshape(-1, 3)
    return [int.from_bytes(bytes(triple), order, signed=parameters.is_signed) for triple in triples]  # type: ignore[arg-type]


def encode_samples(samples: NDArray[Any], parameters: CCSDS121Parameters) -> bytes:
    """Compress samples in the order they lie in, CCSDS 121.0-B-3; the bits are libaec's for the same parameters.

    samples is C-contiguous with dtype `parameters.dtype` (`>` for high byte first; uint8 with a last axis of 3 for
    three-byte samples). Raises TypeError for another dtype, KernelError FOS_ERR_RANGE for a sample of more bits
    than `bits_per_sample`, FOS_ERR_PARAMETER.
    """
    parameters.check()
    check_array("samples", samples, parameters.dtype)
    if _has_three_bytes(parameters) and samples.shape[-1:] != (3,):
        raise KernelError("SHAPE_MISMATCH", "three-byte samples need a last axis of 3")
    if backend() == "numpy":
        return codecs_ccsds121_reference.encode(_sample_numbers(samples, parameters), parameters)
    sample_count = samples.size // (3 if _has_three_bytes(parameters) else 1)
    given = _samples_parameters(parameters)
    encoded = np.empty(_lib.fos_ccsds121_encoded_bytes_max(given, sample_count), np.uint8)
    encoded_bytes = _ffi.new("size_t *")
    call(
        _lib.fos_ccsds121_encode,
        _ffi.from_buffer("uint8_t[]", samples),
        sample_count,
        given,
        _ffi.from_buffer("uint8_t[]", encoded, require_writable=True),
        encoded.size,
        encoded_bytes,
    )
    return encoded[: encoded_bytes[0]].tobytes()


def decode_samples(encoded: Buffer, parameters: CCSDS121Parameters, shape: tuple[int, ...]) -> NDArray[Any]:
    """Restore what `encode_samples` compressed; shape is that of the samples, and parameters are the same.

    Raises KernelError FOS_ERR_CORRUPT when the bytes end too early or are no such code.
    """
    parameters.check()
    _check_buffer("encoded", encoded)
    size = math.prod(shape)
    if any(side < 0 for side in shape) or size > SAMPLE_COUNT_MAX:
        raise KernelError("FOS_ERR_TOO_LARGE", f"shape {shape}")
    if _has_three_bytes(parameters) and shape[-1:] != (3,):
        raise KernelError("SHAPE_MISMATCH", "three-byte samples need a last axis of 3")
    sample_count = size // (3 if _has_three_bytes(parameters) else 1)
    if backend() == "numpy":
        numbers = codecs_ccsds121_reference.decode(bytes(encoded), parameters, sample_count)
        if not _has_three_bytes(parameters):
            return np.array(numbers, parameters.dtype).reshape(shape)
        order = "big" if parameters.is_high_byte_first else "little"
        packed = b"".join(
            number.to_bytes(3, order, signed=parameters.is_signed)  # type: ignore[arg-type]
            for number in numbers
        )
        return np.frombuffer(packed, np.uint8).reshape(shape).copy()
    samples = np.empty(shape, parameters.dtype)
    samples_bytes = _ffi.new("size_t *")
    source = _ffi.from_buffer("uint8_t[]", encoded)
    call(
        _lib.fos_ccsds121_decode,
        source,
        len(source),
        _samples_parameters(parameters),
        _ffi.from_buffer("uint8_t[]", samples, require_writable=True),
        sample_count,
        samples.nbytes,
        samples_bytes,
    )
    return samples


def _samples_parameters(parameters: CCSDS121Parameters) -> Any:
    numbers = (
        parameters.bits_per_sample,
        parameters.block_size,
        parameters.interval_blocks,
        parameters.flags,
    )
    return _ffi.new("fos_ccsds121_parameters_t *", numbers)


def encode_image(image: NDArray[Any], parameters: CCSDS123Parameters | None = None) -> bytes:
    """Compress an image of shape (bands, rows, cols), CCSDS 123.0-B-2; unsigned or signed numbers of 8, 16 or 32 bits.

    Without parameters: `CCSDS123Parameters.for_image(image)`, lossless. Raises TypeError for another dtype,
    KernelError SHAPE_MISMATCH when the parameters are for another shape, FOS_ERR_RANGE for a sample of more than
    `sample_bits`, FOS_ERR_PARAMETER.
    """
    if not isinstance(image, np.ndarray) or image.dtype.kind not in "ui" or image.dtype.itemsize > 4:
        raise TypeError("image must be a numpy array of uint8, int8, uint16, int16, uint32 or int32")
    given = CCSDS123Parameters.for_image(image) if parameters is None else parameters
    check_array("image", image, given.dtype, given.shape)
    given.check()
    if backend() == "numpy":
        return ccsds123_reference.encode(image, given)
    native = NativeParameters(_ffi, given)
    scratch = np.empty(_lib.fos_ccsds123_scratch_bytes(native.numbers), np.uint8)
    encoded = np.empty(_lib.fos_ccsds123_encoded_bytes_max(native.numbers, native.tables), np.uint8)
    encoded_bytes = _ffi.new("size_t *")
    call(
        _lib.fos_ccsds123_encode,
        _ffi.from_buffer("uint8_t[]", image),
        image.nbytes,
        native.numbers,
        native.tables,
        _ffi.from_buffer("uint8_t[]", scratch, require_writable=True),
        scratch.size,
        _ffi.from_buffer("uint8_t[]", encoded, require_writable=True),
        encoded.size,
        encoded_bytes,
    )
    return encoded[: encoded_bytes[0]].tobytes()


def read_image_header(encoded: Buffer, known: CCSDS123Parameters | None = None) -> CCSDS123Parameters:
    """Read what a compressed image says of itself; `known` has the tables that it leaves out.

    Raises KernelError FOS_ERR_CORRUPT when it is no header, FOS_ERR_UNSUPPORTED when it asks for what the standard
    reserves for later or for tables that nobody has told, FOS_ERR_PARAMETER when `known` is for another image.
    """
    _check_buffer("encoded", encoded)
    data = memoryview(encoded).cast("B")
    if backend() == "c":
        numbers, header_bytes = _ffi.new("fos_ccsds123_parameters_t *"), _ffi.new("size_t *")
        source = _ffi.from_buffer("uint8_t[]", data)
        call(_lib.fos_ccsds123_read_header, source, len(data), numbers, header_bytes)
        data = data[: header_bytes[0]]
    return take_header(BitReader(bytes(data)), known)


def decode_image(
    encoded: Buffer, sample_count_max: int = SAMPLE_COUNT_MAX, known: CCSDS123Parameters | None = None
) -> NDArray[Any]:
    """Restore an image from `encode_image`, or from another coder of CCSDS 123.0-B-2.

    The header tells how large it is: sample_count_max bounds the memory that bytes from outside may ask for. `known`
    has the tables that the header leaves out. Raises KernelError as `read_image_header` does, and FOS_ERR_TOO_LARGE.
    """
    given = read_image_header(encoded, known)
    if given.cols * given.rows * given.bands > sample_count_max:
        raise KernelError("FOS_ERR_TOO_LARGE", f"{given.shape}")
    if backend() == "numpy":
        return ccsds123_reference.decode(bytes(encoded), known)
    image = np.empty(given.shape, given.dtype)
    native = NativeParameters(_ffi, given)
    scratch = np.empty(_lib.fos_ccsds123_scratch_bytes(native.numbers), np.uint8)
    image_bytes = _ffi.new("size_t *")
    source = _ffi.from_buffer("uint8_t[]", encoded)
    call(
        _lib.fos_ccsds123_decode,
        source,
        len(source),
        native.tables,
        _ffi.from_buffer("uint8_t[]", image, require_writable=True),
        image.nbytes,
        _ffi.from_buffer("uint8_t[]", scratch, require_writable=True),
        scratch.size,
        image_bytes,
    )
    return image
