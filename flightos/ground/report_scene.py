"""The real image with what the satellites found in it, from the products that the ground accepted."""

from __future__ import annotations

from dataclasses import dataclass
from io import BytesIO
from typing import Final
from zipfile import BadZipFile

import numpy as np
from numpy.typing import NDArray

from flightos.apps.interface import InputCorrupt
from flightos.apps.surface_watch.product import (
    Layer,
    SurfaceWatchProduct,
    decode_product,
    total_by_layer,
)
from flightos.ground.archive import PRODUCTS_FOLDER
from flightos.ground.report_data import ReportData
from flightos.ground.report_svg import Drawing, data_uri, png

SIDE_PIXELS_MAX: Final = 1400
COLOURS: Final = {"water": (0, 114, 178, 150), "burn": (213, 94, 0, 220)}
"""RGBA of a layer's mask; blue and vermillion are told apart by every kind of colour vision."""
OTHER_COLOUR: Final = (204, 121, 167, 200)
REGION_ROW_COUNT: Final = 12


@dataclass(frozen=True)
class RegionRow:
    """One region for the table; rows and columns count in the whole scene."""

    layer: str
    tile_index: int
    area_km2: float
    row: float
    col: float
    index_mean: float
    confidence_ratio: float


@dataclass(frozen=True)
class LayerRow:
    """One layer over all tiles that arrived."""

    layer: str
    index_name: str
    rule: str
    mask_ratio: float
    index_mean: float
    region_count: int


@dataclass(frozen=True)
class SceneFindings:
    """Pictures and tables of the scene."""

    picture: str
    layers: list[LayerRow]
    regions: list[RegionRow]
    tile_count: int


def scene_findings(data: ReportData) -> SceneFindings | None:
    """What the accepted products say; None when there is neither a scene nor a product."""
    products = _products(data)
    rgb = _rgb(data)
    if rgb is None and not products:
        return None
    decoded = [product for product, _ in products]
    return SceneFindings(
        picture=_picture(rgb, products) if rgb is not None else "",
        layers=_layer_rows(decoded),
        regions=_region_rows(decoded),
        tile_count=len({product.tile_index for product in decoded}),
    )


def _products(data: ReportData) -> list[tuple[SurfaceWatchProduct, tuple[bytes, ...]]]:
    """Products of `surface_watch` in order of tile; files that are something else are left out."""
    found = []
    for row in data.run.products():
        file = data.run.folder / PRODUCTS_FOLDER / str(row["content_id"])
        try:
            found.append(decode_product(file.read_bytes()))
        except (OSError, InputCorrupt):
            continue
    return sorted(found, key=lambda pair: pair[0].tile_index)


def _rgb(data: ReportData) -> NDArray[np.uint8] | None:
    try:
        content = BytesIO((data.run.folder / "scene.npz").read_bytes())
        with np.load(content, allow_pickle=False) as scene:
            rgb = scene["rgb"]
    except (OSError, KeyError, ValueError, EOFError, BadZipFile):
        return None
    if rgb.ndim != 3 or rgb.shape[2] != 3 or not rgb.size:
        return None
    return rgb if rgb.dtype == np.uint8 else _stretched(rgb)


def _stretched(rgb: NDArray[np.generic]) -> NDArray[np.uint8]:
    """Each colour between its 1st and 99th percentile, so that a dim scene can be seen."""
    values = rgb.astype(np.float64)
    low = np.percentile(values, 1, axis=(0, 1))
    high = np.maximum(np.percentile(values, 99, axis=(0, 1)), low + 1)
    stretched: NDArray[np.uint8] = (np.clip((values - low) / (high - low), 0, 1) * 255).astype(np.uint8)
    return stretched


def _picture(rgb: NDArray[np.uint8], products: list[tuple[SurfaceWatchProduct, tuple[bytes, ...]]]) -> str:
    """The image twice, as sensed and with findings; tiles that did not arrive stay covered."""
    rows, cols = rgb.shape[:2]
    reduction = -(-max(rows, cols) // SIDE_PIXELS_MAX)
    overlay = np.zeros((rows, cols, 4), dtype=np.uint8)
    arrived = np.zeros((rows, cols), dtype=np.bool_)
    for product, masks in products:
        place = np.s_[
            product.row_offset : product.row_offset + product.rows,
            product.col_offset : product.col_offset + product.cols,
        ]
        if arrived[place].shape != (product.rows, product.cols):
            continue
        arrived[place] = True
        for layer, mask in zip(product.layers, masks, strict=True):
            bits = np.unpackbits(np.frombuffer(mask, np.uint8))[: product.rows * product.cols]
            overlay[place][bits.reshape(product.rows, product.cols) == 1] = COLOURS.get(
                layer.layer, OTHER_COLOUR
            )
    overlay[~arrived] = (128, 128, 128, 170)
    gap = cols * 0.03
    drawing = Drawing(2 * cols + gap, rows, "the scene as sensed, and with what was found")
    for x, image in ((0.0, rgb), (cols + gap, rgb), (cols + gap, overlay)):
        small = np.ascontiguousarray(image[::reduction, ::reduction])
        drawing.add("image", "scene", x=x, y=0, width=cols, height=rows, href=data_uri(png(small)))
    for product, _ in products:
        x, y = cols + gap + product.col_offset, product.row_offset
        drawing.rect(x, y, product.cols, product.rows, "tile", f"tile {product.tile_index}")
        for layer in product.layers:
            if layer.layer != "water":
                _boxes(drawing, product, layer, x, y)
    return drawing.svg("scene")


def _boxes(drawing: Drawing, product: SurfaceWatchProduct, layer: Layer, x: float, y: float) -> None:
    for region in layer.regions:
        area_km2 = product.area_m2(region) / 1e6
        tip = f"{layer.layer}, tile {product.tile_index}: {area_km2:.2f} km2, mean {region.index_mean:.3f}"
        width = region.col_max - region.col_min + 3
        height = region.row_max - region.row_min + 3
        drawing.rect(x + region.col_min - 1, y + region.row_min - 1, width, height, "region", tip)


def _layer_rows(products: list[SurfaceWatchProduct]) -> list[LayerRow]:
    if not products:
        return []
    shapes = {layer.layer: layer for product in products for layer in product.layers}
    rows = []
    for name, total in total_by_layer(products).items():
        if total.valid_pixel_count:
            layer = shapes[name]
            rule = f"{layer.index_name} {layer.side} {layer.threshold:g}"
            rows.append(
                LayerRow(name, layer.index_name, rule, total.mask_ratio, total.index_mean, total.region_count)
            )
    return rows


def _region_rows(products: list[SurfaceWatchProduct]) -> list[RegionRow]:
    """The largest regions, burns first, because they are what the mission looks for."""
    rows = [
        RegionRow(
            layer=layer.layer,
            tile_index=product.tile_index,
            area_km2=product.area_m2(region) / 1e6,
            row=product.row_offset + region.centroid_row,
            col=product.col_offset + region.centroid_col,
            index_mean=region.index_mean,
            confidence_ratio=region.confidence_ratio,
        )
        for product in products
        for layer in product.layers
        for region in layer.regions
    ]
    rows.sort(key=lambda row: (row.layer == "water", -row.area_km2))
    return rows[:REGION_ROW_COUNT]
