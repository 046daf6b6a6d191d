"""Are the products right? Each against its own tile, and all together against the whole image.

The reference is computed here in float64 from the flown counts, by nothing that flies: MNDWI > 0 is exact in integers
(green > swir1), so is the burn rule (11 nir < 5 swir2), and index sums in float32 differ from float64 by rounding
only.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from flightos.apps.interface import InputCorrupt
from flightos.apps.surface_watch.product import FIXED_POINT_ONE, SurfaceWatchProduct, decode_product
from flightos.core.ids import content_id
from sil.checkers.evidence import Evidence, Product, Violation
from sil.plan import RunPlan
from sil.scenery import flown_image
from sil.world.scene import BURN_NBR_MAX, normalized_difference, plant_burn, read_scene

TILE_MEAN_ERROR_MAX: Final = 1e-8
"""Mean index of one tile in float32 against float64."""
IMAGE_MEAN_ERROR_MAX: Final = 1e-9
"""Mean index of the whole image."""

Mask = NDArray[np.bool_]
Opened = tuple[SurfaceWatchProduct, dict[str, Mask]]


class Reference:
    """The flown image, its indices and masks in float64, shape (rows, cols)."""

    def __init__(self, plan: RunPlan) -> None:
        planes, self.cuts = flown_image(plan)
        self.index = {
            "water": normalized_difference(planes["green"], planes["swir1"]),
            "burn": normalized_difference(planes["nir"], planes["swir2"]),
        }
        self.mask: dict[str, Mask] = {
            "water": self.index["water"] > 0.0,
            "burn": self.index["burn"] < BURN_NBR_MAX,
        }


class ReferenceReport(msgspec.Struct, frozen=True):
    """What the products together say of the image, beside the truth. `is_exact` is the criterion."""

    tiles_expected: int
    tiles_found: int
    water_pixel_count: int
    water_pixel_count_reference: int
    water_ratio: float
    nbr_mean: float
    nbr_mean_error: float
    burn_pixel_count: int
    burn_pixel_count_reference: int
    burn_precision_ratio: float | None
    burn_recall_ratio: float | None
    is_exact: bool
    text: str


def open_product(data: bytes) -> Opened:
    """A product and its masks by layer. Any bytes give a result or InputCorrupt."""
    product, packed = decode_product(data)
    masks = {}
    for layer, bits in zip(product.layers, packed, strict=True):
        flat = np.unpackbits(np.frombuffer(bits, np.uint8), count=product.rows * product.cols)
        masks[layer.layer] = flat.reshape(product.rows, product.cols).astype(np.bool_)
    return product, masks


def products_are_right(evidence: Evidence) -> list[Violation]:
    """Every accepted product is there, has the content id that it is named by, decodes, and agrees with its tile."""
    if not evidence.products:
        return []
    reference = _reference_of(evidence.plan)
    violations = []
    for product in evidence.products:
        text = _product_fault(product, reference)
        if text:
            violations.append(Violation("products_are_right", f"product {product.content_id}: {text}"))
    accepted = {accepted_id.hex() for accepted_id in evidence.outcome.accepted}
    catalogued = {product.content_id for product in evidence.products}
    for missing in sorted(accepted ^ catalogued):
        violations.append(
            Violation("products_are_right", f"product {missing} is accepted or catalogued, but not both")
        )
    return violations


def _reference_of(plan: RunPlan) -> Reference | None:
    """None for an image or an app that the reference does not know."""
    payload = plan.settings.get("payload")
    app = payload.get("app", "surface_watch") if isinstance(payload, dict) else "surface_watch"
    return Reference(plan) if app == "surface_watch" and plan.tiles else None


def _product_fault(product: Product, reference: Reference | None) -> str:
    if product.data is None:
        return "its file is missing"
    if content_id(product.data).hex() != product.content_id:
        return f"its bytes have content id {content_id(product.data).hex()}"
    if reference is None:
        return ""
    try:
        opened, masks = open_product(product.data)
    except InputCorrupt as error:
        return f"it does not decode: {error}"
    named = (opened.observation_id, opened.tile_index)
    if named != (product.observation_id, product.tile_index):
        return f"it says (observation, tile) {named}, not {(product.observation_id, product.tile_index)}"
    if not 0 <= opened.tile_index < len(reference.cuts):
        return f"there is no tile {opened.tile_index}"
    cut = reference.cuts[opened.tile_index]
    place = (
        opened.row_offset,
        opened.row_offset + opened.rows,
        opened.col_offset,
        opened.col_offset + opened.cols,
    )
    return (
        f"it covers {place}, its tile {cut}" if place != cut else _layer_fault(opened, masks, cut, reference)
    )


def _layer_fault(
    product: SurfaceWatchProduct, masks: dict[str, Mask], cut: tuple[int, int, int, int], reference: Reference
) -> str:
    row0, row1, col0, col1 = cut
    for layer in product.layers:
        if layer.layer not in reference.index:
            return f"unknown layer {layer.layer}"
        wanted_mask = reference.mask[layer.layer][row0:row1, col0:col1]
        wrong = int(np.count_nonzero(masks[layer.layer] != wanted_mask))
        if wrong:
            return f"{wrong} pixels of mask {layer.layer} are wrong"
        if layer.mask_pixel_count != int(np.count_nonzero(wanted_mask)):
            return f"{layer.layer}: {layer.mask_pixel_count} pixels counted, {np.count_nonzero(wanted_mask)} there"
        index = reference.index[layer.layer][row0:row1, col0:col1]
        error = abs(layer.index_sum_fixed / FIXED_POINT_ONE - float(index.sum())) / index.size
        if error > TILE_MEAN_ERROR_MAX:
            return f"{layer.layer}: mean index off by {error:.3g}"
    return ""


def compare_with_reference(evidence: Evidence) -> ReferenceReport | None:
    """Put the products together and compare them with the whole image; None when there is nothing to compare."""
    reference = _reference_of(evidence.plan)
    if reference is None:
        return None
    rows, cols = reference.mask["water"].shape
    masks = {name: np.zeros((rows, cols), np.bool_) for name in ("water", "burn")}
    sums = {"water": 0, "burn": 0}
    tiles: dict[int, Opened] = {}
    for product in evidence.products:
        try:
            opened = open_product(product.data or b"")
        except InputCorrupt:
            continue
        tiles[opened[0].tile_index] = opened
    for tile, tile_masks in tiles.values():
        window = np.s_[
            tile.row_offset : tile.row_offset + tile.rows, tile.col_offset : tile.col_offset + tile.cols
        ]
        for layer in tile.layers:
            masks[layer.layer][window] = tile_masks[layer.layer]
            sums[layer.layer] += layer.index_sum_fixed
    return _report(evidence.plan, reference, masks, sums, len(tiles))


def _report(
    plan: RunPlan, reference: Reference, masks: dict[str, Mask], sums: dict[str, int], tiles_found: int
) -> ReferenceReport:
    pixel_count = reference.mask["water"].size
    water, burn = (int(np.count_nonzero(masks[name])) for name in ("water", "burn"))
    nbr_mean = sums["burn"] / FIXED_POINT_ONE / pixel_count
    truth: Any = plan.scene.get("reference", {})
    error = abs(nbr_mean - float(truth.get("nbr_mean", reference.index["burn"].mean())))
    planted = planted_mask(plan)
    found = None if planted is None else int(np.count_nonzero(masks["burn"] & planted))
    planted_count = 0 if planted is None else int(np.count_nonzero(planted))
    water_wanted = int(truth.get("water_pixel_count", np.count_nonzero(reference.mask["water"])))
    burn_wanted = int(truth.get("burn_pixel_count", np.count_nonzero(reference.mask["burn"])))
    is_exact = (
        tiles_found == len(plan.tiles)
        and water == water_wanted
        and burn == burn_wanted
        and error <= IMAGE_MEAN_ERROR_MAX
    )
    text = (
        f"{tiles_found} of {len(plan.tiles)} tiles; MNDWI > 0 on {water} of {water_wanted} pixels"
        f" ({water / pixel_count:.2%}); NBR mean off by {error:.2g}; burn on {burn} of {burn_wanted} pixels"
    )
    return ReferenceReport(
        tiles_expected=len(plan.tiles),
        tiles_found=tiles_found,
        water_pixel_count=water,
        water_pixel_count_reference=water_wanted,
        water_ratio=water / pixel_count,
        nbr_mean=nbr_mean,
        nbr_mean_error=error,
        burn_pixel_count=burn,
        burn_pixel_count_reference=burn_wanted,
        burn_precision_ratio=found / burn if found is not None and burn else None,
        burn_recall_ratio=found / planted_count if found is not None and planted_count else None,
        is_exact=is_exact,
        text=text,
    )


def planted_mask(plan: RunPlan) -> Mask | None:
    """The pixels that the planted burn changed, shape (rows, cols); None when nothing was planted or the image is
    gone."""
    payload = plan.settings.get("payload")
    if not isinstance(payload, dict) or not plan.scene.get("burn_planted"):
        return None
    from sil.data import LANDSAT7_OLINDA

    path = LANDSAT7_OLINDA if payload.get("image") is None else Path(str(payload["image"]))
    bands: Sequence[str] = payload.get("bands", ())
    if not path.is_file():
        return None
    return plant_burn(read_scene(path, bands))[1]
