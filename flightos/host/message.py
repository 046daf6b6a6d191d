"""What passes between the participants of a run: nodes, the world, the operator."""

from __future__ import annotations

from typing import NamedTuple

from flightos.core.records import Record


class Message(NamedTuple):
    """A record on its way. Tuples of the first three order every event of the run (ARCHITECTURE.md, section 3)."""

    due_ns: int
    source_id: int
    sequence: int
    destination_id: int
    record: Record
