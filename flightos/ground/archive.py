"""What a run's archive looks like on disk, and its one writer's tools.

Theory of operation. Three kinds of file, each safe against a kill at any moment. Raw logs only grow.
Telemetry goes into immutable Parquet segments (write, fsync, rename) whose names carry how far into each
raw log they reach; the catalogue is SQLite in WAL mode and keeps in the same transaction how far its events
reach. What lies in a raw log behind those two positions is the tail: a reader decodes it again, so that
live and killed runs show everything.
"""

from __future__ import annotations

import json
import os
import re
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as parquet

from flightos.ground.decode import Column, EventRow, VerificationRow

RAW_NAMES: Final = ("packets.umbilical.raw", "packets.downlink.raw")
"""Raw log by path: 0 umbilical, 1 downlink."""
TELEMETRY_FOLDER: Final = "telemetry"
PRODUCTS_FOLDER: Final = "products"
CATALOGUE_NAME: Final = "catalogue.sqlite"
DICTIONARY_NAME: Final = "dictionary.json"
VERIFICATION_STAGES: Final = {
    1: "accepted",
    2: "rejected",
    3: "started",
    4: "start failed",
    7: "completed",
    8: "failed",
}
"""By subtype of PUS 1 (ECSS-E-ST-70-41C, 6.1)."""
ROW_GROUP_COUNT: Final = 131_072
SEGMENT_PATTERN: Final = re.compile(r"^(\d{6})-u(\d+)-d(\d+)\.parquet$")

SCHEMA: Final = pa.schema(
    [
        ("path", pa.uint8()),
        ("spacecraft", pa.uint16()),
        ("parameter", pa.dictionary(pa.int32(), pa.string())),
        ("t_tai_ns", pa.int64()),
        ("t_receive_ns", pa.int64()),
        ("value", pa.float64()),
    ]
)

CATALOGUE_SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS events (
    path INTEGER, spacecraft INTEGER, event_id INTEGER, service TEXT, name TEXT, severity INTEGER,
    t_tai_ns INTEGER, t_receive_ns INTEGER, fields TEXT, text TEXT);
CREATE INDEX IF NOT EXISTS events_by_name ON events (name, t_tai_ns);
CREATE TABLE IF NOT EXISTS verifications (
    path INTEGER, spacecraft INTEGER, subtype INTEGER, stage TEXT, command TEXT, sequence_count INTEGER,
    source INTEGER, refusal INTEGER, t_tai_ns INTEGER, t_receive_ns INTEGER);
CREATE TABLE IF NOT EXISTS products (
    content_id TEXT PRIMARY KEY, observation_id INTEGER, tile_index INTEGER, source INTEGER,
    size_bytes INTEGER, t_receive_ns INTEGER);
CREATE VIEW IF NOT EXISTS commands AS SELECT
    path, spacecraft, command, source, sequence_count, min(t_tai_ns) AS first_tai_ns, max(t_tai_ns) AS last_tai_ns,
    group_concat(stage) AS stages, max(coalesce(refusal, 0)) AS refusal
    FROM verifications GROUP BY path, spacecraft, command, source, sequence_count;
CREATE VIEW IF NOT EXISTS tasks AS SELECT
    path, spacecraft, json_extract(fields, '$.task_id') AS task_id, json_extract(fields, '$.attempt') AS attempt,
    json_extract(fields, '$.step') AS step, name AS fact, t_tai_ns
    FROM events WHERE name GLOB 'EXECUTION_*' OR name GLOB 'TASK_*';
CREATE VIEW IF NOT EXISTS contacts AS SELECT
    path, spacecraft, json_extract(fields, '$.peer_id') AS peer, name AS fact, t_tai_ns
    FROM events WHERE name GLOB 'LINK_*';
CREATE TABLE IF NOT EXISTS progress (path INTEGER PRIMARY KEY, raw_bytes INTEGER);
CREATE TABLE IF NOT EXISTS faults (path INTEGER, cause TEXT, count INTEGER, PRIMARY KEY (path, cause));
CREATE TABLE IF NOT EXISTS gaps (
    path INTEGER, spacecraft INTEGER, apid INTEGER, count INTEGER, PRIMARY KEY (path, spacecraft, apid));
"""


def telemetry_table(columns: Iterable[Column]) -> pa.Table:
    """One table of all columns, sorted by parameter, path, spacecraft, time."""
    ordered = sorted(columns, key=lambda column: (column.parameter, column.path))
    if not ordered:
        return SCHEMA.empty_table()
    names = sorted({column.parameter for column in ordered})
    index_of = {name: index for index, name in enumerate(names)}
    sizes = [len(column.value) for column in ordered]
    indices = np.repeat(np.array([index_of[column.parameter] for column in ordered], dtype=np.int32), sizes)
    return pa.table(
        {
            "path": np.repeat(np.array([column.path for column in ordered], dtype=np.uint8), sizes),
            "spacecraft": np.concatenate([column.spacecraft for column in ordered]),
            "parameter": pa.DictionaryArray.from_arrays(pa.array(indices), pa.array(names)),
            "t_tai_ns": np.concatenate([column.t_tai_ns for column in ordered]),
            "t_receive_ns": np.concatenate([column.t_receive_ns for column in ordered]),
            "value": np.concatenate([column.value for column in ordered]),
        },
        schema=SCHEMA,
    )


def write_segment(run_dir: Path, number: int, raw_bytes: tuple[int, int], columns: Iterable[Column]) -> Path:
    """Write one immutable segment; it covers the raw logs up to `raw_bytes` (umbilical, downlink)."""
    folder = run_dir / TELEMETRY_FOLDER
    final = folder / f"{number:06d}-u{raw_bytes[0]}-d{raw_bytes[1]}.parquet"
    partial = folder / f".{final.name}.partial"
    with partial.open("wb") as file:
        # lz4 and plain times: the fastest of what was measured, at a third more bytes than zstd.
        parquet.write_table(
            telemetry_table(columns),
            file,
            row_group_size=ROW_GROUP_COUNT,
            compression="lz4",
            use_dictionary=["path", "spacecraft", "parameter"],
        )
        file.flush()
        os.fsync(file.fileno())
    partial.rename(final)
    return final


def segments(run_dir: Path) -> list[Path]:
    """Finished segments in order."""
    folder = run_dir / TELEMETRY_FOLDER
    if not folder.is_dir():
        return []
    return sorted(path for path in folder.iterdir() if SEGMENT_PATTERN.match(path.name))


def archived_raw_bytes(paths: Sequence[Path]) -> tuple[int, int]:
    """How far into each raw log the segments reach."""
    match = SEGMENT_PATTERN.match(paths[-1].name) if paths else None
    return (int(match[2]), int(match[3])) if match else (0, 0)


def write_file(path: Path, content: bytes) -> None:
    """Write, fsync, rename."""
    partial = path.with_name(f".{path.name}.partial")
    with partial.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


class Catalogue:
    """The writer's connection to `catalogue.sqlite`."""

    def __init__(self, run_dir: Path) -> None:
        # One thread at a time uses it: the archiving thread, and the caller only while that one is idle.
        self._connection = sqlite3.connect(run_dir / CATALOGUE_NAME, check_same_thread=False)
        self._connection.execute("PRAGMA journal_mode = WAL")
        self._connection.execute("PRAGMA synchronous = NORMAL")
        self._connection.executescript(CATALOGUE_SCHEMA)

    def add_batch(
        self,
        events: Sequence[EventRow],
        verifications: Sequence[VerificationRow],
        command_names: Mapping[int, str],
        raw_bytes: tuple[int, int],
    ) -> None:
        """Events and verifications of one batch, with the raw positions they reach, as one transaction."""
        event_rows = [event_row(event) for event in events]
        verification_rows = [verification_row(row, command_names) for row in verifications]
        with self._connection:
            self._connection.executemany("INSERT INTO events VALUES (?,?,?,?,?,?,?,?,?,?)", event_rows)
            self._connection.executemany(
                "INSERT INTO verifications VALUES (?,?,?,?,?,?,?,?,?,?)", verification_rows
            )
            self._connection.executemany(
                "INSERT OR REPLACE INTO progress VALUES (?,?)", list(enumerate(raw_bytes))
            )

    def add_product(self, row: tuple[str, int, int, int, int, int]) -> bool:
        """Catalogue a product; False when its content id is there already."""
        with self._connection:
            return (
                self._connection.execute("INSERT OR IGNORE INTO products VALUES (?,?,?,?,?,?)", row).rowcount
                == 1
            )

    def set_counts(
        self, faults: Iterable[tuple[int, str, int]], gaps: Iterable[tuple[int, int, int, int]]
    ) -> None:
        """What was bad so far: (path, cause, count) and (path, spacecraft, apid, gaps)."""
        with self._connection:
            self._connection.executemany("INSERT OR REPLACE INTO faults VALUES (?,?,?)", list(faults))
            self._connection.executemany("INSERT OR REPLACE INTO gaps VALUES (?,?,?,?)", list(gaps))

    def close(self) -> None:
        """Fold the write-ahead log into the file and let go."""
        self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        self._connection.close()


def safe(value: object) -> object:
    """Integers above 2^53 as text (JSON readers keep no more)."""
    return str(value) if isinstance(value, int) and abs(value) > 1 << 53 else value


def event_row(event: EventRow) -> tuple[object, ...]:
    """An event as a row of the catalogue, in the order of its columns."""
    fields = json.dumps({name: safe(value) for name, value in event.fields.items()})
    return (
        event.path,
        event.spacecraft,
        event.event_id,
        event.service,
        event.name,
        event.severity,
        event.t_tai_ns,
        event.t_receive_ns,
        fields,
        event.text,
    )


def verification_row(row: VerificationRow, command_names: Mapping[int, str]) -> tuple[object, ...]:
    """A report on a command as a row of the catalogue, in the order of its columns."""
    return (
        row.path,
        row.spacecraft,
        row.subtype,
        VERIFICATION_STAGES.get(row.subtype, "unknown"),
        command_names.get(row.command_id, f"{row.command_id:#06x}"),
        row.sequence_count,
        row.source_id,
        row.refusal,
        row.t_tai_ns,
        row.t_receive_ns,
    )
