"""What a node and its compute workers say to each other, over one stream socket each.

A message is 4 bytes of length, big-endian, and a MessagePack record: a `WorkJob` towards the worker, a
`WorkAnswer` back. One job is under way at a time. Results travel in the socket too: 128 KiB there and back
take about 0.1 ms on a Unix socket pair, next to nothing beside the process switch, so shared memory would add
cleaning up and gain nothing.
"""

from __future__ import annotations

from typing import Final, Generic, Literal, TypeVar

import msgspec

from flightos.core.errors import DriverError
from flightos.core.reading import UNREADABLE

LENGTH_BYTES: Final = 4
MESSAGE_BYTES_MAX: Final = 256 * 1024 * 1024

Message = TypeVar("Message", bound=msgspec.Struct)


class WorkJob(msgspec.Struct, frozen=True, array_like=True):
    """Run a step of an app on these inputs. `fault` makes the worker misbehave, for scenarios and tests of
    watchdogs."""

    work_id: int
    app: str
    step: str
    parameters: bytes
    inputs: tuple[bytes, ...]
    fault: Literal["", "hang", "crash"] = ""


class WorkAnswer(msgspec.Struct, frozen=True, array_like=True):
    """The end of a job. `failure` is 0 when `result` holds, else a WorkFailure; `execution_ns` is what it
    took here."""

    work_id: int
    failure: int
    result: bytes
    text: str
    execution_ns: int


def encode_message(message: WorkJob | WorkAnswer) -> bytes:
    """Give the bytes to send: length and record. Raises DriverError above MESSAGE_BYTES_MAX."""
    body = msgspec.msgpack.encode(message)
    if len(body) > MESSAGE_BYTES_MAX:
        raise DriverError(f"a message of {len(body)} bytes to or from a worker")
    return len(body).to_bytes(LENGTH_BYTES, "big") + body


class MessageReader(Generic[Message]):
    """Puts messages of one type together from whatever pieces the socket gives."""

    def __init__(self, message_type: type[Message]) -> None:
        self._decoder = msgspec.msgpack.Decoder(message_type)
        self._waiting = bytearray()

    def feed(self, data: bytes) -> list[Message]:
        """Take bytes and give the messages that are complete. Raises DriverError for anything that is
        none."""
        self._waiting += data
        messages: list[Message] = []
        while len(self._waiting) >= LENGTH_BYTES:
            end = LENGTH_BYTES + int.from_bytes(self._waiting[:LENGTH_BYTES], "big")
            if end > LENGTH_BYTES + MESSAGE_BYTES_MAX:
                raise DriverError("a message to or from a worker is too long to be one")
            if len(self._waiting) < end:
                break
            try:
                messages.append(self._decoder.decode(memoryview(self._waiting)[LENGTH_BYTES:end]))
            except UNREADABLE as error:
                raise DriverError(f"a message to or from a worker: {error}") from error
            del self._waiting[:end]
        return messages
