"""What `surface_watch` does with every tile: the graph, its parameters and what each task costs.

    calibrate -> water  -> regions -> product
              -> burn   ->

Water is MNDWI = (green - swir1) / (green + swir1) > 0 (Xu 2006, int. j. remote sensing 27, 3025). Burnt land
is NBR = (nir - swir2) / (nir + swir2) < -0.375; that threshold is a binary fraction, so float32 and float64
agree on which pixels are under it.
"""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from flightos.apps.interface import TILE_INPUT, AppDescription, TaskTemplate

NAME: Final = "surface_watch"

BANDS_USED: Final = ("green", "nir", "swir1", "swir2")
"""Roles of the bands that `calibrate` gives on, in the order of its result."""

PIXEL_COUNT_MIN: Final = 10
"""Smallest region worth a line in the product."""

REGION_COUNT_MAX: Final = 24
"""Regions of one index in one product. More than this are left out smallest first, and counted."""

CONFIDENCE_MARGIN: Final = 0.25
"""Distance of a region's mean index from the threshold at which the stated confidence reaches 1."""


class CalibrateParameters(msgspec.Struct, frozen=True, array_like=True):
    """Gain (W m^-2 sr^-1 um^-1 per count) and dark level (counts), one for each band of BANDS_USED."""

    gain: tuple[float, ...]
    dark_dn: tuple[float, ...]


class IndexParameters(msgspec.Struct, frozen=True, array_like=True):
    """A normalised difference of two bands and the side of the threshold that counts as inside."""

    layer: str
    index_name: str
    band_a: str
    band_b: str
    side: Literal["above", "below"]
    threshold: float


class RegionsParameters(msgspec.Struct, frozen=True, array_like=True):
    """Limits of the region table."""

    pixel_count_min: int
    region_count_max: int
    confidence_margin: float


WATER: Final = IndexParameters("water", "MNDWI", "green", "swir1", "above", 0.0)
BURN: Final = IndexParameters("burn", "NBR", "nir", "swir2", "below", -0.375)

# Sizes are those of a tile of 88 x 88 pixels: four calibrated bands in float32; one index and its packed
# mask.
_CALIBRATED_BYTES: Final = 4 * 88 * 88 * 4 + 256
_INDEX_BYTES: Final = 88 * 88 * 4 + 88 * 88 // 8 + 256

DESCRIPTION: Final = AppDescription(
    name=NAME,
    apid=0x101,
    module="flightos.apps.surface_watch.steps",
    tasks=(
        TaskTemplate(
            name="calibrate",
            step="calibrate",
            inputs=(TILE_INPUT,),
            tera_ops=5_000,
            result_bytes=_CALIBRATED_BYTES,
            # The shipped scene is flown as counts: calibration is the identity.
            parameters=msgspec.msgpack.encode(CalibrateParameters(gain=(1.0,) * 4, dark_dn=(0.0,) * 4)),
        ),
        TaskTemplate(
            name="water",
            step="index",
            inputs=("calibrate",),
            tera_ops=40_000,
            result_bytes=_INDEX_BYTES,
            parameters=msgspec.msgpack.encode(WATER),
        ),
        TaskTemplate(
            name="burn",
            step="index",
            inputs=("calibrate",),
            tera_ops=40_000,
            result_bytes=_INDEX_BYTES,
            parameters=msgspec.msgpack.encode(BURN),
        ),
        TaskTemplate(
            name="regions",
            step="regions",
            inputs=("water", "burn"),
            tera_ops=15_000,
            result_bytes=4_608,
            parameters=msgspec.msgpack.encode(
                RegionsParameters(PIXEL_COUNT_MIN, REGION_COUNT_MAX, CONFIDENCE_MARGIN)
            ),
        ),
    ),
    finish_inputs=("regions",),
    cost_note=(
        "100,000 tera-operations a tile stand in for a foundation-model pass over a full scene; "
        "the index arithmetic itself costs less than a giga-operation"
    ),
)
