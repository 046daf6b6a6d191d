"""The coders that image_compression.py sets side by side: standards of space, and what one would take on the ground."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from importlib.util import find_spec
from typing import Any, NamedTuple

import numpy as np

from flightos.kernels.codecs import (
    CCSDS121Parameters,
    CCSDS123Parameters,
    EntropyCoder,
    decode_image,
    decode_samples,
    encode_image,
    encode_samples,
)


class Coder(NamedTuple):
    """A way to compress: image to code, code back to an image like the one given."""

    name: str
    encode: Callable[[Any], Any]
    decode: Callable[[Any, Any], Any]
    is_peer: bool = False


def ccsds123(entropy_coder: EntropyCoder) -> Coder:
    """All bands together; the code carries its own parameters."""

    def encode(image: Any) -> bytes:
        return encode_image(image, CCSDS123Parameters.for_image(image, entropy_coder=entropy_coder))

    name = entropy_coder.name.lower().replace("_", "-")
    return Coder(f"CCSDS 123, {name}", encode, lambda code, _: decode_image(code))


def ccsds121() -> Coder:
    """Samples in the order they lie in; the decoder must be told the parameters."""

    def parameters(image: Any) -> CCSDS121Parameters:
        return CCSDS121Parameters(bits_per_sample=8 * image.itemsize)

    return Coder(
        "CCSDS 121",
        lambda image: encode_samples(image, parameters(image)),
        lambda code, image: decode_samples(code, parameters(image), image.shape),
    )


def band_by_band(name: str, encode: Callable[[Any], Any], decode: Callable[[Any], Any]) -> Coder:
    """A peer that knows no more than one band."""
    return Coder(
        name,
        lambda image: [encode(band) for band in image],
        lambda codes, _: np.stack([decode(code) for code in codes]),
        is_peer=True,
    )


def own_coders() -> list[Coder]:
    """Those of flightos."""
    return [*map(ccsds123, EntropyCoder), ccsds121()]


def peer_coders() -> list[Coder]:
    """Those of imagecodecs; none where it is not installed."""
    if find_spec("imagecodecs") is None:
        return []
    import imagecodecs

    jpeg2000 = partial(imagecodecs.jpeg2k_encode, level=0, reversible=True, numthreads=1)
    return [
        band_by_band("JPEG-LS", imagecodecs.jpegls_encode, imagecodecs.jpegls_decode),
        band_by_band("JPEG 2000", jpeg2000, imagecodecs.jpeg2k_decode),
        Coder(
            "zstd 9",
            lambda image: imagecodecs.zstd_encode(image.tobytes(), level=9),
            lambda code, like: np.frombuffer(imagecodecs.zstd_decode(code), like.dtype).reshape(like.shape),
            is_peer=True,
        ),
    ]
