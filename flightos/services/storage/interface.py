"""Contract of `storage`: which content is kept, for whom, and in which order it goes down."""

from __future__ import annotations

from enum import IntEnum

from flightos.core.ids import ContentId
from flightos.core.records import Record


class ContentKind(IntEnum):
    """Eviction goes from low to high; a pinned content is never evicted."""

    RESULT = 1
    TILE = 2
    PRODUCT = 3


class KeepContent(Record, frozen=True):
    """Account for bytes that the store holds, and pin them until released."""

    content_id: ContentId
    kind: ContentKind
    size_bytes: int
    observation_id: int
    priority: int


class ReleaseContent(Record, frozen=True):
    """No longer needed by one holder; dropped when nobody pins it and space is wanted, or at once if `drop`."""

    content_id: ContentId
    drop: bool = True


class ContentRefused(Record, frozen=True):
    """No room even after eviction."""

    content_id: ContentId
    observation_id: int
    refusal: int


class ProductReady(Record, frozen=True):
    """From scheduling: a product to bring down. `metadata` is the body of its bundle (ProductMetadata bytes)."""

    content_id: ContentId
    observation_id: int
    size_bytes: int
    priority: int
    metadata: bytes


class ProductReleased(Record, frozen=True):
    """The ground accepted the product: fact for scheduling, which closes the observation."""

    content_id: ContentId
    observation_id: int
