"""The faces of the imaging and geometry kernels refuse before they write."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

from flightos.kernels import KernelError
from flightos.kernels.bandmath import calibrate, normalised_difference, normalised_difference_above
from flightos.kernels.classes import SceneLimits, change_classes, cloud_mask
from flightos.kernels.detection import HotspotLimits, TargetLimits, find_hotspots, find_targets
from flightos.kernels.filters import convolve, convolve_separable
from flightos.kernels.sar import RangeAxis, backproject, corner_turn, matched_filter
from flightos.kernels.sight import edges_in_sight, pairs_in_sight, scan_contacts

DN = np.full((6, 8), 7, np.uint16)
F32 = np.ones((6, 8), np.float32)
C64 = np.ones((6, 8), np.complex64)
TAPS = np.ones((3, 3), np.float32)
R_KM = np.full((5, 3), 7000.0)
PULSES = np.ones((6, 4))
PLACES = np.zeros(2)
AXIS = RangeAxis(0.0, 1.0, 1.0)
SCENE = SceneLimits(0, 0, 0, 0, 0, 0, 0, 0, 0)
TARGET = TargetLimits(1, 3, 0, 9.0)
HOT = HotspotLimits(3, 10, 20, 5, 1.0, 9.0)


@pytest.mark.parametrize(
    ("call", "status_name"),
    [
        (lambda: calibrate(DN, F32, F32, 70_000), "FOS_ERR_PARAMETER"),
        (lambda: calibrate(DN, F32[:3], F32, 1), "SHAPE_MISMATCH"),
        (lambda: calibrate(DN[:, ::2], F32[:, ::2], F32[:, ::2], 1), "NOT_CONTIGUOUS"),
        (lambda: calibrate(DN, F32, F32, 1, 0.0, (F32, DN.astype(np.uint8))), "OVERLAP"),
        (lambda: normalised_difference(DN, DN[:3]), "SHAPE_MISMATCH"),
        (lambda: normalised_difference_above(DN, DN, math.nan), "FOS_ERR_PARAMETER"),
        (lambda: cloud_mask(DN, DN, DN, DN, SCENE._replace(snow_ratio_256=257)), "FOS_ERR_PARAMETER"),
        (lambda: cloud_mask(DN, DN, DN, DN, SCENE._replace(cloud_red_dn_min=1 << 31)), "FOS_ERR_PARAMETER"),
        (lambda: cloud_mask(DN, DN, DN[:3], DN, SCENE), "SHAPE_MISMATCH"),
        (lambda: change_classes(DN, DN, DN, DN, (0.0, 1.0, 1.0, 2.0, 3.0, 4.0)), "FOS_ERR_PARAMETER"),
        (lambda: change_classes(DN, DN, DN, DN, (0.0, 1.0)), "FOS_ERR_PARAMETER"),
        (lambda: convolve(F32, np.ones((4, 4), np.float32)), "FOS_ERR_PARAMETER"),
        (lambda: convolve(F32, TAPS * np.float32(np.inf)), "FOS_ERR_PARAMETER"),
        (lambda: convolve(F32, TAPS, limit=math.nan), "FOS_ERR_PARAMETER"),
        (lambda: convolve(F32, TAPS, out=F32), "OVERLAP"),
        (lambda: convolve(F32.reshape(-1), TAPS), "SHAPE_MISMATCH"),
        (lambda: convolve_separable(F32, TAPS[0].copy(), np.ones(5, np.float32)), "SHAPE_MISMATCH"),
        (lambda: find_targets(DN, TARGET._replace(guard_radius=3)), "FOS_ERR_PARAMETER"),
        (lambda: find_targets(DN, TARGET._replace(deviations_squared=math.nan)), "FOS_ERR_PARAMETER"),
        (lambda: find_targets(np.zeros((1, 32769), np.uint16), TARGET), "FOS_ERR_TOO_LARGE"),
        (lambda: find_hotspots(DN, HOT._replace(radius=21)), "FOS_ERR_PARAMETER"),
        (lambda: find_hotspots(DN, HOT._replace(valid_count_min=0)), "FOS_ERR_PARAMETER"),
        (lambda: corner_turn(C64[0]), "SHAPE_MISMATCH"),
        (lambda: corner_turn(C64, np.empty((6, 8), np.complex64)), "SHAPE_MISMATCH"),
        (lambda: matched_filter(C64, C64[0, :4].copy(), F32[0]), "SHAPE_MISMATCH"),
        (lambda: backproject(C64, PULSES[:5], AXIS, PLACES, PLACES), "SHAPE_MISMATCH"),
        (lambda: backproject(C64, PULSES, RangeAxis(0, 0, 1), PLACES, PLACES), "FOS_ERR_PARAMETER"),
        (lambda: backproject(C64, PULSES, RangeAxis(math.inf, 1, 1), PLACES, PLACES), "FOS_ERR_PARAMETER"),
        (lambda: pairs_in_sight(R_KM, -1.0), "FOS_ERR_PARAMETER"),
        (lambda: pairs_in_sight(R_KM[:, :2].copy(), 1.0), "SHAPE_MISMATCH"),
        (lambda: pairs_in_sight(np.zeros((16385, 3)), 1.0), "FOS_ERR_TOO_LARGE"),
        (lambda: edges_in_sight(R_KM, np.array([[0, 5]], np.uint32), 1.0), "FOS_ERR_RANGE"),
        (lambda: edges_in_sight(R_KM, np.zeros(2, np.uint32), 1.0), "SHAPE_MISMATCH"),
        (lambda: scan_contacts(R_KM, R_KM, R_KM, np.zeros(4)), "SHAPE_MISMATCH"),
    ],
)
def test_refusals_have_names(call: Any, status_name: str) -> None:
    with pytest.raises(KernelError) as refusal:
        call()
    assert refusal.value.status_name == status_name
    assert DN.min() == DN.max() == 7
    assert F32.min() == F32.max() == 1


@pytest.mark.parametrize(
    "call",
    [
        lambda: calibrate(DN.astype(np.uint8), F32, F32, 1),
        lambda: normalised_difference(DN, F32),
        lambda: normalised_difference(F32.astype(np.float64), F32),  # type: ignore[arg-type]
        lambda: cloud_mask(F32, DN, DN, DN, SCENE),  # type: ignore[arg-type]
        lambda: convolve(F32, TAPS.astype(np.float64)),
        lambda: find_targets(F32, TARGET),  # type: ignore[arg-type]
        lambda: find_hotspots(DN.astype(">u2"), HOT),
        lambda: corner_turn(C64.astype(np.complex128)),
        lambda: backproject(C64, PULSES.astype(np.float32), AXIS, PLACES, PLACES),
        lambda: pairs_in_sight(R_KM.astype(np.float32), 1.0),
        lambda: edges_in_sight(R_KM, np.zeros((1, 2), np.int64), 1.0),
        lambda: pairs_in_sight(R_KM.tolist(), 1.0),  # type: ignore[arg-type]
    ],
)
def test_wrong_types_are_type_errors(call: Any) -> None:
    with pytest.raises(TypeError):
        call()


def test_read_only_outputs_are_refused() -> None:
    locked = np.full(DN.shape, 9, np.uint8)
    locked.flags.writeable = False
    for call in (
        lambda: find_targets(DN, TARGET, locked),
        lambda: cloud_mask(DN, DN, DN, DN, SCENE, locked),
        lambda: change_classes(DN, DN, DN, DN, out=locked),
    ):
        with pytest.raises(KernelError, match="NOT_WRITABLE"):
            call()
    assert locked.min() == locked.max() == 9


def test_given_outputs_are_the_ones_returned() -> None:
    out = np.empty(F32.shape, np.float32)
    assert convolve(F32, TAPS, out=out) is out
    turned = np.empty((8, 6), np.complex64)
    assert corner_turn(C64, turned) is turned
    mask = np.empty(DN.shape, np.uint8)
    assert find_hotspots(DN, HOT, mask)[0] is mask


def test_a_ship_stands_out_and_a_fire_burns() -> None:
    sea = np.full((40, 40), 100, np.uint16)
    sea[::2, ::3] = 104
    sea[20, 21] = 900
    mask, count = find_targets(sea, TargetLimits(2, 8, 200, 25.0))
    assert count == 1
    assert mask[20, 21] == 1
    warm, fire = HotspotLimits(8, 310, 1000, 20, 20.0, 9.0), sea + np.uint16(190)
    fire[5, 5] = 2000
    mask, count = find_hotspots(fire, warm)
    assert (mask[5, 5], mask[20, 21], count) == (1, 1, 2)
