"""The tile: a rectangle of an observed scene as raw detector counts, the input of every app.

A tile is a sealed block (`apps.sealed`) of kind FTL1: the header says what and where, the body holds the
pixels band after band, each band row by row, 16-bit counts little-endian. This module needs no NumPy.
"""

from __future__ import annotations

from typing import Annotated, Final

import msgspec

from flightos.apps.interface import InputCorrupt
from flightos.apps.sealed import seal, unseal

TILE_MAGIC: Final = b"FTL1"
TILE_SIDE_PIXELS_MAX: Final = 4096
TILE_BAND_COUNT_MAX: Final = 64
SAMPLE_BYTES: Final = {"uint8": 1, "uint16": 2}

_Count = Annotated[int, msgspec.Meta(ge=0)]
_Side = Annotated[int, msgspec.Meta(ge=1, le=TILE_SIDE_PIXELS_MAX)]


class TileHeader(msgspec.Struct, frozen=True, array_like=True):
    """What a tile holds. Offsets count pixels from the first row and column of the scene.

    `band_roles` says what each band sees, in the order of the body: blue, green, red, nir, swir1, swir2, or
    any other name for bands that no step asks for. `sample_type` is uint8 or uint16; `pixel_size_mm` is the
    side of a square pixel on the ground.
    """

    observation_id: _Count
    tile_index: _Count
    row_offset: _Count
    col_offset: _Count
    rows: _Side
    cols: _Side
    band_roles: Annotated[tuple[str, ...], msgspec.Meta(min_length=1, max_length=TILE_BAND_COUNT_MAX)]
    sample_type: str
    pixel_size_mm: Annotated[int, msgspec.Meta(ge=1)]

    @property
    def pixel_count(self) -> int:
        """Pixels of one band."""
        return self.rows * self.cols

    @property
    def raw_bytes(self) -> int:
        """Size of all pixels, without header and checksum: what the raw image would cost to send."""
        return self.pixel_count * len(self.band_roles) * SAMPLE_BYTES[self.sample_type]


def encode_tile(header: TileHeader, pixels: bytes) -> bytes:
    """Give the block of a tile. `pixels` is the body: band, row, column, 16-bit counts little-endian."""
    assert header.sample_type in SAMPLE_BYTES, header.sample_type
    assert len(pixels) == header.raw_bytes, (
        f"{len(pixels)} bytes of pixels, the header says {header.raw_bytes}"
    )
    return seal(TILE_MAGIC, header, pixels)


def decode_tile(block: bytes) -> tuple[TileHeader, bytes]:
    """Give header and pixels of a tile. Any bytes give a result or InputCorrupt."""
    header, pixels = unseal(TILE_MAGIC, TileHeader, block)
    if header.sample_type not in SAMPLE_BYTES:
        raise InputCorrupt(f"a tile has samples of type {header.sample_type!r}")
    if len(pixels) != header.raw_bytes:
        raise InputCorrupt(f"a tile has {len(pixels)} bytes of pixels, its header says {header.raw_bytes}")
    return header, pixels
