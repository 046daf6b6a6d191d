"""Accounts of the content store: who needs what, how much room is left, what goes first when room is wanted.

Theory of operation. The store driver holds bytes; this module holds one entry for each content id. A holder
pins an entry by keeping it and lets go by releasing it; pins are counted, so that a tile that is both this
node's own and a neighbour's replica goes only when both let go. An entry without pins is kept as long as
room lasts, because a second use of the same content is free then; it is evicted by value: results can be
computed again, tiles cannot but serve only computing, products are what the mission flies for.
"""

from __future__ import annotations

import msgspec

from flightos.core.ids import ContentId
from flightos.services.storage.interface import ContentKind


class Entry(msgspec.Struct, array_like=True):
    """One content in the store. `sequence` is its place in the order of arrival."""

    content_id: ContentId
    kind: ContentKind
    size_bytes: int
    observation_id: int
    priority: int
    sequence: int
    pin_count: int


class Accounts(msgspec.Struct):
    """All entries, with the sums that limits are compared with."""

    capacity_bytes: int
    entry_count_max: int
    entries: dict[ContentId, Entry] = {}
    used_bytes: int = 0
    pinned_count: int = 0
    sequence: int = 0

    def fits(self, size_bytes: int) -> bool:
        """True when an entry of this size has room now."""
        return (
            self.used_bytes + size_bytes <= self.capacity_bytes and len(self.entries) < self.entry_count_max
        )

    def pin(self, entry: Entry) -> None:
        """Count one more holder."""
        entry.pin_count += 1
        if entry.pin_count == 1:
            self.pinned_count += 1

    def unpin(self, entry: Entry) -> None:
        """Count one holder less; an entry without holders stays, evictable."""
        assert entry.pin_count > 0
        entry.pin_count -= 1
        if entry.pin_count == 0:
            self.pinned_count -= 1

    def add(
        self, content_id: ContentId, kind: ContentKind, size_bytes: int, observation_id: int, priority: int
    ) -> Entry:
        """Enter a content without holders; the caller has made room."""
        assert content_id not in self.entries
        assert self.fits(size_bytes)
        self.sequence += 1
        entry = Entry(content_id, kind, size_bytes, observation_id, priority, self.sequence, 0)
        self.entries[content_id] = entry
        self.used_bytes += size_bytes
        return entry

    def enlarge(self, entry: Entry, size_bytes: int) -> None:
        """A later holder knows the size better (an earlier one gave 0): the bytes are in the store already."""
        if size_bytes > entry.size_bytes:
            self.used_bytes += size_bytes - entry.size_bytes
            entry.size_bytes = size_bytes

    def remove(self, entry: Entry) -> None:
        """Forget an entry that nobody pins."""
        assert entry.pin_count == 0
        del self.entries[entry.content_id]
        self.used_bytes -= entry.size_bytes

    def choose_evictions(self, size_bytes: int) -> list[Entry] | None:
        """The entries of least value whose removal makes room for `size_bytes`; None when that is not
        possible.

        Order: kind (RESULT, TILE, PRODUCT), then low priority, then arrival. Nothing is chosen in vain:
        where all evictable entries together are not enough, none is given up.
        """
        bytes_wanted = self.used_bytes + size_bytes - self.capacity_bytes
        count_wanted = len(self.entries) + 1 - self.entry_count_max
        chosen: list[Entry] = []
        if bytes_wanted <= 0 and count_wanted <= 0:
            return chosen
        evictable = [entry for entry in self.entries.values() if entry.pin_count == 0]
        evictable.sort(key=lambda entry: (entry.kind, entry.priority, entry.sequence))
        for entry in evictable:
            chosen.append(entry)
            bytes_wanted -= entry.size_bytes
            count_wanted -= 1
            if bytes_wanted <= 0 and count_wanted <= 0:
                return chosen
        return None
