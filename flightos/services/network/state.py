"""What `network` remembers, and its limits."""

from __future__ import annotations

from typing import Final

import msgspec

from flightos.core.records import ServiceState
from flightos.core.time import NEVER_NS, NS_PER_S
from flightos.services.network.custody import BundleKey, Carried, QueueName, Queues
from flightos.services.network.routes import Route

HELD_COUNT_MAX: Final = 1024
HELD_BYTES_MAX: Final = 4 * 1024 * 1024 * 1024
"""Bundles of others and of this node together; the store itself is larger, the rest is for tiles and products."""
HANDED_COUNT_MAX: Final = 32
"""Bundles handed to one link and not acknowledged: twice its window, so that the link never runs dry."""
SEEN_COUNT_MAX: Final = 4096
GRACE_NS: Final = 30 * NS_PER_S
"""A contact that has not become a link after this long (twice an acquisition) is avoided."""
RESEND_NS_MIN: Final = 120 * NS_PER_S
RESEND_NS_MAX: Final = 1800 * NS_PER_S
RETRY_NS: Final = NS_PER_S
"""Pause after a link returned a bundle although it is open."""


class NetworkCounters(msgspec.Struct, array_like=True):
    """Counters of `NetworkHousekeeping`, in its order."""

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


class NetworkState(ServiceState):
    """Everything that influences what `network` does; only the index of the plan is derived."""

    held: dict[BundleKey, Carried] = {}
    queues: Queues = {}
    """Waiting bundles by (destination, neighbour they came from)."""
    held_bytes: int = 0
    seen: dict[BundleKey, None] = {}
    """Bundles delivered here, oldest first."""
    links_open: dict[int, None] = {}
    handed_count: dict[int, int] = {}
    """By neighbour."""
    excluded: dict[int, int] = {}
    """Neighbours avoided as next hop, until this TAI time or until their link opens."""
    declared: dict[int, None] = {}
    paused: dict[int, int] = {}
    """Neighbours that get nothing until this on-board time, because their link returned something."""
    routes: dict[QueueName, Route | None] = {}
    """Routes in use, by queue; None = there is none."""
    contact_count: int = 0
    plan: bytes = b""
    """The contact plan in force, as MessagePack: snapshots copy it, the index is derived from it."""
    next_sequence: int = 0
    booted_obt_ns: int = 0
    tai_minus_obt_ns: int = 0
    holds_off: bool = False
    wakeup_obt_ns: int = NEVER_NS
    counters: NetworkCounters = msgspec.field(default_factory=NetworkCounters)

    def ask(self, due_obt_ns: int) -> None:
        """Be woken not later than this."""
        if due_obt_ns < self.wakeup_obt_ns:
            self.wakeup_obt_ns = due_obt_ns
