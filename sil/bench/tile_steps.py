"""Compute-bound steps on tiles of one image, as an app: what `kernels_workers` gives to compute workers.

Workers find it by its dotted path, like a user's own app.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import Final

import msgspec
import numpy as np

from flightos.apps.interface import TILE_INPUT, AppDescription, AppError, TaskTemplate, decode_parameters
from flightos.apps.tiles import decode_tile
from flightos.kernels.codecs import CCSDS123Parameters, encode_image
from flightos.kernels.detection import TargetLimits, find_targets
from flightos.kernels.sar import RangeAxis, backproject

STEPS: Final = ("focus", "compress", "targets", "loop")
TARGET_LIMITS: Final = TargetLimits(3, 10, 200, 25.0)

DESCRIPTION: Final = AppDescription(
    name="sil.bench.tile_steps",
    apid=0x1FF,
    module="sil.bench.tile_steps",
    tasks=tuple(TaskTemplate(step, step, (TILE_INPUT,), tera_ops=1, result_bytes=1 << 20) for step in STEPS),
    finish_inputs=STEPS,
    cost_note="none: only benchmarks run it",
)


class FocusParameters(msgspec.Struct, frozen=True, array_like=True):
    """Where the tile lies in the image, in metres, and the geometry of the pulses."""

    first_x_m: float
    first_y_m: float
    spacing_m: float
    side: int
    pulse_count: int
    axis: tuple[float, float, float]


class LoopParameters(msgspec.Struct, frozen=True, array_like=True):
    """Rounds of a loop that touches no memory."""

    round_count: int


def run_step(step: str, parameters: bytes, inputs: Sequence[bytes]) -> bytes:
    """Run one step. Raises AppError for an unknown one, InputCorrupt for damaged tiles."""
    if step not in STEPS:
        raise AppError(f"no step {step!r}; there are {', '.join(STEPS)}")
    if step == "loop":
        rounds = decode_parameters(parameters, LoopParameters).round_count
        return hashlib.pbkdf2_hmac("sha256", b"", b"", rounds)
    if step == "focus":
        return _focus(decode_parameters(parameters, FocusParameters), *inputs)
    tile, pixels = decode_tile(inputs[0])
    sample_type = np.uint8 if tile.sample_type == "uint8" else np.dtype("<u2")
    bands = np.frombuffer(pixels, sample_type).reshape(len(tile.band_roles), tile.rows, tile.cols)
    if step == "compress":
        return encode_image(bands, CCSDS123Parameters.for_image(bands))
    mask = np.empty(bands[0].shape, np.uint8)
    find_targets(bands[0], TARGET_LIMITS, mask)
    return mask.tobytes()


def _focus(place: FocusParameters, pulses: bytes, profiles: bytes) -> bytes:
    """Focus one tile of a radar image from the range profiles of all pulses."""
    steps = np.arange(place.side, dtype=np.float64) * np.float64(place.spacing_m)
    image = backproject(
        np.frombuffer(profiles, np.complex64).reshape(place.pulse_count, -1),
        np.frombuffer(pulses, np.float64).reshape(place.pulse_count, 4),
        RangeAxis(*place.axis),
        place.first_x_m + steps,
        place.first_y_m + steps,
    )
    return image.tobytes()
