"""Bundles: published bytes, a second codec, the limits, and what a relay may change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import cbor2
import fastcrc
import pytest

from flightos.core.errors import DecodeError, EncodeError
from flightos.wire.bundle import (
    ATTACHMENT_COUNT_MAX,
    BODY_BYTES_MAX,
    HOP_LIMIT,
    BundleHeader,
    HopLimitReached,
    decode_bundle,
    decode_bundle_header,
    encode_bundle,
    with_hop,
)
from flightos.wire.bundle_blocks import crc16_x25, read_blocks

VECTORS = json.loads((Path(__file__).parents[2] / "vectors/wire/bundles.json").read_text())["bundles"]
HEADER = BundleHeader(
    source_id=3,
    creation_dtn_ms=812_345_678_901,
    sequence=5,
    destination_id=1000,
    lifetime_ms=86_400_000,
    kind=9,
    priority=2,
)


def primary_with(crc_type: int, **changed: Any) -> bytes:
    """A primary block made with cbor2 and fastcrc only."""
    fields = {
        "flags": 0,
        "destination": [2, [1000, 9]],
        "source": [2, [3, 0]],
        "report": [1, 0],
        "time": [812_345_678_901, 5],
        "lifetime": 86_400_000,
    } | changed
    empty = bytes(2 if crc_type == 1 else 4)
    block = [7, fields["flags"], crc_type, *[fields[name] for name in fields if name != "flags"], empty]
    return sealed(cbor2.dumps(block), crc_type)


def sealed(block: bytes, crc_type: int) -> bytes:
    """The block with its last bytes, which are zero, replaced by the CRC."""
    if crc_type == 1:
        return block[:-2] + fastcrc.crc16.ibm_sdlc(block).to_bytes(2, "big")
    return block[:-4] + fastcrc.crc32.iscsi(block).to_bytes(4, "big")


def bundle_of(primary: bytes, *blocks: list[Any]) -> bytes:
    """A bundle as another implementation would write it; the payload block has no CRC."""
    payload = cbor2.dumps([1, 1, 0, 0, b"\x92\xc4\x01b\x90"])
    return b"\x9f" + primary + b"".join(cbor2.dumps(block) for block in blocks) + payload + b"\xff"


@pytest.mark.parametrize("vector", VECTORS, ids=lambda vector: vector["name"])
def test_published_bundles(vector: dict[str, Any]) -> None:
    data = bytes.fromhex(vector["hex"])
    if not vector["readable"]:
        with pytest.raises(DecodeError, match=vector["reason"]):
            read_blocks(data, checks_payload=True)
        return
    _, blocks = read_blocks(data, checks_payload=True)
    assert [block.type for block in blocks] == vector["block_types"]
    assert data[blocks[-1].data_start : blocks[-1].data_stop] == bytes.fromhex(vector["payload"])


def test_crc16_x25_is_the_published_one() -> None:
    assert crc16_x25(b"123456789") == 0x906E
    data = bytes(range(256)) * 3
    assert crc16_x25(data) == fastcrc.crc16.ibm_sdlc(data)


def test_another_codec_reads_ours() -> None:
    bundle = encode_bundle(HEADER, b"body", [b"one", b"two"])
    primary, *blocks = cbor2.loads(bundle)
    assert primary[:8] == [7, 4, 2, [2, [1000, 9]], [2, [3, 0]], [1, 0], [812_345_678_901, 5], 86_400_000]
    assert [block[0] for block in blocks] == [10, 192, 1]
    assert cbor2.loads(blocks[0][4]) == [HOP_LIMIT, 0]
    assert fastcrc.crc32.iscsi(cbor2.dumps([*primary[:8], bytes(4)])).to_bytes(4, "big") == primary[8]
    assert fastcrc.crc32.iscsi(cbor2.dumps([*blocks[2][:5], bytes(4)])).to_bytes(4, "big") == blocks[2][5]


@pytest.mark.parametrize("crc_type", [1, 2])
def test_ours_reads_another_codec(crc_type: int) -> None:
    data = bundle_of(primary_with(crc_type), [193, 9, 0, 0, b"private"], [8, 2, 1, 0, b"\x00"])
    header, body, attachments = decode_bundle(data)
    assert (header.source_id, header.destination_id, header.kind, header.priority) == (3, 1000, 9, 0)
    assert (body, attachments) == (b"b", ())


def test_definite_arrays_and_three_element_endpoints_are_read() -> None:
    primary = primary_with(2, source=[2, [0, 3, 0]], report=[2, [0, 1]])
    data = b"\x82" + bundle_of(primary)[1:-1]
    assert decode_bundle_header(data).source_id == 3


def test_indefinite_primary_is_read_with_its_break_in_the_crc() -> None:
    plain = primary_with(2)
    block = b"\x9f" + plain[1:-4] + bytes(4) + b"\xff"
    block = block[:-5] + fastcrc.crc32.iscsi(block).to_bytes(4, "big") + b"\xff"
    assert decode_bundle_header(bundle_of(block)).key == HEADER.key


@pytest.mark.parametrize(
    ("primary", "blocks", "reason"),
    [
        (primary_with(2, flags=1), [], "fragment"),
        (primary_with(2, source=[1, 0]), [], "another scheme"),
        (primary_with(2, source=[2, [7, 3, 0]]), [], "scheme ipn"),
        (primary_with(2, time=[0, 5]), [], "neither creation time nor age"),
        (primary_with(2), [[77, 2, 4, 0, b""]], "must be processed"),
        (primary_with(2), [[10, 2, 0, 0, cbor2.dumps([3, 4])]], "hop count"),
        (primary_with(2), [[10, 2, 0, 0, b"\x80"], [10, 3, 0, 0, b"\x80"]], "given twice"),
        (primary_with(2), [[77, number, 0, 0, b""] for number in range(2, 40)], "too many"),
        (primary_with(2)[:-1] + b"\x00", [], "CRC"),
    ],
)
def test_what_is_refused(primary: bytes, blocks: list[list[Any]], reason: str) -> None:
    with pytest.raises(DecodeError, match=reason):
        decode_bundle_header(bundle_of(primary, *blocks))


def test_round_trip_and_damage() -> None:
    bundle = encode_bundle(HEADER, b"body" * 9, [b"attachment" * 40, b""])
    assert decode_bundle(bundle) == (HEADER, b"body" * 9, (b"attachment" * 40, b""))
    damaged = bytearray(bundle)
    damaged[-30] ^= 1
    with pytest.raises(DecodeError, match="CRC"):
        decode_bundle(bytes(damaged))
    assert decode_bundle_header(bytes(damaged)) == HEADER, "a relay does not run over the payload"
    with pytest.raises(DecodeError):
        decode_bundle(bundle + b"\x00")


def test_a_source_without_time_sends_an_age() -> None:
    header = BundleHeader(3, 0, 1, 4, 1000, 1, 0)
    bundle = encode_bundle(header, b"", [])
    assert decode_bundle_header(bundle) == header
    forwarded = cbor2.loads(with_hop(bundle, 3, dwell_ms=70))
    assert {block[0]: block[4] for block in forwarded[1:]}[7] == cbor2.dumps(70)


def test_limits_of_the_encoder() -> None:
    with pytest.raises(EncodeError):
        encode_bundle(HEADER, bytes(BODY_BYTES_MAX + 1), [])
    with pytest.raises(EncodeError):
        encode_bundle(HEADER, b"", [b""] * (ATTACHMENT_COUNT_MAX + 1))
    with pytest.raises(EncodeError):
        encode_bundle(BundleHeader(3, 1, 1, 4, 1000, 1, priority=4), b"", [])


def test_a_relay_counts_hops_names_itself_and_keeps_the_primary() -> None:
    bundle = encode_bundle(HEADER, b"body", [b"one"])
    primary_stop = read_blocks(bundle, checks_payload=True)[0].stop
    forwarded = with_hop(with_hop(bundle, 7), 8)
    assert forwarded[:primary_stop] == bundle[:primary_stop]
    header, body, attachments = decode_bundle(forwarded)
    assert (header.hop_count, body, attachments) == (2, b"body", (b"one",))
    blocks = cbor2.loads(forwarded)[1:]
    assert [block[4] for block in blocks if block[0] == 6] == [cbor2.dumps([2, [8, 0]])]


def test_a_relay_keeps_unknown_blocks_unless_told_to_discard_them() -> None:
    data = bundle_of(primary_with(2), [193, 9, 0, 0, b"keep"], [194, 2, 16, 0, b"drop"])
    types = [block[0] for block in cbor2.loads(with_hop(data, 7))[1:]]
    assert 193 in types
    assert 194 not in types


def test_the_hop_limit_ends_the_way() -> None:
    bundle = encode_bundle(HEADER, b"", [])
    for _ in range(HOP_LIMIT):
        bundle = with_hop(bundle, 7)
    with pytest.raises(HopLimitReached):
        with_hop(bundle, 7)
