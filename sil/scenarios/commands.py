"""Arguments of telecommands, packed as the telecommand packet carries them."""

from __future__ import annotations

import struct
from typing import Final

REQUEST_OBSERVATION_ID: Final = 0x0501


def pack_request_observation(
    observation_id: int, tile_index: int, priority: int, deadline_s: int, app: str
) -> tuple[int, bytes]:
    """Command id and packed arguments of scheduling's RequestObservation."""
    name = app.encode()
    return REQUEST_OBSERVATION_ID, struct.pack(
        ">IHBIB", observation_id, tile_index, priority, deadline_s, len(name)
    ) + name
