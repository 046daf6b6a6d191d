"""Packet layouts: fields of the dictionary packed back to back, big-endian, without padding.

Theory of operation. A layout is compiled once from its field definitions. Fields of fixed size between two
texts become one `struct`; a text is one octet of length and that many octets of UTF-8. Telemetry packs with
`pack_saturated`: a counter that has outgrown its field is sent as the field's limit, because a packet that
says "at least this many" is worth more than none. Commands pack strictly.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from math import isfinite
from struct import Struct
from struct import error as StructError
from typing import Final

from flightos.core.dictionary import FieldDefinition
from flightos.core.errors import DecodeError, EncodeError
from flightos.core.ids import CONTENT_ID_BYTES

Value = int | float | bool | str | bytes

TEXT_BYTES_MAX: Final = 64

STRUCT_CODES: Final = {
    "u8": "B",
    "u16": "H",
    "u32": "I",
    "u64": "Q",
    "i8": "b",
    "i16": "h",
    "i32": "i",
    "i64": "q",
    "f32": "f",
    "f64": "d",
    "bool": "?",
    "content_id": f"{CONTENT_ID_BYTES}s",
}
INTEGER_BITS: Final = {"u8": 8, "u16": 16, "u32": 32, "u64": 64, "i8": 8, "i16": 16, "i32": 32, "i64": 64}
_NUMPY_CODES: Final = {
    "u8": "u1",
    "u16": ">u2",
    "u32": ">u4",
    "u64": ">u8",
    "i8": "i1",
    "i16": ">i2",
    "i32": ">i4",
    "i64": ">i8",
    "f32": ">f4",
    "f64": ">f8",
    "bool": "?",
    "content_id": f"V{CONTENT_ID_BYTES}",
}
_FLOAT32_MAX: Final = 3.4028234663852886e38


def integer_range(field_type: str) -> tuple[int, int]:
    """Smallest and largest value of an integer field type."""
    bits = INTEGER_BITS[field_type]
    return (0, (1 << bits) - 1) if field_type[0] == "u" else (-(1 << (bits - 1)), (1 << (bits - 1)) - 1)


class Layout:
    """Compiled form of a sequence of fields.

    `format` is the struct format without byte order, None with a text.
    """

    def __init__(self, fields: Sequence[FieldDefinition]) -> None:
        self.fields = tuple(fields)
        segments: list[tuple[Struct | None, int, int]] = []
        codes = ""
        start = 0
        for index, field in enumerate(self.fields):
            if field.type == "text":
                segments += [(Struct(">" + codes), start, index), (None, index, index + 1)]
                codes, start = "", index + 1
            else:
                codes += STRUCT_CODES[field.type]
        segments.append((Struct(">" + codes), start, len(self.fields)))
        self._segments = tuple(segments)
        self.is_fixed = len(segments) == 1
        self.format = codes if self.is_fixed else None
        self.size_bytes_max = sum(
            TEXT_BYTES_MAX + 1 if segment is None else segment.size for segment, _, _ in segments
        )

    def pack(self, values: Sequence[Value]) -> bytes:
        """Give the bytes of `values`. Raises EncodeError when one does not fit its field."""
        if len(values) != len(self.fields):
            raise EncodeError(f"{len(values)} values for {len(self.fields)} fields")
        parts = []
        try:
            for segment, start, stop in self._segments:
                if segment is None:
                    parts.append(_pack_text(values[start]))
                else:
                    parts.append(segment.pack(*values[start:stop]))
        except (StructError, OverflowError, AttributeError) as error:
            names = [field.name for field in self.fields]
            raise EncodeError(f"values {tuple(values)} for fields {names}: {error}") from error
        for field, value in zip(self.fields, values, strict=True):
            if field.type == "content_id" and len(value) != CONTENT_ID_BYTES:  # type: ignore[arg-type]
                raise EncodeError(f"{field.name} has not {CONTENT_ID_BYTES} bytes")
        return b"".join(parts)

    def pack_saturated(self, values: Sequence[Value]) -> bytes:
        """Like `pack`, but numbers outside their field become the nearest limit; a text is cut, an id padded."""
        if len(values) != len(self.fields):
            raise EncodeError(f"{len(values)} values for {len(self.fields)} fields")
        return self.pack([_saturated(field, value) for field, value in zip(self.fields, values, strict=True)])

    def unpack(self, data: bytes, offset: int = 0) -> tuple[Value, ...]:
        """Give the values that fill `data[offset:]` exactly. Raises DecodeError."""
        values: list[Value] = []
        for segment, _, _ in self._segments:
            if segment is None:
                length = data[offset] if offset < len(data) else TEXT_BYTES_MAX + 1
                text = data[offset + 1 : offset + 1 + length]
                if length > TEXT_BYTES_MAX or len(text) != length:
                    raise DecodeError("text field")
                try:
                    values.append(text.decode())
                except UnicodeDecodeError:
                    raise DecodeError("text field") from None
                offset += 1 + length
            else:
                if offset + segment.size > len(data):
                    raise DecodeError("fields are truncated")
                values += segment.unpack_from(data, offset)
                offset += segment.size
        if offset != len(data):
            raise DecodeError("bytes after the fields")
        return tuple(values)

    def unpack_or_none(self, data: bytes) -> tuple[Value, ...] | None:
        """Like `unpack`, for a service that answers unreadable arguments with a refusal."""
        try:
            return self.unpack(data)
        except DecodeError:
            return None

    def faults(self, values: Sequence[Value]) -> list[str]:
        """Every value that is outside its field's range, type or enumeration, in words."""
        if len(values) != len(self.fields):
            return [f"{len(values)} values for {len(self.fields)} fields"]
        return [
            fault
            for field, value in zip(self.fields, values, strict=True)
            if (fault := value_fault(field, value)) is not None
        ]

    def dtype_fields(self) -> list[tuple[str, str]]:
        """Names and formats for a packed `numpy.dtype` with the same bytes; only for a layout without texts."""
        assert self.is_fixed
        return [(field.name, _NUMPY_CODES[field.type]) for field in self.fields]


@lru_cache(maxsize=4096)
def layout_of(fields: tuple[FieldDefinition, ...]) -> Layout:
    """The compiled layout of these fields, made once."""
    return Layout(fields)


def value_fault(field: FieldDefinition, value: Value) -> str | None:
    """Why `value` may not stand in `field`, or None."""
    if field.type == "text":
        if not isinstance(value, str) or len(value.encode(errors="replace")) > TEXT_BYTES_MAX:
            return f"{field.name} is no text of at most {TEXT_BYTES_MAX} bytes"
        return None
    if field.type == "content_id":
        is_id = isinstance(value, bytes) and len(value) == CONTENT_ID_BYTES
        return None if is_id else f"{field.name} is no content id"
    if field.type == "bool":
        return None if isinstance(value, bool) else f"{field.name} is neither true nor false"
    if isinstance(value, str | bytes | bool):
        return f"{field.name} is not a number"
    if field.type in INTEGER_BITS:
        low, high = integer_range(field.type)
        if not isinstance(value, int) or not low <= value <= high:
            return f"{field.name} = {value} is no {field.type}"
    elif not isfinite(value):
        return f"{field.name} is not finite"
    if field.range_min is not None and value < field.range_min:
        return f"{field.name} = {value} is below {field.range_min:g}"
    if field.range_max is not None and value > field.range_max:
        return f"{field.name} = {value} is above {field.range_max:g}"
    if field.enum and value not in [number for number, _ in field.enum]:
        return f"{field.name} = {value} is none of {', '.join(name for _, name in field.enum)}"
    return None


def _pack_text(value: Value) -> bytes:
    data = value.encode(errors="replace")  # type: ignore[union-attr]
    if len(data) > TEXT_BYTES_MAX:
        raise EncodeError(f"text of {len(data)} bytes")
    return bytes((len(data),)) + data


def _saturated(field: FieldDefinition, value: Value) -> Value:
    if field.type in INTEGER_BITS and isinstance(value, int):
        low, high = integer_range(field.type)
        return min(max(value, low), high)
    if field.type == "f32" and isinstance(value, float) and isfinite(value):
        return min(max(value, -_FLOAT32_MAX), _FLOAT32_MAX)
    if field.type == "text" and isinstance(value, str):
        return value.encode(errors="replace")[:TEXT_BYTES_MAX].decode(errors="ignore")
    if field.type == "content_id" and isinstance(value, bytes):
        return value[:CONTENT_ID_BYTES].ljust(CONTENT_ID_BYTES, b"\x00")
    return value
