"""Contract of `acceptance`: the one acceptor of products, and the door of the downlink into the archive."""

from __future__ import annotations

from typing import Final

import msgspec

from flightos.core.dictionary import (
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.ids import ContentId
from flightos.core.records import HousekeepingRecord


class ProductAcceptance(msgspec.Struct, frozen=True, array_like=True):
    """Body of a PRODUCT_ACCEPTED bundle: what arrived, and the bundle that brought it (its retention key)."""

    content_id: ContentId
    bundle_key: tuple[int, int, int]


class AcceptanceHousekeeping(HousekeepingRecord, frozen=True):
    """Counters since the last reset; `accepted_count` is the filling of the table of accepted content ids."""

    accepted_count: int
    products_accepted: int
    products_duplicated: int
    products_refused: int
    product_bytes_accepted: int
    downlink_bundles: int
    downlink_bytes: int
    downlink_bundles_refused: int


PRODUCT_ACCEPTED_ON_GROUND: Final = EventDefinition(
    id=0x0C01,
    name="PRODUCT_ACCEPTED_ON_GROUND",
    severity=Severity.INFO,
    text="tile {tile_index} of observation {observation_id}: {size_bytes} bytes from node {source_id}",
    fields=(
        FieldDefinition("source_id", "u16", "node that sent it"),
        FieldDefinition("observation_id", "u32"),
        FieldDefinition("tile_index", "u16"),
        FieldDefinition("size_bytes", "u32"),
        FieldDefinition("captured_tai_ns", "i64", "when the tile was imaged"),
        FieldDefinition("completed_tai_ns", "i64", "when the product was made aboard"),
        FieldDefinition("content_id", "content_id"),
    ),
)
PRODUCT_DUPLICATED: Final = EventDefinition(
    id=0x0C02,
    name="PRODUCT_DUPLICATED",
    severity=Severity.INFO,
    text="product {content_id} arrived again from node {source_id}; accepted once, acknowledged again",
    fields=(FieldDefinition("source_id", "u16"), FieldDefinition("content_id", "content_id")),
    interval_ns_min=1_000_000_000,
)
PRODUCT_REFUSED: Final = EventDefinition(
    id=0x0C03,
    name="PRODUCT_REFUSED",
    severity=Severity.MEDIUM,
    text="product from node {source_id} not accepted: {reason}",
    fields=(FieldDefinition("source_id", "u16"), FieldDefinition("reason", "text")),
    interval_ns_min=1_000_000_000,
)
DOWNLINK_REFUSED: Final = EventDefinition(
    id=0x0C04,
    name="DOWNLINK_REFUSED",
    severity=Severity.LOW,
    text="telemetry bundle from node {source_id} is no batch of packets",
    fields=(FieldDefinition("source_id", "u16"),),
    interval_ns_min=1_000_000_000,
)

DICTIONARY: Final = ServiceDictionary(
    service="acceptance",
    apid=0x10C,
    housekeeping=HousekeepingDefinition(
        structure_id=0x0C,
        fields=(
            FieldDefinition("accepted_count", "u32", "filling of the table of accepted content ids"),
            FieldDefinition("products_accepted", "u32"),
            FieldDefinition("products_duplicated", "u32", "arrivals of a product that was already accepted"),
            FieldDefinition(
                "products_refused", "u32", "arrivals that do not match their metadata, or no room"
            ),
            FieldDefinition("product_bytes_accepted", "u64"),
            FieldDefinition("downlink_bundles", "u32"),
            FieldDefinition("downlink_bytes", "u64"),
            FieldDefinition("downlink_bundles_refused", "u32"),
        ),
    ),
    events=(PRODUCT_ACCEPTED_ON_GROUND, PRODUCT_DUPLICATED, PRODUCT_REFUSED, DOWNLINK_REFUSED),
)
