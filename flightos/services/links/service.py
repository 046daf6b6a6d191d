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
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NEVER_NS, NS_PER_S, next_multiple_ns
from flightos.services.commanding.interface import ResetCounters
from flightos.services.links import hops, terminals
from flightos.services.links.exchange import BundleExchange
from flightos.services.links.hops import Link
from flightos.services.links.interface import (
    FRAME_REJECTED_EVENT,
    GOSSIP_REFUSED,
    LINK_CLOSED_EVENT,
    LINK_LOST_EVENT,
    LINK_OPENED_EVENT,
    TERMINAL_TRANSITION_UNEXPECTED,
    AcknowledgementFrameReceived,
    BundleBytesMissing,
    BundleFrameReceived,
    ForwardBundle,
    FrameRejected,
    Hello,
    HelloFrameReceived,
    HelloReceived,
    HoldOffRelays,
    LinkClosed,
    LinkOpened,
    LinksHousekeeping,
    OfferGossip,
    SendFrame,
)
from flightos.services.links.state import LinksCounters, LinksState
from flightos.services.links.terminals import Terminal
from flightos.services.network.interface import ContactPlanActivated
from flightos.services.telemetry.interface import ReportEvent

SILENCE_NS_MAX: Final = 5 * NS_PER_S
"""A tracked neighbour that said no hello for this long is not reached."""


class LinksService:
    """Terminals, hellos and hops of one node; see the module's theory of operation."""

    name: Final = "links"

    def __init__(self, configuration: NodeConfiguration) -> None:
        self._configuration = configuration
        self._node_id = configuration.node_id
        self._exchange = BundleExchange(configuration)
        self.state = LinksState(terminals=terminals.make_terminals(configuration))
        exchange = self._exchange
        self.reactions: dict[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            NodeBooted: self._boot,
            TimeSampled: self._take_time,
            ContactPlanActivated: self._take_plan,
            TerminalReported: self._take_report,
            WakeupReached: self._tick,
            OfferGossip: self._take_gossip,
            HelloFrameReceived: self._hear_hello,
            HoldOffRelays: self._take_hold_off,
            ForwardBundle: lambda record, now: exchange.forward(self.state, record, now),
            AcknowledgementFrameReceived: lambda record, now: exchange.take_acknowledgement(
                self.state, record, now
            ),
            BundleFrameReceived: lambda record, now: exchange.take_bundle(self.state, record, now),
            BundleBytesMissing: lambda record, now: exchange.give_up_missing(self.state, record, now),
            FrameRejected: self._count_rejected,
            ResetCounters: self._reset_counters,
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record; the table in the constructor names the reaction."""
        return self.reactions[type(record)](record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """The next whole second while a terminal is in use, the next pointing, or the next repetition."""
        soonest = self.state.tick_obt_ns
        for link in self.state.links.values():
            if link.resend_due_obt_ns < soonest:
                soonest = link.resend_due_obt_ns
        return None if soonest == NEVER_NS else soonest

    def housekeeping(self) -> LinksHousekeeping:
        """Counters, and levels over all links."""
        opened = queued = queued_bytes = flying = tracking = 0
        for link in self.state.links.values():
            opened += link.opened
            queued += len(link.waiting)
            queued_bytes += link.waiting_bytes
            flying += len(link.flying)
        for terminal in self.state.terminals.values():
            tracking += terminal.state is terminals.TRACKING
        counters = msgspec.structs.astuple(self.state.counters)
        values: tuple[int, ...] = (*counters, opened, tracking, queued, queued_bytes, flying)
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
            tracking = terminals.TRACKING
            for terminal in state.terminals.values():
                # A laser that tracks its neighbour is as it should be; wires are never pointed.
                if terminal.kind == "radio" or (terminal.kind == "laser" and terminal.state is not tracking):
                    out.extend(self._aim(terminal, now_obt_ns))
                if terminal.state is not tracking:
                    continue
                link = state.links[terminal.peer_id]
                if link.opened and now_obt_ns - link.heard_obt_ns > SILENCE_NS_MAX:
                    out.extend(self._close(link.peer_id, now_obt_ns))
                out.append(self._hello(link, now_obt_ns))
            self._schedule_tick(now_obt_ns)
        for link in state.links.values():
            if link.resend_due_obt_ns <= now_obt_ns:
                out.extend(self._exchange.resend(state, link, now_obt_ns))
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
        link = self.state.tracked_link(record.terminal_index, record.peer_id)
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

    def _count_rejected(self, record: FrameRejected, now_obt_ns: int) -> Sequence[Record]:
        self.state.counters.frames_rejected_count += 1
        return (ReportEvent(FRAME_REJECTED_EVENT.id, (record.peer_id, record.reason[:64])),)

    def _reset_counters(self, record: ResetCounters, now_obt_ns: int) -> Sequence[Record]:
        self.state.counters = LinksCounters()
        return ()
