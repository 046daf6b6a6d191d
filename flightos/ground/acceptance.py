"""The service `acceptance` of mission control: products are accepted once, downlinked packets are archived.

Theory of operation. Any number of satellites may finish the same work (a partition, a standby that took
over); the content id of a product holds no node, time or attempt, so the same work has the same id. One
acceptor with a table of ids therefore decides alone: the first arrival is accepted, every arrival is
answered, because a lost answer leaves the source waiting with its copy. A full table refuses new ids
without an answer: the source keeps the product, and nothing is ever accepted twice.

Flight-logic rules hold here: records in, records out, no clock and no files.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import CONTENT_ID_BYTES, ContentId
from flightos.core.ports import AcceptProduct, ArchiveDownlink, DropContent, NodeBooted
from flightos.core.reading import decode_or_none
from flightos.core.records import Record, ServiceState, WakeupReached
from flightos.core.refusal import Refusal
from flightos.ground.acceptance_interface import (
    DOWNLINK_REFUSED,
    PRODUCT_ACCEPTED_ON_GROUND,
    PRODUCT_DUPLICATED,
    PRODUCT_REFUSED,
    AcceptanceHousekeeping,
    ProductAcceptance,
)
from flightos.services.commanding.interface import CommandCompleted, CommandDispatched, ResetCounters
from flightos.services.network.interface import BundleDelivered, BundleKind, SendBundle
from flightos.services.scheduling.interface import ProductMetadata
from flightos.services.telemetry.interface import DownlinkBatch, ReportEvent

ACCEPTED_COUNT_MAX: Final = 65_536
ANSWER_PRIORITY: Final = 3
ANSWER_LIFETIME_MS: Final = 3_600_000
"""An answer that is older is worthless: the source has sent the product again long before."""

_encode = msgspec.msgpack.Encoder().encode
_metadata_decoder = msgspec.msgpack.Decoder(ProductMetadata)
_batch_decoder = msgspec.msgpack.Decoder(DownlinkBatch)


class AcceptanceState(ServiceState):
    """What was accepted, in order, with the number of arrivals of each; and the counters of housekeeping."""

    arrivals_by_content: dict[ContentId, int] = {}
    products_accepted: int = 0
    products_duplicated: int = 0
    products_refused: int = 0
    product_bytes_accepted: int = 0
    downlink_bundles: int = 0
    downlink_bytes: int = 0
    downlink_bundles_refused: int = 0


class AcceptanceService:
    """The named acceptor of every product (ARCHITECTURE.md, section 4)."""

    name = "acceptance"

    def __init__(
        self, configuration: NodeConfiguration, accepted_count_max: int = ACCEPTED_COUNT_MAX
    ) -> None:
        self.state = AcceptanceState()
        self._node_id = configuration.node_id
        self._accepted_count_max = accepted_count_max
        self._on: Mapping[type[Record], Callable[[Any], Sequence[Record]]] = {
            BundleDelivered: self._deliver,
            ResetCounters: self._reset_counters,
            CommandDispatched: self._refuse_command,
            NodeBooted: lambda _: (),
            WakeupReached: lambda _: (),
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record; the only thing that changes `state`."""
        return self._on[type(record)](record)

    def next_wakeup_obt_ns(self) -> int | None:
        """Never: it only answers."""
        return None

    def housekeeping(self) -> AcceptanceHousekeeping:
        """Frozen counters and levels."""
        state = self.state
        return AcceptanceHousekeeping(
            accepted_count=len(state.arrivals_by_content),
            products_accepted=state.products_accepted,
            products_duplicated=state.products_duplicated,
            products_refused=state.products_refused,
            product_bytes_accepted=state.product_bytes_accepted,
            downlink_bundles=state.downlink_bundles,
            downlink_bytes=state.downlink_bytes,
            downlink_bundles_refused=state.downlink_bundles_refused,
        )

    def _deliver(self, delivered: BundleDelivered) -> Sequence[Record]:
        if delivered.kind == BundleKind.PRODUCT:
            return self._accept(delivered)
        if delivered.kind == BundleKind.TELEMETRY:
            return self._archive(delivered)
        return ()

    def _accept(self, delivered: BundleDelivered) -> Sequence[Record]:
        metadata = _metadata_of(delivered)
        if isinstance(metadata, str):
            return self._refuse(delivered, metadata)
        content = metadata.content_id
        arrivals = self.state.arrivals_by_content.get(content, 0)
        if arrivals == 0 and len(self.state.arrivals_by_content) >= self._accepted_count_max:
            return self._refuse(delivered, "table of accepted products is full")
        self.state.arrivals_by_content[content] = arrivals + 1
        drop = DropContent(content)  # the run folder holds it from here on, or held it already
        if arrivals:
            self.state.products_duplicated += 1
            event = ReportEvent(PRODUCT_DUPLICATED.id, (delivered.source_id, content))
            return (event, self._answer(delivered, content), drop)
        self.state.products_accepted += 1
        self.state.product_bytes_accepted += metadata.size_bytes
        accept = AcceptProduct(
            content_id=content,
            observation_id=metadata.observation_id,
            tile_index=metadata.tile_index,
            source_id=delivered.source_id,
            size_bytes=metadata.size_bytes,
        )
        return (accept, _accepted_event(delivered, metadata), self._answer(delivered, content), drop)

    def _answer(self, delivered: BundleDelivered, content: ContentId) -> SendBundle:
        body = _encode(ProductAcceptance(content, delivered.bundle_key))
        return SendBundle(
            destination_id=delivered.source_id,
            kind=BundleKind.PRODUCT_ACCEPTED,
            body=body,
            attachment_ids=(),
            size_bytes=len(body),
            priority=ANSWER_PRIORITY,
            lifetime_ms=ANSWER_LIFETIME_MS,
        )

    def _refuse(self, delivered: BundleDelivered, reason: str) -> Sequence[Record]:
        self.state.products_refused += 1
        drops = tuple(DropContent(content) for content in delivered.attachment_ids)
        return (ReportEvent(PRODUCT_REFUSED.id, (delivered.source_id, reason)), *drops)

    def _archive(self, delivered: BundleDelivered) -> Sequence[Record]:
        batch = decode_or_none(_batch_decoder, delivered.body)
        if batch is None:
            self.state.downlink_bundles_refused += 1
            return (ReportEvent(DOWNLINK_REFUSED.id, (delivered.source_id,)),)
        self.state.downlink_bundles += 1
        self.state.downlink_bytes += len(batch.packets)
        return (ArchiveDownlink(delivered.source_id, batch.packets),)

    def _reset_counters(self, _: ResetCounters) -> Sequence[Record]:
        self.state = AcceptanceState(arrivals_by_content=self.state.arrivals_by_content)
        return ()

    def _refuse_command(self, command: CommandDispatched) -> Sequence[Record]:
        """The service has no commands of its own."""
        return (
            CommandCompleted(
                command.command_id, command.sequence_count, command.source_id, Refusal.UNKNOWN_COMMAND
            ),
        )


def _metadata_of(delivered: BundleDelivered) -> ProductMetadata | str:
    """The metadata of a product bundle, or why it is none. Ranges are those of the event's fields."""
    metadata = decode_or_none(_metadata_decoder, delivered.body)
    if metadata is None:
        return "metadata undecodable"
    if len(metadata.content_id) != CONTENT_ID_BYTES or delivered.attachment_ids != (metadata.content_id,):
        return "attachment is not what metadata names"
    in_range = (
        0 <= metadata.observation_id < 1 << 32
        and 0 <= metadata.tile_index < 1 << 16
        and 0 <= metadata.size_bytes < 1 << 32
        and 0 <= metadata.captured_tai_ns < 1 << 63
        and 0 <= metadata.completed_tai_ns < 1 << 63
    )
    return metadata if in_range else "metadata out of range"


def _accepted_event(delivered: BundleDelivered, metadata: ProductMetadata) -> ReportEvent:
    return ReportEvent(
        PRODUCT_ACCEPTED_ON_GROUND.id,
        (
            delivered.source_id,
            metadata.observation_id,
            metadata.tile_index,
            metadata.size_bytes,
            metadata.captured_tai_ns,
            metadata.completed_tai_ns,
            metadata.content_id,
        ),
    )
