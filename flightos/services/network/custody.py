"""The bundles a node holds, and the order in which they leave.

Theory of operation. Each bundle is in one of three states: WAITING in a sorted queue, FORWARDING (handed to
`links`, until the hop acknowledgement), UNCONFIRMED (own, forwarded, until the end-to-end acknowledgement). There
is one queue per (destination, neighbour it came from), because the route depends on both: the service looks at the
heads only.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from enum import IntEnum
from typing import Final

import msgspec

from flightos.core.ids import ContentId
from flightos.core.time import NEVER_NS, NS_PER_MS, NS_PER_S
from flightos.services.links.interface import BundleHeader

BundleKey = tuple[int, int, int]
QueueKey = tuple[int, int, int, int]
QueueName = tuple[int, int]
Queues = dict[QueueName, list[QueueKey]]

DTN_EPOCH_TAI_NS: Final = 1_325_376_032 * NS_PER_S
"""2000-01-01T00:00:00 UTC, the epoch of DTN time (RFC 9171, 4.2.6), in TAI nanoseconds since 1958-01-01."""
PRIORITY_MAX: Final = 3


class Custody(IntEnum):
    """Position of a bundle in this node."""

    WAITING = 0
    FORWARDING = 1
    UNCONFIRMED = 2


class Carried(msgspec.Struct, array_like=True):
    """One bundle held by this node. Relayed: `content_id` names its stored bytes; own: body and attachments."""

    bundle: BundleHeader
    content_id: ContentId
    body: bytes
    attachment_ids: tuple[ContentId, ...]
    size_bytes: int
    expiry_tai_ns: int
    wants_acknowledgement: bool = False
    custody: Custody = Custody.WAITING
    came_from_id: int = 0
    """The neighbour that handed it over; 0 for an own bundle. It is not sent back there while another way exists."""
    hop_id: int = 0
    """The neighbour it is being forwarded to."""
    came_back: bool = False
    """`hop_id` handed it back before its acknowledgement came: it must leave another way."""
    confirmed: bool = False
    """The end-to-end acknowledgement came while it was being forwarded once more."""
    resend_count: int = 0
    resend_due_obt_ns: int = NEVER_NS


def expiry_tai_ns(bundle: BundleHeader) -> int:
    """When the bundle's lifetime ends (RFC 9171, 4.3.1)."""
    return DTN_EPOCH_TAI_NS + (bundle.creation_dtn_ms + bundle.lifetime_ms) * NS_PER_MS


def queue_key(bundle: BundleHeader) -> QueueKey:
    """Highest priority first, then oldest, then by source and sequence."""
    return (PRIORITY_MAX - bundle.priority, bundle.creation_dtn_ms, bundle.source_id, bundle.sequence)


def key_of(queued: QueueKey) -> BundleKey:
    """The bundle's key of a queue key."""
    return (queued[2], queued[1], queued[3])


def queue_name(carried: Carried) -> QueueName:
    """The queue a bundle belongs to: (destination, neighbour it came from)."""
    return (carried.bundle.destination_id, carried.came_from_id)


def put_in_queue(queues: Queues, carried: Carried) -> None:
    """Insert a bundle into its queue."""
    insort(queues.setdefault(queue_name(carried), []), queue_key(carried.bundle))


def take_from_queue(queues: Queues, carried: Carried) -> None:
    """Remove a waiting bundle from its queue; an empty queue disappears."""
    name = queue_name(carried)
    queue = queues[name]
    key = queue_key(carried.bundle)
    index = bisect_left(queue, key)
    assert queue[index] == key
    del queue[index]
    if not queue:
        del queues[name]
