"""Contract of `links`: terminals as resources, frames, hop acknowledgement, bounded queues."""

from __future__ import annotations

from typing import Final

from flightos.core.dictionary import (
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
)
from flightos.core.ids import ContentId
from flightos.core.ports import TerminalState
from flightos.core.records import HousekeepingRecord, Record
from flightos.core.time import NS_PER_S
from flightos.wire.bundle import BundleHeader as BundleHeader
from flightos.wire.frame import BundleCarried as BundleCarried
from flightos.wire.frame import FrameBody as FrameBody
from flightos.wire.frame import Hello as Hello
from flightos.wire.frame import HopAcknowledgement as HopAcknowledgement

# --- facts --------------------------------------------------------------------------------------------------


class LinkOpened(Record, frozen=True):
    """A neighbour is tracked and answered a hello: frames flow."""

    peer_id: int
    light_time_ns: int
    rate_bps: int


class LinkClosed(Record, frozen=True):
    """A neighbour is no longer reached; `planned` when the contact plan said so."""

    peer_id: int
    planned: bool


class HelloReceived(Record, frozen=True):
    """A neighbour lives: its boot count and on-board time, and what it gossips (bytes made by scheduling)."""

    peer_id: int
    boot_count: int
    obt_ns: int
    gossip: bytes


class BundleArrived(Record, frozen=True):
    """A neighbour handed over a bundle; its bytes are in the store under `content_id`."""

    peer_id: int
    bundle: BundleHeader
    content_id: ContentId
    size_bytes: int


class BundleRepeated(Record, frozen=True):
    """A frame with a bundle came that goes no further (repeated, held off, not tracked); its bytes are in the store
    and nobody else will drop them."""

    bundle_key: tuple[int, int, int]
    content_id: ContentId


class BundleForwarded(Record, frozen=True):
    """The neighbour acknowledged the bundle: this hop is done."""

    peer_id: int
    bundle_key: tuple[int, int, int]


class BundleReturned(Record, frozen=True):
    """The link could not hand the bundle over (closed, queue full, no acknowledgement): route it again."""

    peer_id: int
    bundle_key: tuple[int, int, int]
    refusal: int


# --- requests -----------------------------------------------------------------------------------------------


class HoldOffRelays(Record, frozen=True):
    """From network: its store is full (or has room again). While held off, bundles that would have to be
    relayed are not acknowledged, so that the neighbour keeps them and tries another way."""

    hold_off: bool


class OfferGossip(Record, frozen=True):
    """Bytes for the next hello to a neighbour (peer 0: to every neighbour)."""

    peer_id: int
    gossip: bytes


class ForwardBundle(Record, frozen=True):
    """Hand a bundle to a neighbour. Either `content_id` names stored bundle bytes (relayed), or `body` and
    `attachment_ids` are what the edge builds the bundle from (own)."""

    peer_id: int
    bundle: BundleHeader
    content_id: ContentId
    body: bytes
    attachment_ids: tuple[ContentId, ...]
    size_bytes: int


# --- what crosses between links and the node's edge ---------------------------------------------------------


class SendFrame(Record, frozen=True):
    """To the edge: encode, authenticate and transmit a hello or an acknowledgement."""

    terminal_index: int
    peer_id: int
    body: Hello | HopAcknowledgement


class SendBundleFrame(Record, frozen=True):
    """To the edge: fetch or build the bundle's bytes, then encode and transmit them as one frame."""

    terminal_index: int
    peer_id: int
    link_sequence: int
    bundle: BundleHeader
    content_id: ContentId
    body: bytes
    attachment_ids: tuple[ContentId, ...]


class BundleBytesMissing(Record, frozen=True):
    """From the edge: the bytes to send are no longer in the store."""

    peer_id: int
    link_sequence: int


class HelloFrameReceived(Record, frozen=True):
    """From the edge: an authentic hello."""

    terminal_index: int
    peer_id: int
    hello: Hello


class AcknowledgementFrameReceived(Record, frozen=True):
    """From the edge: an authentic hop acknowledgement."""

    terminal_index: int
    peer_id: int
    sequences: tuple[int, ...]


class BundleFrameReceived(Record, frozen=True):
    """From the edge: an authentic frame whose bundle decoded and is stored."""

    terminal_index: int
    peer_id: int
    link_sequence: int
    bundle: BundleHeader
    content_id: ContentId
    size_bytes: int


class FrameRejected(Record, frozen=True):
    """From the edge: bytes that are no frame, not authentic, or replayed. `reason` is a short text."""

    terminal_index: int
    peer_id: int
    reason: str


# --- telemetry ----------------------------------------------------------------------------------------------


class LinksHousekeeping(HousekeepingRecord, frozen=True):
    """Counters since the last `ResetCounters`, and levels of all links together."""

    hellos_sent_count: int = 0
    hellos_heard_count: int = 0
    bundles_sent_count: int = 0
    bundles_acknowledged_count: int = 0
    bundles_resent_count: int = 0
    bundles_received_count: int = 0
    duplicates_count: int = 0
    returned_closed_count: int = 0
    returned_queue_full_count: int = 0
    returned_unacknowledged_count: int = 0
    returned_missing_count: int = 0
    held_off_count: int = 0
    frames_rejected_count: int = 0
    frames_untracked_count: int = 0
    acknowledgements_unknown_count: int = 0
    gossip_refused_count: int = 0
    transitions_unexpected_count: int = 0
    reports_stale_count: int = 0
    links_opened_count: int = 0
    links_closed_planned_count: int = 0
    links_closed_unplanned_count: int = 0
    links_open: int = 0
    terminals_tracking: int = 0
    queue_bundle_count: int = 0
    queue_bytes: int = 0
    flying_bundle_count: int = 0


_STATES: Final = tuple((int(state), state.name) for state in TerminalState)
_PEER: Final = FieldDefinition("peer_id", "u16", "the neighbour")

LINK_OPENED_EVENT: Final = EventDefinition(
    id=0x0901,
    name="LINK_OPENED",
    severity=Severity.INFO,
    text="link to {peer_id} open at {rate_bps} bps, light time {light_time_ns} ns",
    fields=(_PEER, FieldDefinition("rate_bps", "u64"), FieldDefinition("light_time_ns", "u64")),
)
LINK_CLOSED_EVENT: Final = EventDefinition(
    id=0x0902,
    name="LINK_CLOSED",
    severity=Severity.INFO,
    text="link to {peer_id} closed at the end of its contact",
    fields=(_PEER,),
)
LINK_LOST_EVENT: Final = EventDefinition(
    id=0x0903,
    name="LINK_LOST",
    severity=Severity.LOW,
    text="link to {peer_id} lost although the contact plan has a contact",
    fields=(_PEER,),
)
TERMINAL_TRANSITION_UNEXPECTED: Final = EventDefinition(
    id=0x0904,
    name="TERMINAL_TRANSITION_UNEXPECTED",
    severity=Severity.LOW,
    text="terminal {terminal_index} reported {reported} in state {state}",
    fields=(
        FieldDefinition("terminal_index", "u8"),
        FieldDefinition("state", "u8", enum=_STATES),
        FieldDefinition("reported", "u8", enum=_STATES),
    ),
    interval_ns_min=10 * NS_PER_S,
)
FRAME_REJECTED_EVENT: Final = EventDefinition(
    id=0x0905,
    name="FRAME_REJECTED",
    severity=Severity.MEDIUM,
    text="frame from {peer_id} rejected: {reason}",
    fields=(_PEER, FieldDefinition("reason", "text")),
    interval_ns_min=10 * NS_PER_S,
)
LINK_QUEUE_FULL: Final = EventDefinition(
    id=0x0906,
    name="LINK_QUEUE_FULL",
    severity=Severity.LOW,
    text="queue to {peer_id} full: {bundle_count} bundles, {size_bytes} bytes",
    fields=(_PEER, FieldDefinition("bundle_count", "u32"), FieldDefinition("size_bytes", "u64")),
    interval_ns_min=10 * NS_PER_S,
)
BUNDLE_UNACKNOWLEDGED: Final = EventDefinition(
    id=0x0907,
    name="BUNDLE_UNACKNOWLEDGED",
    severity=Severity.LOW,
    text="bundle {source_id}/{sequence} to {peer_id} not acknowledged after {attempt_count} attempts",
    fields=(
        _PEER,
        FieldDefinition("source_id", "u16"),
        FieldDefinition("sequence", "u64"),
        FieldDefinition("attempt_count", "u8"),
    ),
    interval_ns_min=10 * NS_PER_S,
)
GOSSIP_REFUSED: Final = EventDefinition(
    id=0x0908,
    name="GOSSIP_REFUSED",
    severity=Severity.LOW,
    text="gossip of {size_bytes} bytes for {peer_id} refused: the next hello is full or the link closed",
    fields=(_PEER, FieldDefinition("size_bytes", "u32")),
    interval_ns_min=10 * NS_PER_S,
)

DICTIONARY: Final = ServiceDictionary(
    service="links",
    apid=0x109,
    housekeeping=HousekeepingDefinition(
        structure_id=0x09,
        fields=tuple(
            FieldDefinition(name, "u64" if name == "queue_bytes" else "u32")
            for name in LinksHousekeeping.__struct_fields__
        ),
    ),
    events=(
        LINK_OPENED_EVENT,
        LINK_CLOSED_EVENT,
        LINK_LOST_EVENT,
        TERMINAL_TRANSITION_UNEXPECTED,
        FRAME_REJECTED_EVENT,
        LINK_QUEUE_FULL,
        BUNDLE_UNACKNOWLEDGED,
        GOSSIP_REFUSED,
    ),
)
