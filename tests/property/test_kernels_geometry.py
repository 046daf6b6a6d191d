"""SAR and line-of-sight faces give the bits of their references, and agree with the world's own geometry."""

from __future__ import annotations

from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from flightos.kernels import reference_geometry
from flightos.kernels.sar import RangeAxis, backproject, corner_turn, matched_filter
from flightos.kernels.sight import edges_in_sight, pairs_in_sight, scan_contacts
from sil.world import links
from sil.world.constants import EARTH_RADIUS_KM, GRAZING_HEIGHT_KM_MIN

SHAPES = hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=75)
SAMPLES = st.complex_numbers(width=64)
LAW = settings(max_examples=40, deadline=None)
SEEDS = st.integers(0, 2**32 - 1)


def same_bits(left: Any, right: Any) -> bool:
    """Equal to the last bit, where every NaN is like any other, part by part of a complex number."""
    left, right = (np.ascontiguousarray(side).reshape(-1).view(side.real.dtype) for side in (left, right))
    numbers = ~np.isnan(left)
    same_numbers = left[numbers].tobytes() == right[numbers].tobytes()
    return same_numbers and np.array_equal(np.isnan(left), np.isnan(right))


def noise(seed: int, shape: tuple[int, ...]) -> Any:
    stream = np.random.default_rng(seed)
    return (stream.normal(size=shape) + 1j * stream.normal(size=shape)).astype(np.complex64)


@LAW
@given(shape=SHAPES, seed=SEEDS)
def test_turning_twice_gives_the_image_back(shape: tuple[int, int], seed: int) -> None:
    image = noise(seed, shape)
    turned = corner_turn(image)
    assert np.array_equal(turned, image.T)
    assert np.array_equal(corner_turn(turned), image)


@LAW
@given(data=st.data(), shape=hnp.array_shapes(min_dims=2, max_dims=2, min_side=0, max_side=20))
def test_matched_filter(data: Any, shape: tuple[int, int]) -> None:
    signal = data.draw(hnp.arrays(np.complex64, shape, elements=SAMPLES))
    reference = data.draw(hnp.arrays(np.complex64, shape[1], elements=SAMPLES))
    window = data.draw(hnp.arrays(np.float32, shape[1], elements=st.floats(width=32)))
    expected = np.empty(shape, np.complex64)
    reference_geometry.matched_filter(signal, reference, window, expected)
    assert same_bits(matched_filter(signal, reference, window), expected)


@LAW
@given(data=st.data(), seed=SEEDS, pulse_count=st.integers(0, 4), bin_count=st.integers(2, 70))
def test_backprojection(data: Any, seed: int, pulse_count: int, bin_count: int) -> None:
    """Also where pixels fall before the first bin, behind the last, or nowhere at all (NaN)."""
    stream = np.random.default_rng(seed)
    profiles = noise(seed, (pulse_count, bin_count))
    pulses = stream.uniform(-60, 60, (pulse_count, 4))
    axis = RangeAxis(stream.uniform(-80, 0), stream.uniform(0.1, 3), stream.uniform(-70, 70))
    places = st.one_of(st.floats(-100, 100), st.just(float("nan")), st.just(float("inf")))
    x, y = (data.draw(hnp.arrays(np.float64, st.integers(0, 70), elements=places)) for _ in range(2))
    expected = np.empty((y.size, x.size), np.complex64)
    reference_geometry.backproject(profiles, pulses, axis, x, y, expected)
    assert same_bits(backproject(profiles, pulses, axis, x, y), expected)


def test_the_phasor_is_one() -> None:
    """The polynomials give the exponential to 1e-6 over the whole turn."""
    turn = np.linspace(-0.5, 0.5, 20_001, dtype=np.float32)
    cosine, sine = reference_geometry.phasor(turn)
    exact = np.exp(2j * np.pi * turn.astype(np.float64))
    assert float(np.abs(cosine - exact.real).max()) < 1e-6
    assert float(np.abs(sine - exact.imag).max()) < 1e-6


def points(data: Any) -> Any:
    """Positions in low orbit and some of any kind."""
    stream = np.random.default_rng(data.draw(SEEDS))
    direction = stream.normal(size=(data.draw(st.integers(0, 70)), 3))
    r_km = (
        direction
        / np.linalg.norm(direction, axis=1, keepdims=True)
        * stream.uniform(6300, 8000, (len(direction), 1))
    )
    if len(r_km) > 3:
        r_km[0] = r_km[1]
        r_km[2, 0] = data.draw(st.sampled_from([np.nan, np.inf, 0.0]))
    return r_km


@LAW
@given(data=st.data(), range_km_max=st.sampled_from([0.0, 3000.0, np.inf]))
def test_all_pairs(data: Any, range_km_max: float) -> None:
    r_km = points(data)
    sight = pairs_in_sight(r_km, 6478.0, range_km_max)
    range_km, in_sight = reference_geometry.pairs_in_sight(r_km, 6478.0, range_km_max)
    assert same_bits(sight.range_km, range_km)
    assert np.array_equal(sight.in_sight, in_sight)
    assert np.array_equal(sight.in_sight, sight.in_sight.T)
    edge = np.ascontiguousarray(np.argwhere(np.ones_like(in_sight)), np.uint32)
    chosen = edges_in_sight(r_km, edge, 6478.0, range_km_max)
    assert same_bits(chosen.range_km, range_km.reshape(-1))
    assert np.array_equal(chosen.in_sight, in_sight.reshape(-1))


@LAW
@given(seed=SEEDS)
def test_all_pairs_agree_with_the_world(seed: int) -> None:
    """The world's formula (nearest point of the segment) says the same, but for lines a micrometre from grazing."""
    stream = np.random.default_rng(seed)
    direction = stream.normal(size=(30, 3))
    r_km = direction / np.linalg.norm(direction, axis=1, keepdims=True) * stream.uniform(6900, 8000, (30, 1))
    height_km = links.grazing_height_km(r_km[:, None], r_km[None])
    sight = pairs_in_sight(r_km, EARTH_RADIUS_KM + GRAZING_HEIGHT_KM_MIN)
    clear = (height_km >= GRAZING_HEIGHT_KM_MIN) & ~np.eye(30, dtype=bool)
    certain = np.abs(height_km - GRAZING_HEIGHT_KM_MIN) > 1e-9
    assert np.array_equal(sight.in_sight.astype(bool)[certain], clear[certain])
    assert np.allclose(sight.range_km, links.range_km(r_km[:, None], r_km[None]), rtol=1e-14)


@LAW
@given(data=st.data(), station_count=st.integers(0, 5))
def test_contacts(data: Any, station_count: int) -> None:
    r_km = points(data)
    stream = np.random.default_rng(data.draw(SEEDS))
    zenith = stream.normal(size=(station_count, 3))
    zenith /= np.linalg.norm(zenith, axis=1, keepdims=True)
    station = zenith * 6371.0
    sine_min = stream.uniform(-0.1, 0.5, station_count)
    contacts = scan_contacts(r_km, station, zenith, sine_min)
    stations = np.concatenate([station, zenith, sine_min[:, None]], axis=1)
    range_km, sine, in_contact = reference_geometry.scan_contacts(r_km, stations)
    assert same_bits(contacts.range_km, range_km)
    assert same_bits(contacts.elevation_sine, sine)
    assert np.array_equal(contacts.in_contact, in_contact)
