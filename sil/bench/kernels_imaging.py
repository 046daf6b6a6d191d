"""The imaging, class, filter and detection kernels, each against its peer and against a copy of memory.

One thread; times are medians of that thread's CPU time over alternating rounds; rates count every byte that must be
read and written. Images are larger than the caches. The peers do the same work with their own fastest calls, on
one thread, into arrays that are made once; OpenCV's chains stand there twice, so and as one usually writes them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from importlib import import_module
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flightos.kernels import bandmath, isa_name
from flightos.kernels.arguments import new_output
from flightos.kernels.classes import SEVERITY_THRESHOLDS, SceneLimits, change_classes, cloud_mask
from flightos.kernels.detection import HotspotLimits, TargetLimits, find_hotspots, find_targets
from flightos.kernels.filters import Edge, Finish, convolve, convolve_separable
from flightos.kernels.regions import label_regions
from sil.bench.kernel_rows import SEED
from sil.bench.machine_limits import Limits, cpu_s_beside
from sil.bench.registry import Options
from sil.bench.rows import Row, missing_peer, skipped
from sil.bench.timing import GIGA, Action, cpu_s

SIDE: Final = 4096
HALF_SIDE: Final = 2048
"""For peers that take a second for the whole."""
CACHED_SIDE: Final = 256
CACHED_CALLS: Final = 20
ARITHMETIC_RATIO_MAX: Final = 1.25
"""A kernel that gains less than this from data in the cache is held by arithmetic."""
SCENE_LIMITS: Final = SceneLimits(1500, 102, 1500, 800, 51, 600, 900, 500, 26)
TARGET_LIMITS: Final = TargetLimits(3, 10, 200, 25.0)
HOTSPOT_LIMITS: Final = HotspotLimits(10, 4000, 5000, 40, 50.0, 9.0)


STREAMED: Final = "copy_streamed"
USUAL: Final = "opencv"
TUNED: Final = "opencv into buffers"
FRESH: Final = "own into new arrays"


def beside_copy(contenders: dict[str, Action], rounds: int) -> dict[str, float]:
    """Like `cpu_s`, and with the GB/s of copies of memory in the same rounds: `copy`, and past the caches STREAMED,
    which is 0 where not known."""
    taken, limits = cpu_s_beside(Limits(0.0, 0.0, 0.0), ("copy", STREAMED), contenders, rounds)
    return {**taken, "copy": limits.copy, STREAMED: limits.copy_streamed}


def rows_of(
    name: str,
    byte_count: float,
    taken: dict[str, float],
    goal: str | None,
    copy_goal: str | None,
    in_cache_gb_per_s: float | None = None,
    peer_bound: str | None = None,
) -> Iterator[Row]:
    """The rate with its ratio to the peer, and where it has a goal of its own the fraction of a copy.

    `taken` is that of `beside_copy`. in_cache_gb_per_s is the rate of the same kernel on a tile in the cache: where
    that is hardly higher, arithmetic is the limit and not memory. A limit_ratio near 1 says that memory is, whatever
    the ratio to the peer. peer_bound says what the ratio can be at most.
    """
    copy, streamed = taken["copy"], taken[STREAMED]
    taken = {key: seconds for key, seconds in taken.items() if key not in ("copy", STREAMED)}
    peer = next((key for key in taken if key != "own"), None)
    rate = byte_count / taken["own"] / GIGA
    detail: dict[str, float | str] = {"isa": isa_name(), "limit": "copy", "limit_ratio": rate / copy}
    detail["copy_gb_per_s"] = copy
    if streamed > 0:
        detail |= {"copy_streamed_gb_per_s": streamed, "copy_streamed_ratio": rate / streamed}
    detail |= {f"{key}_ms": seconds * 1e3 for key, seconds in taken.items()}
    bound: dict[str, float | str] = {}
    if in_cache_gb_per_s is not None:
        detail["in_cache_gb_per_s"] = in_cache_gb_per_s
        if in_cache_gb_per_s < ARITHMETIC_RATIO_MAX * rate:
            rate_text = f"{in_cache_gb_per_s:.3g} GB/s, the Python call included"
            bound["bound"] = f"on a tile in the cache {rate_text}: memory is not the limit"
    ratio = taken[peer] / taken["own"] if peer else None
    if peer_bound is not None:
        detail["bound"] = peer_bound
    yield Row(
        name=name,
        value=rate,
        unit="GB/s",
        peer=peer,
        ratio=ratio,
        goal=goal if peer else None,
        detail=detail | bound,
    )
    if copy_goal is not None:
        yield Row(name=f"{name}_of_copy", value=rate / copy, unit="of copy", goal=copy_goal, detail=bound)


def opencv_rows(
    name: str, byte_count: float, taken: dict[str, float], goal: str, copy_goal: str
) -> Iterator[Row]:
    """`rows_of` against a chain of OpenCV that writes into arrays made once, as our kernel does, and a row without a
    goal where both make new arrays, as one usually writes it: the system then clears each page first."""
    if TUNED not in taken:
        yield from rows_of(name, byte_count, taken, None, copy_goal)
        return
    bound = None
    if taken[STREAMED] > 0:
        possible = taken[TUNED] * taken[STREAMED] * GIGA / byte_count
        bound = f"a copy past the caches of as many bytes would be {possible:.2g} x this peer"
    # The peer that is judged stands first.
    yield from rows_of(name, byte_count, {TUNED: taken[TUNED]} | taken, goal, copy_goal, peer_bound=bound)
    yield Row(
        name=f"{name}_new_arrays",
        value=byte_count / taken[FRESH] / GIGA,
        unit="GB/s",
        peer=USUAL,
        ratio=taken[USUAL] / taken[FRESH],
        detail={"isa": isa_name()},
    )


def cached_gb_per_s(action: Action, byte_count: float, rounds: int) -> float:
    """The rate of a kernel on a tile of CACHED_SIDE. The Python call, some 10 us of about 30, is part of it."""

    def repeat() -> None:
        for _ in range(CACHED_CALLS):
            action()

    return CACHED_CALLS * byte_count / cpu_s({"own": repeat}, rounds)["own"] / GIGA


def peer_module(name: str, module: str) -> tuple[Any, list[Row]]:
    """The peer, or None and the row that says why."""
    missing = missing_peer(module)
    if missing is not None:
        return None, [skipped(f"{name}_peer", "GB/s", missing, module)]
    peer = import_module(module)
    if module == "cv2":
        peer.setNumThreads(1)
    return peer, []


def _counts(side: int, number: int, high: int = 4096) -> list[NDArray[np.uint16]]:
    stream = np.random.default_rng(SEED)
    return [stream.integers(1, high, (side, side), dtype=np.uint16) for _ in range(number)]


def calibration(rounds: int) -> Iterator[Row]:
    """uint16 to radiance with flat field, bad pixels and saturation, 15 bytes a pixel."""
    (raw,) = _counts(SIDE, 1)
    stream = np.random.default_rng(SEED)
    gain, dark = (stream.random(raw.shape, np.float32) for _ in range(2))
    gain[::97, ::89] = np.nan
    out = new_output(raw.shape, np.float32), new_output(raw.shape, np.uint8)
    contenders: dict[str, Action] = {"own": lambda: bandmath.calibrate(raw, gain, dark, 4000, 0.0, out)}
    cv2, reason = peer_module("kernel_calibrate", "cv2")
    yield from reason
    if cv2 is not None:
        radiance, flags, saturated = np.empty_like(gain), np.empty_like(out[1]), np.empty_like(out[1])

        def usual() -> object:
            found = cv2.multiply(cv2.subtract(raw.astype(np.float32), dark), gain)
            bad = cv2.compare(found, found, cv2.CMP_NE)
            cv2.patchNaNs(found, 0.0)
            return found, cv2.bitwise_or(bad, cv2.compare(raw, 4000.0, cv2.CMP_GE))

        def tuned() -> None:
            cv2.subtract(raw, dark, radiance, dtype=cv2.CV_32F)
            cv2.multiply(radiance, gain, radiance)
            cv2.compare(radiance, radiance, cv2.CMP_NE, flags)
            cv2.patchNaNs(radiance, 0.0)
            cv2.compare(raw, 4000.0, cv2.CMP_GE, saturated)
            cv2.bitwise_or(flags, saturated, flags)

        contenders |= {USUAL: usual, TUNED: tuned}
        contenders[FRESH] = lambda: bandmath.calibrate(raw, gain, dark, 4000, 0.0)
    taken = beside_copy(contenders, rounds)
    yield from opencv_rows("kernel_calibrate_u16", 15.0 * raw.size, taken, ">= 4", ">= 0.80")


def differences(rounds: int) -> Iterator[Row]:
    """Normalised differences of both sample types, with and without mask; bits packed."""
    a, b = _counts(SIDE, 2)
    floats = a.astype(np.float32), b.astype(np.float32)
    index, mask = new_output(a.shape, np.float32), new_output(a.shape, np.uint8)
    above, below, found = np.empty_like(index), np.empty_like(index), np.empty_like(index)
    cv2, reason = peer_module("kernel_ndiff", "cv2")
    yield from reason

    def usual(first: NDArray[Any], second: NDArray[Any], masks: bool) -> object:
        left, right = (band.astype(np.float32, copy=False) for band in (first, second))
        result = cv2.divide(cv2.subtract(left, right), cv2.add(left, right))
        return (result, cv2.compare(result, 0.1, cv2.CMP_GT)) if masks else result

    def tuned(first: NDArray[Any], second: NDArray[Any], masks: bool) -> None:
        cv2.subtract(first, second, above, dtype=cv2.CV_32F)
        cv2.add(first, second, below, dtype=cv2.CV_32F)
        cv2.divide(above, below, found)
        if masks:
            cv2.compare(found, 0.1, cv2.CMP_GT, mask)

    for name, first, second, pixel_bytes in (("u16", a, b, 8.0), ("f32", *floats, 12.0)):
        plain = partial(bandmath.normalised_difference, first, second)
        masked = partial(bandmath.normalised_difference_above, first, second, 0.1)
        for title, own, out, masks in (("", plain, index, False), ("_mask", masked, (index, mask), True)):
            contenders: dict[str, Action] = {"own": partial(own, out=out)}
            if cv2 is not None:
                contenders[USUAL] = partial(usual, first, second, masks)
                contenders[TUNED] = partial(tuned, first, second, masks)
                contenders[FRESH] = own
            byte_count = (pixel_bytes + masks) * a.size
            taken = beside_copy(contenders, rounds)
            yield from opencv_rows(f"kernel_ndiff{title}_{name}", byte_count, taken, ">= 4", ">= 0.85")

    contenders = {"own": lambda: bandmath.pack_bits(mask), "numpy": lambda: np.packbits(mask).tobytes()}
    yield from rows_of("kernel_pack_bits", 1.125 * mask.size, beside_copy(contenders, rounds), ">= 1", None)


def classes(rounds: int) -> Iterator[Row]:
    """Scene classes and change classes with their counts, 9 bytes a pixel; the peer is NumPy as one writes it."""
    green, red, nir, swir = _counts(HALF_SIDE, 4)
    out = new_output(green.shape, np.uint8)
    limits = SCENE_LIMITS
    edges = np.array(SEVERITY_THRESHOLDS, np.float32)

    def index(a: NDArray[np.uint16], b: NDArray[np.uint16]) -> NDArray[np.float32]:
        first, second = a.astype(np.float32), b.astype(np.float32)
        return (first - second) / (first + second)

    def scenes() -> object:
        bright = (red >= limits.cloud_red_dn_min) & (swir >= limits.cloud_swir_dn_min)
        scene = np.where(index(green, nir) > limits.water_ratio_256 / 256, np.uint8(5), np.uint8(1))
        dark = (red < limits.shadow_red_dn_max) & (nir < limits.shadow_nir_dn_max)
        scene[dark & (swir < limits.shadow_swir_dn_max)] = 4
        scene[bright & (np.abs(index(nir, red)) < limits.cloud_ratio_256 / 256)] = 2
        snow = index(green, swir) > limits.snow_ratio_256 / 256
        scene[snow & (green >= limits.snow_green_dn_min)] = 3
        scene[(green == 0) | (red == 0) | (nir == 0) | (swir == 0)] = 0
        return np.bincount(scene.reshape(-1), minlength=6)

    def changes() -> object:
        dnbr = index(green, red) - index(nir, swir)
        change = np.digitize(dnbr.reshape(-1), edges).astype(np.uint8).reshape(dnbr.shape)
        change[(green == 0) | (red == 0) | (nir == 0) | (swir == 0)] = 7
        return np.bincount(change.reshape(-1), minlength=8)

    a, b, c, d = (band[:CACHED_SIDE, :CACHED_SIDE].copy() for band in (green, red, nir, swir))
    tile_bytes = 9.0 * CACHED_SIDE**2
    tile_out = new_output(a.shape, np.uint8)
    in_cache = [
        cached_gb_per_s(partial(cloud_mask, a, b, c, d, limits, tile_out), tile_bytes, rounds),
        cached_gb_per_s(partial(change_classes, a, b, c, d, out=tile_out), tile_bytes, rounds),
    ]
    own: dict[str, Action] = {"own": lambda: cloud_mask(green, red, nir, swir, limits, out), "numpy": scenes}
    taken = beside_copy(own, rounds)
    yield from rows_of("kernel_cloud_mask", 9.0 * out.size, taken, ">= 8", ">= 0.75", in_cache[0])
    own = {"own": lambda: change_classes(green, red, nir, swir, out=out), "numpy": changes}
    taken = beside_copy(own, rounds)
    yield from rows_of("kernel_change_classes", 9.0 * out.size, taken, ">= 8", ">= 0.75", in_cache[1])


def filters(rounds: int) -> Iterator[Row]:
    """Filters of 3 x 3, 5 x 5 and 5 + 5 taps against OpenCV; 8 bytes a pixel."""
    stream = np.random.default_rng(SEED)
    image = stream.random((SIDE, SIDE), np.float32)
    out, filtered = new_output(image.shape, np.float32), np.empty_like(image)
    line = stream.random(5, np.float32)
    cv2, reason = peer_module("kernel_convolve", "cv2")
    yield from reason
    work: dict[str, dict[str, Action]] = {}
    cached: dict[str, Action] = {}
    tile = image[:CACHED_SIDE, :CACHED_SIDE].copy()
    tile_out = new_output(tile.shape, np.float32)
    for side in (3, 5):
        taps = stream.random((side, side), np.float32)
        name = f"kernel_convolve_{side}x{side}"
        work[name] = {"own": partial(convolve, image, taps, out=out)}
        cached[name] = cached[f"{name}_relu"] = partial(convolve, tile, taps, out=tile_out)
        work[f"{name}_relu"] = {"own": partial(convolve, image, taps, Edge.NEAREST, Finish.RELU, 0.5, out)}
        if cv2 is not None:
            edge = cv2.BORDER_REPLICATE
            work[name]["opencv"] = partial(cv2.filter2D, image, -1, taps, filtered, borderType=edge)
    cached["kernel_convolve_separable_5"] = partial(convolve_separable, tile, line, line, out=tile_out)
    work["kernel_convolve_separable_5"] = {"own": lambda: convolve_separable(image, line, line, out=out)}
    if cv2 is not None:
        work["kernel_convolve_separable_5"]["opencv"] = lambda: cv2.sepFilter2D(
            image, -1, line, line, filtered, borderType=cv2.BORDER_REPLICATE
        )
    for name, contenders in work.items():
        taken = beside_copy(contenders, rounds)
        in_cache = cached_gb_per_s(cached[name], 8.0 * tile.size, rounds)
        yield from rows_of(name, 8.0 * image.size, taken, ">= 1.0", ">= 0.5", in_cache)


def detections(rounds: int) -> Iterator[Row]:
    """Ships and fires against box filters of scipy.ndimage and NumPy; 3 bytes a pixel."""
    (image,) = _counts(HALF_SIDE, 1, 4010)
    out = np.empty(image.shape, np.uint8)
    ships: dict[str, Action] = {"own": lambda: find_targets(image, TARGET_LIMITS, out)}
    fires: dict[str, Action] = {"own": lambda: find_hotspots(image, HOTSPOT_LIMITS, out)}
    ndimage, reason = peer_module("kernel_cfar", "scipy.ndimage")
    yield from reason
    if ndimage is not None:
        inner, outer = 2 * TARGET_LIMITS.guard_radius + 1, 2 * TARGET_LIMITS.train_radius + 1
        count = float(outer * outer - inner * inner)

        def box(values: NDArray[np.float64], side: int) -> NDArray[np.float64]:
            return np.asarray(ndimage.uniform_filter(values, side, mode="constant")) * (side * side)

        def peer_ships() -> object:
            value = image.astype(np.float64)
            square = value * value
            total = box(value, outer) - box(value, inner)
            squares = box(square, outer) - box(square, inner)
            mean = total / count
            spread = np.sqrt(np.maximum(squares / count - mean * mean, 0.0))
            return np.count_nonzero((value > mean + 5.0 * spread) & (value >= TARGET_LIMITS.dn_min))

        def peer_fires() -> object:
            value = image.astype(np.float64)
            valid = ((image != 0) & (image < HOTSPOT_LIMITS.candidate_dn_min)).astype(np.float64)
            side = 2 * HOTSPOT_LIMITS.radius + 1
            number = np.maximum(box(valid, side), 1.0)
            mean = box(valid * value, side) / number
            spread = np.sqrt(np.maximum(box(valid * value * value, side) / number - mean * mean, 0.0))
            stands_out = value > mean + np.maximum(HOTSPOT_LIMITS.delta_dn, 3.0 * spread)
            candidate = image >= HOTSPOT_LIMITS.candidate_dn_min
            return np.count_nonzero(candidate & (stands_out | (image >= HOTSPOT_LIMITS.absolute_dn_min)))

        ships["scipy.ndimage"] = peer_ships
        fires["scipy.ndimage"] = peer_fires
    for name, contenders in (("kernel_cfar", ships), ("kernel_hotspot", fires)):
        yield from rows_of(name, 3.0 * image.size, beside_copy(contenders, rounds), ">= 10", None)


def regions(rounds: int) -> Iterator[Row]:
    """Regions of smooth patches and of noise; the peer also writes an image of labels, which is four bytes a pixel."""
    cv2, reason = peer_module("kernel_regions", "cv2")
    yield from reason
    noise = np.random.default_rng(SEED).random((SIDE, SIDE), np.float32)
    box = np.full(7, 1 / 7, np.float32)
    patches = convolve_separable(noise, box, box)
    for name, image in (("patches", patches), ("noise", noise)):
        mask = (image > 0.5).astype(np.uint8)
        contenders: dict[str, Action] = {"own": partial(label_regions, mask, None, 1)}
        if cv2 is not None:
            contenders["opencv"] = partial(cv2.connectedComponentsWithStats, mask, connectivity=8)
        yield from rows_of(
            f"kernel_regions_{name}", 1.0 * mask.size, beside_copy(contenders, rounds), ">= 0.7", None
        )


def measure(options: Options) -> Iterator[Row]:
    """All rows, as they come."""
    rounds = 3 if options.is_quick else 7
    for group in (calibration, differences, classes, filters, detections, regions):
        yield from group(rounds)
