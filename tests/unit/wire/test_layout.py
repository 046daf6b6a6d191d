"""Layouts: the bytes of fields, saturation, faults, and the same bytes seen by NumPy."""

from __future__ import annotations

import numpy as np
import pytest

from flightos.core.dictionary import FieldDefinition
from flightos.core.errors import DecodeError, EncodeError
from flightos.wire.layout import Layout, layout_of

FIELDS = (
    FieldDefinition("count", "u16"),
    FieldDefinition("level", "i8"),
    FieldDefinition("ratio", "f32"),
    FieldDefinition("on", "bool"),
    FieldDefinition("total_bytes", "u64"),
)
MIXED = (
    FieldDefinition("before", "u8"),
    FieldDefinition("word", "text"),
    FieldDefinition("content", "content_id"),
    FieldDefinition("other", "text"),
)


def test_bytes_are_big_endian_without_padding() -> None:
    data = layout_of(FIELDS).pack((1, -2, 0.5, True, 3))
    assert data.hex() == "0001" + "fe" + "3f000000" + "01" + "0000000000000003"
    assert layout_of(FIELDS).unpack(data) == (1, -2, 0.5, True, 3)


def test_numpy_sees_the_same_fields() -> None:
    layout = layout_of(FIELDS)
    dtype = np.dtype(layout.dtype_fields())
    row = np.frombuffer(layout.pack((7, -1, 0.25, False, 9)), dtype)[0]
    assert tuple(row.item()) == (7, -1, 0.25, False, 9)


def test_texts_are_length_prefixed() -> None:
    layout = layout_of(MIXED)
    data = layout.pack((1, "grün", bytes(16), ""))
    assert data == b"\x01" + b"\x05gr\xc3\xbcn" + bytes(16) + b"\x00"
    assert layout.unpack(data) == (1, "grün", bytes(16), "")
    assert not layout.is_fixed


def test_saturation_tells_at_least_this_many() -> None:
    values = Layout(FIELDS).unpack(Layout(FIELDS).pack_saturated((70_000, -200, 1e300, True, -1)))
    assert values[:2] == (65_535, -128)
    assert values[2] == pytest.approx(3.4028234663852886e38)
    assert values[4] == 0
    text = Layout(MIXED).unpack(Layout(MIXED).pack_saturated((1, "ü" * 40, b"short", "")))
    assert text[1] == "ü" * 32
    assert text[2] == b"short".ljust(16, b"\x00")


@pytest.mark.parametrize(
    "values", [(1, 2), (70_000, 0, 0.0, True, 0), ("x", 0, 0.0, True, 0), (1, 0, 1e300, True, 0)]
)
def test_strict_packing_raises(values: tuple[object, ...]) -> None:
    with pytest.raises(EncodeError):
        layout_of(FIELDS).pack(values)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "data", [b"", b"\x01", b"\x01\x41", b"\x01\x02\xff\xff" + bytes(17), b"\x01\x00" + bytes(18)]
)
def test_wrong_bytes_raise(data: bytes) -> None:
    with pytest.raises(DecodeError):
        layout_of(MIXED).unpack(data)
    assert layout_of(MIXED).unpack_or_none(data) is None


def test_faults_name_the_field_and_its_range() -> None:
    layout = Layout(
        (
            FieldDefinition("mode", "u8", enum=((0, "SAFE"), (1, "NOMINAL"))),
            FieldDefinition("ratio", "f32", range_min=0, range_max=1),
            FieldDefinition("on", "bool"),
            FieldDefinition("name", "text"),
            FieldDefinition("content", "content_id"),
        )
    )
    assert layout.faults((1, 0.5, True, "ok", bytes(16))) == []
    assert layout.faults((7, 1.5, 1, "x" * 65, b"")) == [
        "mode = 7 is none of SAFE, NOMINAL",
        "ratio = 1.5 is above 1",
        "on is neither true nor false",
        "name is no text of at most 64 bytes",
        "content is no content id",
    ]
    assert layout.faults((True, float("nan"), True, "", bytes(16))) == [
        "mode is not a number",
        "ratio is not finite",
    ]
    assert layout.faults((1,)) == ["1 values for 5 fields"]
