"""Contract of `storage`: which content is kept, for whom, and in which order it goes down."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

import msgspec

from flightos.core.dictionary import (
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
    labels_of,
)
from flightos.core.ids import ContentId
from flightos.core.records import HousekeepingRecord, Record
from flightos.core.refusal import Refusal


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
    """No longer needed by one holder; dropped when nobody pins it and space is wanted, or at once if
    `drop`."""

    content_id: ContentId
    drop: bool = True


class DiscardContent(Record, frozen=True):
    """Bytes came that nobody here wants: dropped, unless somebody keeps the same content."""

    content_id: ContentId


class ContentRefused(Record, frozen=True):
    """No room even after eviction."""

    content_id: ContentId
    observation_id: int
    refusal: int


class ProductReady(Record, frozen=True):
    """From scheduling: a product to bring down. `metadata` is the body of its bundle (ProductMetadata
    bytes)."""

    content_id: ContentId
    observation_id: int
    size_bytes: int
    priority: int
    metadata: bytes


class ProductReleased(Record, frozen=True):
    """The ground accepted the product: fact for scheduling, which closes the observation."""

    content_id: ContentId
    observation_id: int


class ProductAcceptance(msgspec.Struct, frozen=True, array_like=True):
    """Body of a PRODUCT_ACCEPTED bundle: the content accepted, and the key of the bundle that brought it."""

    content_id: ContentId
    bundle_key: tuple[int, int, int]


class StorageHousekeeping(HousekeepingRecord, frozen=True):
    """Levels of the store's accounts and counters since the last `ResetCounters`."""

    entry_count: int
    pinned_count: int
    used_bytes: int
    capacity_bytes: int
    product_waiting_count: int
    product_in_flight_count: int
    kept_count: int
    dropped_count: int
    evicted_count: int
    refused_count: int
    unknown_release_count: int
    product_offered_count: int
    product_returned_count: int
    product_released_count: int
    acceptance_unknown_count: int
    acceptance_undecodable_count: int


STORE_FULL: Final = EventDefinition(
    id=0x0701,
    name="STORE_FULL",
    severity=Severity.MEDIUM,
    text="no room for {size_bytes} bytes of observation {observation_id}: {used_bytes} bytes used",
    fields=(
        FieldDefinition("size_bytes", "u64"),
        FieldDefinition("observation_id", "u64"),
        FieldDefinition("used_bytes", "u64"),
        FieldDefinition("entry_count", "u32"),
    ),
    interval_ns_min=10_000_000_000,
)
CONTENT_EVICTED: Final = EventDefinition(
    id=0x0702,
    name="CONTENT_EVICTED",
    severity=Severity.LOW,
    text="evicted {size_bytes} bytes of observation {observation_id}, kind {kind}",
    fields=(
        FieldDefinition("size_bytes", "u64"),
        FieldDefinition("observation_id", "u64"),
        FieldDefinition("kind", "u8", enum=tuple((int(kind), kind.name) for kind in ContentKind)),
    ),
    interval_ns_min=1_000_000_000,
)
PRODUCT_RETURNED: Final = EventDefinition(
    id=0x0703,
    name="PRODUCT_RETURNED",
    severity=Severity.LOW,
    text="the product of observation {observation_id} came back (refusal {refusal})",
    fields=(
        FieldDefinition("observation_id", "u64"),
        FieldDefinition("refusal", "u8", enum=labels_of(Refusal, "none")),
    ),
    interval_ns_min=10_000_000_000,
)
PRODUCT_RELEASED: Final = EventDefinition(
    id=0x0704,
    name="PRODUCT_RELEASED",
    severity=Severity.INFO,
    text="the ground accepted the product of observation {observation_id}",
    fields=(FieldDefinition("observation_id", "u64"),),
)

DICTIONARY: Final = ServiceDictionary(
    service="storage",
    apid=0x107,
    housekeeping=HousekeepingDefinition(
        structure_id=0x07,
        fields=(
            FieldDefinition("entry_count", "u32", "contents accounted for"),
            FieldDefinition("pinned_count", "u32", "contents that at least one holder needs"),
            FieldDefinition("used_bytes", "u64", "bytes accounted for"),
            FieldDefinition("capacity_bytes", "u64", "bytes that may be accounted for"),
            FieldDefinition("product_waiting_count", "u32", "products not yet handed to network"),
            FieldDefinition(
                "product_in_flight_count", "u16", "products with network, not yet accepted by the ground"
            ),
            FieldDefinition("kept_count", "u32", "KeepContent and ProductReady honoured"),
            FieldDefinition("dropped_count", "u32", "contents dropped because nobody needs them"),
            FieldDefinition("evicted_count", "u32", "contents dropped to make room (event CONTENT_EVICTED)"),
            FieldDefinition("refused_count", "u32", "contents refused for want of room (event STORE_FULL)"),
            FieldDefinition("unknown_release_count", "u32", "releases of contents that are not held"),
            FieldDefinition(
                "product_offered_count", "u32", "products handed to network, repetitions included"
            ),
            FieldDefinition(
                "product_returned_count", "u32", "products given up by network (event PRODUCT_RETURNED)"
            ),
            FieldDefinition(
                "product_released_count", "u32", "products accepted by the ground (event PRODUCT_RELEASED)"
            ),
            FieldDefinition("acceptance_unknown_count", "u32", "acceptances of products that are not held"),
            FieldDefinition(
                "acceptance_undecodable_count", "u32", "acceptances whose body is not what it should be"
            ),
        ),
    ),
    events=(STORE_FULL, CONTENT_EVICTED, PRODUCT_RETURNED, PRODUCT_RELEASED),
)
