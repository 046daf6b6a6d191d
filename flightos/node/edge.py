"""The edge: where bytes become records and records become bytes, the one gate for bad bytes.

Services name contents by id; the edge alone joins ids and bytes. What it decodes comes from outside and may be
anything: a DecodeError is caught here, becomes a record, and goes no further.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.errors import DecodeError
from flightos.core.ids import ContentId
from flightos.core.ports import (
    CommandReceived,
    ContentArrived,
    DropContent,
    FrameReceived,
    NodeBooted,
    StoreBytes,
    TableUploaded,
    TransmitFrame,
)
from flightos.core.reading import UNREADABLE
from flightos.core.records import Record
from flightos.core.refusal import Refusal
from flightos.node.store import Store
from flightos.services.commanding.interface import CommandPacketReceived, CommandPacketRejected
from flightos.services.links.interface import (
    AcknowledgementFrameReceived,
    BundleBytesMissing,
    BundleFrameReceived,
    FrameRejected,
    HelloFrameReceived,
    SendBundleFrame,
    SendFrame,
)
from flightos.services.network.interface import BundleDelivered, BundleKind, OpenBundle
from flightos.wire.authentication import NotAuthentic
from flightos.wire.bundle import (
    ATTACHMENT_COUNT_MAX,
    decode_bundle,
    decode_bundle_header,
    encode_bundle,
    with_hop,
)
from flightos.wire.frame import BundleCarried, FrameCodec, Hello, HopAcknowledgement
from flightos.wire.packet import decode_tc

_ONE_NODE_TO_ANOTHER: Final = {
    BundleKind.REPLICATE_OBSERVATION: 1,
    BundleKind.REPLICA_STORED: 0,
    BundleKind.RELEASE_REPLICA: 0,
    BundleKind.ASSIGN_TASK: ATTACHMENT_COUNT_MAX,
    BundleKind.TASK_RESULT: 1,
    BundleKind.CANCEL_TASK: 0,
    BundleKind.PRODUCT_ACCEPTED: 0,
}
DELIVERED: Final[Mapping[Role, Mapping[BundleKind, int]]] = {
    Role.SATELLITE: _ONE_NODE_TO_ANOTHER,
    Role.STATION: {},
    Role.GROUND: {BundleKind.PRODUCT: 1, BundleKind.TELEMETRY: 0},
}
"""Kinds of bundles that a service of the role takes, and how many attachments each may have. All else would stay in
the store, known to nobody."""


class Edge:
    """Codecs and store of one node."""

    def __init__(self, configuration: NodeConfiguration) -> None:
        self.store = Store()
        key = configuration.terminals[0].key
        self.codec = FrameCodec(configuration.node_id, key)
        self.decode_error_count = 0
        self.dropping: list[ContentId] = []
        self._node_id = configuration.node_id
        self._delivered = DELIVERED[Role(configuration.role)]
        self._command_key = configuration.command_key
        self._on: Mapping[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            NodeBooted: self._boot,
            FrameReceived: self._receive,
            SendFrame: self._send,
            SendBundleFrame: self._send_bundle,
            OpenBundle: self._open,
            CommandReceived: self._command,
            ContentArrived: self._keep,
            StoreBytes: self._keep,
            DropContent: self._drop,
        }

    def reaction(self, record_type: type[Record]) -> Callable[[Any, int], Sequence[Record]]:
        """What changes such a record into bytes, or bytes into records."""
        return self._on[record_type]

    def levels(self) -> tuple[int, int, int]:
        """Stored count, stored bytes, decode errors, for housekeeping."""
        return len(self.store), self.store.size_bytes, self.decode_error_count

    # --- frames -----------------------------------------------------------------------------------------------

    def _boot(self, record: NodeBooted, now_obt_ns: int) -> Sequence[Record]:
        """A new life counts its frames above those of all earlier ones, whatever of them was lost."""
        self.codec.start_boot(record.boot_count)
        return ()

    def _receive(self, record: FrameReceived, now_obt_ns: int) -> Sequence[Record]:
        terminal_index, peer_id = record.terminal_index, record.peer_id
        try:
            source_id, body = self.codec.decode(record.data, now_obt_ns)
            if source_id != peer_id:
                raise DecodeError("frame of another neighbour")
            if type(body) is BundleCarried:
                header = decode_bundle_header(body.bundle)
                bundle_id = self.store.put(body.bundle)
                size_bytes = len(body.bundle)
                return (
                    BundleFrameReceived(
                        terminal_index, peer_id, body.link_sequence, header, bundle_id, size_bytes
                    ),
                )
        except DecodeError as error:
            self.decode_error_count += 1
            return (FrameRejected(terminal_index, peer_id, error.reason),)
        if type(body) is Hello:
            return (HelloFrameReceived(terminal_index, peer_id, body),)
        assert isinstance(body, HopAcknowledgement)
        return (AcknowledgementFrameReceived(terminal_index, peer_id, body.sequences),)

    def _send(self, record: SendFrame, now_obt_ns: int) -> Sequence[Record]:
        data = self.codec.encode(record.peer_id, record.body)
        return (TransmitFrame(record.terminal_index, record.peer_id, data),)

    def _send_bundle(self, record: SendBundleFrame, now_obt_ns: int) -> Sequence[Record]:
        bundle = self._bundle_bytes(record)
        if bundle is None:
            return (BundleBytesMissing(record.peer_id, record.link_sequence),)
        data = self.codec.encode(record.peer_id, BundleCarried(record.link_sequence, bundle))
        return (TransmitFrame(record.terminal_index, record.peer_id, data),)

    def _bundle_bytes(self, record: SendBundleFrame) -> bytes | None:
        if record.content_id:
            stored = self.store.get(record.content_id)
            try:
                return None if stored is None else with_hop(stored, self._node_id)
            except DecodeError:
                self.decode_error_count += 1
                return None
        attachments = [self.store.get(key) for key in record.attachment_ids]
        present = [data for data in attachments if data is not None]
        if len(present) < len(attachments):
            return None
        return encode_bundle(record.bundle, record.body, present)

    # --- bundles that reached their destination ---------------------------------------------------------------

    def _open(self, record: OpenBundle, now_obt_ns: int) -> Sequence[Record]:
        stored = self.store.get(record.content_id)
        if stored is None:
            return ()
        try:
            header, body, attachments = decode_bundle(stored)
        except DecodeError:
            self.decode_error_count += 1
            return (DropContent(record.content_id),)
        finally:
            self.store.drop(record.content_id)
        if header.kind == BundleKind.COMMAND:
            return (self._command_record(body),)
        if header.kind == BundleKind.TABLE:
            return self._table_record(body)
        if len(attachments) > self._delivered.get(BundleKind(header.kind), -1):
            self.decode_error_count += 1
            return ()
        keys = tuple(self.store.put(data) for data in attachments)
        return (
            BundleDelivered(
                header.source_id, BundleKind(header.kind), body, keys, sum(map(len, attachments)), header.key
            ),
        )

    def _table_record(self, body: bytes) -> Sequence[Record]:
        try:
            name, content = msgspec.msgpack.decode(body, type=tuple[str, bytes])
        except UNREADABLE:
            self.decode_error_count += 1
            return ()
        return (TableUploaded(name, content),)

    # --- commands and contents --------------------------------------------------------------------------------

    def _command(self, record: CommandReceived, now_obt_ns: int) -> Sequence[Record]:
        return (self._command_record(record.packet),)

    def _command_record(self, packet: bytes) -> CommandPacketReceived | CommandPacketRejected:
        """Its source is the one that the MAC covers, whoever brought it: else a replay only needs another envelope."""
        try:
            command = decode_tc(packet, self._command_key)
            if command.spacecraft_id != self._node_id:
                raise DecodeError("telecommand for another spacecraft")
        except DecodeError as error:
            self.decode_error_count += 1
            refusal = Refusal.NOT_AUTHENTIC if isinstance(error, NotAuthentic) else Refusal.BAD_ARGUMENT
            return CommandPacketRejected(error.reason, refusal)
        return CommandPacketReceived(
            command.apid, command.command_id, command.arguments, command.counter, command.source_id
        )

    def _keep(self, record: ContentArrived | StoreBytes, now_obt_ns: int) -> Sequence[Record]:
        self.store.put(record.data)
        return ()

    def _drop(self, record: DropContent, now_obt_ns: int) -> Sequence[Record]:
        self.dropping.append(record.content_id)
        return ()

    def drop_now(self) -> None:
        """Forget what was dropped. Called before the next chain, so that devices still find what the requests of
        this one name."""
        for key in self.dropping:
            self.store.drop(key)
        self.dropping.clear()
