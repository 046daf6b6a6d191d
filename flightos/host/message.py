"""What passes between the participants of a run: nodes, the world, the operator."""

from __future__ import annotations

import msgspec

from flightos.core.records import Record


class Message(msgspec.Struct, frozen=True, array_like=True):
    """A record on its way. The first three order every event of the run (ARCHITECTURE.md, section 3)."""

    due_ns: int
    source_id: int
    sequence: int
    destination_id: int
    record: Record
