"""The flight recorder: a hash chain over all that goes in and out of a node, and the log of its inputs.

Theory of operation: every outside record and wake-up is one entry of the input log, a MessagePack array
[obt_ns, record] (wake-ups: [obt_ns, service index]). The chain is BLAKE2b over the same bytes and over the canonical
bytes of each output, so two runs are equal exactly when their chains are. A checkpoint of the chain closes each
on-board second that had an entry; `flightos diff` looks for the first that differs. Replaying the log through a new
node gives the same chain: that is `flightos rerun`, and a restart after a crash.
"""

from __future__ import annotations

from collections.abc import Sequence
from hashlib import blake2b
from typing import Final, Protocol

import msgspec

from flightos.core.records import Record
from flightos.core.time import NEVER_NS, NS_PER_S

DIGEST_BYTES: Final = 16

_encode: Final = msgspec.msgpack.Encoder().encode


class InputSink(Protocol):
    """Where entries of the input log go: a file of the run folder, or memory."""

    def append(self, obt_ns: int, entry: Record | int) -> None:
        """Take one entry: an outside record, or the index of the service that was woken."""
        ...


class Recorder:
    """Chain and log of one life (node id, boot) of a node."""

    def __init__(self, node_id: int, boot_count: int, sink: InputSink | None) -> None:
        self._hash = blake2b(digest_size=DIGEST_BYTES)
        self._hash.update(b"flightos chain 1 %d %d" % (node_id, boot_count))
        self._sink = sink
        self._items: list[tuple[int, Record | int] | Record] = []
        self._second = -1
        self._second_stop_ns = -NEVER_NS
        self.node_id = node_id
        self.boot_count = boot_count
        self.entry_count = 0
        self.checkpoints: list[tuple[int, bytes]] = []

    def input(self, obt_ns: int, entry: Record | int) -> None:
        """Record what comes in, before the node reacts to it."""
        if obt_ns >= self._second_stop_ns:
            self._checkpoint(obt_ns // NS_PER_S)
        self._items.append((obt_ns, entry))
        self.entry_count += 1
        if self._sink is not None:
            self._sink.append(obt_ns, entry)

    def outputs(self, records: list[Record]) -> None:
        """Record what the node gave in answer."""
        self._items += records

    def _checkpoint(self, second: int) -> None:
        if self._items:
            self._take_in()
            self.checkpoints.append((self._second, self._hash.digest()[:8]))
        self._second = second
        self._second_stop_ns = (second + 1) * NS_PER_S

    def chain(self) -> bytes:
        """The digest of everything so far."""
        self._take_in()
        return self._hash.digest()

    def _take_in(self) -> None:
        self._hash.update(encode_stream(self._items))
        self._items.clear()


def encode_stream(items: Sequence[object]) -> memoryview:
    """The items as MessagePack, one after the other, made in one call: those of an array follow its head."""
    count = len(items)
    head_bytes = 1 if count < 16 else 3 if count < 1 << 16 else 5
    return memoryview(_encode(items))[head_bytes:]
