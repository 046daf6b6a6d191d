"""Contract of `network`: bundles from source to destination, over contacts that come and go."""

from __future__ import annotations

from enum import IntEnum

import msgspec

from flightos.core.ids import ContentId
from flightos.core.records import Record
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
