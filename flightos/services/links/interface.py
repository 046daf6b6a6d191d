"""Contract of `links`: terminals as resources, frames, hop acknowledgement, bounded queues."""

from __future__ import annotations

import msgspec

from flightos.core.ids import ContentId
from flightos.core.records import Record


# --- facts ----------------------------------------------------------------------------------------------------


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


class BundleForwarded(Record, frozen=True):
    """The neighbour acknowledged the bundle: this hop is done."""

    peer_id: int
    bundle_key: tuple[int, int, int]


class BundleReturned(Record, frozen=True):
    """The link could not hand the bundle over (closed, queue full, no acknowledgement): route it again."""

    peer_id: int
    bundle_key: tuple[int, int, int]
    refusal: int


# --- requests -------------------------------------------------------------------------------------------------


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


# --- what crosses between links and the node's edge -----------------------------------------------------------


class BundleHeader(msgspec.Struct, frozen=True, array_like=True):
    """What services need of a bundle's primary and extension blocks (RFC 9171, 4.3.1).

    Key (source, creation time, sequence) identifies it. `creation_dtn_ms` is DTN time, `lifetime_ms` from it.
    `kind` is a BundleKind; `priority` 0 (bulk) to 3 (urgent). `hop_count` is that of the Hop Count block.
    """

    source_id: int
    creation_dtn_ms: int
    sequence: int
    destination_id: int
    lifetime_ms: int
    kind: int
    priority: int
    hop_count: int = 0

    @property
    def key(self) -> tuple[int, int, int]:
        """What identifies the bundle in the whole network."""
        return (self.source_id, self.creation_dtn_ms, self.sequence)


class Hello(msgspec.Struct, frozen=True, array_like=True, tag="h"):
    """Sign of life at 1 Hz, with gossip."""

    boot_count: int
    obt_ns: int
    gossip: bytes = b""


class HopAcknowledgement(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """Frames with a bundle that were received and kept, by their link sequence."""

    sequences: tuple[int, ...]


class BundleCarried(msgspec.Struct, frozen=True, array_like=True, tag="b"):
    """One bundle in one frame; `bundle` is its RFC 9171 encoding."""

    link_sequence: int
    bundle: bytes


FrameBody = Hello | HopAcknowledgement | BundleCarried


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
