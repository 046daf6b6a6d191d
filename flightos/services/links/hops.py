"""One hop: a bounded queue, a bounded window in flight, acknowledgement, repetition, duplicate detection.

Theory of operation. Every bundle handed to a link gets a link sequence: boot count * 2^32 + a counter, so
that sequences rise over every kind of restart. At most `WINDOW_COUNT_MAX` bundles are in flight; each is sent
again when no acknowledgement came within its time, `ATTEMPT_COUNT_MAX` times in all, then returned to network.
The receiver remembers the last `RECENT_COUNT_MAX` sequences as the bits of one integer: a repeated frame is
acknowledged again (the acknowledgement may have been lost) but not passed up twice. What is older than that it
takes for a duplicate; so the sender never lets its newest run so far ahead of the oldest in flight.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import msgspec

from flightos.core.records import Record
from flightos.core.time import NEVER_NS, NS_PER_MS, NS_PER_S
from flightos.services.links.interface import BundleReturned, ForwardBundle, SendBundleFrame

QUEUE_COUNT_MAX: Final = 256
QUEUE_BYTES_MAX: Final = 512 * 1024 * 1024
WINDOW_COUNT_MAX: Final = 16
WINDOW_BYTES_MAX: Final = 32 * 1024 * 1024
"""Half of what the terminal's own queue takes: it must not drop what the window let through."""
ATTEMPT_COUNT_MAX: Final = 3
ACKNOWLEDGEMENT_MARGIN_NS: Final = 500 * NS_PER_MS
"""What an acknowledgement may wait behind frames of the peer before the frame counts as lost."""
RECENT_COUNT_MAX: Final = 63  # one integer of a snapshot; more than three full windows
GOSSIP_BYTES_MAX: Final = 16 * 1024

_RECENT_MASK: Final = (1 << RECENT_COUNT_MAX) - 1


class Flight(msgspec.Struct, array_like=True):
    """A bundle on its way to the peer."""

    request: ForwardBundle
    attempt_count: int
    due_obt_ns: int


class Link(msgspec.Struct, array_like=True):
    """All that one neighbour's link remembers."""

    peer_id: int
    terminal_index: int
    opened: bool = False
    heard_obt_ns: int = 0
    peer_boot_count: int = 0
    gossip: bytes = b""
    next_sequence: int = 0
    waiting: dict[int, ForwardBundle] = {}
    waiting_bytes: int = 0
    flying: dict[int, Flight] = {}
    flying_bytes: int = 0
    resend_due_obt_ns: int = NEVER_NS
    """Not later than the first repetition."""
    received_sequence_max: int = -1
    received_mask: int = 0
    """Bit k: sequence `received_sequence_max` - k was received."""


def is_queue_full(link: Link, size_bytes: int) -> bool:
    """True when one more bundle of this size would pass the limit of count or bytes."""
    return len(link.waiting) >= QUEUE_COUNT_MAX or (
        link.waiting_bytes + size_bytes > QUEUE_BYTES_MAX and link.waiting_bytes > 0
    )


def enqueue(link: Link, request: ForwardBundle) -> None:
    """Put a bundle behind the others; the caller has checked the limit."""
    link.waiting[link.next_sequence] = request
    link.next_sequence += 1
    link.waiting_bytes += request.size_bytes


def fill_window(link: Link, now_obt_ns: int, round_trip_ns: int, rate_bps: int) -> list[Record]:
    """Send waiting bundles while the window has room in count, bytes and span of sequences."""
    sent: list[Record] = []
    while link.waiting and len(link.flying) < WINDOW_COUNT_MAX:
        sequence = next(iter(link.waiting))
        # Sequences enter flight in rising order: the first one is the oldest.
        if link.flying and sequence - next(iter(link.flying)) >= RECENT_COUNT_MAX:
            break
        request = link.waiting[sequence]
        if link.flying and link.flying_bytes + request.size_bytes > WINDOW_BYTES_MAX:
            break
        del link.waiting[sequence]
        link.waiting_bytes -= request.size_bytes
        link.flying_bytes += request.size_bytes
        due = now_obt_ns + _patience_ns(link, round_trip_ns, rate_bps)
        link.flying[sequence] = Flight(request, 1, due)
        link.resend_due_obt_ns = min(link.resend_due_obt_ns, due)
        sent.append(_frame(link, sequence, request))
    return sent


def acknowledge(link: Link, sequence: int) -> ForwardBundle | None:
    """Take an acknowledged bundle out of flight; None when it is not (or no longer) in flight."""
    flight = link.flying.pop(sequence, None)
    if flight is None:
        return None
    link.flying_bytes -= flight.request.size_bytes
    if not link.flying:
        link.resend_due_obt_ns = NEVER_NS
    return flight.request


def resend_due(
    link: Link, now_obt_ns: int, round_trip_ns: int, rate_bps: int
) -> tuple[list[Record], list[ForwardBundle]]:
    """Repeat what was not acknowledged in time; also gives the bundles whose attempts are exhausted."""
    sent: list[Record] = []
    exhausted: list[ForwardBundle] = []
    soonest = NEVER_NS
    for sequence, flight in list(link.flying.items()):
        if flight.due_obt_ns <= now_obt_ns:
            if flight.attempt_count >= ATTEMPT_COUNT_MAX:
                acknowledge(link, sequence)
                exhausted.append(flight.request)
                continue
            flight.attempt_count += 1
            flight.due_obt_ns = now_obt_ns + _patience_ns(link, round_trip_ns, rate_bps)
            sent.append(_frame(link, sequence, flight.request))
        soonest = min(soonest, flight.due_obt_ns)
    link.resend_due_obt_ns = soonest
    return sent, exhausted


def empty(link: Link, refusal: int) -> list[Record]:
    """Return everything in flight, then everything queued, in order."""
    requests = [flight.request for flight in link.flying.values()]
    requests.extend(link.waiting.values())
    link.waiting = {}
    link.flying = {}
    link.waiting_bytes = link.flying_bytes = 0
    link.resend_due_obt_ns = NEVER_NS
    return returned(link.peer_id, requests, refusal)


def returned(peer_id: int, requests: Iterable[ForwardBundle], refusal: int) -> list[Record]:
    """One `BundleReturned` for each."""
    return [BundleReturned(peer_id, request.bundle.key, int(refusal)) for request in requests]


def was_received(link: Link, sequence: int) -> bool:
    """True when this sequence was received before, or is too old to know."""
    behind = link.received_sequence_max - sequence
    return behind >= 0 and (behind >= RECENT_COUNT_MAX or bool(link.received_mask >> behind & 1))


def note_received(link: Link, sequence: int) -> None:
    """Remember a sequence that was not received before."""
    ahead = sequence - link.received_sequence_max
    if ahead <= 0:
        link.received_mask |= 1 << -ahead
        return
    # A restart of the peer jumps by 2^32; shifting that far would build an integer of half a gigabyte.
    kept = link.received_mask << ahead if ahead < RECENT_COUNT_MAX else 0
    link.received_mask = (kept | 1) & _RECENT_MASK
    link.received_sequence_max = sequence


def _patience_ns(link: Link, round_trip_ns: int, rate_bps: int) -> int:
    serialisation_ns = link.flying_bytes * 8 * NS_PER_S // rate_bps if rate_bps else 0
    return round_trip_ns + serialisation_ns + ACKNOWLEDGEMENT_MARGIN_NS


def _frame(link: Link, sequence: int, request: ForwardBundle) -> SendBundleFrame:
    return SendBundleFrame(
        link.terminal_index,
        link.peer_id,
        sequence,
        request.bundle,
        request.content_id,
        request.body,
        request.attachment_ids,
    )
