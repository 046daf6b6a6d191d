"""surface_watch step by step, on small made-up tiles."""

from __future__ import annotations

import os
import subprocess
import sys
from hashlib import sha256

import msgspec
import numpy as np
import pytest

from flightos.apps.interface import AppError, InputCorrupt, run_plan
from flightos.apps.registry import APPS, describe, run_step
from flightos.apps.surface_watch.description import (
    BURN,
    DESCRIPTION,
    REGION_COUNT_MAX,
    CalibrateParameters,
)
from flightos.apps.surface_watch.product import decode_product, total_by_layer
from flightos.kernels.bandmath import unpack_bits
from flightos.services.scheduling.interface import PlanRequest, PlanResult
from tests.unit.apps.tile_examples import BAND_ROLES, make_tile, walk

GREEN, NIR, SWIR1, SWIR2 = (BAND_ROLES.index(role) for role in ("green", "nir", "swir1", "swir2"))


def land(rows: int = 20, cols: int = 24) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    """A tile of plain land: MNDWI = -1/3, NBR = 1/3 everywhere."""
    image = np.full((6, rows, cols), 40, np.uint8)
    image[SWIR1] = 80
    image[NIR] = 80
    return image


def test_the_plan_is_the_graph_of_the_description() -> None:
    request = msgspec.msgpack.encode(PlanRequest(70, 3, b"id"))
    plan = msgspec.msgpack.decode(run_step("surface_watch", "plan", request, ()), type=PlanResult)
    assert [(task.name, task.inputs) for task in plan.tasks] == [
        ("calibrate", (-1,)),
        ("water", (0,)),
        ("burn", (0,)),
        ("regions", (1, 2)),
    ]
    assert plan.finish_inputs == (3,)
    assert sum(task.tera_ops for task in plan.tasks) == DESCRIPTION.tile_tera_ops == 100_000


def test_a_lake_and_a_burn_are_found_where_they_are() -> None:
    image = land()
    image[GREEN, 2:7, 3:9] = 120  # MNDWI = 40/200 = 0.2 on 5 x 6 pixels
    image[NIR, 10:14, 12:17], image[SWIR2, 10:14, 12:17] = 20, 60  # NBR = -0.5 on 4 x 5 pixels
    image[GREEN, 15, 0:9] = 120  # nine pixels of water: one too few
    product, masks = decode_product(walk("surface_watch", make_tile(image)))
    water, burn = product.layers
    assert (product.observation_id, product.tile_index, product.row_offset) == (70, 3, 88)
    assert (water.mask_pixel_count, burn.mask_pixel_count) == (39, 20)
    assert water.valid_pixel_count == burn.valid_pixel_count == 480
    (lake,) = water.regions
    assert (lake.row_min, lake.row_max, lake.col_min, lake.col_max) == (2, 6, 3, 8)
    assert (lake.centroid_row, lake.centroid_col) == (4.0, 5.5)
    assert product.area_m2(lake) == pytest.approx(30 * 28.5**2)
    assert lake.index_mean == pytest.approx(0.2, abs=1e-7)
    assert lake.confidence_ratio == 0.8  # 0.2 / 0.25, in thousandths rounded down
    (scar,) = burn.regions
    assert scar.pixel_count == 20
    assert scar.index_mean == -0.5
    assert scar.confidence_ratio == 0.5  # (0.5 - 0.375) / 0.25
    scar_mask = unpack_bits(masks[1], (20, 24))
    assert scar_mask[10:14, 12:17].all()
    assert scar_mask.sum() == 20


def test_the_largest_regions_stay_and_the_others_are_counted() -> None:
    image = land(88, 88)
    for row in range(0, 88, 6):
        for col in range(0, 88, 6):
            image[GREEN, row : row + 4, col : col + 4] = 120
    image[GREEN, 78:82, 66:71] = 120  # 20 pixels, the largest
    block = walk("surface_watch", make_tile(image))
    water = decode_product(block)[0].layers[0]
    assert len(water.regions) == REGION_COUNT_MAX
    assert water.regions_omitted_count == 15 * 15 - REGION_COUNT_MAX
    assert max(region.pixel_count for region in water.regions) == 20
    firsts = [(region.row_min, region.col_min) for region in water.regions]
    assert firsts == sorted(firsts)
    assert len(block) <= 0.1 * image.nbytes


def test_calibration_reaches_the_index_and_bad_bands_reach_nothing() -> None:
    """A gain that doubles swir1 turns MNDWI from 0 to -1/3; a NaN gain leaves no valid pixel."""
    image = np.full((6, 4, 4), 50, np.uint8)
    for gain, valid_pixel_count, mean in ((2.0, 16, -1 / 3), (float("nan"), 0, None)):
        parameters = CalibrateParameters(gain=(1.0, 1.0, gain, 1.0), dark_dn=(0.0,) * 4)
        encoded = msgspec.msgpack.encode(parameters)
        calibrated = run_step("surface_watch", "calibrate", encoded, [make_tile(image)])
        water = run_step("surface_watch", "index", DESCRIPTION.tasks[1].parameters, [calibrated])
        layer = decode_product(run_step("surface_watch", "regions", DESCRIPTION.tasks[3].parameters, [water]))
        assert layer[0].layers[0].valid_pixel_count == valid_pixel_count
        if mean is not None:
            assert layer[0].layers[0].index_sum_fixed / 2**30 / 16 == pytest.approx(mean, abs=1e-7)


def test_sixteen_bit_tiles_give_the_same_findings_as_eight_bit_ones() -> None:
    image = land()
    image[GREEN, 2:7, 3:9] = 120
    narrow, _ = decode_product(walk("surface_watch", make_tile(image)))
    wide, _ = decode_product(walk("surface_watch", make_tile(image.astype(np.uint16))))
    assert narrow == wide


def test_totals_do_not_depend_on_the_order_of_products() -> None:
    image = land()
    image[GREEN, 2:7, 3:9] = 120
    products = [
        decode_product(walk("surface_watch", make_tile(np.ascontiguousarray(part))))[0]
        for part in (image[:, :11], image[:, 11:])
    ]
    totals = total_by_layer(products)
    assert totals == total_by_layer(reversed(products))
    whole = total_by_layer([decode_product(walk("surface_watch", make_tile(image)))[0]])
    assert totals == whole


@pytest.mark.parametrize("position", [0, 5, 40, -1])
def test_a_flipped_bit_is_found_at_every_step(position: int) -> None:
    tile = make_tile(land())
    calibrated = run_step("surface_watch", "calibrate", DESCRIPTION.tasks[0].parameters, [tile])
    index = run_step("surface_watch", "index", DESCRIPTION.tasks[1].parameters, [calibrated])
    findings = run_step("surface_watch", "regions", DESCRIPTION.tasks[3].parameters, [index])
    steps = [("calibrate", 0, tile), ("index", 1, calibrated), ("regions", 3, index), ("finish", 3, findings)]
    for step, task, block in steps:
        damaged = bytearray(block)
        damaged[position] ^= 0x10
        with pytest.raises(InputCorrupt):
            run_step("surface_watch", step, DESCRIPTION.tasks[task].parameters, [bytes(damaged)])


def test_what_cannot_be_done_is_refused_by_name() -> None:
    tile = make_tile(land()[:5], band_roles=("blue", "green", "red", "nir", "swir1"))
    identity = DESCRIPTION.tasks[0].parameters
    with pytest.raises(AppError, match="no band for swir2"):
        run_step("surface_watch", "calibrate", identity, [tile])
    with pytest.raises(AppError, match="has no step 'paint'"):
        run_step("surface_watch", "paint", b"", [])
    with pytest.raises(AppError, match="takes 1 inputs, not 0"):
        run_step("surface_watch", "calibrate", identity, [])
    with pytest.raises(AppError, match="CalibrateParameters"):
        run_step("surface_watch", "calibrate", b"\xc0", [make_tile(land())])
    other = msgspec.msgpack.encode(msgspec.structs.replace(BURN, band_a="thermal"))
    with pytest.raises(AppError, match="no calibrated band for thermal"):
        run_step("surface_watch", "index", other, [make_tile(land())])
    with pytest.raises(AppError, match="PlanRequest"):
        run_plan(DESCRIPTION, b"")
    with pytest.raises(AppError, match="surface_watch, template"):
        describe("surface_wash")


def test_a_graph_that_is_none_is_refused() -> None:
    request = msgspec.msgpack.encode(PlanRequest(70, 3, b"id"))
    first, *others = DESCRIPTION.tasks
    for tasks in ((*others, first), (first, *DESCRIPTION.tasks)):
        with pytest.raises(AppError):
            run_plan(msgspec.structs.replace(DESCRIPTION, tasks=tuple(tasks)), request)


def test_apps_have_names_and_apids_of_their_own() -> None:
    assert len({app.name for app in APPS}) == len({app.apid for app in APPS}) == len(APPS)
    assert all(0 < app.apid < 2048 for app in APPS)


def test_descriptions_load_no_numpy() -> None:
    code = (
        "import sys, flightos.apps.registry, flightos.apps.tiles, flightos.apps.execution\n"
        "import flightos.apps.surface_watch.product\n"
        "sys.exit('numpy' in sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


@pytest.mark.parametrize("kernels", ["c", "numpy"])
def test_c_and_numpy_kernels_give_the_same_product(kernels: str) -> None:
    """The product bytes, and so the content id, do not tell which kernels made them."""
    code = (
        "import numpy as np; from hashlib import sha256\n"
        "from tests.unit.apps.tile_examples import make_tile, walk\n"
        "image = np.random.default_rng(5).integers(0, 256, (6, 31, 33)).astype(np.uint8)\n"
        "image[:, 3:12, 5:20] //= 9\n"
        "print(sha256(walk('surface_watch', make_tile(image))).hexdigest())"
    )
    if kernels == "c":
        pytest.importorskip("flightos._fos", reason="the C module is not built")
    done = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, "FLIGHTOS_KERNELS": kernels},
        capture_output=True,
        text=True,
        check=True,
    )
    image = np.random.default_rng(5).integers(0, 256, (6, 31, 33)).astype(np.uint8)
    image[:, 3:12, 5:20] //= 9
    assert done.stdout.strip() == sha256(walk("surface_watch", make_tile(image))).hexdigest()
