"""The content store of a node: bytes by their content id, bounded by the storage service's accounting."""

from __future__ import annotations

from flightos.core.ids import ContentId, content_id


class Store:
    """Content-addressed bytes in memory; what makes them last is the snapshot and the input log."""

    def __init__(self) -> None:
        self._contents: dict[ContentId, bytes] = {}
        self.size_bytes = 0

    def __len__(self) -> int:
        return len(self._contents)

    def put(self, data: bytes) -> ContentId:
        """Keep `data`; putting the same bytes again changes nothing."""
        key = content_id(data)
        if key not in self._contents:
            self._contents[key] = data
            self.size_bytes += len(data)
        return key

    def get(self, key: ContentId) -> bytes | None:
        """The bytes, or None when they were dropped or never here."""
        return self._contents.get(key)

    def drop(self, key: ContentId) -> None:
        """Forget the bytes; unknown ids are no error."""
        data = self._contents.pop(key, None)
        if data is not None:
            self.size_bytes -= len(data)

    def snapshot(self) -> dict[ContentId, bytes]:
        """All contents; bytes are immutable, so the copy is shallow."""
        return dict(self._contents)

    def restore(self, contents: dict[ContentId, bytes]) -> None:
        """Replace everything."""
        self._contents = dict(contents)
        self.size_bytes = sum(len(data) for data in self._contents.values())
