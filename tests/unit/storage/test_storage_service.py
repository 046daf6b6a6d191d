"""`storage`: accounts, eviction by value, downlink order, acceptance."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.ids import GROUND_ID, content_id
from flightos.core.ports import DropContent, NodeBooted
from flightos.core.records import Record, WakeupReached
from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import ResetCounters
from flightos.services.network.interface import (
    BundleDelivered,
    BundleDropped,
    BundleKind,
    ConfirmDelivery,
    SendBundle,
)
from flightos.services.storage import interface
from flightos.services.storage.interface import (
    DICTIONARY,
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
from flightos.services.storage.service import PRODUCT_IN_FLIGHT_COUNT_MAX, StorageService, StorageState
from flightos.services.telemetry.interface import ReportEvent

NOW = 100 * NS_PER_S
KEY = (1, 2, 3)


def make_service(storage_bytes: int = 1000) -> StorageService:
    return StorageService(
        NodeConfiguration(
            node_id=1,
            name="sat-1",
            role=Role.SATELLITE,
            terminals=(),
            neighbour_ids=(),
            storage_bytes=storage_bytes,
        )
    )


def keep(
    name: str, kind: ContentKind = ContentKind.TILE, size_bytes: int = 400, priority: int = 1
) -> KeepContent:
    return KeepContent(content_id(name.encode()), kind, size_bytes, observation_id=7, priority=priority)


def ready(name: str, priority: int = 1, size_bytes: int = 10) -> ProductReady:
    return ProductReady(content_id(name.encode()), len(name), size_bytes, priority, b"meta" + name.encode())


def accepted(name: str) -> BundleDelivered:
    body = msgspec.msgpack.encode(ProductAcceptance(content_id(name.encode()), KEY))
    return BundleDelivered(GROUND_ID, BundleKind.PRODUCT_ACCEPTED, body, (), len(body), (GROUND_ID, 1, 1))


def sent(records: Sequence[Record]) -> list[bytes]:
    return [record.body for record in records if isinstance(record, SendBundle)]


def test_content_of_two_holders_goes_when_the_second_lets_go() -> None:
    service = make_service()
    service.handle(keep("tile"), NOW)
    service.handle(keep("tile"), NOW)
    assert service.housekeeping().used_bytes == 400
    assert service.handle(ReleaseContent(content_id(b"tile")), NOW) == ()
    assert list(service.handle(ReleaseContent(content_id(b"tile")), NOW)) == [
        DropContent(content_id(b"tile"))
    ]
    assert service.housekeeping().used_bytes == 0
    assert service.housekeeping().entry_count == 0


def test_a_size_that_was_not_known_at_first_is_accounted_later() -> None:
    service = make_service()
    service.handle(keep("tile", size_bytes=0), NOW)
    service.handle(keep("tile", size_bytes=300), NOW)
    assert service.housekeeping().used_bytes == 300
    service.handle(keep("tile", size_bytes=0), NOW)
    assert service.housekeeping().used_bytes == 300


def test_release_of_unknown_content_is_counted() -> None:
    service = make_service()
    assert service.handle(ReleaseContent(content_id(b"never")), NOW) == ()
    assert service.housekeeping().unknown_release_count == 1
    service.handle(ResetCounters(), NOW)
    assert service.housekeeping().unknown_release_count == 0


def test_pinned_content_is_never_evicted_and_the_new_one_is_refused() -> None:
    service = make_service()
    service.handle(keep("a"), NOW)
    service.handle(keep("b"), NOW)
    out = service.handle(keep("c"), NOW)
    refused = ContentRefused(content_id(b"c"), 7, Refusal.STORE_FULL)
    assert refused in out
    assert DropContent(content_id(b"c")) in out
    assert [record.event_id for record in out if isinstance(record, ReportEvent)] == [STORE_FULL.id]
    assert service.housekeeping().refused_count == 1
    assert service.housekeeping().used_bytes == 800


def test_eviction_takes_results_first_then_low_priority_then_the_oldest() -> None:
    service = make_service(storage_bytes=500)
    order = [
        ("product", ContentKind.PRODUCT, 0),
        ("tile", ContentKind.TILE, 0),
        ("urgent", ContentKind.RESULT, 3),
        ("old", ContentKind.RESULT, 1),
        ("young", ContentKind.RESULT, 1),
    ]
    for name, kind, priority in order:
        service.handle(keep(name, kind, 100, priority), NOW)
        service.handle(ReleaseContent(content_id(name.encode()), drop=False), NOW)
    dropped = []
    for index in range(5):
        out = service.handle(keep(f"new {index}", ContentKind.PRODUCT, 100), NOW)
        dropped += [record.content_id for record in out if isinstance(record, DropContent)]
    assert dropped == [content_id(name.encode()) for name in ("old", "young", "urgent", "tile", "product")]
    assert service.housekeeping().evicted_count == 5


def test_nothing_is_evicted_in_vain() -> None:
    service = make_service(storage_bytes=500)
    service.handle(keep("pinned", ContentKind.TILE, 300), NOW)
    service.handle(keep("free", ContentKind.RESULT, 100), NOW)
    service.handle(ReleaseContent(content_id(b"free"), drop=False), NOW)
    out = service.handle(keep("large", ContentKind.PRODUCT, 300), NOW)
    assert [record for record in out if isinstance(record, DropContent)] == [
        DropContent(content_id(b"large"))
    ]
    assert service.housekeeping().evicted_count == 0


def test_a_product_is_sent_to_the_ground_and_released_by_its_acceptance() -> None:
    service = make_service()
    (bundle,) = service.handle(ready("p"), NOW)
    assert isinstance(bundle, SendBundle)
    assert bundle.destination_id == GROUND_ID
    assert bundle.kind is BundleKind.PRODUCT
    assert bundle.attachment_ids == (content_id(b"p"),)
    assert bundle.body == b"metap"
    assert bundle.wants_acknowledgement
    assert service.handle(ready("p"), NOW) == ()
    out = list(service.handle(accepted("p"), NOW))
    assert out[0] == ConfirmDelivery(KEY)
    assert ProductReleased(content_id(b"p"), 1) in out
    assert out[-1] == DropContent(content_id(b"p"))
    assert service.housekeeping().product_released_count == 1
    assert list(service.handle(accepted("p"), NOW)) == [ConfirmDelivery(KEY)]
    assert service.housekeeping().acceptance_unknown_count == 1


def test_downlink_order_is_priority_then_age_with_a_bound_in_flight() -> None:
    service = make_service()
    for index in range(PRODUCT_IN_FLIGHT_COUNT_MAX):
        assert sent(service.handle(ready(f"first {index}"), NOW)) == [b"meta" + f"first {index}".encode()]
    assert service.handle(ready("bulk", priority=0), NOW) == []
    assert service.handle(ready("plain a"), NOW) == []
    assert service.handle(ready("urgent", priority=3), NOW) == []
    assert service.handle(ready("plain b"), NOW) == []
    assert service.housekeeping().product_waiting_count == 4
    order = [sent(service.handle(accepted(f"first {index}"), NOW)) for index in range(4)]
    assert order == [[b"metaurgent"], [b"metaplain a"], [b"metaplain b"], [b"metabulk"]]
    assert service.housekeeping().product_in_flight_count == PRODUCT_IN_FLIGHT_COUNT_MAX


def test_a_product_that_network_gives_up_is_offered_again_after_a_pause() -> None:
    service = make_service()
    service.handle(ready("p"), NOW)
    out = service.handle(BundleDropped(KEY, BundleKind.PRODUCT, Refusal.QUEUE_FULL, (content_id(b"p"),)), NOW)
    assert sent(out) == []
    wakeup_obt_ns = service.next_wakeup_obt_ns()
    assert wakeup_obt_ns is not None
    assert wakeup_obt_ns > NOW
    assert wakeup_obt_ns % NS_PER_S == 0
    assert sent(service.handle(WakeupReached(), wakeup_obt_ns)) == [b"metap"]
    assert service.next_wakeup_obt_ns() is None
    assert service.housekeeping().product_returned_count == 1


def test_bundles_of_other_kinds_are_left_alone() -> None:
    service = make_service()
    service.handle(ready("p"), NOW)
    assert service.handle(BundleDelivered(2, BundleKind.TASK_RESULT, b"", (), 0, KEY), NOW) == ()
    assert service.handle(BundleDropped(KEY, BundleKind.TASK_RESULT, 1, (content_id(b"p"),)), NOW) == ()
    assert service.housekeeping().product_in_flight_count == 1


def test_an_undecodable_acceptance_is_counted() -> None:
    service = make_service()
    bad = BundleDelivered(GROUND_ID, BundleKind.PRODUCT_ACCEPTED, b"\xc1", (), 1, KEY)
    assert service.handle(bad, NOW) == ()
    assert service.housekeeping().acceptance_undecodable_count == 1


def test_a_refused_product_is_told_and_not_sent() -> None:
    service = make_service(storage_bytes=5)
    out = service.handle(ready("p"), NOW)
    assert sent(out) == []
    assert any(isinstance(record, ContentRefused) for record in out)
    assert service.housekeeping().product_waiting_count == 0


def test_state_survives_a_snapshot() -> None:
    service = make_service()
    service.handle(keep("tile"), NOW)
    for index in range(10):
        service.handle(ready(f"p {index}"), NOW)
    other = make_service()
    other.state = msgspec.msgpack.decode(msgspec.msgpack.encode(service.state), type=StorageState)
    assert other.housekeeping() == service.housekeeping()
    assert other.handle(NodeBooted(1, True), NOW) == []
    assert other.handle(accepted("p 0"), NOW) == service.handle(accepted("p 0"), NOW)
    assert other.housekeeping() == service.housekeeping()


def test_the_dictionary_names_the_fields_of_the_record() -> None:
    names = tuple(field.name for field in DICTIONARY.housekeeping.fields)
    assert names == StorageHousekeeping.__struct_fields__
    assert all(event.id >> 8 == 7 for event in DICTIONARY.events)
    assert interface.DICTIONARY.apid == 0x107


def test_what_nobody_wants_is_dropped_in_a_full_store_too_unless_somebody_keeps_it() -> None:
    """Discarding asks for no room: bytes with an entry stay, others go, and nobody is told of a full store."""
    service = make_service(storage_bytes=400)
    service.handle(keep("tile"), NOW)
    assert service.handle(DiscardContent(content_id(b"tile")), NOW) == ()
    assert service.handle(DiscardContent(content_id(b"guest")), NOW) == (DropContent(content_id(b"guest")),)
    state = service.state
    assert (state.kept_count, state.dropped_count, state.refused_count) == (1, 1, 0)
    assert state.accounts.used_bytes == 400
