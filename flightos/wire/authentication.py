"""Authentication field of frames and telecommands: keyed BLAKE2b (RFC 7693) and the anti-replay counter.

The field is laid out as in CCSDS 355.0-B-2 (Space Data Link Security), 4.1: a sequence number that only
rises, the data in clear, and a MAC over all that precedes it. The personalisation string keeps the MAC of a
frame from ever being that of a telecommand, although both may use the same key.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from hashlib import blake2b
from hmac import compare_digest
from typing import Final

from flightos.core.errors import DecodeError, EncodeError

MAC_BYTES: Final = 16
KEY_BYTES_MIN: Final = 16
KEY_BYTES_MAX: Final = 64


class NotAuthentic(DecodeError):
    """The MAC is not that of the sender."""


class Replayed(DecodeError):
    """The counter is not above the last one heard: an old frame or telecommand, sent again."""


@lru_cache(maxsize=64)
def mac_function(key: bytes, purpose: bytes) -> Callable[[bytes], bytes]:
    """Give the function that makes the MAC of `MAC_BYTES` bytes; `purpose` has at most 16 bytes."""
    if not KEY_BYTES_MIN <= len(key) <= KEY_BYTES_MAX:
        raise EncodeError(f"a key has {KEY_BYTES_MIN} to {KEY_BYTES_MAX} bytes, not {len(key)}")
    keyed = blake2b(digest_size=MAC_BYTES, key=key, person=purpose)

    def mac(data: bytes) -> bytes:
        state = keyed.copy()
        state.update(data)
        return state.digest()

    return mac


def require_authentic(expected_mac: bytes, mac: bytes) -> None:
    """Compare in constant time; raises NotAuthentic."""
    if not compare_digest(expected_mac, mac):
        raise NotAuthentic("not authentic")
