"""The line between members: one ROUTER each, a DEALER towards every peer, batches of messages as MessagePack.

Queues are unbounded here: under granted time every drop is decided by a shaper or a bounded node queue.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

import msgspec
import zmq

from flightos.host.message import Message
from sil.processes.protocol import WireMessage

LINGER_MS: Final = 5000

_encode = msgspec.msgpack.Encoder().encode
_decode = msgspec.msgpack.Decoder(tuple[WireMessage, ...]).decode


def bound_inbox(context: zmq.Context[zmq.Socket[bytes]], address: str) -> zmq.Socket[bytes]:
    """A ROUTER that takes batches at `address`: each arrives as [identity of the sender, batch]."""
    socket: zmq.Socket[bytes] = context.socket(zmq.ROUTER)
    socket.set_hwm(0)
    socket.bind(address)
    return socket


def connected_dealer(
    context: zmq.Context[zmq.Socket[bytes]], address: str, identity: bytes
) -> zmq.Socket[bytes]:
    """A DEALER towards a ROUTER; what is queued at its end still goes out."""
    socket: zmq.Socket[bytes] = context.socket(zmq.DEALER)
    socket.set_hwm(0)
    socket.setsockopt(zmq.IDENTITY, identity)
    socket.setsockopt(zmq.LINGER, LINGER_MS)
    socket.connect(address)
    return socket


def encode_batch(messages: Sequence[Message]) -> bytes:
    """What goes over the line at once."""
    return _encode(messages)


def decode_batch(data: bytes) -> list[Message]:
    """The messages of a batch."""
    return [Message(*fields) for fields in _decode(data)]
