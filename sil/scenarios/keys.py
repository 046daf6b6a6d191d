"""Keys, clock offsets and drifts of a run, derived from its seed: nothing is stored, everything repeats."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

KEY_BYTES: Final = 32
DRIFT_PPB_MAX: Final = 500
"""A temperature-compensated oscillator that is disciplined now and then: at most 0.9 ms in half an hour."""


def link_key(seed: int) -> bytes:
    """Authentication key of all links of the run."""
    return _derived(seed, "link")


def command_key(seed: int, node_id: int) -> bytes:
    """Key of the telecommand authentication of one node."""
    return _derived(seed, f"command/{node_id}")


def drift_ppb(seed: int, node_id: int) -> int:
    """How fast the node's clock runs against mission time, -500 to 500 parts in 10^9."""
    draw = int.from_bytes(_derived(seed, f"drift/{node_id}")[:8], "big")
    return draw % (2 * DRIFT_PPB_MAX + 1) - DRIFT_PPB_MAX


def _derived(seed: int, purpose: str) -> bytes:
    """32 bytes of BLAKE2b (RFC 7693) over seed and purpose."""
    return blake2b(f"flightos/{seed}/{purpose}".encode(), digest_size=KEY_BYTES).digest()
