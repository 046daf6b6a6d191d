"""The archive process: the one writer of a run's telemetry, events and products: `python -m sil.processes.archive`.

It takes what members send, in any order between them, until it has everything that the authority says there is; it
writes live.json once a second and pushes the same to the run's status line.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import Final

import msgspec
import zmq

from flightos.core.ports import AcceptProduct
from flightos.core.time import NS_PER_S
from flightos.ground.dictionary import current_document
from flightos.ground.receive import Receiver
from flightos.worker import become_worker
from sil.folder import write_live
from sil.processes import protocol
from sil.processes.protocol import RunFolders
from sil.progress import Progress

FLUSH_S: Final = 2.0
LIVE_S: Final = 0.5


class ArchiveLoop:
    """Sockets around a Receiver."""

    def __init__(self, run_dir: Path, folders: RunFolders, duration_ns: int) -> None:
        self._context = zmq.Context()
        self._inbox: zmq.Socket[bytes] = self._context.socket(zmq.PULL)
        self._inbox.set_hwm(0)
        self._inbox.bind(folders.endpoint(protocol.ARCHIVE_NAME))
        self._progress: zmq.Socket[bytes] = self._context.socket(zmq.PUSH)
        self._progress.setsockopt(zmq.LINGER, 0)
        self._progress.connect(folders.endpoint(protocol.PROGRESS_NAME))
        self._run_dir = run_dir
        self._duration_ns = duration_ns
        self._receiver = Receiver(run_dir, current_document())
        self._now = protocol.Now(0, 0)
        self._taken = 0
        self._wanted: int | None = None
        self._started_s = time.monotonic()

    def run(self) -> None:
        """Until everything is written."""
        decode = msgspec.msgpack.Decoder(protocol.ToArchive).decode
        flushed_s = lived_s = time.monotonic()
        while self._wanted is None or self._taken < self._wanted:
            if self._inbox.poll(200):
                for _ in range(256):
                    try:
                        self._take(decode(self._inbox.recv(zmq.NOBLOCK)))
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

    def _take(self, message: protocol.ToArchive) -> None:
        if isinstance(message, protocol.Now):
            self._now = message
            return
        if isinstance(message, protocol.Close):
            self._wanted = message.message_count
            return
        self._taken += 1
        if isinstance(message, protocol.Umbilical):
            if self._taken == 1:
                self._tell()
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
        elapsed_s = max(time.monotonic() - self._started_s, 1e-6)
        progress = Progress(
            t_s=self._now.t_ns / NS_PER_S,
            duration_s=self._duration_ns / NS_PER_S,
            nodes_ok=self._now.nodes_ok,
            speed=self._now.t_ns / NS_PER_S / elapsed_s,
        )
        write_live(self._run_dir, progress)
        try:
            self._progress.send(msgspec.msgpack.encode(progress), zmq.NOBLOCK)
        except zmq.Again:
            return


def main() -> None:
    """Entry point: run folder, the run's folders as JSON, duration."""
    become_worker(os.getppid())
    run_dir, folders, duration_ns = sys.argv[1:4]
    ArchiveLoop(Path(run_dir), msgspec.json.decode(folders, type=RunFolders), int(duration_ns)).run()


if __name__ == "__main__":
    main()
