"""The template app: the test to copy with it."""

from __future__ import annotations

import numpy as np
import pytest

from flightos.apps.interface import AppError, InputCorrupt
from flightos.apps.registry import describe, run_step
from flightos.apps.template.product import decode_product
from tests.unit.apps.tile_examples import make_tile, walk


def test_bands_are_added_up() -> None:
    counts = np.arange(24).reshape(2, 3, 4)
    for image in (counts.astype(np.uint8), counts.astype(np.uint16)):
        sums = decode_product(walk("template", make_tile(image, band_roles=("near", "far"))))
        assert sums.count_sums == (sum(range(12)), sum(range(12, 24)))
        assert (sums.observation_id, sums.band_roles, sums.pixel_count) == (70, ("near", "far"), 12)


def test_a_damaged_tile_is_corrupt_and_an_unknown_step_refused() -> None:
    tile = make_tile(np.zeros((1, 2, 2), np.uint8), band_roles=("near",))
    with pytest.raises(InputCorrupt):
        run_step("template", "measure", b"", [tile[:-5] + b"\x01" + tile[-4:]])
    with pytest.raises(AppError):
        run_step("template", "dream", b"", [tile])


def test_an_app_of_ones_own_is_named_by_its_module() -> None:
    assert describe("flightos.apps.template.description").name == "template"
    with pytest.raises(AppError, match="cannot be imported"):
        describe("no_such_package.app")
