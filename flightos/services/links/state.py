"""What `links` remembers."""

from __future__ import annotations

import msgspec

from flightos.core.records import ServiceState
from flightos.core.time import NEVER_NS
from flightos.services.links.hops import Link
from flightos.services.links.terminals import TRACKING, Terminal
from flightos.services.network.interface import Contact


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

    def tracked_link(self, terminal_index: int, peer_id: int) -> Link | None:
        """The link of a frame; None (counted) when the terminal does not track that peer."""
        terminal = self.terminals.get(terminal_index)
        if terminal is None or terminal.state is not TRACKING or terminal.peer_id != peer_id:
            self.counters.frames_untracked_count += 1
            return None
        return self.links[peer_id]
