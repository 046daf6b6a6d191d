"""The steps of `surface_watch`, run in workers: bytes in, bytes out, nothing else.

Results between steps are sealed blocks. FCA1, calibrated: the bands of BANDS_USED in float32, little-endian,
one after the other. FIX1, index: the index in float32, then its packed mask. The regions step gives the
product's own form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Final

import msgspec
import numpy as np

from flightos.apps.interface import (
    STEP_FINISH,
    STEP_PLAN,
    AppError,
    InputCorrupt,
    check_input_count,
    decode_parameters,
    run_plan,
)
from flightos.apps.sealed import seal, unseal
from flightos.apps.surface_watch.description import (
    BANDS_USED,
    DESCRIPTION,
    CalibrateParameters,
    IndexParameters,
    RegionsParameters,
)
from flightos.apps.surface_watch.product import (
    FIXED_POINT_ONE,
    PRODUCT_VERSION,
    Layer,
    Region,
    SurfaceWatchProduct,
    decode_product,
    encode_product,
)
from flightos.apps.tiles import TileHeader, decode_tile
from flightos.kernels.arguments import Float32Image, Int64Table, UInt8Image
from flightos.kernels.bandmath import (
    correct_radiance,
    mask_above,
    mask_below,
    normalised_difference,
    pack_bits,
    sum_fixed,
    unpack_bits,
)
from flightos.kernels.regions import RegionColumn, label_regions

CALIBRATED_MAGIC: Final = b"FCA1"
INDEX_MAGIC: Final = b"FIX1"


class CalibratedHeader(msgspec.Struct, frozen=True, array_like=True):
    """Where the bands of a calibrated result come from."""

    tile: TileHeader


class IndexHeader(msgspec.Struct, frozen=True, array_like=True):
    """What an index result holds: where, which index, and its exact sums."""

    tile: TileHeader
    parameters: IndexParameters
    mask_pixel_count: int
    valid_pixel_count: int
    index_sum_fixed: int


def _plan(parameters: bytes, inputs: Sequence[bytes]) -> bytes:
    return run_plan(DESCRIPTION, parameters)


def _calibrate(parameters: bytes, inputs: Sequence[bytes]) -> bytes:
    """Turn counts into radiance: gain * (raw - dark), for the bands that the indices use."""
    check_input_count("calibrate", inputs, 1)
    levels = decode_parameters(parameters, CalibrateParameters)
    if len(levels.gain) != len(BANDS_USED) or len(levels.dark_dn) != len(BANDS_USED):
        raise AppError(f"calibrate needs a gain and a dark level for each of {', '.join(BANDS_USED)}")
    tile, pixels = decode_tile(inputs[0])
    missing = [role for role in BANDS_USED if role not in tile.band_roles]
    if missing:
        raise AppError(f"the tile has no band for {', '.join(missing)}; it has {', '.join(tile.band_roles)}")
    sample_type = np.uint8 if tile.sample_type == "uint8" else np.dtype("<u2")
    raw_dn = np.frombuffer(pixels, sample_type).reshape(len(tile.band_roles), tile.rows, tile.cols)
    bands = []
    for role, gain, dark_dn in zip(BANDS_USED, levels.gain, levels.dark_dn, strict=True):
        band = raw_dn[tile.band_roles.index(role)]
        gain_map = np.full(band.shape, gain, np.float32)
        dark_map = np.full(band.shape, dark_dn, np.float32)
        bands.append(correct_radiance(band, gain_map, dark_map).tobytes())
    return seal(CALIBRATED_MAGIC, CalibratedHeader(tile), b"".join(bands))


def _index(parameters: bytes, inputs: Sequence[bytes]) -> bytes:
    """Compute one normalised difference, its mask and its exact sum."""
    check_input_count("index", inputs, 1)
    wanted = decode_parameters(parameters, IndexParameters)
    unknown = [role for role in (wanted.band_a, wanted.band_b) if role not in BANDS_USED]
    if unknown:
        raise AppError(f"no calibrated band for {', '.join(unknown)}; there are {', '.join(BANDS_USED)}")
    header, body = unseal(CALIBRATED_MAGIC, CalibratedHeader, inputs[0])
    tile = header.tile
    if len(body) != len(BANDS_USED) * tile.pixel_count * 4:
        raise InputCorrupt(f"a calibrated result of {len(body)} bytes for {tile.rows} x {tile.cols} pixels")
    bands = np.frombuffer(body, np.dtype("<f4")).reshape(len(BANDS_USED), tile.rows, tile.cols)
    band_a, band_b = (bands[BANDS_USED.index(role)] for role in (wanted.band_a, wanted.band_b))
    index = normalised_difference(band_a, band_b)
    make_mask = mask_above if wanted.side == "above" else mask_below
    mask, mask_pixel_count = make_mask(index, wanted.threshold)
    index_sum_fixed, valid_pixel_count = sum_fixed(index)
    found = IndexHeader(tile, wanted, mask_pixel_count, valid_pixel_count, index_sum_fixed)
    return seal(INDEX_MAGIC, found, index.tobytes() + pack_bits(mask))


def _open_index(block: bytes) -> tuple[IndexHeader, Float32Image, UInt8Image, bytes]:
    header, body = unseal(INDEX_MAGIC, IndexHeader, block)
    tile = header.tile
    index_bytes = tile.pixel_count * 4
    packed = body[index_bytes:]
    if len(packed) != (tile.pixel_count + 7) // 8:
        raise InputCorrupt(f"an index result of {len(body)} bytes for {tile.rows} x {tile.cols} pixels")
    index = np.frombuffer(body[:index_bytes], np.dtype("<f4")).reshape(tile.rows, tile.cols)
    return header, index, unpack_bits(packed, (tile.rows, tile.cols)), packed


def _regions(parameters: bytes, inputs: Sequence[bytes]) -> bytes:
    """Find the regions of every layer and put all findings of the tile together."""
    limits = decode_parameters(parameters, RegionsParameters)
    layers = []
    masks = []
    tile: TileHeader | None = None
    for block in inputs:
        header, index, mask, packed = _open_index(block)
        if tile is not None and header.tile != tile:
            raise AppError("the index results are of different tiles")
        tile = header.tile
        layers.append(_describe_layer(header, label_regions(mask, index, limits.pixel_count_min), limits))
        masks.append(packed)
    if tile is None:
        raise AppError("step 'regions' takes at least one index result")
    product = SurfaceWatchProduct(
        version=PRODUCT_VERSION,
        observation_id=tile.observation_id,
        tile_index=tile.tile_index,
        row_offset=tile.row_offset,
        col_offset=tile.col_offset,
        rows=tile.rows,
        cols=tile.cols,
        pixel_size_mm=tile.pixel_size_mm,
        pixel_count_min=limits.pixel_count_min,
        confidence_margin=limits.confidence_margin,
        layers=tuple(layers),
    )
    return encode_product(product, masks)


def _describe_layer(header: IndexHeader, table: Int64Table, limits: RegionsParameters) -> Layer:
    kept = _keep_largest(table, limits.region_count_max)
    threshold_fixed = round(header.parameters.threshold * FIXED_POINT_ONE)
    margin_fixed = round(limits.confidence_margin * FIXED_POINT_ONE)
    if margin_fixed < 1:
        raise AppError("confidence_margin must be above 0")
    return Layer(
        layer=header.parameters.layer,
        index_name=header.parameters.index_name,
        side=header.parameters.side,
        threshold=header.parameters.threshold,
        mask_pixel_count=header.mask_pixel_count,
        valid_pixel_count=header.valid_pixel_count,
        index_sum_fixed=header.index_sum_fixed,
        regions=tuple(_describe_region(row, threshold_fixed, margin_fixed) for row in kept),
        regions_omitted_count=len(table) - len(kept),
    )


def _keep_largest(table: Int64Table, region_count_max: int) -> list[list[int]]:
    """Give the largest regions in the order of their first pixel; of equal ones the first stay."""
    rows: list[list[int]] = table.tolist()
    by_size = sorted(range(len(rows)), key=lambda place: (-rows[place][RegionColumn.PIXEL_COUNT], place))
    return [rows[place] for place in sorted(by_size[:region_count_max])]


def _describe_region(row: Sequence[int], threshold_fixed: int, margin_fixed: int) -> Region:
    pixel_count = row[RegionColumn.PIXEL_COUNT]
    distance_fixed = abs(row[RegionColumn.INDEX_SUM_FIXED] - threshold_fixed * pixel_count)
    return Region(
        pixel_count=pixel_count,
        row_sum=row[RegionColumn.ROW_SUM],
        col_sum=row[RegionColumn.COL_SUM],
        row_min=row[RegionColumn.ROW_MIN],
        row_max=row[RegionColumn.ROW_MAX],
        col_min=row[RegionColumn.COL_MIN],
        col_max=row[RegionColumn.COL_MAX],
        index_sum_fixed=row[RegionColumn.INDEX_SUM_FIXED],
        confidence_e3=min(1000, distance_fixed * 1000 // (margin_fixed * pixel_count)),
    )


def _finish(parameters: bytes, inputs: Sequence[bytes]) -> bytes:
    """Name the product: the findings of `regions`, checked once more before they leave for the ground."""
    check_input_count(STEP_FINISH, inputs, 1)
    product, masks = decode_product(inputs[0])
    return encode_product(product, masks)


STEPS: Final[Mapping[str, Callable[[bytes, Sequence[bytes]], bytes]]] = {
    STEP_PLAN: _plan,
    "calibrate": _calibrate,
    "index": _index,
    "regions": _regions,
    STEP_FINISH: _finish,
}


def run_step(step: str, parameters: bytes, inputs: Sequence[bytes]) -> bytes:
    """Run one step. Raises AppError for an unknown step or unusable parameters, InputCorrupt for damaged
    inputs."""
    function = STEPS.get(step)
    if function is None:
        raise AppError(f"surface_watch has no step {step!r}; it has {', '.join(STEPS)}")
    return function(parameters, inputs)
