"""The sending process of local_bus: `python -m sil.bench.bus_sender KIND ADDRESS PAYLOAD_BYTES COUNT PERIOD_NS`.

KIND 'member' sends as member processes do: a record in a message in a batch of one, over their line. KIND 'raw' sends
the same bytes of payload with plain pyzmq over the same pair of sockets. Each message says when it was sent, in ns of
the monotonic clock, which all processes of a machine share. A period of 0 sends as fast as it goes.
"""

from __future__ import annotations

import gc
import sys
import time
from collections.abc import Callable

import zmq

from flightos.core.ports import FrameReceived
from flightos.host.message import Message
from sil.processes.data_line import connected_dealer, encode_batch

STAMP_BYTES = 8


def pace(send: Callable[[int], None], count: int, period_ns: int) -> None:
    """Call `send(sequence)` `count` times, `period_ns` apart; after a late one the next keep their distance."""
    due_ns = time.monotonic_ns()
    for sequence in range(count):
        if period_ns:
            due_ns += period_ns
            ahead_ns = due_ns - time.monotonic_ns()
            if ahead_ns > 0:
                time.sleep(ahead_ns / 1e9)
            else:
                due_ns -= ahead_ns
        send(sequence)


def main() -> None:
    """Entry point."""
    kind, address = sys.argv[1:3]
    payload_bytes, count, period_ns = map(int, sys.argv[3:6])
    context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
    socket = connected_dealer(context, address, b"1")
    payload = bytes(payload_bytes)
    tail = bytes(max(0, payload_bytes - STAMP_BYTES))

    def send_as_member(sequence: int) -> None:
        message = Message(time.monotonic_ns(), 1, sequence, 2, FrameReceived(0, 1, payload))
        socket.send(encode_batch([message]))

    def send_raw(sequence: int) -> None:
        socket.send(time.monotonic_ns().to_bytes(STAMP_BYTES, "big") + tail)

    gc.collect()
    gc.freeze()
    pace(send_as_member if kind == "member" else send_raw, count, period_ns)
    socket.close()
    context.term()


if __name__ == "__main__":
    main()
