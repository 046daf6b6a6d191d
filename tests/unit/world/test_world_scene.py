"""The imaged scene: real image, planted burn, tiles, reference results, and images of a user's own."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import numpy as np
import pytest
import tifffile

from sil import data
from sil.world.scene import (
    BAND_ROLES,
    Scene,
    SceneError,
    cut_tiles,
    mndwi,
    nbr,
    plant_burn,
    read_scene,
    tile_image,
    whole_image_reference,
)


@pytest.fixture(scope="module")
def scene() -> Scene:
    """The shipped image as it is."""
    return read_scene(data.LANDSAT7_OLINDA)


def test_shipped_files_are_those_of_the_provenance_table() -> None:
    table = (Path(data.__file__).parent / "PROVENANCE.md").read_text()
    for path in (data.LANDSAT7_OLINDA, data.STATIONS, data.PROTON_FLUX_GRID):
        told = re.search(rf"^\| {re.escape(path.name)} \|.*`([0-9a-f]{{64}})` \| (\d+) \|", table, re.M)
        assert told is not None, path.name
        assert hashlib.sha256(path.read_bytes()).hexdigest() == told[1]
        assert path.stat().st_size == int(told[2])


def test_original_image_gives_the_published_indices(scene: Scene) -> None:
    assert scene.image.shape == (6, 352, 349)
    assert scene.image.dtype == np.uint8
    means = scene.image.astype(np.float64).mean(axis=(1, 2))
    assert means[0] == pytest.approx(79.14771913258662, abs=1e-9)
    assert means[5] == pytest.approx(59.975205131544676, abs=1e-9)
    assert float((mndwi(scene) > 0.0).mean()) == pytest.approx(0.18831401406616308, abs=1e-12)
    assert float(nbr(scene).mean()) == pytest.approx(0.03172645732234285, abs=1e-12)


def test_burn_is_planted_on_land_and_found(scene: Scene) -> None:
    flown, mask = plant_burn(scene)
    assert not mask[mndwi(scene) > 0.0].any()
    assert np.array_equal(flown.image[:, ~mask], scene.image[:, ~mask])
    nir, swir2 = scene.band("nir")[mask].astype(float), scene.band("swir2")[mask].astype(float)
    assert np.array_equal(flown.band("nir")[mask], np.rint(nir * 0.4))
    assert np.array_equal(flown.band("swir2")[mask], np.minimum(np.rint(swir2 * 1.6), 255))
    found = whole_image_reference(flown, mask)
    assert found.planted_pixel_count == 3_733
    assert found.recall_ratio > 0.97
    assert found.precision_ratio > 0.85
    before = whole_image_reference(scene, mask)
    assert before.burn_pixel_count == 637, "natural pixels under the threshold, scattered"
    assert before.found_pixel_count < 0.02 * found.planted_pixel_count
    assert found.water_ratio == pytest.approx(0.1883, abs=5e-5), "the burn leaves the water index alone"


def test_burn_lies_over_borders_of_tiles_and_inside_tiles(scene: Scene) -> None:
    _, mask = plant_burn(scene)
    counts = [int(mask[cut.row0 : cut.row1, cut.col0 : cut.col1].sum()) for cut in cut_tiles(*mask.shape)]
    assert sum(counts) == mask.sum()
    assert [index for index, count in enumerate(counts) if count] == [0, 3, 6, 8, 9, 10, 12, 13]


def test_burn_rule_is_exact_in_integers_and_in_float32(scene: Scene) -> None:
    flown, _ = plant_burn(scene)
    nir, swir2 = flown.band("nir").astype(np.int64), flown.band("swir2").astype(np.int64)
    in_double = nbr(flown) < -0.375
    small_nir, small_swir2 = nir.astype(np.float32), swir2.astype(np.float32)
    in_single = (small_nir - small_swir2) / (small_nir + small_swir2) < np.float32(-0.375)
    assert np.array_equal(in_double, 11 * nir < 5 * swir2)
    assert np.array_equal(in_single, in_double)


def test_tiles_cover_the_image_once_and_add_up_to_the_reference(scene: Scene) -> None:
    flown, mask = plant_burn(scene)
    whole = whole_image_reference(flown, mask)
    cuts = cut_tiles(*flown.image.shape[1:])
    assert [cut.index for cut in cuts] == list(range(16))
    covered = np.zeros(mask.shape, dtype=int)
    parts = []
    for cut in cuts:
        covered[cut.row0 : cut.row1, cut.col0 : cut.col1] += 1
        tile = Scene(tile_image(flown, cut), flown.roles)
        assert tile.image.flags.c_contiguous
        parts.append(whole_image_reference(tile, mask[cut.row0 : cut.row1, cut.col0 : cut.col1]))
    assert (covered == 1).all()
    for name in ("pixel_count", "water_pixel_count", "mndwi_sum_q30", "nbr_sum_q30", "burn_pixel_count"):
        assert sum(getattr(part, name) for part in parts) == getattr(whole, name)
    assert whole.nbr_sum_q30 / 2.0**30 / whole.pixel_count == pytest.approx(whole.nbr_mean, abs=1e-9)


def test_an_image_of_ones_own_flies_in_every_layout(scene: Scene, tmp_path: Path) -> None:
    image = (scene.image[:, :40, :36].astype(np.uint16) * 40).copy()
    order = ("nir", "green", "swir2", "swir1")
    planes = np.stack([image[BAND_ROLES.index(role)] for role in order])
    tifffile.imwrite(tmp_path / "planar.tif", planes, planarconfig="separate", photometric="minisblack")
    interleaved = np.ascontiguousarray(np.moveaxis(planes, 0, 2))
    tifffile.imwrite(tmp_path / "mixed.tif", interleaved, planarconfig="contig", photometric="minisblack")
    np.savez(tmp_path / "stack.npz", image=planes)
    np.savez(tmp_path / "named.npz", **dict(zip(order, planes, strict=True)))
    for name in ("planar.tif", "mixed.tif", "stack.npz", "named.npz"):
        read = read_scene(tmp_path / name, order)
        assert read.image.dtype == np.uint16
        assert np.array_equal(read.image, planes), name
        assert np.array_equal(read.band("nir"), image[3])


def test_burn_saturates_at_the_largest_count() -> None:
    image = np.full((4, 20, 20), 250, dtype=np.uint8)
    image[0] = 100  # green under swir1: land
    flown, mask = plant_burn(Scene(image, ("green", "nir", "swir1", "swir2")))
    assert mask.any()
    assert (flown.band("swir2")[mask] == 255).all()
    assert (flown.band("nir")[mask] == 100).all()


def test_a_pixel_of_zeros_has_index_zero() -> None:
    scene = Scene(np.zeros((4, 8, 8), dtype=np.uint8), ("green", "nir", "swir1", "swir2"))
    assert not nbr(scene).any()


def test_bad_images_list_every_fault(tmp_path: Path) -> None:
    path = tmp_path / "bad.npz"
    np.savez(path, image=np.zeros((3, 2, 9), dtype=np.float32))
    with pytest.raises(SceneError) as caught:
        read_scene(path, ("green", "nir", "nir", "swir1"))
    text = "\n".join(caught.value.faults)
    assert len(caught.value.faults) == 5
    for part in (
        "expected a band 'swir2'",
        "found ['nir'] again",
        "expected uint8 or uint16 counts, found float32",
        "expected 4 bands (green, nir, nir, swir1), found shape (3, 2, 9)",
        "expected 4 x 4 to",
    ):
        assert part in text
    assert all(fault.startswith(str(path)) for fault in caught.value.faults)


def test_files_that_are_no_images_are_refused(tmp_path: Path) -> None:
    noise = tmp_path / "noise.tif"
    noise.write_bytes(b"no image at all")
    with pytest.raises(SceneError, match=r"expected a GeoTIFF or \.npz image"):
        read_scene(noise)
    with pytest.raises(SceneError, match=r"expected a GeoTIFF or \.npz image"):
        read_scene(tmp_path / "absent.npz")
    np.savez(tmp_path / "part.npz", green=np.zeros((8, 8), dtype=np.uint8))
    with pytest.raises(SceneError, match="missing"):
        read_scene(tmp_path / "part.npz")
    tifffile.imwrite(tmp_path / "grey.tif", np.zeros((8, 8), dtype=np.uint8))
    with pytest.raises(SceneError, match="several bands"):
        read_scene(tmp_path / "grey.tif")
