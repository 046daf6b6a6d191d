"""Contract of `network`: bundles from source to destination, over contacts that come and go."""

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
)
from flightos.core.ids import ContentId
from flightos.core.records import HousekeepingRecord, Record
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.links.interface import BundleHeader


class BundleKind(IntEnum):
    """What a bundle's body is; the number is the service part of the ipn endpoint (RFC 9758)."""

    REPLICATE_OBSERVATION = 1
    REPLICA_STORED = 2
    RELEASE_REPLICA = 3
    ASSIGN_TASK = 4
    TASK_RESULT = 5
    CANCEL_TASK = 6
    PRODUCT = 7
    PRODUCT_ACCEPTED = 8
    TELEMETRY = 9
    COMMAND = 10
    TABLE = 11


class SendBundle(Record, frozen=True):
    """Carry `body` and the named content to a node. `wants_acknowledgement` keeps it at the source until the
    destination's end-to-end acknowledgement (`ConfirmDelivery`) and sends it again after a timeout."""

    destination_id: int
    kind: BundleKind
    body: bytes
    attachment_ids: tuple[ContentId, ...]
    size_bytes: int
    priority: int
    lifetime_ms: int
    wants_acknowledgement: bool = False


class BundleDelivered(Record, frozen=True):
    """A bundle for this node arrived, once; its attachments are in the store."""

    source_id: int
    kind: BundleKind
    body: bytes
    attachment_ids: tuple[ContentId, ...]
    size_bytes: int
    bundle_key: tuple[int, int, int]


class ConfirmDelivery(Record, frozen=True):
    """The end-to-end acknowledgement of a bundle came: its source may let go (key of the bundle)."""

    bundle_key: tuple[int, int, int]


class BundleDropped(Record, frozen=True):
    """A bundle of this source was given up; `refusal` says why and `attachment_ids` what it carried."""

    bundle_key: tuple[int, int, int]
    kind: BundleKind
    refusal: int
    attachment_ids: tuple[ContentId, ...] = ()


class OpenBundle(Record, frozen=True):
    """To the edge: decode a stored bundle that reached its destination; `BundleDelivered` follows."""

    bundle: BundleHeader
    content_id: ContentId


class Contact(msgspec.Struct, frozen=True, array_like=True):
    """An interval in which two nodes can exchange frames, both ways. Times are TAI nanoseconds since 1958."""

    node_a_id: int
    node_b_id: int
    start_tai_ns: int
    stop_tai_ns: int
    rate_bps: int
    light_time_ns: int


class ContactPlan(msgspec.Struct, frozen=True, array_like=True):
    """Table `contact_plan`: contacts in order of start, then ids."""

    contacts: tuple[Contact, ...]


class ContactPlanActivated(Record, frozen=True):
    """From deployment: the contact plan now in force."""

    plan: ContactPlan


# --- telemetry ----------------------------------------------------------------------------------------------


class NetworkHousekeeping(HousekeepingRecord, frozen=True):
    """Counters since the last `ResetCounters`, and levels."""

    bundles_made_count: int = 0
    bundles_delivered_count: int = 0
    bundles_relayed_count: int = 0
    bundles_forwarded_count: int = 0
    bundles_returned_count: int = 0
    bundles_confirmed_count: int = 0
    bundles_sent_again_count: int = 0
    duplicates_count: int = 0
    refused_store_full_count: int = 0
    dropped_lifetime_count: int = 0
    dropped_hop_limit_count: int = 0
    dropped_missing_count: int = 0
    records_unknown_count: int = 0
    routes_computed_count: int = 0
    neighbours_excluded_count: int = 0
    plans_activated_count: int = 0
    bundles_waiting: int = 0
    bundles_forwarding: int = 0
    bundles_unconfirmed: int = 0
    bundles_kept_bytes: int = 0
    links_open: int = 0
    contacts_known: int = 0


_REFUSALS: Final = tuple((int(refusal), refusal.name) for refusal in Refusal)
_BUNDLE: Final = (
    FieldDefinition("source_id", "u16"),
    FieldDefinition("creation_dtn_ms", "u64"),
    FieldDefinition("sequence", "u64"),
    FieldDefinition("kind", "u8", enum=tuple((int(kind), kind.name) for kind in BundleKind)),
)

BUNDLE_DROPPED_EVENT: Final = EventDefinition(
    id=0x0801,
    name="BUNDLE_DROPPED",
    severity=Severity.MEDIUM,
    text="bundle {source_id}/{creation_dtn_ms}/{sequence} ({kind}) given up: {refusal}",
    fields=(*_BUNDLE, FieldDefinition("refusal", "u8", enum=_REFUSALS)),
    interval_ns_min=NS_PER_S,
)
BUNDLE_SENT_AGAIN: Final = EventDefinition(
    id=0x0802,
    name="BUNDLE_SENT_AGAIN",
    severity=Severity.LOW,
    text="bundle {source_id}/{creation_dtn_ms}/{sequence} ({kind}) sent again: no end-to-end acknowledgement",
    fields=_BUNDLE,
    interval_ns_min=NS_PER_S,
)
BUNDLE_STORE_FULL: Final = EventDefinition(
    id=0x0803,
    name="BUNDLE_STORE_FULL",
    severity=Severity.MEDIUM,
    text="no room for another bundle: {bundle_count} bundles, {size_bytes} bytes kept",
    fields=(FieldDefinition("bundle_count", "u32"), FieldDefinition("size_bytes", "u64")),
    interval_ns_min=10 * NS_PER_S,
)
NEIGHBOUR_EXCLUDED: Final = EventDefinition(
    id=0x0804,
    name="NEIGHBOUR_EXCLUDED",
    severity=Severity.LOW,
    text="routes avoid neighbour {peer_id}: its link is closed although the plan has a contact",
    fields=(FieldDefinition("peer_id", "u16"),),
    interval_ns_min=NS_PER_S,
)

DICTIONARY: Final = ServiceDictionary(
    service="network",
    apid=0x108,
    housekeeping=HousekeepingDefinition(
        structure_id=0x08,
        fields=tuple(
            FieldDefinition(name, "u64" if name == "bundles_kept_bytes" else "u32")
            for name in NetworkHousekeeping.__struct_fields__
        ),
    ),
    events=(BUNDLE_DROPPED_EVENT, BUNDLE_SENT_AGAIN, BUNDLE_STORE_FULL, NEIGHBOUR_EXCLUDED),
)
