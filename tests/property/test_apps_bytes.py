"""Blocks of apps: any bytes decode to a record or to InputCorrupt, and what was sealed comes back."""

from __future__ import annotations

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.apps.execution import execute
from flightos.apps.interface import InputCorrupt
from flightos.apps.sealed import seal
from flightos.apps.surface_watch.product import PRODUCT_MAGIC, SurfaceWatchProduct, decode_product
from flightos.apps.tiles import TILE_MAGIC, TileHeader, decode_tile, encode_tile
from flightos.core.ports import WorkFailure
from flightos.kernels.crc import crc32c

LAW = settings(max_examples=80, deadline=None)
HEADERS = st.builds(
    TileHeader,
    observation_id=st.integers(0, 2**40),
    tile_index=st.integers(0, 10_000),
    row_offset=st.integers(0, 10_000),
    col_offset=st.integers(0, 10_000),
    rows=st.integers(1, 9),
    cols=st.integers(1, 9),
    band_roles=st.lists(st.text(max_size=8), min_size=1, max_size=5).map(tuple),
    sample_type=st.sampled_from(["uint8", "uint16"]),
    pixel_size_mm=st.integers(1, 10**6),
)


@LAW
@given(header=HEADERS, data=st.data())
def test_a_tile_comes_back_and_any_damage_is_found(header: TileHeader, data: st.DataObject) -> None:
    pixels = data.draw(st.binary(min_size=header.raw_bytes, max_size=header.raw_bytes))
    block = encode_tile(header, pixels)
    assert decode_tile(block) == (header, pixels)
    damaged = bytearray(block)
    damaged[data.draw(st.integers(0, len(block) - 1))] ^= 1 << data.draw(st.integers(0, 7))
    with pytest.raises(InputCorrupt):
        decode_tile(bytes(damaged))


@LAW
@given(body=st.binary(max_size=200), magic=st.sampled_from([TILE_MAGIC, PRODUCT_MAGIC, b""]))
def test_any_bytes_decode_or_are_corrupt(body: bytes, magic: bytes) -> None:
    """With and without a right checksum, so that the header's own checks are reached too."""
    for block in (magic + body, magic + body + crc32c(magic + body).to_bytes(4, "big")):
        for decode in (decode_tile, decode_product):
            try:
                decode(block)
            except InputCorrupt:
                continue


@LAW
@given(
    shape=st.tuples(st.integers(-2, 70_000), st.integers(-2, 70_000)),
    body=st.binary(max_size=40),
    version=st.integers(0, 2),
)
def test_product_headers_that_lie_are_corrupt(shape: tuple[int, int], body: bytes, version: int) -> None:
    product = SurfaceWatchProduct(version, 1, 1, 0, 0, shape[0], shape[1], 1, 10, 0.25, ())
    block = seal(PRODUCT_MAGIC, product, body)
    honest = version == 1 and shape[0] > 0 and shape[1] > 0 and not body
    try:
        decode_product(block)
    except InputCorrupt:
        assert not honest
    else:
        assert honest


@LAW
@given(
    step=st.sampled_from(["plan", "calibrate", "index", "regions", "finish", "?"]),
    parameters=st.binary(max_size=60),
    inputs=st.lists(st.binary(max_size=60), max_size=3),
)
def test_every_outcome_of_a_step_is_a_value(step: str, parameters: bytes, inputs: list[bytes]) -> None:
    """Nonsense is refused or corrupt; it never counts as a crash of the app."""
    done = execute("surface_watch", step, parameters, inputs)
    assert done.failure in (WorkFailure.REFUSED, WorkFailure.CORRUPT_INPUT) or (
        step == "plan" and done.result
    )


def test_an_error_inside_an_app_is_a_crash_with_its_text(monkeypatch: pytest.MonkeyPatch) -> None:
    def run_step(step: str, parameters: bytes, inputs: object) -> bytes:
        raise ZeroDivisionError("a mistake of the app")

    monkeypatch.setattr("flightos.apps.template.steps.run_step", run_step)
    done = execute("template", "measure", msgspec.msgpack.encode(1), ())
    assert done.failure == WorkFailure.CRASHED
    assert done.text == "ZeroDivisionError: a mistake of the app"
