"""What a node leaves on disk while it lives: its input log and its latest snapshot, enough to live again.

Files of a node in a folder, by boot: `<node>.<boot>.log`, a stream of MessagePack whose first element is a LogHeader
and whose others are [obt_ns, record | service index]; `<node>.<boot>.snapshot`, one MessagePack Snapshot, replaced by
rename. A later boot starts from the snapshot and the log entries after it; both files of the old boot stay, so that
`rerun` can start where that boot started.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

import msgpack
import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.errors import InfrastructureError
from flightos.core.ports import NodeInput
from flightos.core.reading import UNREADABLE
from flightos.core.records import Record
from flightos.node.node import Snapshot
from flightos.node.recorder import encode_stream

LogEntry = tuple[int, NodeInput | int]
PENDING_COUNT_MAX: Final = 64
"""Entries kept for one write when nobody asks for a flush, as in virtual time."""

_entry_decoder = msgspec.msgpack.Decoder(LogEntry)


class LogHeader(msgspec.Struct, frozen=True):
    """First element of an input log: what the node was when the boot began."""

    configuration: NodeConfiguration
    boot_count: int
    restored: bool


class InputLog:
    """The sink of one boot's recorder. Entries reach the file at `flush`, which the host calls before it answers.

    Raises InfrastructureError when the disk does not take them."""

    def __init__(
        self, folder: Path, configuration: NodeConfiguration, boot_count: int, restored: bool
    ) -> None:
        self._folder = folder
        self._name = f"{configuration.node_id}.{boot_count}"
        self._pending: list[tuple[int, Record | int]] = []
        try:
            self._file: IO[bytes] = (folder / f"{self._name}.log").open("wb", buffering=0)
        except OSError as error:
            raise InfrastructureError(f"{folder}: cannot write the input log: {error}") from error
        self._file.write(msgspec.msgpack.encode(LogHeader(configuration, boot_count, restored)))

    def append(self, obt_ns: int, entry: Record | int) -> None:
        """Take one entry."""
        self._pending.append((obt_ns, entry))
        if len(self._pending) >= PENDING_COUNT_MAX:
            self.flush()

    def flush(self) -> None:
        """Write what was taken since the last flush, in one call."""
        if not self._pending:
            return
        data = encode_stream(self._pending)
        self._pending.clear()
        try:
            written = self._file.write(data)
            while written < len(data):  # a disk that is nearly full takes a part
                written += self._file.write(data[written:])
        except OSError as error:
            name = self._folder / f"{self._name}.log"
            raise InfrastructureError(f"{name}: cannot write the input log: {error.strerror}") from error

    def keep(self, snapshot: Snapshot) -> None:
        """Replace the snapshot; entries before it are on disk first."""
        self.flush()
        target = self._folder / f"{self._name}.snapshot"
        temporary = target.with_suffix(".part")
        try:
            temporary.write_bytes(msgspec.msgpack.encode(snapshot))
            temporary.replace(target)
        except OSError as error:
            raise InfrastructureError(f"{target}: cannot write the snapshot: {error.strerror}") from error

    def close(self) -> None:
        """Write the rest and close. A second time changes nothing."""
        try:
            self.flush()
        finally:
            self._file.close()


def read_log(folder: Path, node_id: int, boot_count: int) -> tuple[LogHeader, list[LogEntry]]:
    """Header and entries of one boot; an entry cut short by a kill at the end of the file is left out.

    Raises InfrastructureError when there is no such log or it does not begin like one.
    """
    path = folder / f"{node_id}.{boot_count}.log"
    try:
        elements = list(_elements(path.read_bytes()))
        header = msgspec.msgpack.decode(elements[0], type=LogHeader)
        return header, [_entry_decoder.decode(element) for element in elements[1:]]
    except (OSError, IndexError, ValueError, *UNREADABLE) as error:
        raise InfrastructureError(f"{path}: expected the input log of node {node_id}: {error}") from error


def _elements(data: bytes) -> Iterator[bytes]:
    unpacker = msgpack.Unpacker(max_buffer_size=len(data) + 1, max_bin_len=len(data) + 1)
    unpacker.feed(data)
    start = 0
    while True:
        try:
            unpacker.skip()
        except msgpack.OutOfData:
            return
        stop = unpacker.tell()
        yield data[start:stop]
        start = stop


def read_snapshot(folder: Path, node_id: int, boot_count: int) -> Snapshot | None:
    """The latest snapshot of one boot, or None when it died before the first."""
    path = folder / f"{node_id}.{boot_count}.snapshot"
    if not path.exists():
        return None
    try:
        return msgspec.msgpack.decode(path.read_bytes(), type=Snapshot)
    except (OSError, *UNREADABLE) as error:
        raise InfrastructureError(f"{path}: expected a snapshot of node {node_id}: {error}") from error
