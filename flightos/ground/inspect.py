"""Reads a run folder, live or finished, whole or killed: telemetry, events, products, geometry.

Theory of operation. Telemetry is queried where it lies: an in-memory DuckDB reads the Parquet segments,
which are sorted by parameter, so that one parameter out of ten million samples costs milliseconds. What a
raw log holds behind the last segment is decoded and joined to it, which makes a run that is alive and a run
that was killed look alike. Nothing here writes or locks; every missing file is an empty answer.

    run = open_run("runs/three_body-20260101T000000-7")
    series = run.series("sat-03/resources/soc_ratio")[0]
    series.t_s, series.value            # NumPy columns; mission time in seconds
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

import duckdb
import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from flightos.core.errors import ConfigError, InfrastructureError
from flightos.core.ids import GROUND_ID, is_satellite
from flightos.core.time import NS_PER_S
from flightos.ground.archive import (
    CATALOGUE_NAME,
    DICTIONARY_NAME,
    RAW_NAMES,
    SCHEMA,
    archived_raw_bytes,
    event_row,
    segments,
    telemetry_table,
)
from flightos.ground.decode import PATH_NAMES, Decoded, Decoder
from flightos.ground.dictionary import GroundDictionary
from flightos.ground.names import nearest, select, unit_of

EVENT_COLUMNS: Final = (
    "path",
    "spacecraft",
    "event_id",
    "service",
    "name",
    "severity",
    "t_tai_ns",
    "t_receive_ns",
    "fields",
    "text",
)


@dataclass(frozen=True)
class Series:
    """One parameter of one node over one path; `t_s` and `receive_s` are mission time, NaN where unknown."""

    node: str
    node_id: int
    parameter: str
    path: str
    unit: str
    t_s: NDArray[np.float64]
    receive_s: NDArray[np.float64]
    value: NDArray[np.float64]


@dataclass(frozen=True)
class Event:
    """One event of one node over one path; `t_s` is mission time, `severity` 1 (INFO) to 4 (HIGH)."""

    path: str
    node_id: int
    node: str
    service: str
    name: str
    severity: int
    t_s: float
    fields: dict[str, Any]
    text: str


class Run:
    """A run folder as plain columns. Open it again to see what came later."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.manifest = read_json(folder / "manifest.json")
        self.summary = read_json(folder / "summary.json")
        self.live = read_json(folder / "live.json")
        self.geometry = read_json(folder / "geometry.json")
        self._segments = segments(folder)

    @cached_property
    def dictionary(self) -> GroundDictionary | None:
        """The dictionary that this run was flown with; None when the folder holds none."""
        document = read_json(self.folder / DICTIONARY_NAME)
        return GroundDictionary.from_document(document) if document else None

    @cached_property
    def _database(self) -> duckdb.DuckDBPyConnection:
        database = duckdb.connect()
        tail = self._tail(archived_raw_bytes(self._segments))
        table = pa.concat_tables(
            [telemetry_table(tail[path].columns).cast(_READ_SCHEMA) for path in range(len(tail))]
        )
        without_receipt = pa.nulls(len(table), pa.int64())
        database.register("tail", table.set_column(4, "t_receive_ns", without_receipt))
        parts = ["SELECT * FROM tail"]
        if self._segments:
            files = ", ".join("'" + str(path).replace("'", "''") + "'" for path in self._segments)
            parts.insert(0, f"SELECT * FROM read_parquet([{files}])")
        database.execute("CREATE VIEW telemetry AS " + " UNION ALL ".join(parts))
        return database

    def _tail(self, raw_bytes: Sequence[int]) -> list[Decoded]:
        """What each raw log holds from the given position on, by path."""
        decoded = []
        for path, name in enumerate(RAW_NAMES):
            content = b""
            if self.dictionary is not None and (self.folder / name).is_file():
                with (self.folder / name).open("rb") as file:
                    file.seek(raw_bytes[path])
                    content = file.read()
            reader = Decoder(self.dictionary or GroundDictionary(()), path)
            decoded.append(reader.decode([content] if content else [], [0] if content else []))
        return decoded

    # --- names and time ---------------------------------------------------------------------------------------

    @cached_property
    def names(self) -> dict[int, str]:
        """Names of nodes by id, from the geometry or the manifest; else made from the ids in telemetry."""
        for names in (self.geometry.get("names"), self.manifest.get("names")):
            if names:
                return {int(node): str(name) for node, name in names.items()}
        rows = self.query("SELECT DISTINCT spacecraft FROM telemetry")
        return {node: self.name_of(node) for (node,) in sorted(rows)}

    def name_of(self, node_id: int) -> str:
        """A node's name, also when no file tells it."""
        known = self.__dict__.get("names")
        if known and node_id in known:
            return str(known[node_id])
        prefix = "sat" if is_satellite(node_id) else "ground" if node_id == GROUND_ID else "station"
        return prefix if node_id == GROUND_ID else f"{prefix}-{node_id:02d}"

    @cached_property
    def parameters(self) -> list[str]:
        """Every 'service/field' of the run's dictionary, else of its telemetry."""
        if self.dictionary is not None:
            return sorted(self.dictionary.parameters)
        rows = self.query("SELECT DISTINCT parameter FROM telemetry ORDER BY ALL")
        return [str(name) for (name,) in rows]

    @cached_property
    def epoch_tai_ns(self) -> int:
        """TAI of mission time 0, from the manifest; else the time of the first sample."""
        stated = self.manifest.get("epoch_tai_ns")
        if stated is not None:
            return int(stated)
        ((first,),) = self.query("SELECT min(t_tai_ns) FROM telemetry")
        return int(first) if first is not None else 0

    def mission_s(self, t_tai_ns: int) -> float:
        """Mission time in seconds of a TAI time."""
        return (t_tai_ns - self.epoch_tai_ns) / NS_PER_S

    # --- telemetry --------------------------------------------------------------------------------------------

    def query(self, sql: str, parameters: Sequence[object] = ()) -> list[tuple[Any, ...]]:
        """Any DuckDB query over view `telemetry` (path, spacecraft, parameter, t_tai_ns, t_receive_ns, value)."""
        return list(self._database.execute(sql, list(parameters)).fetchall())

    def series(
        self,
        pattern: str,
        from_s: float | None = None,
        to_s: float | None = None,
        path: str | None = None,
    ) -> list[Series]:
        """Series that NODE/service/field names (wildcards), in order of node, parameter, path.

        Limits are mission time, both included. Raises ConfigError for unknown names.
        """
        where, values = self.where(pattern, from_s, to_s, path)
        table = self._database.sql(
            "SELECT spacecraft, parameter::VARCHAR AS parameter, path, t_tai_ns, t_receive_ns, value "
            f"FROM telemetry WHERE {where} ORDER BY spacecraft, parameter, path, t_tai_ns",
            params=values,
        ).to_arrow_table()
        return list(self._split_series(table))

    def _split_series(self, table: pa.Table) -> Sequence[Series]:
        if not len(table):
            return []
        node = table["spacecraft"].to_numpy()
        parameter = table["parameter"].combine_chunks()
        code = parameter.dictionary_encode().indices.to_numpy()
        path = table["path"].to_numpy()
        t_ns = table["t_tai_ns"].to_numpy() - self.epoch_tai_ns
        receive = (table["t_receive_ns"].to_numpy(zero_copy_only=False) - self.epoch_tai_ns) / NS_PER_S
        value = table["value"].to_numpy()
        is_border = (np.diff(node.astype(np.int64)) != 0) | (np.diff(code) != 0) | (np.diff(path) != 0)
        borders = [0, *(np.flatnonzero(is_border) + 1).tolist(), len(node)]
        found = []
        for start, stop in pairwise(borders):
            name = str(parameter[start].as_py())
            found.append(
                Series(
                    node=self.names.get(int(node[start]), self.name_of(int(node[start]))),
                    node_id=int(node[start]),
                    parameter=name,
                    path=PATH_NAMES[int(path[start])],
                    unit=unit_of(name),
                    t_s=t_ns[start:stop] / NS_PER_S,
                    receive_s=receive[start:stop],
                    value=value[start:stop],
                )
            )
        return found

    def where(
        self, pattern: str, from_s: float | None, to_s: float | None, path: str | None
    ) -> tuple[str, list[object]]:
        """The SQL condition and its values for a pattern and limits. Raises ConfigError for unknown names."""
        nodes, parameters = select(pattern, self.names, self.parameters)
        conditions = [f"spacecraft IN ({_marks(nodes)})", f"parameter IN ({_marks(parameters)})"]
        values: list[object] = [*nodes, *parameters]
        for operator, limit_s in ((">=", from_s), ("<=", to_s)):
            if limit_s is not None:
                conditions.append(f"t_tai_ns {operator} ?")
                values.append(self.epoch_tai_ns + round(limit_s * NS_PER_S))
        if path is not None:
            if path not in PATH_NAMES:
                raise ConfigError([f"no path {path!r}{nearest(path, PATH_NAMES)}"])
            conditions.append("path = ?")
            values.append(PATH_NAMES.index(path))
        return " AND ".join(conditions), values

    # --- events and catalogue ---------------------------------------------------------------------------------

    def catalogue(self, sql: str, parameters: Sequence[object] = ()) -> list[dict[str, Any]]:
        """Rows of a query over `catalogue.sqlite`, read only; nothing where there is no catalogue yet."""
        file = self.folder / CATALOGUE_NAME
        if not file.is_file():
            return []
        try:
            with closing(sqlite3.connect(f"{file.resolve().as_uri()}?mode=ro", uri=True)) as connection:
                connection.row_factory = sqlite3.Row
                return [dict(row) for row in connection.execute(sql, list(parameters))]
        except sqlite3.DatabaseError:
            return []

    @cached_property
    def events(self) -> list[Event]:
        """All events of both paths in order of time, the tail of the raw logs included."""
        rows = [
            tuple(row.values()) for row in self.catalogue(f"SELECT {', '.join(EVENT_COLUMNS)} FROM events")
        ]
        progress = {row["path"]: row["raw_bytes"] for row in self.catalogue("SELECT * FROM progress")}
        for decoded in self._tail([progress.get(path, 0) for path in range(len(RAW_NAMES))]):
            rows += [event_row(event) for event in decoded.events]
        return sorted((self._event(row) for row in rows), key=lambda event: event.t_s)

    def _event(self, row: Sequence[Any]) -> Event:
        path, node_id, _, service, name, severity, t_tai_ns, _, fields, text = row
        return Event(
            path=PATH_NAMES[path],
            node_id=node_id,
            node=self.names.get(node_id, self.name_of(node_id)),
            service=service,
            name=name,
            severity=severity,
            t_s=self.mission_s(t_tai_ns),
            fields=json.loads(fields),
            text=text,
        )

    def products(self) -> list[dict[str, Any]]:
        """Accepted products in order of receipt, with `t_s` in mission time."""
        rows = self.catalogue("SELECT * FROM products ORDER BY t_receive_ns, content_id")
        return [{**row, "t_s": self.mission_s(row["t_receive_ns"])} for row in rows]


_READ_SCHEMA: Final = pa.schema(
    [pa.field("parameter", pa.string()) if field.name == "parameter" else field for field in SCHEMA]
)


def open_run(path: str | Path) -> Run:
    """Open a run folder. Raises InfrastructureError when there is none."""
    folder = Path(path)
    if not folder.is_dir():
        raise InfrastructureError(f"no run folder {folder}")
    return Run(folder)


def read_json(path: Path) -> dict[str, Any]:
    """A JSON object from a file; empty when the file is missing or not whole."""
    try:
        content = json.loads(path.read_bytes())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


def _marks(values: Sequence[object]) -> str:
    return ", ".join("?" * len(values))
