"""Tiles for tests, and the walk of one tile through all steps of an app."""

from __future__ import annotations

import msgspec
import numpy as np

from flightos.apps.registry import run_step
from flightos.apps.tiles import TileHeader, encode_tile
from flightos.services.scheduling.interface import PlanRequest, PlanResult

BAND_ROLES = ("blue", "green", "red", "nir", "swir1", "swir2")


def make_tile(image: np.ndarray[tuple[int, ...], np.dtype[np.unsignedinteger]], **header: object) -> bytes:
    """Encode an image (bands, rows, cols) of uint8 or uint16; header fields as given or plain defaults."""
    fields: dict[str, object] = {
        "observation_id": 70,
        "tile_index": 3,
        "row_offset": 88,
        "col_offset": 175,
        "rows": image.shape[1],
        "cols": image.shape[2],
        "band_roles": BAND_ROLES,
        "sample_type": image.dtype.name,
        "pixel_size_mm": 28_500,
    }
    return encode_tile(
        msgspec.convert(list({**fields, **header}.values()), TileHeader, strict=False), image.tobytes()
    )


def walk(app: str, tile: bytes) -> bytes:
    """Do what a constellation does with one tile: plan, every task in order, finish."""
    request = msgspec.msgpack.encode(PlanRequest(70, 3, b"content-id"))
    plan = msgspec.msgpack.decode(run_step(app, "plan", request, ()), type=PlanResult)
    results = {-1: tile}
    for task in plan.tasks:
        inputs = [results[index] for index in task.inputs]
        results[task.index] = run_step(app, task.step, task.parameters, inputs)
    return run_step(app, "finish", b"", [results[index] for index in plan.finish_inputs])
