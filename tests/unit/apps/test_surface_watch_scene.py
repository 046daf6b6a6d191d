"""surface_watch on the real image: sixteen tiles together give the whole-image reference."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from flightos.apps.surface_watch.product import SurfaceWatchProduct, decode_product, total_by_layer
from flightos.kernels.bandmath import unpack_bits
from sil.world.scene import cut_tiles, plant_burn, read_scene, tile_image, whole_image_reference
from tests.unit.apps.tile_examples import make_tile, walk

tifffile = pytest.importorskip(
    "tifffile", reason="tifffile is not installed: the real image is not flown here"
)
IMAGE_FILE = Path(__file__).parents[3] / "sil/data/L7_ETMs.tif"
ROW_EDGES = (0, 88, 176, 264, 352)
COL_EDGES = (0, 88, 175, 262, 349)

# The data set's reference for the whole image in float64 (MNDWI > 0 ratio; NBR mean), and the same as a pixel count.
WATER_RATIO = 0.188314
WATER_PIXEL_COUNT = 23_134

Image = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]
Findings = tuple[list[SurfaceWatchProduct], list[tuple[bytes, ...]], int]


@pytest.fixture(scope="module")
def image() -> Image:
    if not IMAGE_FILE.exists():
        pytest.skip(f"{IMAGE_FILE} is missing: the real image is not flown here")
    pixels = tifffile.imread(IMAGE_FILE)
    assert pixels.shape == (352, 349, 6)
    return np.ascontiguousarray(np.moveaxis(pixels, 2, 0))


@pytest.fixture(scope="module")
def findings(image: Image) -> Findings:
    products, masks, size_bytes = [], [], 0
    for tile_index in range(16):
        row, col = divmod(tile_index, 4)
        cut = image[:, ROW_EDGES[row] : ROW_EDGES[row + 1], COL_EDGES[col] : COL_EDGES[col + 1]]
        header = {"tile_index": tile_index, "row_offset": ROW_EDGES[row], "col_offset": COL_EDGES[col]}
        block = walk("surface_watch", make_tile(np.ascontiguousarray(cut), **header))
        product, tile_masks = decode_product(block)
        products.append(product)
        masks.append(tile_masks)
        size_bytes += len(block)
    return products, masks, size_bytes


def test_water_is_counted_exactly(image: Image, findings: Findings) -> None:
    green, swir1 = image[1].astype(np.float64), image[4].astype(np.float64)
    water = total_by_layer(findings[0])["water"]
    assert water.valid_pixel_count == 352 * 349
    assert water.mask_pixel_count == WATER_PIXEL_COUNT == int(np.count_nonzero(green > swir1))
    assert water.mask_ratio == pytest.approx(WATER_RATIO, abs=5e-7)


def test_burn_index_mean_is_that_of_float64(image: Image, findings: Findings) -> None:
    nir, swir2 = image[3].astype(np.float64), image[5].astype(np.float64)
    nbr = (nir - swir2) / (nir + swir2)
    burn = total_by_layer(findings[0])["burn"]
    assert abs(burn.index_mean - nbr.mean()) <= 1e-9
    assert burn.mask_pixel_count == int(np.count_nonzero(nbr < -0.375))


def test_masks_put_together_are_the_mask_of_the_image(image: Image, findings: Findings) -> None:
    products, masks, _ = findings
    water = np.zeros((352, 349), np.uint8)
    for product, (water_mask, _) in zip(products, masks, strict=True):
        rows = slice(product.row_offset, product.row_offset + product.rows)
        cols = slice(product.col_offset, product.col_offset + product.cols)
        water[rows, cols] = unpack_bits(water_mask, (product.rows, product.cols))
    assert np.array_equal(water, image[1] > image[4])


def test_products_are_a_tenth_of_the_raw_image_at_most(image: Image, findings: Findings) -> None:
    assert findings[2] <= 0.1 * image.nbytes


def test_regions_agree_with_their_masks(findings: Findings) -> None:
    """Every region's pixels are mask pixels in its box, and no region is smaller than it may be."""
    products, masks, _ = findings
    region_count = 0
    for product, tile_masks in zip(products, masks, strict=True):
        for layer, packed in zip(product.layers, tile_masks, strict=True):
            mask = unpack_bits(packed, (product.rows, product.cols))
            assert int(mask.sum()) == layer.mask_pixel_count
            for region in layer.regions:
                box = mask[region.row_min : region.row_max + 1, region.col_min : region.col_max + 1]
                assert product.pixel_count_min <= region.pixel_count <= int(box.sum())
                assert region.row_min <= region.centroid_row <= region.row_max
                assert 0 <= region.confidence_ratio <= 1
                region_count += 1
    assert region_count > 20


def test_the_flown_image_with_its_planted_burn_gives_its_own_reference() -> None:
    """What flies is the image with the burn: tiles cut as the world cuts them add up to the world's reference."""
    if not IMAGE_FILE.exists():
        pytest.skip(f"{IMAGE_FILE} is missing: the planted burn is not flown here")
    flown, planted = plant_burn(read_scene(IMAGE_FILE))
    reference = whole_image_reference(flown, planted)
    burn_mask = np.zeros(planted.shape, np.uint8)
    products = []
    for cut in cut_tiles(*planted.shape):
        tile = make_tile(
            tile_image(flown, cut), tile_index=cut.index, row_offset=cut.row0, col_offset=cut.col0
        )
        product, masks = decode_product(walk("surface_watch", tile))
        products.append(product)
        burn_mask[cut.row0 : cut.row1, cut.col0 : cut.col1] = unpack_bits(
            masks[1], (product.rows, product.cols)
        )
    totals = total_by_layer(products)
    assert totals["water"].mask_pixel_count == reference.water_pixel_count
    assert totals["burn"].mask_pixel_count == reference.burn_pixel_count
    assert abs(totals["burn"].index_mean - reference.nbr_mean) <= 1e-9
    found_pixel_count = int(np.count_nonzero((burn_mask == 1) & planted))
    assert found_pixel_count == reference.found_pixel_count
    assert found_pixel_count / int(np.count_nonzero(planted)) > 0.9
