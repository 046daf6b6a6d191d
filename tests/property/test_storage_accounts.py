"""Whatever is kept, released, made and accepted: the accounts of storage stay true."""

from __future__ import annotations

import msgspec
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.ids import GROUND_ID, ContentId, content_id
from flightos.core.ports import DropContent
from flightos.core.records import Record, WakeupReached
from flightos.core.time import NS_PER_S
from flightos.services.network.interface import BundleDelivered, BundleDropped, BundleKind, SendBundle
from flightos.services.storage.interface import (
    ContentKind,
    ContentRefused,
    KeepContent,
    ProductAcceptance,
    ProductReady,
    ProductReleased,
    ReleaseContent,
)
from flightos.services.storage.service import PRODUCT_IN_FLIGHT_COUNT_MAX, StorageService

CAPACITY_BYTES = 1_000
NAMES = [content_id(bytes([index])) for index in range(24)]
SIZES = {name: 20 + 13 * index for index, name in enumerate(NAMES)}
contents = st.sampled_from(NAMES[:16])
products = st.sampled_from(NAMES[8:])


class StorageMachine(RuleBasedStateMachine):
    """The model: pins per content, products that wait for the ground, bytes in the driver's store."""

    def __init__(self) -> None:
        super().__init__()
        self.service = StorageService(
            NodeConfiguration(1, "sat-1", Role.SATELLITE, (), (), storage_bytes=CAPACITY_BYTES)
        )
        self.now_obt_ns = 0
        self.pins: dict[ContentId, int] = {}
        self.in_flight: list[ContentId] = []
        self.unaccepted: list[ContentId] = []

    def tell(self, record: Record) -> list[Record]:
        self.now_obt_ns += NS_PER_S
        out = list(self.service.handle(record, self.now_obt_ns))
        for produced in out:
            if isinstance(produced, DropContent):
                assert self.pins.get(produced.content_id, 0) == 0, "a pinned content was dropped"
            elif isinstance(produced, SendBundle):
                self.in_flight.append(produced.attachment_ids[0])
        return out

    @rule(name=contents, kind=st.sampled_from(ContentKind), priority=st.integers(0, 3))
    def keep(self, name: ContentId, kind: ContentKind, priority: int) -> None:
        out = self.tell(KeepContent(name, kind, SIZES[name], 1, priority))
        if not any(isinstance(record, ContentRefused) for record in out):
            self.pins[name] = self.pins.get(name, 0) + 1

    @rule(name=contents, drop=st.booleans())
    def release(self, name: ContentId, drop: bool) -> None:
        if self.pins.get(name, 0) - (name in self.unaccepted) > 0:
            self.pins[name] -= 1
            self.tell(ReleaseContent(name, drop))

    @rule(name=products, priority=st.integers(0, 3))
    def make_product(self, name: ContentId, priority: int) -> None:
        if name in self.unaccepted:
            return
        self.pins[name] = self.pins.get(name, 0) + 1
        self.unaccepted.append(name)
        self.pins[name] -= 1
        out = self.tell(ProductReady(name, 1, SIZES[name], priority, b""))
        if any(isinstance(record, ContentRefused) for record in out):
            self.unaccepted.remove(name)
        else:
            self.pins[name] += 1

    @rule(name=products)
    def accept(self, name: ContentId) -> None:
        known = name in self.unaccepted
        if known:
            self.unaccepted.remove(name)
            self.pins[name] -= 1
        self.in_flight = [other for other in self.in_flight if other != name]
        body = msgspec.msgpack.encode(ProductAcceptance(name, (1, 2, 3)))
        out = self.tell(
            BundleDelivered(GROUND_ID, BundleKind.PRODUCT_ACCEPTED, body, (), len(body), (GROUND_ID, 1, 1))
        )
        assert any(isinstance(record, ProductReleased) for record in out) == known

    @rule(name=products)
    def give_up(self, name: ContentId) -> None:
        self.in_flight = [other for other in self.in_flight if other != name]
        self.tell(BundleDropped((1, 2, 3), BundleKind.PRODUCT, 1, (name,)))

    @rule()
    def wake(self) -> None:
        wakeup_obt_ns = self.service.next_wakeup_obt_ns()
        if wakeup_obt_ns is not None:
            self.now_obt_ns = max(self.now_obt_ns, wakeup_obt_ns - NS_PER_S)
            self.tell(WakeupReached())

    @invariant()
    def accounts_are_true(self) -> None:
        accounts = self.service.state.accounts
        entries = accounts.entries
        assert accounts.used_bytes == sum(entry.size_bytes for entry in entries.values()) <= CAPACITY_BYTES
        assert accounts.pinned_count == sum(entry.pin_count > 0 for entry in entries.values())
        for name in NAMES:
            pin_count = entries[name].pin_count if name in entries else 0
            assert pin_count == self.pins.get(name, 0)

    @invariant()
    def products_go_down_within_bounds(self) -> None:
        levels = self.service.housekeeping()
        assert levels.product_in_flight_count == len(self.in_flight) <= PRODUCT_IN_FLIGHT_COUNT_MAX
        assert levels.product_waiting_count + levels.product_in_flight_count == len(self.unaccepted)


StorageMachine.TestCase.settings = settings(max_examples=40, stateful_step_count=40, deadline=None)
TestStorage = StorageMachine.TestCase
