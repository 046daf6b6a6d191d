"""Links: points terminals, says hello, hands bundles to neighbours and acknowledges theirs.

Theory of operation. A link is open when its terminal is tracking and a hello arrived since. Hellos leave at
every whole on-board second, and once at the start of tracking so that both ends open within one light time of the
later one. Silence of `SILENCE_NS_MAX` closes the link although the terminal still tracks. Frames are acknowledged
one by one, at once: an acknowledgement that waits costs the sender's window more than its frame costs the link.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Final

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.ports import NodeBooted, PointTerminal, TerminalReported, TimeSampled
from flightos.core.records import Record, ServiceState, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NEVER_NS, NS_PER_S, next_multiple_ns
from flightos.services.commanding.interface import ResetCounters
from flightos.services.links import hops, terminals
from flightos.services.links.hops import Link
from flightos.services.links.interface import (
    BUNDLE_UNACKNOWLEDGED,
    FRAME_REJECTED_EVENT,
    GOSSIP_REFUSED,
    LINK_CLOSED_EVENT,
    LINK_LOST_EVENT,
    LINK_OPENED_EVENT,
    LINK_QUEUE_FULL,
    TERMINAL_TRANSITION_UNEXPECTED,
    AcknowledgementFrameReceived,
    BundleArrived,
    BundleBytesMissing,
    BundleForwarded,
    BundleFrameReceived,
    BundleRepeated,
    BundleReturned,
    ForwardBundle,
    FrameRejected,
    Hello,
    HelloFrameReceived,
    HelloReceived,
    HoldOffRelays,
    HopAcknowledgement,
    LinkClosed,
    LinkOpened,
    LinksHousekeeping,
    OfferGossip,
    SendFrame,
)
from flightos.services.links.terminals import Terminal
from flightos.services.network.interface import Contact, ContactPlanActivated
from flightos.services.telemetry.interface import ReportEvent

SILENCE_NS_MAX: Final = 5 * NS_PER_S
"""A tracked neighbour that said no hello for this long is not reached."""


class LinksCounters(msgspec.Struct, array_like=True):
    """Counters of `LinksHousekeeping`, in its order."""

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


class LinksState(ServiceState):
    """Everything that influences what `links` does."""

    terminals: dict[int, Terminal]
    links: dict[int, Link] = {}
    contacts: list[Contact] = []
    """Contacts of this node in the plan in force."""
    boot_count: int = 0
    tai_minus_obt_ns: int = 0
    is_time_known: bool = False
    hold_off: bool = False
    tick_obt_ns: int = NEVER_NS
    counters: LinksCounters = msgspec.field(default_factory=LinksCounters)


class LinksService:
    """Terminals, hellos and hops of one node; see the module's theory of operation."""

    name: Final = "links"

    def __init__(self, configuration: NodeConfiguration) -> None:
        self._configuration = configuration
        self._node_id = configuration.node_id
        self._modem_round_trip_ns = 2 * configuration.modem_latency_ns
        self.state = LinksState(terminals=terminals.make_terminals(configuration))
        self._on: dict[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            NodeBooted: self._boot,
            TimeSampled: self._take_time,
            ContactPlanActivated: self._take_plan,
            TerminalReported: self._take_report,
            WakeupReached: self._tick,
            OfferGossip: self._take_gossip,
            HelloFrameReceived: self._hear_hello,
            ForwardBundle: self._forward,
            AcknowledgementFrameReceived: self._take_acknowledgement,
            BundleFrameReceived: self._take_bundle,
            BundleBytesMissing: self._give_up_missing,
            HoldOffRelays: self._take_hold_off,
            FrameRejected: self._count_rejected,
            ResetCounters: self._reset_counters,
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record; the table in the constructor names the reaction."""
        return self._on[type(record)](record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """The next whole second while a terminal is in use, the next pointing, or the next repetition."""
        soonest = self.state.tick_obt_ns
        for link in self.state.links.values():
            if link.resend_due_obt_ns < soonest:
                soonest = link.resend_due_obt_ns
        return None if soonest == NEVER_NS else soonest

    def housekeeping(self) -> LinksHousekeeping:
        """Counters, and levels over all links."""
        links = self.state.links.values()
        values: tuple[int, ...] = (
            *msgspec.structs.astuple(self.state.counters),
            sum(link.opened for link in links),
            sum(t.state is terminals.TRACKING for t in self.state.terminals.values()),
            sum(len(link.waiting) for link in links),
            sum(link.waiting_bytes for link in links),
            sum(len(link.flying) for link in links),
        )
        return LinksHousekeeping(*values)

    # --- terminals ------------------------------------------------------------------------------------------

    def _boot(self, record: NodeBooted, now_obt_ns: int) -> Sequence[Record]:
        """A restart loses what was in the air and what the terminals were doing; sequences only rise."""
        state = self.state
        state.boot_count = record.boot_count
        out: list[Record] = []
        for link in state.links.values():
            if link.opened:
                link.opened = False
                out.append(LinkClosed(link.peer_id, False))
            link.gossip = b""
            lost = hops.empty(link, Refusal.NO_ROUTE)
            state.counters.returned_closed_count += len(lost)
            out.extend(lost)
            link.next_sequence = max(link.next_sequence, record.boot_count << 32)
        for terminal in state.terminals.values():
            terminal.state = terminals.STOWED
            terminal.peer_id = terminal.pointed_id = 0
            terminal.point_due_obt_ns = 0
            if terminal.kind == "wire":
                out.extend(self._track(terminal, terminal.target_id, now_obt_ns))
            else:
                out.extend(self._aim(terminal, now_obt_ns))
        self._schedule_tick(now_obt_ns)
        return out

    def _take_time(self, record: TimeSampled, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.tai_minus_obt_ns = record.tai_minus_obt_ns
        if not state.is_time_known:
            state.is_time_known = True
            self._schedule_tick(now_obt_ns)
        return ()

    def _take_plan(self, record: ContactPlanActivated, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.contacts = [c for c in record.plan.contacts if terminals.other_end(c, self._node_id)]
        out: list[Record] = []
        for terminal in state.terminals.values():
            if terminal.kind == "radio":
                terminals.assign_contacts(terminal, state.contacts, self._node_id)
                out.extend(self._aim(terminal, now_obt_ns))
        self._schedule_tick(now_obt_ns)
        return out

    def _aim(self, terminal: Terminal, now_obt_ns: int) -> Sequence[Record]:
        """Point, point again after a loss, or stow; nothing when the terminal does what it should."""
        if terminal.kind == "radio" and self.state.is_time_known:
            terminals.aim_radio(terminal, self._node_id, now_obt_ns + self.state.tai_minus_obt_ns)
        idle = terminal.state is terminals.STOWED or terminal.state is terminals.LOST
        if terminal.target_id == 0:
            if terminal.pointed_id == 0:
                return ()
            terminal.pointed_id = 0
            return (*self._turn_away(terminal, now_obt_ns), PointTerminal(terminal.index, 0))
        if terminal.pointed_id == terminal.target_id and (not idle or now_obt_ns < terminal.point_due_obt_ns):
            return ()
        turned = self._turn_away(terminal, now_obt_ns) if terminal.pointed_id != terminal.target_id else ()
        terminal.pointed_id = terminal.target_id
        terminal.point_due_obt_ns = now_obt_ns + terminal.acquisition_ns + terminals.RETRY_NS
        return (*turned, PointTerminal(terminal.index, terminal.target_id))

    def _turn_away(self, terminal: Terminal, now_obt_ns: int) -> Sequence[Record]:
        """What the terminal tracked is left at once; its driver has nothing to add."""
        was_tracking = terminal.state is terminals.TRACKING
        terminal.state = terminals.STOWED
        return self._close(terminal.peer_id, now_obt_ns) if was_tracking else ()

    def _schedule_tick(self, now_obt_ns: int) -> None:
        """Ask for the next whole second while any terminal is in use, else for the next pointing of a radio.

        A radio that is not pointed needs no second before its next contact.
        """
        state = self.state
        soonest = NEVER_NS
        for terminal in state.terminals.values():
            if terminal.target_id or terminal.state is not terminals.STOWED:
                state.tick_obt_ns = next_multiple_ns(now_obt_ns, NS_PER_S)
                return
            if terminal.contacts and state.is_time_known:
                offset = state.tai_minus_obt_ns
                due = terminals.aim_radio(terminal, self._node_id, now_obt_ns + offset)
                if due != NEVER_NS:
                    soonest = min(soonest, (due - offset) // NS_PER_S * NS_PER_S)
        state.tick_obt_ns = (
            max(soonest, next_multiple_ns(now_obt_ns, NS_PER_S)) if soonest < NEVER_NS else soonest
        )

    def _take_report(self, record: TerminalReported, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        terminal = state.terminals[record.terminal_index]
        if record.peer_id not in (0, terminal.pointed_id) and terminal.kind != "wire":
            state.counters.reports_stale_count += 1
            return ()
        before = terminal.state
        after = terminals.TRANSITIONS.get((before, record.state))
        if after is None:
            state.counters.transitions_unexpected_count += 1
            values = (terminal.index, int(before), int(record.state))
            return (ReportEvent(TERMINAL_TRANSITION_UNEXPECTED.id, values),)
        was_tracking = before is terminals.TRACKING
        is_tracking = after is terminals.TRACKING
        out: list[Record] = []
        if was_tracking and (not is_tracking or record.peer_id != terminal.peer_id):
            out.extend(self._close(terminal.peer_id, now_obt_ns))
            was_tracking = False
        terminal.state = after
        terminal.peer_id = record.peer_id
        if after is terminals.LOST:
            terminal.point_due_obt_ns = now_obt_ns + terminals.RETRY_NS
        if is_tracking:
            terminal.light_time_ns = record.light_time_ns
            terminal.rate_bps = record.rate_bps
            if not was_tracking:
                out.extend(self._track(terminal, record.peer_id, now_obt_ns))
        self._schedule_tick(now_obt_ns)
        return out

    def _track(self, terminal: Terminal, peer_id: int, now_obt_ns: int) -> Sequence[Record]:
        """The terminal tracks from now on: begin the exchange of hellos."""
        terminal.state = terminals.TRACKING
        terminal.peer_id = peer_id
        link = self._link(peer_id, terminal.index)
        link.heard_obt_ns = now_obt_ns
        return (self._hello(link, now_obt_ns),)

    # --- hello ----------------------------------------------------------------------------------------------

    def _tick(self, record: WakeupReached, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        out: list[Record] = []
        if now_obt_ns >= state.tick_obt_ns:
            for terminal in state.terminals.values():
                if terminal.kind != "wire":
                    out.extend(self._aim(terminal, now_obt_ns))
                if terminal.state is not terminals.TRACKING:
                    continue
                link = state.links[terminal.peer_id]
                if link.opened and now_obt_ns - link.heard_obt_ns > SILENCE_NS_MAX:
                    out.extend(self._close(link.peer_id, now_obt_ns))
                out.append(self._hello(link, now_obt_ns))
            self._schedule_tick(now_obt_ns)
        for link in state.links.values():
            if link.resend_due_obt_ns <= now_obt_ns:
                out.extend(self._resend(link, now_obt_ns))
        return out

    def _hello(self, link: Link, now_obt_ns: int) -> SendFrame:
        self.state.counters.hellos_sent_count += 1
        gossip, link.gossip = link.gossip, b""
        hello = Hello(self.state.boot_count, now_obt_ns, gossip)
        return SendFrame(link.terminal_index, link.peer_id, hello)

    def _take_gossip(self, record: OfferGossip, now_obt_ns: int) -> Sequence[Record]:
        """Offers of one second are concatenated: each is a stream of MessagePack objects."""
        state = self.state
        out: list[Record] = []
        if record.peer_id:
            link = state.links.get(record.peer_id)
            if link is None or not link.opened:
                return self._refuse_gossip(record.peer_id, len(record.gossip))
            offered = [link]
        else:
            offered = [
                link
                for link in state.links.values()
                if link.opened and state.terminals[link.terminal_index].kind == "laser"
            ]
        for link in offered:
            if len(link.gossip) + len(record.gossip) > hops.GOSSIP_BYTES_MAX:
                out.extend(self._refuse_gossip(link.peer_id, len(record.gossip)))
            else:
                link.gossip += record.gossip
        return out

    def _refuse_gossip(self, peer_id: int, size_bytes: int) -> Sequence[Record]:
        self.state.counters.gossip_refused_count += 1
        return (ReportEvent(GOSSIP_REFUSED.id, (peer_id, size_bytes)),)

    def _hear_hello(self, record: HelloFrameReceived, now_obt_ns: int) -> Sequence[Record]:
        link = self._tracked_link(record.terminal_index, record.peer_id)
        if link is None:
            return ()
        hello = record.hello
        self.state.counters.hellos_heard_count += 1
        link.heard_obt_ns = now_obt_ns
        link.peer_boot_count = hello.boot_count
        heard = HelloReceived(link.peer_id, hello.boot_count, hello.obt_ns, hello.gossip)
        if link.opened:
            return (heard,)
        link.opened = True
        self.state.counters.links_opened_count += 1
        terminal = self.state.terminals[link.terminal_index]
        opened = LinkOpened(link.peer_id, terminal.light_time_ns, terminal.rate_bps)
        values = (link.peer_id, terminal.rate_bps, terminal.light_time_ns)
        return (opened, heard, ReportEvent(LINK_OPENED_EVENT.id, values))

    def _close(self, peer_id: int, now_obt_ns: int) -> Sequence[Record]:
        link = self.state.links[peer_id]
        link.gossip = b""
        if not link.opened:
            return ()
        link.opened = False
        state = self.state
        now_tai_ns = now_obt_ns + state.tai_minus_obt_ns
        planned = bool(state.contacts) and not terminals.is_in_contact(
            state.contacts, self._node_id, peer_id, now_tai_ns
        )
        out: list[Record] = [LinkClosed(peer_id, planned)]
        back = hops.empty(link, Refusal.NO_ROUTE)
        state.counters.returned_closed_count += len(back)
        out.extend(back)
        if planned:
            state.counters.links_closed_planned_count += 1
            out.append(ReportEvent(LINK_CLOSED_EVENT.id, (peer_id,)))
        else:
            state.counters.links_closed_unplanned_count += 1
            out.append(ReportEvent(LINK_LOST_EVENT.id, (peer_id,)))
        return out

    # --- bundles --------------------------------------------------------------------------------------------

    def _forward(self, record: ForwardBundle, now_obt_ns: int) -> Sequence[Record]:
        link = self.state.links.get(record.peer_id)
        counters = self.state.counters
        if link is None or not link.opened:
            counters.returned_closed_count += 1
            return hops.returned(record.peer_id, (record,), Refusal.NO_ROUTE)
        if hops.is_queue_full(link, record.size_bytes):
            counters.returned_queue_full_count += 1
            values = (link.peer_id, len(link.waiting), link.waiting_bytes)
            back = BundleReturned(record.peer_id, record.bundle.key, int(Refusal.QUEUE_FULL))
            return (back, ReportEvent(LINK_QUEUE_FULL.id, values))
        hops.enqueue(link, record)
        return self._fill(link, now_obt_ns)

    def _fill(self, link: Link, now_obt_ns: int) -> Sequence[Record]:
        if not link.waiting:
            return ()
        sent = hops.fill_window(link, now_obt_ns, *self._pace(link))
        self.state.counters.bundles_sent_count += len(sent)
        return sent

    def _pace(self, link: Link) -> tuple[int, int]:
        terminal = self.state.terminals[link.terminal_index]
        return 2 * terminal.light_time_ns + self._modem_round_trip_ns, terminal.rate_bps

    def _resend(self, link: Link, now_obt_ns: int) -> Sequence[Record]:
        counters = self.state.counters
        out, exhausted = hops.resend_due(link, now_obt_ns, *self._pace(link))
        counters.bundles_resent_count += len(out)
        for request in exhausted:
            counters.returned_unacknowledged_count += 1
            bundle = request.bundle
            values = (link.peer_id, bundle.source_id, bundle.sequence, hops.ATTEMPT_COUNT_MAX)
            out.append(BundleReturned(link.peer_id, bundle.key, int(Refusal.ATTEMPTS_EXHAUSTED)))
            out.append(ReportEvent(BUNDLE_UNACKNOWLEDGED.id, values))
        out.extend(self._fill(link, now_obt_ns))
        return out

    def _take_acknowledgement(
        self, record: AcknowledgementFrameReceived, now_obt_ns: int
    ) -> Sequence[Record]:
        link = self._tracked_link(record.terminal_index, record.peer_id)
        if link is None:
            return ()
        counters = self.state.counters
        out: list[Record] = []
        for sequence in record.sequences:
            request = hops.acknowledge(link, sequence)
            if request is None:
                counters.acknowledgements_unknown_count += 1
            else:
                counters.bundles_acknowledged_count += 1
                out.append(BundleForwarded(link.peer_id, request.bundle.key))
        out.extend(self._fill(link, now_obt_ns))
        return out

    def _take_bundle(self, record: BundleFrameReceived, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        link = self._tracked_link(record.terminal_index, record.peer_id)
        again = BundleRepeated(record.bundle.key, record.content_id)
        if link is None:
            return (again,)
        body = HopAcknowledgement((record.link_sequence,))
        acknowledgement = SendFrame(record.terminal_index, record.peer_id, body)
        if hops.was_received(link, record.link_sequence):
            state.counters.duplicates_count += 1
            return (again, acknowledgement)
        if state.hold_off and record.bundle.destination_id != self._node_id:
            state.counters.held_off_count += 1
            return (again,)
        hops.note_received(link, record.link_sequence)
        state.counters.bundles_received_count += 1
        arrived = BundleArrived(record.peer_id, record.bundle, record.content_id, record.size_bytes)
        return (arrived, acknowledgement)

    def _give_up_missing(self, record: BundleBytesMissing, now_obt_ns: int) -> Sequence[Record]:
        link = self.state.links.get(record.peer_id)
        request = None if link is None else hops.acknowledge(link, record.link_sequence)
        if link is None or request is None:
            return ()
        self.state.counters.returned_missing_count += 1
        back = BundleReturned(record.peer_id, request.bundle.key, int(Refusal.UNKNOWN_CONTENT))
        return (back, *self._fill(link, now_obt_ns))

    def _take_hold_off(self, record: HoldOffRelays, now_obt_ns: int) -> Sequence[Record]:
        self.state.hold_off = record.hold_off
        return ()

    # --- the rest -------------------------------------------------------------------------------------------

    def _link(self, peer_id: int, terminal_index: int) -> Link:
        """The link to a peer over this terminal, made at its first tracking."""
        link = self.state.links.get(peer_id)
        if link is None:
            link = Link(peer_id, terminal_index, next_sequence=self.state.boot_count << 32)
            self.state.links[peer_id] = link
        link.terminal_index = terminal_index
        return link

    def _tracked_link(self, terminal_index: int, peer_id: int) -> Link | None:
        """The link of a frame; None (counted) when the terminal does not track that peer."""
        terminal = self.state.terminals.get(terminal_index)
        if terminal is None or terminal.state is not terminals.TRACKING or terminal.peer_id != peer_id:
            self.state.counters.frames_untracked_count += 1
            return None
        return self.state.links[peer_id]

    def _count_rejected(self, record: FrameRejected, now_obt_ns: int) -> Sequence[Record]:
        self.state.counters.frames_rejected_count += 1
        return (ReportEvent(FRAME_REJECTED_EVENT.id, (record.peer_id, record.reason[:64])),)

    def _reset_counters(self, record: ResetCounters, now_obt_ns: int) -> Sequence[Record]:
        self.state.counters = LinksCounters()
        return ()
