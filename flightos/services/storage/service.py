"""`storage`: keeps the accounts of the content store and brings products down in order.

Theory of operation. Other services keep and release contents; the accounts decide what fits. A product is
pinned by storage itself from `ProductReady` until the ground has accepted it. Only a few products are with
network at a time, so that an urgent product that is ready later still overtakes those that wait here.
Network repeats a bundle until it is acknowledged; a product that network gives up comes back here and is
offered again after a pause.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import GROUND_ID, ContentId
from flightos.core.ports import DropContent, NodeBooted
from flightos.core.reading import decode_or_none
from flightos.core.records import Record, ServiceState, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S, next_multiple_ns
from flightos.services.commanding.interface import ResetCounters
from flightos.services.network.interface import (
    BundleDelivered,
    BundleDropped,
    BundleKind,
    ConfirmDelivery,
    SendBundle,
)
from flightos.services.storage.accounts import Accounts
from flightos.services.storage.interface import (
    CONTENT_EVICTED,
    PRODUCT_RELEASED,
    PRODUCT_RETURNED,
    STORE_FULL,
    ContentKind,
    ContentRefused,
    DiscardContent,
    KeepContent,
    ProductAcceptance,
    ProductReady,
    ProductReleased,
    ReleaseContent,
    StorageHousekeeping,
)
from flightos.services.telemetry.interface import ReportEvent

ENTRY_COUNT_MAX: Final = 4096
PRODUCT_IN_FLIGHT_COUNT_MAX: Final = 8
PRODUCT_LIFETIME_MS: Final = 24 * 3600 * 1000
RETRY_NS: Final = 10 * NS_PER_S
"""Pause before a product that network gave up is offered again: what refused it then needs time to change."""

_acceptance_decoder: Final = msgspec.msgpack.Decoder(ProductAcceptance)


class Product(msgspec.Struct, array_like=True):
    """A product that the ground has not accepted yet; waiting (not before a time) or in flight."""

    content_id: ContentId
    observation_id: int
    size_bytes: int
    priority: int
    metadata: bytes
    sequence: int
    in_flight: bool = False
    not_before_obt_ns: int = 0


class StorageState(ServiceState):
    """Everything that snapshot and restore carry."""

    accounts: Accounts
    products: dict[ContentId, Product] = {}
    in_flight_count: int = 0
    wakeup_obt_ns: int | None = None
    kept_count: int = 0
    dropped_count: int = 0
    evicted_count: int = 0
    refused_count: int = 0
    unknown_release_count: int = 0
    product_offered_count: int = 0
    product_returned_count: int = 0
    product_released_count: int = 0
    acceptance_unknown_count: int = 0
    acceptance_undecodable_count: int = 0


COUNTERS: Final = tuple(
    field
    for field in StorageState.__struct_fields__
    if field.endswith("_count") and field != "in_flight_count"
)


class StorageService:
    """Accounts for content, evicts by value, and offers products to the ground by priority, then age."""

    name: Final = "storage"

    def __init__(self, configuration: NodeConfiguration) -> None:
        self.state = StorageState(
            accounts=Accounts(capacity_bytes=configuration.storage_bytes, entry_count_max=ENTRY_COUNT_MAX)
        )
        self.reactions: Mapping[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            KeepContent: self._keep,
            ReleaseContent: self._release,
            DiscardContent: self._discard,
            ProductReady: self._take_product,
            BundleDelivered: self._read_acceptance,
            BundleDropped: self._take_back,
            NodeBooted: self._resume,
            WakeupReached: self._retry,
            ResetCounters: self._reset_counters,
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record; the only thing that changes `state`."""
        return self.reactions[type(record)](record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """The time of the earliest product that waits for its next try, if any does."""
        return self.state.wakeup_obt_ns

    def housekeeping(self) -> StorageHousekeeping:
        """Frozen counters and levels."""
        state = self.state
        accounts = state.accounts
        return StorageHousekeeping(
            len(accounts.entries),
            accounts.pinned_count,
            accounts.used_bytes,
            accounts.capacity_bytes,
            len(state.products) - state.in_flight_count,
            state.in_flight_count,
            state.kept_count,
            state.dropped_count,
            state.evicted_count,
            state.refused_count,
            state.unknown_release_count,
            state.product_offered_count,
            state.product_returned_count,
            state.product_released_count,
            state.acceptance_unknown_count,
            state.acceptance_undecodable_count,
        )

    # --- content --------------------------------------------------------------------------------------------

    def _keep(self, record: KeepContent, now_obt_ns: int) -> Sequence[Record]:
        out: list[Record] = []
        self._pin(
            record.content_id, record.kind, record.size_bytes, record.observation_id, record.priority, out
        )
        return out

    def _pin(
        self,
        content_id: ContentId,
        kind: ContentKind,
        size_bytes: int,
        observation_id: int,
        priority: int,
        out: list[Record],
    ) -> bool:
        """Enter and pin a content, with evictions where needed; False when it was refused."""
        state = self.state
        accounts = state.accounts
        entry = accounts.entries.get(content_id)
        if entry is None:
            evictions = accounts.choose_evictions(size_bytes)
            if evictions is None:
                self._refuse(content_id, size_bytes, observation_id, out)
                return False
            for evicted in evictions:
                accounts.remove(evicted)
                state.evicted_count += 1
                out.append(DropContent(evicted.content_id))
                out.append(
                    ReportEvent(
                        CONTENT_EVICTED.id, (evicted.size_bytes, evicted.observation_id, int(evicted.kind))
                    )
                )
            entry = accounts.add(content_id, kind, size_bytes, observation_id, priority)
        else:
            # One content under two names of use is worth what its more valuable use is worth.
            accounts.enlarge(entry, size_bytes)
            entry.kind = max(entry.kind, kind)
            entry.priority = max(entry.priority, priority)
        accounts.pin(entry)
        state.kept_count += 1
        return True

    def _refuse(self, content_id: ContentId, size_bytes: int, observation_id: int, out: list[Record]) -> None:
        """Say no, and let the driver forget the bytes: what is not accounted for would fill the disk
        unseen."""
        state = self.state
        state.refused_count += 1
        out.append(DropContent(content_id))
        out.append(ContentRefused(content_id, observation_id, Refusal.STORE_FULL))
        out.append(
            ReportEvent(
                STORE_FULL.id,
                (size_bytes, observation_id, state.accounts.used_bytes, len(state.accounts.entries)),
            )
        )

    def _release(self, record: ReleaseContent, now_obt_ns: int) -> Sequence[Record]:
        accounts = self.state.accounts
        entry = accounts.entries.get(record.content_id)
        if entry is None:
            self.state.unknown_release_count += 1
            return ()
        if entry.pin_count > 0:
            accounts.unpin(entry)
        if entry.pin_count > 0 or not record.drop:
            return ()
        accounts.remove(entry)
        self.state.dropped_count += 1
        return (DropContent(record.content_id),)

    def _discard(self, record: DiscardContent, now_obt_ns: int) -> Sequence[Record]:
        if record.content_id in self.state.accounts.entries:
            return ()
        self.state.dropped_count += 1
        return (DropContent(record.content_id),)

    # --- products -------------------------------------------------------------------------------------------

    def _take_product(self, record: ProductReady, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        if record.content_id in state.products:
            return ()
        out: list[Record] = []
        if not self._pin(
            record.content_id,
            ContentKind.PRODUCT,
            record.size_bytes,
            record.observation_id,
            record.priority,
            out,
        ):
            return out
        state.products[record.content_id] = Product(
            record.content_id,
            record.observation_id,
            record.size_bytes,
            record.priority,
            record.metadata,
            state.accounts.sequence,
        )
        self._offer_waiting(now_obt_ns, out)
        return out

    def _offer_waiting(self, now_obt_ns: int, out: list[Record]) -> None:
        """Hand waiting products to network while there is room in flight: high priority first, then oldest."""
        state = self.state
        due = [
            product
            for product in state.products.values()
            if not product.in_flight and product.not_before_obt_ns <= now_obt_ns
        ]
        due.sort(key=lambda product: (-product.priority, product.sequence))
        for product in due[: PRODUCT_IN_FLIGHT_COUNT_MAX - state.in_flight_count]:
            product.in_flight = True
            state.in_flight_count += 1
            state.product_offered_count += 1
            out.append(
                SendBundle(
                    destination_id=GROUND_ID,
                    kind=BundleKind.PRODUCT,
                    body=product.metadata,
                    attachment_ids=(product.content_id,),
                    size_bytes=product.size_bytes + len(product.metadata),
                    priority=product.priority,
                    lifetime_ms=PRODUCT_LIFETIME_MS,
                    wants_acknowledgement=True,
                )
            )
        self._plan_wakeup(now_obt_ns)

    def _plan_wakeup(self, now_obt_ns: int) -> None:
        """Only products that pause need a wake-up; the others are offered when room in flight comes."""
        pauses = [
            product.not_before_obt_ns
            for product in self.state.products.values()
            if not product.in_flight and product.not_before_obt_ns > now_obt_ns
        ]
        self.state.wakeup_obt_ns = min(pauses) if pauses else None

    def _read_acceptance(self, record: BundleDelivered, now_obt_ns: int) -> Sequence[Record]:
        if record.kind != BundleKind.PRODUCT_ACCEPTED:
            return ()
        state = self.state
        acceptance = decode_or_none(_acceptance_decoder, record.body)
        if acceptance is None:
            state.acceptance_undecodable_count += 1
            return ()
        out: list[Record] = [ConfirmDelivery(acceptance.bundle_key)]
        product = state.products.pop(acceptance.content_id, None)
        if product is None:
            state.acceptance_unknown_count += 1
            return out
        if product.in_flight:
            state.in_flight_count -= 1
        state.product_released_count += 1
        out.append(ProductReleased(product.content_id, product.observation_id))
        out.append(ReportEvent(PRODUCT_RELEASED.id, (product.observation_id,)))
        out.extend(self._release(ReleaseContent(product.content_id), now_obt_ns))
        self._offer_waiting(now_obt_ns, out)
        return out

    def _take_back(self, record: BundleDropped, now_obt_ns: int) -> Sequence[Record]:
        if record.kind != BundleKind.PRODUCT:
            return ()
        state = self.state
        out: list[Record] = []
        for content_id in record.attachment_ids:
            product = state.products.get(content_id)
            if product is None or not product.in_flight:
                continue
            product.in_flight = False
            product.not_before_obt_ns = next_multiple_ns(now_obt_ns + RETRY_NS, NS_PER_S)
            state.in_flight_count -= 1
            state.product_returned_count += 1
            out.append(ReportEvent(PRODUCT_RETURNED.id, (product.observation_id, record.refusal)))
        self._offer_waiting(now_obt_ns, out)
        return out

    def _resume(self, record: NodeBooted, now_obt_ns: int) -> Sequence[Record]:
        # Products in flight stay so: network was restored with the same bundles.
        out: list[Record] = []
        self._offer_waiting(now_obt_ns, out)
        return out

    def _retry(self, record: WakeupReached, now_obt_ns: int) -> Sequence[Record]:
        out: list[Record] = []
        self._offer_waiting(now_obt_ns, out)
        return out

    def _reset_counters(self, record: ResetCounters, now_obt_ns: int) -> Sequence[Record]:
        for counter in COUNTERS:
            setattr(self.state, counter, 0)
        return ()
