"""The steps of the template: pure functions from bytes to bytes."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from flightos.apps.interface import (
    STEP_FINISH,
    STEP_PLAN,
    AppError,
    check_input_count,
    run_plan,
)
from flightos.apps.sealed import seal
from flightos.apps.template.description import DESCRIPTION
from flightos.apps.template.product import PRODUCT_MAGIC, BandSums, decode_product
from flightos.apps.tiles import decode_tile


def run_step(step: str, parameters: bytes, inputs: Sequence[bytes]) -> bytes:
    """Run one step. Raises AppError for an unknown step, InputCorrupt for damaged inputs."""
    if step == STEP_PLAN:
        return run_plan(DESCRIPTION, parameters)
    if step == "measure":
        return _measure(inputs)
    if step == STEP_FINISH:
        check_input_count(step, inputs, 1)
        return seal(PRODUCT_MAGIC, decode_product(inputs[0]), b"")
    raise AppError(f"template has no step {step!r}")


def _measure(inputs: Sequence[bytes]) -> bytes:
    """Add up the counts of each band: integers, so that every machine gives the same sums."""
    check_input_count("measure", inputs, 1)
    tile, pixels = decode_tile(inputs[0])
    sample_type = np.uint8 if tile.sample_type == "uint8" else np.dtype("<u2")
    bands = np.frombuffer(pixels, sample_type).reshape(len(tile.band_roles), tile.pixel_count)
    count_sums = tuple(int(band.sum(dtype=np.int64)) for band in bands)
    sums = BandSums(tile.observation_id, tile.tile_index, tile.band_roles, tile.pixel_count, count_sums)
    return seal(PRODUCT_MAGIC, sums, b"")
