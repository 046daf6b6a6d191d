"""The product of `surface_watch`: what is worth sending of a tile, and how the ground reads it.

A product is a sealed block (`apps.sealed`) of kind FPR1: the header is a `SurfaceWatchProduct` as
MessagePack, the body the packed masks of its layers, one after the other. All numbers of the table are
integers from which area, centroid and means follow exactly, so products of many tiles add up without
rounding. This module needs no NumPy.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from flightos.apps.interface import InputCorrupt
from flightos.apps.sealed import seal, unseal

PRODUCT_MAGIC: Final = b"FPR1"
PRODUCT_VERSION: Final = 1
FIXED_POINT_ONE: Final = 1 << 30
"""One unit of an index sum is 2^-30."""


class Region(msgspec.Struct, frozen=True, array_like=True):
    """One 8-connected region. Rows and columns count from 0 at the tile's first pixel; maxima are inside the
    box.

    `confidence_e3` is the stated confidence in thousandths: the distance of the mean index from the threshold
    over the product's `confidence_margin`, held at 1. It says how clear the region is, it is not a
    probability.
    """

    pixel_count: int
    row_sum: int
    col_sum: int
    row_min: int
    row_max: int
    col_min: int
    col_max: int
    index_sum_fixed: int
    confidence_e3: int

    @property
    def centroid_row(self) -> float:
        """Mean row of the pixels, in the tile."""
        return self.row_sum / self.pixel_count

    @property
    def centroid_col(self) -> float:
        """Mean column of the pixels, in the tile."""
        return self.col_sum / self.pixel_count

    @property
    def index_mean(self) -> float:
        """Mean index over the region, each pixel rounded to 2^-30."""
        return self.index_sum_fixed / FIXED_POINT_ONE / self.pixel_count

    @property
    def confidence_ratio(self) -> float:
        """Stated confidence from 0, at the threshold, to 1."""
        return self.confidence_e3 / 1000


class Layer(msgspec.Struct, frozen=True, array_like=True):
    """What one index found in the tile.

    `mask_pixel_count` pixels are on the `side` of the threshold; `valid_pixel_count` pixels (all but bad
    ones) make up `index_sum_fixed`, the sum of rint(index * 2^30). Regions come in the order of their first
    pixel; those left out for want of room are the smallest, `regions_omitted_count` of them.
    """

    layer: str
    index_name: str
    side: str
    threshold: float
    mask_pixel_count: int
    valid_pixel_count: int
    index_sum_fixed: int
    regions: tuple[Region, ...]
    regions_omitted_count: int


class SurfaceWatchProduct(msgspec.Struct, frozen=True, array_like=True):
    """The findings of one tile, and where it lies in the scene."""

    version: int
    observation_id: int
    tile_index: int
    row_offset: int
    col_offset: int
    rows: int
    cols: int
    pixel_size_mm: int
    pixel_count_min: int
    confidence_margin: float
    layers: tuple[Layer, ...]

    @property
    def mask_bytes(self) -> int:
        """Size of one packed mask: eight pixels a byte, the first in the highest bit."""
        return (self.rows * self.cols + 7) // 8

    def area_m2(self, region: Region) -> float:
        """Ground area of a region."""
        return region.pixel_count * (self.pixel_size_mm / 1000) ** 2


class LayerTotal(msgspec.Struct, frozen=True):
    """One layer added up over many products; exact, whatever their order."""

    mask_pixel_count: int
    valid_pixel_count: int
    index_sum_fixed: int
    region_count: int

    @property
    def mask_ratio(self) -> float:
        """Share of the valid pixels that are inside the mask."""
        return self.mask_pixel_count / self.valid_pixel_count

    @property
    def index_mean(self) -> float:
        """Mean index of the valid pixels, each rounded to 2^-30."""
        return self.index_sum_fixed / FIXED_POINT_ONE / self.valid_pixel_count


def encode_product(product: SurfaceWatchProduct, masks: Iterable[bytes]) -> bytes:
    """Give the block of a product; `masks` are packed, one for each layer in order."""
    parts = tuple(masks)
    assert [len(part) for part in parts] == [product.mask_bytes] * len(product.layers)
    return seal(PRODUCT_MAGIC, product, b"".join(parts))


def decode_product(block: bytes) -> tuple[SurfaceWatchProduct, tuple[bytes, ...]]:
    """Give a product and its packed masks in the order of its layers (`kernels.bandmath.unpack_bits` opens
    them).

    Any bytes give a result or InputCorrupt.
    """
    product, body = unseal(PRODUCT_MAGIC, SurfaceWatchProduct, block)
    if product.version != PRODUCT_VERSION:
        raise InputCorrupt(f"a product of version {product.version}, this is version {PRODUCT_VERSION}")
    size_bytes = product.mask_bytes
    if product.rows < 1 or product.cols < 1 or len(body) != size_bytes * len(product.layers):
        raise InputCorrupt(f"a product of {len(product.layers)} layers with {len(body)} bytes of masks")
    return product, tuple(body[start : start + size_bytes] for start in range(0, len(body), size_bytes))


def total_by_layer(products: Iterable[SurfaceWatchProduct]) -> dict[str, LayerTotal]:
    """Add up products of different tiles, layer by layer."""
    totals: dict[str, LayerTotal] = {}
    for product in products:
        for layer in product.layers:
            before = totals.get(layer.layer, LayerTotal(0, 0, 0, 0))
            totals[layer.layer] = LayerTotal(
                mask_pixel_count=before.mask_pixel_count + layer.mask_pixel_count,
                valid_pixel_count=before.valid_pixel_count + layer.valid_pixel_count,
                index_sum_fixed=before.index_sum_fixed + layer.index_sum_fixed,
                region_count=before.region_count + len(layer.regions) + layer.regions_omitted_count,
            )
    return totals
