"""A member's line to the archive: what its nodes emit, accept and bring down, in order, counted."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec
import zmq

from flightos.core.ports import AcceptProduct
from sil.processes import protocol

if TYPE_CHECKING:
    from flightos.host.host import NodeHost


class ArchivePort:
    """A PUSH socket that never drops; the archive knows from the reports how many messages to wait for."""

    def __init__(
        self, context: zmq.Context[zmq.Socket[bytes]], folders: protocol.RunFolders, line: bytes = b""
    ) -> None:
        self._socket: zmq.Socket[bytes] = context.socket(zmq.PUSH)
        self._socket.set_hwm(0)
        self._socket.setsockopt(zmq.LINGER, 10_000)
        self._socket.connect(folders.endpoint(protocol.ARCHIVE_NAME))
        self._encode = msgspec.msgpack.Encoder().encode
        self._line = line
        self.sent_count = 0
        self.accepted: list[bytes] = []

    def send(self, message: protocol.ToArchive) -> None:
        """Send one message, counted under this sender's line."""
        self._socket.send_multipart((self._line, self._encode(message)))
        self.sent_count += 1

    def tell(self, message: protocol.ToArchive) -> None:
        """Send one message that is not counted."""
        self._socket.send_multipart((b"", self._encode(message)))

    def collect(self, host: NodeHost, t_ns: int) -> None:
        """Take what a host has for the operator."""
        if host.umbilical:
            packets, host.umbilical = host.umbilical, []
            self.send(protocol.Umbilical(t_ns, b"".join(packets)))
        if host.ground_outputs:
            outputs, host.ground_outputs = host.ground_outputs, []
            for at_ns, record, data in outputs:
                if isinstance(record, AcceptProduct):
                    self.accepted.append(record.content_id)
                    self.send(
                        protocol.Accepted(
                            at_ns,
                            record.content_id,
                            record.observation_id,
                            record.tile_index,
                            record.source_id,
                            data,
                        )
                    )
                else:
                    self.send(protocol.Downlinked(at_ns, record.source_id, record.packets))

    def close(self) -> None:
        """Close; what is queued still goes out."""
        self._socket.close()
