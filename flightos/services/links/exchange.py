"""Exchange of bundles with the neighbours: hand over, acknowledge, repeat, return."""

from __future__ import annotations

from collections.abc import Sequence

from flightos.core.configuration import NodeConfiguration
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.services.links import hops
from flightos.services.links.hops import Link
from flightos.services.links.interface import (
    BUNDLE_UNACKNOWLEDGED,
    LINK_QUEUE_FULL,
    AcknowledgementFrameReceived,
    BundleArrived,
    BundleBytesMissing,
    BundleForwarded,
    BundleFrameReceived,
    BundleRepeated,
    BundleReturned,
    ForwardBundle,
    HopAcknowledgement,
    SendFrame,
)
from flightos.services.links.state import LinksState
from flightos.services.telemetry.interface import ReportEvent


class BundleExchange:
    """What is done with bundles on open links; every method is given the service's state."""

    def __init__(self, configuration: NodeConfiguration) -> None:
        self._node_id = configuration.node_id
        self._modem_round_trip_ns = 2 * configuration.modem_latency_ns

    def forward(self, state: LinksState, record: ForwardBundle, now_obt_ns: int) -> Sequence[Record]:
        """Queue a bundle for an open link; a closed link or a full queue returns it."""
        link = state.links.get(record.peer_id)
        counters = state.counters
        if link is None or not link.opened:
            counters.returned_closed_count += 1
            return hops.returned(record.peer_id, (record,), Refusal.NO_ROUTE)
        if hops.is_queue_full(link, record.size_bytes):
            counters.returned_queue_full_count += 1
            values = (link.peer_id, len(link.waiting), link.waiting_bytes)
            back = BundleReturned(record.peer_id, record.bundle.key, int(Refusal.QUEUE_FULL))
            return (back, ReportEvent(LINK_QUEUE_FULL.id, values))
        hops.enqueue(link, record)
        return self.fill(state, link, now_obt_ns)

    def fill(self, state: LinksState, link: Link, now_obt_ns: int) -> Sequence[Record]:
        """Send what the window of the link has room for."""
        if not link.waiting:
            return ()
        sent = hops.fill_window(link, now_obt_ns, *self.pace(state, link))
        state.counters.bundles_sent_count += len(sent)
        return sent

    def pace(self, state: LinksState, link: Link) -> tuple[int, int]:
        """Round trip without serialisation, in ns, and rate in bit/s of a link."""
        terminal = state.terminals[link.terminal_index]
        return 2 * terminal.light_time_ns + self._modem_round_trip_ns, terminal.rate_bps

    def resend(self, state: LinksState, link: Link, now_obt_ns: int) -> Sequence[Record]:
        """Repeat what is due; return bundles whose attempts are exhausted."""
        counters = state.counters
        out, exhausted = hops.resend_due(link, now_obt_ns, *self.pace(state, link))
        counters.bundles_resent_count += len(out)
        for request in exhausted:
            counters.returned_unacknowledged_count += 1
            bundle = request.bundle
            values = (link.peer_id, bundle.source_id, bundle.sequence, hops.ATTEMPT_COUNT_MAX)
            out.append(BundleReturned(link.peer_id, bundle.key, int(Refusal.ATTEMPTS_EXHAUSTED)))
            out.append(ReportEvent(BUNDLE_UNACKNOWLEDGED.id, values))
        out.extend(self.fill(state, link, now_obt_ns))
        return out

    def take_acknowledgement(
        self, state: LinksState, record: AcknowledgementFrameReceived, now_obt_ns: int
    ) -> Sequence[Record]:
        """Free what the neighbour keeps; an acknowledgement of anything else is counted."""
        link = state.tracked_link(record.terminal_index, record.peer_id)
        if link is None:
            return ()
        counters = state.counters
        out: list[Record] = []
        for sequence in record.sequences:
            request = hops.acknowledge(link, sequence)
            if request is None:
                counters.acknowledgements_unknown_count += 1
            else:
                counters.bundles_acknowledged_count += 1
                out.append(BundleForwarded(link.peer_id, request.bundle.key))
        out.extend(self.fill(state, link, now_obt_ns))
        return out

    def take_bundle(
        self, state: LinksState, record: BundleFrameReceived, now_obt_ns: int
    ) -> Sequence[Record]:
        """Acknowledge a bundle and pass it up, once; a held-off relay gets no acknowledgement."""
        link = state.tracked_link(record.terminal_index, record.peer_id)
        if link is None:
            return (BundleRepeated(record.bundle.key, record.content_id),)
        body = HopAcknowledgement((record.link_sequence,))
        acknowledgement = SendFrame(record.terminal_index, record.peer_id, body)
        if hops.was_received(link, record.link_sequence):
            state.counters.duplicates_count += 1
            return (BundleRepeated(record.bundle.key, record.content_id), acknowledgement)
        if state.hold_off and record.bundle.destination_id != self._node_id:
            state.counters.held_off_count += 1
            return (BundleRepeated(record.bundle.key, record.content_id),)
        hops.note_received(link, record.link_sequence)
        state.counters.bundles_received_count += 1
        arrived = BundleArrived(record.peer_id, record.bundle, record.content_id, record.size_bytes)
        return (arrived, acknowledgement)

    def give_up_missing(
        self, state: LinksState, record: BundleBytesMissing, now_obt_ns: int
    ) -> Sequence[Record]:
        """The bytes of a bundle in flight have left the store: it cannot be sent."""
        link = state.links.get(record.peer_id)
        request = None if link is None else hops.acknowledge(link, record.link_sequence)
        if link is None or request is None:
            return ()
        state.counters.returned_missing_count += 1
        back = BundleReturned(record.peer_id, request.bundle.key, int(Refusal.UNKNOWN_CONTENT))
        return (back, *self.fill(state, link, now_obt_ns))
