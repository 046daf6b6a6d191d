"""The one writer of a run's archive.

Theory of operation. Packets are taken in one at a time and must cost next to nothing there: they are only
kept, in order, until enough bytes or enough wall time have come together. Then a batch goes to one
archiving thread, which appends the raw log, decodes in bulk and writes a segment and the catalogue
(`flightos.ground.archive` says why a kill at any moment does no harm). At most one batch is under way: a
caller who is faster than the disk waits for it, so that memory stays bounded. Wall time decides only when
files are written, never what is in them.
"""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO, Final

from flightos.core.ports import AcceptProduct
from flightos.ground.archive import (
    DICTIONARY_NAME,
    PRODUCTS_FOLDER,
    RAW_NAMES,
    TELEMETRY_FOLDER,
    Catalogue,
    write_file,
    write_segment,
)
from flightos.ground.decode import DOWNLINK, UMBILICAL, Column, Decoder, EventRow, VerificationRow
from flightos.ground.dictionary import GroundDictionary

BATCH_BYTES_MAX: Final = 8 * 1024 * 1024
BATCH_AGE_S_MAX: Final = 2.0


class _Pending:
    """What one path has received and not yet archived."""

    def __init__(self) -> None:
        self.pieces: list[bytes] = []
        self.receive_tai_ns: list[int] = []


class Receiver:
    """Takes packets and products of a run into its folder.

    `dictionary_document` is what `flightos dictionary --json` prints; it is kept in the folder, because it
    says how to read the raw logs. Times of receipt are mission time; `epoch_tai_ns`, the TAI of mission
    time 0, makes them comparable with the times in packets. Raises FileExistsError when the folder has a
    writer or had one.
    """

    def __init__(
        self,
        run_dir: Path,
        dictionary_document: Mapping[str, Any],
        epoch_tai_ns: int = 0,
        threaded: bool = True,
    ) -> None:
        self.run_dir = Path(run_dir)
        self._epoch_tai_ns = epoch_tai_ns
        (self.run_dir / TELEMETRY_FOLDER).mkdir(parents=True, exist_ok=True)
        (self.run_dir / PRODUCTS_FOLDER).mkdir(exist_ok=True)
        write_file(self.run_dir / DICTIONARY_NAME, json.dumps(dictionary_document, indent=1).encode())
        self._dictionary = GroundDictionary.from_document(dictionary_document)
        self._decoders = (Decoder(self._dictionary, UMBILICAL), Decoder(self._dictionary, DOWNLINK))
        # 'x': a second writer of the same folder fails here.
        self._raw: list[BinaryIO] = [(self.run_dir / name).open("xb") for name in RAW_NAMES]
        self._raw_bytes = [0, 0]
        self._segment_number = 0
        self._catalogue = Catalogue(self.run_dir)
        self._pending = (_Pending(), _Pending())
        self._pending_bytes = 0
        self._batch_started_s = time.monotonic()
        self._executor = ThreadPoolExecutor(1, "archive") if threaded else None
        self._under_way: Future[None] | None = None
        self.packet_counts = [0, 0]
        """Good packets archived, by path."""
        self.product_count = 0
        self.event_counts = [0, 0, 0, 0, 0]
        """Umbilical events archived, by severity 1 to 4."""

    def umbilical(self, packets: bytes, receive_t_ns: int) -> None:
        """One packet or several whole ones, from the test port."""
        self._take(self._pending[UMBILICAL], packets, receive_t_ns)

    def downlink(self, source_id: int, packets: bytes, receive_t_ns: int) -> None:
        """Packets that came down through a ground station; each names its spacecraft itself."""
        self._take(self._pending[DOWNLINK], packets, receive_t_ns)

    def _take(self, pending: _Pending, packets: bytes, receive_t_ns: int) -> None:
        pending.pieces.append(packets)
        pending.receive_tai_ns.append(self._epoch_tai_ns + receive_t_ns)
        self._pending_bytes += len(packets)
        is_old = time.monotonic() - self._batch_started_s >= BATCH_AGE_S_MAX
        if is_old or self._pending_bytes >= BATCH_BYTES_MAX:
            self._archive_pending()

    def accept(self, accepted: AcceptProduct, product: bytes, receive_t_ns: int) -> None:
        """Write an accepted product and catalogue it; it is on disk when this returns."""
        self._wait()
        name = accepted.content_id.hex()
        write_file(self.run_dir / PRODUCTS_FOLDER / name, product)
        row = (
            name,
            accepted.observation_id,
            accepted.tile_index,
            accepted.source_id,
            len(product),
            self._epoch_tai_ns + receive_t_ns,
        )
        self.product_count += self._catalogue.add_product(row)

    def flush(self) -> None:
        """Archive everything received so far and wait for it."""
        self._archive_pending()
        self._wait()

    def close(self) -> None:
        """Flush, and let go of files and thread. Afterwards the folder holds all there was."""
        try:
            self.flush()
        finally:
            if self._executor is not None:
                self._executor.shutdown()
            for file in self._raw:
                file.close()
            self._catalogue.close()

    def _wait(self) -> None:
        under_way, self._under_way = self._under_way, None
        if under_way is not None:
            under_way.result()

    def _archive_pending(self) -> None:
        batch, self._pending = self._pending, (_Pending(), _Pending())
        self._pending_bytes = 0
        self._batch_started_s = time.monotonic()
        self._wait()
        if not any(pending.pieces for pending in batch):
            return
        if self._executor is None:
            self._archive(batch)
        else:
            self._under_way = self._executor.submit(self._archive, batch)

    def _archive(self, batch: tuple[_Pending, _Pending]) -> None:
        """Raw log first, then segment, then catalogue: a reader decodes again what the later ones lack."""
        for path, pending in enumerate(batch):
            content = b"".join(pending.pieces)
            self._raw[path].write(content)
            self._raw[path].flush()
            self._raw_bytes[path] += len(content)
        columns: list[Column] = []
        events: list[EventRow] = []
        verifications: list[VerificationRow] = []
        for path, pending in enumerate(batch):
            decoded = self._decoders[path].decode(pending.pieces, pending.receive_tai_ns)
            self.packet_counts[path] += decoded.packet_count
            columns += decoded.columns
            events += decoded.events
            verifications += decoded.verifications
        raw_bytes = (self._raw_bytes[UMBILICAL], self._raw_bytes[DOWNLINK])
        if columns:
            write_segment(self.run_dir, self._segment_number, raw_bytes, columns)
            self._segment_number += 1
        self._catalogue.add_batch(events, verifications, self._dictionary.commands, raw_bytes)
        self._catalogue.set_counts(*self._bad_counts())
        for event in events:
            if event.path == UMBILICAL and event.severity < len(self.event_counts):
                self.event_counts[event.severity] += 1

    def _bad_counts(self) -> tuple[list[tuple[int, str, int]], list[tuple[int, int, int, int]]]:
        decoders = list(enumerate(self._decoders))
        faults = [
            (path, cause, count) for path, decoder in decoders for cause, count in decoder.faults.items()
        ]
        gaps = [(path, *key, count) for path, decoder in decoders for key, count in decoder.gaps.items()]
        return faults, gaps
