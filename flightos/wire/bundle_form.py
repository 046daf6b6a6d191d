"""The form in which our own nodes write bundles, recognised in one go.

Theory of operation. Almost every bundle a node sees was written by `encode_bundle` or `with_hop`: always the same
blocks in the same order. One pattern recognises that form and gives its fields, many times faster than reading it head
by head. It takes nothing that `bundle_blocks` would refuse, and whatever it does not take, well-formed or not, is left
to `bundle_blocks`: the form decides nothing but the time it takes to read a bundle.
"""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from flightos.kernels.crc import crc32c

# Unsigned integers (RFC 8949, 3.1) of at most 16, 32 and 63 bits.
_KIND: Final = rb"([\x00-\x17]|\x19..|\x18.)"
_NODE: Final = rb"([\x00-\x17]|\x19..|\x18.|\x1a....)"
_VALUE: Final = rb"([\x00-\x17]|\x1a....|\x1b[\x00-\x7f].......|\x18.|\x19..)"

_PRIMARY: Final = (
    # Version 7, not to be fragmented, CRC-32C; destination and source; reports to dtn:none; creation time and
    # sequence; lifetime; CRC.
    rb"\x89\x07\x04\x02\x82\x02\x82" + _NODE + _KIND + rb"\x82\x02\x82" + _NODE + rb"\x00\x82\x01\x00"
    rb"\x82" + _VALUE + _VALUE + _VALUE + rb"\x44(....)"
)
_PREVIOUS_NODE: Final = (
    rb"(?:\x85\x06([\x03-\x05])\x00\x00([\x45-\x49])\x82\x02\x82"
    + _NODE
    + rb"\x00)?"  # with_hop counts from 2
)
_HOP_COUNT: Final = rb"(\x85\x0a\x02\x00\x00([\x44\x45])\x82\x18)([\x18-\xff])([\x00-\x17]|\x18.)"
_PRIORITY: Final = rb"(\x85\x18\xc0\x03\x00\x00\x41[\x00-\x03])?"
_PAYLOAD: Final = rb"\x86\x01\x01\x00\x02([\x40-\x57]|\x58.|\x59..|\x5a....)"
_match: Final = re.compile(
    rb"\x9f" + _PRIMARY + _PREVIOUS_NODE + _HOP_COUNT + _PRIORITY + _PAYLOAD, re.DOTALL
).match

_CRC_GROUP: Final = 7
_COUNT_GROUP: Final = 14
_CRC_FIELD: Final = 0x44
_CRC_ZEROED: Final = b"\x00\x00\x00\x00"
_BREAK: Final = 0xFF


class OwnForm(NamedTuple):
    """Fields and places of a bundle in our form; its primary block is `bundle[1:primary_stop]`."""

    destination_id: int
    kind: int
    source_id: int
    creation_dtn_ms: int
    sequence: int
    lifetime_ms: int
    priority: int
    hop_limit: int
    hop_count: int
    primary_stop: int
    free_number: int
    """The first block number that the bundle does not use."""
    hop_count_stop: int
    """Where the Hop Count block ends; what follows goes on as it is."""
    payload_start: int
    """Of the payload's data; the block begins `payload_head_bytes` before it."""
    payload_stop: int
    payload_head_bytes: int


def read_own_form(data: bytes) -> OwnForm | None:
    """The fields of a bundle in our form with a right primary CRC; None for every other bytes.

    The CRC of the payload is not looked at: see `has_intact_payload`.
    """
    found = _match(data)
    if found is None:
        return None
    fields = found.groups()
    *numbers, crc, previous_number, previous_size, previous, _, count_size, limit, count, priority, size = (
        fields
    )
    destination_id, kind, source_id, creation_dtn_ms, sequence, lifetime_ms = map(_unsigned, numbers)
    primary_stop = found.end(_CRC_GROUP)
    payload_stop = found.end() + (size[0] & 0x1F if len(size) == 1 else _unsigned(size))
    number = 2 if previous_number is None else previous_number[0]
    hop_count = _unsigned(count)
    is_sound = (
        source_id > 0
        and destination_id > 0
        and creation_dtn_ms > 0
        and hop_count <= limit[0]
        and count_size[0] == 0x43 + len(count)
        and (previous is None or previous_size[0] == 0x44 + len(previous))
        and not (number == 3 and priority is not None)
        and len(data) == payload_stop + 6
        and data[payload_stop] == _CRC_FIELD
        and data[-1] == _BREAK
        and crc32c(_CRC_ZEROED, crc32c(data[1 : primary_stop - 4])) == int.from_bytes(crc, "big")
    )
    if not is_sound:
        return None
    return OwnForm(
        destination_id,
        kind,
        source_id,
        creation_dtn_ms,
        sequence,
        lifetime_ms,
        0 if priority is None else priority[-1],
        limit[0],
        hop_count,
        primary_stop,
        _free_number(number, priority is not None),
        found.end(_COUNT_GROUP),
        found.end(),
        payload_stop,
        5 + len(size),
    )


def has_intact_payload(data: bytes, form: OwnForm) -> bool:
    """True when the CRC of the payload block is right (RFC 9171, 4.2.2)."""
    block = data[form.payload_start - form.payload_head_bytes : form.payload_stop + 1]
    crc = int.from_bytes(data[form.payload_stop + 1 : form.payload_stop + 5], "big")
    return crc32c(_CRC_ZEROED, crc32c(block)) == crc


def _unsigned(item: bytes) -> int:
    return item[0] if len(item) == 1 else int.from_bytes(item[1:], "big")


def _free_number(previous_number: int, has_priority: bool) -> int:
    """Numbers 1 and 2 are those of payload and hop count, 3 of the priority."""
    number = 4 if has_priority else 3
    return number + 1 if number == previous_number else number
