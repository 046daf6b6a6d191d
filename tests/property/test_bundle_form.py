"""The form of our own bundles, read in one go, against the reader that goes head by head."""

from __future__ import annotations

from unittest.mock import patch

from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.errors import DecodeError
from flightos.kernels.crc import crc32c
from flightos.wire import bundle as bundles
from flightos.wire.bundle import BundleHeader, decode_bundle, decode_bundle_header, encode_bundle, with_hop
from flightos.wire.bundle_form import read_own_form

QUICK = settings(max_examples=100, deadline=None)
HEADERS = st.builds(
    BundleHeader,
    source_id=st.one_of(st.integers(1, 2000), st.integers(1, (1 << 32) - 1)),
    creation_dtn_ms=st.one_of(st.integers(0, 30), st.integers(0, (1 << 63) - 1)),
    sequence=st.one_of(st.integers(0, 300), st.integers(0, (1 << 63) - 1)),
    destination_id=st.integers(1, 70_000),
    lifetime_ms=st.integers(0, (1 << 63) - 1),
    kind=st.integers(0, 0xFFFF),
    priority=st.integers(0, 3),
    hop_count=st.integers(0, 128),
)


def outcomes(data: bytes) -> list[object]:
    """What each decoder makes of the bytes: a value, or the reason why not."""
    found: list[object] = []
    for decode in (decode_bundle_header, decode_bundle, lambda data: with_hop(data, 300)):
        try:
            found.append(decode(data))
        except DecodeError as error:
            found.append(error.reason)
    return found


def outcomes_head_by_head(data: bytes) -> list[object]:
    """The same without the form."""
    with patch.object(bundles, "read_own_form", return_value=None):
        return outcomes(data)


@QUICK
@given(header=HEADERS, body=st.binary(max_size=300), hop_count=st.integers(0, 5))
def test_what_we_write_is_in_the_form(header: BundleHeader, body: bytes, hop_count: int) -> None:
    data = encode_bundle(header, body, [b"attachment"])
    for hop in range(min(hop_count, 128 - header.hop_count)):
        data = with_hop(data, 100 * hop + 1)
    if header.creation_dtn_ms > 0:
        assert read_own_form(data) is not None
    assert outcomes(data) == outcomes_head_by_head(data)


@QUICK
@given(
    header=HEADERS,
    changes=st.lists(st.tuples(st.integers(0, 110), st.integers(0, 255)), min_size=1, max_size=3),
    is_relayed=st.booleans(),
    is_resealed=st.booleans(),
)
def test_damage_is_judged_alike(
    header: BundleHeader, changes: list[tuple[int, int]], is_relayed: bool, is_resealed: bool
) -> None:
    data = bytearray(encode_bundle(header, b"body", [b"attachment"]))
    if is_relayed and header.hop_count < 128:
        data = bytearray(with_hop(bytes(data), 7))
    form = read_own_form(bytes(data))
    for offset, value in changes:
        data[offset % len(data)] = value
    if form is not None and is_resealed:
        primary = bytes(data[1 : form.primary_stop - 4]) + bytes(4)
        data[form.primary_stop - 4 : form.primary_stop] = crc32c(primary).to_bytes(4, "big")
    assert outcomes(bytes(data)) == outcomes_head_by_head(bytes(data))
