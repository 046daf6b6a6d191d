"""The product of the template: the sum of every band. Needs no NumPy, so the ground can read it too."""

from __future__ import annotations

from typing import Final

import msgspec

from flightos.apps.sealed import unseal

PRODUCT_MAGIC: Final = b"FTP1"


class BandSums(msgspec.Struct, frozen=True, array_like=True):
    """Sum of the raw counts of each band, in the order of `band_roles`, over `pixel_count` pixels."""

    observation_id: int
    tile_index: int
    band_roles: tuple[str, ...]
    pixel_count: int
    count_sums: tuple[int, ...]


def decode_product(block: bytes) -> BandSums:
    """Give the product. Any bytes give a result or InputCorrupt."""
    return unseal(PRODUCT_MAGIC, BandSums, block)[0]
