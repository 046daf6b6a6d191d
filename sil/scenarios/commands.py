"""Arguments of the imaging command, packed as a telecommand packet carries them."""

from __future__ import annotations

from typing import Final

from flightos.core.dictionary import FieldDefinition
from flightos.wire.layout import layout_of

REQUEST_OBSERVATION_ID: Final = 0x0501
_ARGUMENTS: Final = (
    FieldDefinition("observation_id", "u32"),
    FieldDefinition("tile_index", "u16"),
    FieldDefinition("priority", "u8"),
    FieldDefinition("deadline_s", "u32"),
    FieldDefinition("app", "text"),
)
"""As scheduling declares its command RequestObservation; a test compares the two."""


def pack_request_observation(
    observation_id: int, tile_index: int, priority: int, deadline_s: int, app: str
) -> tuple[int, bytes]:
    """Command id and packed arguments of scheduling's RequestObservation."""
    values = (observation_id, tile_index, priority, deadline_s, app)
    return REQUEST_OBSERVATION_ID, layout_of(_ARGUMENTS).pack(values)
