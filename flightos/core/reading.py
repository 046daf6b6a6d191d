"""Reading MessagePack that anybody may have written: any bytes give a value or a plain no.

msgspec raises more than its own errors: a text that is not UTF-8 is a UnicodeDecodeError, and an array in an array in
an array, even where it would be skipped, ends in a RecursionError. Neither may end a node.
"""

from __future__ import annotations

from typing import Final, TypeVar

import msgspec

Value = TypeVar("Value")

UNREADABLE: Final = (msgspec.MsgspecError, UnicodeDecodeError, RecursionError)
"""All that decoding bytes can raise. Who reads bytes from outside catches these, and no fewer."""


def decode_or_none(decoder: msgspec.msgpack.Decoder[Value], data: bytes) -> Value | None:
    """The value, or None for bytes that are not one. For types of which None is not a value."""
    try:
        return decoder.decode(data)
    except UNREADABLE:
        return None
