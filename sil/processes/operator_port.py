"""The operator's way into a living run: `flightos cmd` hands a telecommand to the time authority.

Theory of operation. A ROUTER in the process of the authority, a REQ per `flightos cmd`. The authority looks between two
windows (`OperatorPort.take`), stamps each telecommand with the mission time up to which leave has been granted, keeps it
in the run's operator log, and delivers it there; `flightos run --operator-log FILE` then repeats it at that time.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO, Final

import msgspec
import zmq

from flightos.core.errors import InfrastructureError
from sil.stops import Command

OPERATOR_NAME: Final = "operator"
ANSWER_WAIT_MS: Final = 10_000
REQUEST_BYTES_MAX: Final = 4_096
COMMANDS_PER_LOOK_MAX: Final = 64


class Request(msgspec.Struct, frozen=True, array_like=True):
    """From `flightos cmd`: an authenticated telecommand packet for a node."""

    node_id: int
    packet: bytes


class Stamped(msgspec.Struct, frozen=True, array_like=True):
    """To `flightos cmd`: when the packet goes up, or why it does not."""

    at_ns: int
    refusal: str = ""


class OperatorPort:
    """The authority's side."""

    def __init__(self, context: zmq.Context[zmq.Socket[bytes]], address: str, log: Path) -> None:
        """Bind `address` (ipc) and append to the operator log. Raises zmq.ZMQError or OSError."""
        self._socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
        self._socket.setsockopt(zmq.MAXMSGSIZE, REQUEST_BYTES_MAX)
        self._socket.bind(address)
        self._log: BinaryIO = log.open("ab")
        self._decode = msgspec.msgpack.Decoder(Request).decode
        self._encode = msgspec.msgpack.Encoder().encode

    def take(self, now_ns: int, node_ids: Collection[int]) -> list[Command]:
        """Telecommands that have come, stamped `now_ns`, kept in the log and answered; usually none."""
        commands: list[Command] = []
        while len(commands) < COMMANDS_PER_LOOK_MAX and self._socket.poll(0):
            parts = self._socket.recv_multipart()
            identity, data = parts[0], parts[-1]
            try:
                request = self._decode(data)
            except msgspec.MsgspecError:
                self._answer(identity, Stamped(0, "not a request of this version"))
                continue
            if request.node_id not in node_ids:
                self._answer(identity, Stamped(0, f"node {request.node_id} is not there"))
                continue
            command = Command(now_ns, request.node_id, request.packet)
            self._log.write(self._encode(command))
            self._log.flush()
            self._answer(identity, Stamped(now_ns))
            commands.append(command)
        return commands

    def _answer(self, identity: bytes, stamped: Stamped) -> None:
        self._socket.send_multipart([identity, b"", self._encode(stamped)])

    def close(self) -> None:
        """Nothing is taken from now on."""
        self._socket.close(linger=200)
        self._log.close()


def send_packet(endpoint_folder: Path, node_id: int, packet: bytes) -> int:
    """Hand a telecommand to a living run; the mission time at which it goes up.

    Raises InfrastructureError when the run does not answer or refuses.
    """
    if not (endpoint_folder / OPERATOR_NAME).exists():
        raise InfrastructureError(f"{endpoint_folder}: the run takes no commands any more")
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = context.socket(zmq.REQ)
    try:
        socket.setsockopt(zmq.LINGER, 0)
        socket.connect(f"ipc://{endpoint_folder / OPERATOR_NAME}")
        socket.send(msgspec.msgpack.encode(Request(node_id, packet)))
        if not socket.poll(ANSWER_WAIT_MS):
            raise InfrastructureError(
                f"{endpoint_folder}: no answer from the run within {ANSWER_WAIT_MS // 1000} s"
            )
        stamped = msgspec.msgpack.decode(socket.recv(), type=Stamped)
    except (zmq.ZMQError, msgspec.MsgspecError) as error:
        raise InfrastructureError(f"{endpoint_folder}: {error}") from error
    finally:
        socket.close()
        context.term()
    if stamped.refusal:
        raise InfrastructureError(f"the run refused the command: {stamped.refusal}")
    return stamped.at_ns
