"""The archive process: the one writer of a run's telemetry, events and products: `python -m sil.processes.archive`.

It takes what members send, in any order between them, until it has everything that the authority says there is; it
writes live.json once a second and pushes the same to the run's status line.
"""

from __future__ import annotations

import os
import signal
import sqlite3
import sys
import time
from pathlib import Path
from types import FrameType
from typing import Final

import msgspec
import zmq

from flightos.core.ports import AcceptProduct
from flightos.drivers.own_process import living_with
from flightos.ground.dictionary import current_document
from flightos.ground.receive import Receiver
from flightos.worker import become_worker
from sil.processes import protocol
from sil.processes.protocol import RunFolders
from sil.watching import Watch, live_record, write_live

FLUSH_S: Final = 2.0
LIVE_S: Final = 0.5


class ArchiveLoop:
    """Sockets around a Receiver."""

    def __init__(self, run_dir: Path, folders: RunFolders, sizes: protocol.RunSizes) -> None:
        self._context = zmq.Context()
        self._inbox: zmq.Socket[bytes] = self._context.socket(zmq.PULL)
        self._inbox.set_hwm(0)
        self._inbox.bind(folders.endpoint(protocol.ARCHIVE_NAME))
        self._progress: zmq.Socket[bytes] = self._context.socket(zmq.PUSH)
        self._progress.setsockopt(zmq.LINGER, 0)
        self._progress.connect(folders.endpoint(protocol.PROGRESS_NAME))
        self._run_dir = run_dir
        self._duration_ns = sizes.duration_ns
        self._receiver = Receiver(run_dir, current_document(), sizes.epoch_tai_ns)
        self._watch = Watch(run_dir, sizes.satellite_count, sizes.link_count, sizes.duration_ns)
        self._now = protocol.Now(0, 0)
        self._taken: dict[bytes, int] = {}
        self._wanted: tuple[tuple[bytes, int], ...] | None = None

    def run(self) -> None:
        """Until everything is written, or the run is given up: then what has come is written."""
        signal.signal(signal.SIGTERM, self._give_up)
        decode = msgspec.msgpack.Decoder(protocol.ToArchive).decode
        flushed_s = lived_s = time.monotonic()
        while not self._has_all():
            if self._inbox.poll(200):
                for _ in range(256):
                    try:
                        line, data = self._inbox.recv_multipart(zmq.NOBLOCK)
                        self._take(line, decode(data))
                    except zmq.Again:
                        break
            now_s = time.monotonic()
            if now_s - flushed_s >= FLUSH_S:
                self._receiver.flush()
                flushed_s = now_s
            if now_s - lived_s >= LIVE_S:
                self._tell()
                lived_s = now_s
        self._receiver.close()
        self._tell()
        self._progress.close()
        self._inbox.close()
        self._context.term()

    def _give_up(self, number: int, frame: FrameType | None) -> None:
        self._wanted = ()

    def _has_all(self) -> bool:
        """True once everything that was sent has come; of those who died, what has come by then."""
        if self._wanted is None or any(self._taken.get(line, 0) < count for line, count in self._wanted):
            return False
        return not self._inbox.poll(0)

    def _take(self, line: bytes, message: protocol.ToArchive) -> None:
        if isinstance(message, protocol.Now):
            self._now = message
            return
        if isinstance(message, protocol.Close):
            self._wanted = message.message_counts
            return
        is_first = not self._taken
        self._taken[line] = self._taken.get(line, 0) + 1
        if is_first:
            self._tell()
        if isinstance(message, protocol.Umbilical):
            self._receiver.umbilical(message.packets, min(message.receive_t_ns, self._duration_ns))
        elif isinstance(message, protocol.Downlinked):
            self._receiver.downlink(message.source_id, message.packets, message.receive_t_ns)
        else:
            accepted = AcceptProduct(
                message.content_id,
                message.observation_id,
                message.tile_index,
                message.source_id,
                len(message.product),
            )
            self._receiver.accept(accepted, message.product, message.receive_t_ns)

    def _tell(self) -> None:
        progress = self._watch.look(self._now.t_ns, self._now.nodes_dead, bool(self._taken))
        write_live(self._run_dir, live_record(progress))
        try:
            self._progress.send(msgspec.msgpack.encode(progress), zmq.NOBLOCK)
        except zmq.Again:
            return


def main() -> None:
    """Entry point: run folder, the run's folders and sizes as JSON."""
    become_worker(os.getppid())
    run_dir = Path(sys.argv[1])
    folders = msgspec.json.decode(sys.argv[2], type=RunFolders)
    sizes = msgspec.json.decode(sys.argv[3], type=protocol.RunSizes)
    with living_with(Path(folders.endpoints)):
        try:
            ArchiveLoop(run_dir, folders, sizes).run()
        except (OSError, sqlite3.Error) as error:
            protocol.leave_last_words(folders, protocol.ARCHIVE_NAME, f"cannot write into {run_dir}: {error}")
            # Not the ordinary end: threads and sockets would try to write once more.
            os._exit(3)


if __name__ == "__main__":
    main()
