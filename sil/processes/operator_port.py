"""The operator's way into a living run: `flightos cmd` hands a telecommand to the time authority.

Theory of operation. A ROUTER in the process of the authority, a DEALER per `flightos cmd`. The authority looks between
two windows, stamps each telecommand with the mission time up to which leave has been granted, keeps it in the run's
operator log, and delivers it there; `flightos run --operator-log FILE` then repeats it at that time.
"""

from __future__ import annotations

from pathlib import Path
from typing import Final

import msgspec
import zmq

from flightos.core.errors import InfrastructureError
from flightos.core.reading import UNREADABLE
from sil.processes.protocol import OPERATOR_NAME, RunFolders
from sil.stops import Command

ANSWER_WAIT_MS: Final = 5_000
PACKET_BYTES_MAX: Final = 4_096
COMMANDS_PER_LOOK_MAX: Final = 64


class Uplink(msgspec.Struct, frozen=True, array_like=True):
    """What `flightos cmd` sends."""

    node_id: int
    packet: bytes


def send_packet(endpoints: Path, node_id: int, packet: bytes) -> int:
    """Hand a packet to the run whose sockets are in `endpoints`; gives the mission time at which it arrives.

    Raises InfrastructureError when the run does not answer: it has ended.
    """
    address = endpoints / OPERATOR_NAME
    if not address.exists():
        raise InfrastructureError(f"{address}: the run has ended, or is not up yet")
    context = zmq.Context()
    socket: zmq.Socket[bytes] = context.socket(zmq.DEALER)
    try:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(f"ipc://{address}")
        socket.send(msgspec.msgpack.encode(Uplink(node_id, packet)))
        if not socket.poll(ANSWER_WAIT_MS):
            raise InfrastructureError(f"{address}: the run does not answer")
        return msgspec.msgpack.decode(socket.recv(), type=int)
    finally:
        socket.close()
        context.term()


class OperatorPort:
    """The authority's side."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], folders: RunFolders, log: Path) -> None:
        """Listen, and append to the operator log. Raises zmq.ZMQError or OSError."""
        self._socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.MAXMSGSIZE, PACKET_BYTES_MAX)
        self._socket.bind(folders.endpoint(OPERATOR_NAME))
        self._log = log.open("ab")
        self._decode = msgspec.msgpack.Decoder(Uplink).decode

    def take(self, at_ns: int) -> list[Command]:
        """Telecommands that have come since the last look, stamped, kept and answered; usually none."""
        commands: list[Command] = []
        while len(commands) < COMMANDS_PER_LOOK_MAX and self._socket.poll(0):
            identity, data = self._socket.recv_multipart()
            try:
                uplink = self._decode(data)
            except UNREADABLE:
                continue  # not from `flightos cmd` of this version: it will see that nobody answers
            command = Command(at_ns, uplink.node_id, uplink.packet)
            self.keep(command)
            self._socket.send_multipart((identity, msgspec.msgpack.encode(at_ns)))
            commands.append(command)
        return commands

    def keep(self, command: Command) -> None:
        """Add a command to the operator log: one typed now, or one that repeats an earlier run."""
        self._log.write(msgspec.msgpack.encode(command))
        self._log.flush()

    def close(self) -> None:
        """Nothing is taken from now on."""
        self._socket.close(linger=200)
        self._log.close()
