"""The codecs on real images: compression ratio and rate, against libaec and JPEG-LS.

One thread; times are medians of that thread's CPU time over alternating rounds. Rates are MB/s of samples, not of
code. CCSDS 123.0-B-2 has no packaged peer: JPEG-LS, band by band, is what one would fly instead; near-lossless it is
told the same largest error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import isa_name
from flightos.kernels.codecs import (
    CCSDS121Parameters,
    CCSDS123Parameters,
    EntropyCoder,
    decode_image,
    decode_samples,
    encode_image,
    encode_samples,
)
from sil.bench.registry import Options
from sil.bench.rows import Row, missing_peer, skipped
from sil.bench.timing import Action, cpu_s
from sil.data import LANDSAT7_OLINDA, SENTINEL2_10M

MEGA: Final = 1e6
BLOCK_SIZE: Final = 32
INTERVAL_BLOCKS: Final = 64
IMAGE_RATE_GOAL: Final = ">= 100"
SAMPLES_GOAL: Final = ">= 0.8"
RATIO_GOAL: Final = ">= 1"
ERROR_SHARE_BITS: Final = {8: 7, 16: 13}
"""Near-lossless rows allow an error of this many bits less than a sample has: 2 of 256, 8 of 65536."""

AnyImage = NDArray[Any]


def _sentinel2() -> AnyImage:
    with np.load(SENTINEL2_10M) as bands:
        return np.stack([bands[name] for name in ("B02", "B03", "B04", "B08")])


def _landsat7() -> AnyImage:
    from sil.world.scene import read_scene

    return np.ascontiguousarray(read_scene(LANDSAT7_OLINDA).image)


def _samples_rows(name: str, image: AnyImage, rounds: int) -> Iterator[Row]:
    """CCSDS 121.0-B-3 against libaec: the same bits, so only the rates differ."""
    reason = missing_peer("imagecodecs")
    if reason is not None:
        yield skipped(f"ccsds121_{name}", "MB/s", reason, peer="libaec", goal=SAMPLES_GOAL)
        return
    import imagecodecs

    parameters = CCSDS121Parameters(
        bits_per_sample=8 * image.itemsize, block_size=BLOCK_SIZE, interval_blocks=INTERVAL_BLOCKS
    )
    coded = encode_samples(image, parameters)
    raw = image.tobytes()
    same: dict[str, Any] = {
        "bitspersample": parameters.bits_per_sample,
        "flags": parameters.flags,
        "blocksize": BLOCK_SIZE,
        "rsi": INTERVAL_BLOCKS,
    }
    detail = {
        "compression": image.nbytes / len(coded),
        "same_bits": bytes(imagecodecs.aec_encode(raw, **same)) == coded,
    }
    coding: dict[str, Action] = {
        "own": lambda: encode_samples(image, parameters),
        "libaec": lambda: imagecodecs.aec_encode(raw, **same),
    }
    decoding: dict[str, Action] = {
        "own": lambda: decode_samples(coded, parameters, image.shape),
        "libaec": lambda: imagecodecs.aec_decode(coded, out=len(raw), **same),
    }
    for direction, contenders in (("encode", coding), ("decode", decoding)):
        taken = cpu_s(contenders, rounds)
        yield Row(
            name=f"ccsds121_{direction}_{name}",
            value=image.nbytes / taken["own"] / MEGA,
            unit="MB/s",
            peer="libaec",
            ratio=taken["libaec"] / taken["own"],
            goal=SAMPLES_GOAL,
            detail=detail,
        )


def _rate_rows(
    name: str, image: AnyImage, given: CCSDS123Parameters, rounds: int, goal: str | None
) -> Iterator[Row]:
    """Rates of one mode of CCSDS 123.0-B-2; `name` stands between the direction and the image."""
    coded = encode_image(image, given)
    taken = cpu_s(
        {"encode": lambda: encode_image(image, given), "decode": lambda: decode_image(coded)}, rounds
    )
    for direction, taken_s in taken.items():
        yield Row(
            name=f"ccsds123_{direction}_{name}",
            value=image.nbytes / taken_s / MEGA,
            unit="MB/s",
            goal=goal if direction == "encode" else None,
            detail={
                "isa": isa_name(),
                "megasamples_per_s": image.size / taken_s / MEGA,
                "compression": image.nbytes / len(coded),
            },
        )


def _near_lossless_rows(name: str, image: AnyImage, rounds: int) -> Iterator[Row]:
    """Every sample within the same error: with the sample-adaptive and with the hybrid coder, against JPEG-LS."""
    error = 1 << 8 * image.itemsize - ERROR_SHARE_BITS[8 * image.itemsize]
    limits = {"error_limits_used": 1, "error_absolute_max": error}
    adaptive = CCSDS123Parameters.for_image(image, **limits)
    hybrid = CCSDS123Parameters.for_image(image, **limits, entropy_coder=EntropyCoder.HYBRID)
    yield from _rate_rows(f"near_lossless_{name}", image, adaptive, rounds, None)
    yield from _rate_rows(f"near_lossless_hybrid_{name}", image, hybrid, rounds, None)
    reason = missing_peer("imagecodecs")
    if reason is not None:
        yield skipped(
            f"ccsds123_compression_near_lossless_{name}", "", reason, peer="JPEG-LS", goal=RATIO_GOAL
        )
        return
    import imagecodecs

    coded = encode_image(image, hybrid)
    peer_coded = [imagecodecs.jpegls_encode(band, level=error) for band in image]
    peer_bytes = sum(len(band) for band in peer_coded)
    peer_restored = np.stack([imagecodecs.jpegls_decode(band) for band in peer_coded])
    yield Row(
        name=f"ccsds123_compression_near_lossless_{name}",
        value=image.nbytes / len(coded),
        unit="to 1",
        peer="JPEG-LS",
        ratio=peer_bytes / len(coded),
        goal=RATIO_GOAL,
        detail={
            "largest_error_allowed": error,
            "largest_error": _largest_error(image, decode_image(coded)),
            "peer_largest_error": _largest_error(image, peer_restored),
            "peer_compression": image.nbytes / peer_bytes,
        },
    )


def _largest_error(image: AnyImage, restored: AnyImage) -> int:
    return int(np.abs(image.astype(np.int64) - restored.astype(np.int64)).max())


def _image_rows(name: str, image: AnyImage, rounds: int) -> Iterator[Row]:
    """CCSDS 123.0-B-2: rates with a goal of their own, and the ratio against JPEG-LS."""
    given = CCSDS123Parameters.for_image(image)
    hybrid = CCSDS123Parameters.for_image(image, entropy_coder=EntropyCoder.HYBRID)
    coded = encode_image(image, given)
    yield from _rate_rows(name, image, given, rounds, IMAGE_RATE_GOAL)
    yield from _rate_rows(f"hybrid_{name}", image, hybrid, rounds, None)
    yield from _near_lossless_rows(name, image, rounds)
    reason = missing_peer("imagecodecs")
    if reason is not None:
        yield skipped(f"ccsds123_compression_{name}", "", reason, peer="JPEG-LS", goal=RATIO_GOAL)
        return
    import imagecodecs

    bands_s = cpu_s({"JPEG-LS": lambda: [imagecodecs.jpegls_encode(band) for band in image]}, rounds)[
        "JPEG-LS"
    ]
    peer_bytes = sum(len(imagecodecs.jpegls_encode(band)) for band in image)
    blocks = encode_image(
        image, CCSDS123Parameters.for_image(image, entropy_coder=EntropyCoder.BLOCK_ADAPTIVE)
    )
    yield Row(
        name=f"ccsds123_compression_{name}",
        value=image.nbytes / len(coded),
        unit="to 1",
        peer="JPEG-LS",
        ratio=peer_bytes / len(coded),
        goal=RATIO_GOAL,
        detail={
            "peer_compression": image.nbytes / peer_bytes,
            "peer_mb_per_s": image.nbytes / bands_s / MEGA,
            "block_adaptive_compression": image.nbytes / len(blocks),
            "hybrid_compression": image.nbytes / len(encode_image(image, hybrid)),
            "restored": np.array_equal(decode_image(coded), image),
        },
    )


def measure(options: Options) -> Iterator[Row]:
    """Rows of both codecs on the Sentinel-2 patch (16 bits) and the Landsat-7 scene (8 bits)."""
    rounds = options.rounds(15)
    for name, read in (("sentinel2", _sentinel2), ("landsat7", _landsat7)):
        try:
            image = read()
        except ModuleNotFoundError as error:
            yield skipped(f"ccsds123_encode_{name}", "MB/s", f"{error.name!r} is not installed")
            continue
        yield from _samples_rows(name, image, rounds)
        yield from _image_rows(name, image, rounds)
