"""The acceptor takes each product once, answers every arrival, and lets nothing malformed in."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.ids import GROUND_ID, content_id
from flightos.core.ports import AcceptProduct, ArchiveDownlink, DropContent
from flightos.core.records import Record
from flightos.ground.acceptance import AcceptanceService, AcceptanceState
from flightos.ground.acceptance_interface import (
    DICTIONARY,
    PRODUCT_ACCEPTED_ON_GROUND,
    PRODUCT_DUPLICATED,
    PRODUCT_REFUSED,
    AcceptanceHousekeeping,
    ProductAcceptance,
)
from flightos.services.commanding.interface import ResetCounters
from flightos.services.network.interface import BundleDelivered, BundleKind, SendBundle
from flightos.services.scheduling.interface import ProductMetadata
from flightos.services.telemetry.interface import DownlinkBatch, ReportEvent


def make_service(accepted_count_max: int = 100) -> AcceptanceService:
    configuration = NodeConfiguration(
        node_id=GROUND_ID, name="ground", role=Role.GROUND, terminals=(), neighbour_ids=()
    )
    return AcceptanceService(configuration, accepted_count_max)


def product(data: bytes = b"product", source_id: int = 3, sequence: int = 1) -> BundleDelivered:
    content = content_id(data)
    metadata = ProductMetadata(content, 7, 2, "surface_watch", len(data), 10**18, 10**18 + 5)
    return BundleDelivered(
        source_id,
        BundleKind.PRODUCT,
        msgspec.msgpack.encode(metadata),
        (content,),
        99,
        (source_id, 1, sequence),
    )


def records_of(records: Sequence[Record], kind: type[Record]) -> list[Record]:
    return [record for record in records if type(record) is kind]


def event_ids(records: Sequence[Record]) -> list[int]:
    return [record.event_id for record in records if isinstance(record, ReportEvent)]


def test_first_arrival_is_accepted_and_answered() -> None:
    service = make_service()
    delivered = product()
    records = service.handle(delivered, 0)
    (accept,) = records_of(records, AcceptProduct)
    assert accept == AcceptProduct(content_id(b"product"), 7, 2, 3, len(b"product"))
    (answer,) = records_of(records, SendBundle)
    assert isinstance(answer, SendBundle)
    assert (answer.destination_id, answer.kind, answer.wants_acknowledgement) == (
        3,
        BundleKind.PRODUCT_ACCEPTED,
        False,
    )
    acceptance = msgspec.msgpack.decode(answer.body, type=ProductAcceptance)
    assert acceptance == ProductAcceptance(content_id(b"product"), (3, 1, 1))
    assert event_ids(records) == [PRODUCT_ACCEPTED_ON_GROUND.id]
    assert list(records).index(accept) < len(records) - 1, "written before its bytes are dropped"
    assert records[-1] == DropContent(content_id(b"product"))


def test_second_arrival_is_answered_but_not_accepted_again() -> None:
    """Also from another node: the same work done twice after a partition."""
    service = make_service()
    service.handle(product(), 0)
    records = service.handle(product(source_id=4, sequence=9), 1)
    assert not records_of(records, AcceptProduct)
    (answer,) = records_of(records, SendBundle)
    assert isinstance(answer, SendBundle)
    assert answer.destination_id == 4
    assert msgspec.msgpack.decode(answer.body, type=ProductAcceptance).bundle_key == (4, 1, 9)
    assert event_ids(records) == [PRODUCT_DUPLICATED.id]
    assert service.housekeeping().products_duplicated == 1
    assert service.housekeeping().product_bytes_accepted == len(b"product")


def test_full_table_refuses_new_products_without_an_answer() -> None:
    service = make_service(accepted_count_max=1)
    service.handle(product(b"a"), 0)
    records = service.handle(product(b"b"), 0)
    assert event_ids(records) == [PRODUCT_REFUSED.id]
    assert not records_of(records, SendBundle)
    assert not records_of(records, AcceptProduct)
    assert records_of(service.handle(product(b"a", sequence=2), 0), SendBundle), (
        "known ones are still answered"
    )
    assert service.housekeeping().products_refused == 1


def test_attachment_that_is_not_what_the_metadata_names_is_refused() -> None:
    service = make_service()
    forged = msgspec.structs.replace(product(), attachment_ids=(content_id(b"other"),))
    assert event_ids(service.handle(forged, 0)) == [PRODUCT_REFUSED.id]
    without = msgspec.structs.replace(product(), attachment_ids=())
    assert event_ids(service.handle(without, 0)) == [PRODUCT_REFUSED.id]
    assert service.housekeeping().products_accepted == 0


@settings(max_examples=60, deadline=None)
@given(body=st.binary(max_size=80), kind=st.sampled_from([BundleKind.PRODUCT, BundleKind.TELEMETRY]))
def test_any_body_is_answered_with_records(body: bytes, kind: BundleKind) -> None:
    service = make_service()
    records = service.handle(BundleDelivered(5, kind, body, (), len(body), (5, 1, 1)), 0)
    assert not records_of(records, AcceptProduct)


def test_downlink_goes_to_the_archive() -> None:
    service = make_service()
    body = msgspec.msgpack.encode(DownlinkBatch(b"packets", 1))
    records = service.handle(BundleDelivered(5, BundleKind.TELEMETRY, body, (), len(body), (5, 1, 1)), 0)
    assert records == (ArchiveDownlink(5, b"packets"),)
    assert service.housekeeping().downlink_bytes == len(b"packets")


def test_what_was_accepted_survives_restore_and_counter_reset() -> None:
    service = make_service()
    service.handle(product(), 0)
    service.handle(ResetCounters(), 0)
    assert service.housekeeping().products_accepted == 0
    restored = make_service()
    restored.state = msgspec.msgpack.decode(msgspec.msgpack.encode(service.state), type=AcceptanceState)
    assert not records_of(restored.handle(product(sequence=5), 0), AcceptProduct)


def test_dictionary_describes_the_housekeeping_record() -> None:
    names = tuple(field.name for field in DICTIONARY.housekeeping.fields)
    assert names == AcceptanceHousekeeping.__struct_fields__
    assert all(event.id >> 8 == 12 for event in DICTIONARY.events)
