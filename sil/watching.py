"""Looks at a run while it flies: counts from the catalogue and the ground's archive, as Progress and live.json."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from sil.plan import RunPlan
from sil.progress import Progress

SPEED_OVER_S_MIN: Final = 0.2
"""A speed taken over less wall time than this says nothing."""
_LINKS_UP: Final = """
SELECT count(*) FROM (
    SELECT min(spacecraft, peer) AS low, max(spacecraft, peer) AS high FROM (
        SELECT name, spacecraft, json_extract(fields, '$.peer_id') AS peer, max(rowid) FROM events
        WHERE path = 0 AND name IN ('LINK_OPENED', 'LINK_CLOSED', 'LINK_LOST') AND spacecraft < 1000
            AND json_extract(fields, '$.peer_id') < 1000
        GROUP BY spacecraft, peer)
    WHERE name = 'LINK_OPENED' GROUP BY low, high HAVING count(*) = 2)"""
"""Pairs of satellites of which both ends said last that the link is up; SQLite takes `name` from the row of the max,
the one that came last. A satellite that died says nothing more, but its neighbours close."""


class Watch:
    """Makes a Progress from what the archive has written so far. Cheap: one grouped query a look."""

    def __init__(self, run_dir: Path, satellite_count: int, link_count: int, duration_ns: int) -> None:
        self._catalogue = run_dir / "catalogue.sqlite"
        self._run_dir = run_dir
        self._satellite_count = satellite_count
        self._link_count = link_count
        self._duration_ns = duration_ns
        self._last = (time.monotonic(), 0)
        self._first = self._last
        self._speed = 0.0
        self._is_over = False

    @classmethod
    def of_plan(cls, plan: RunPlan, run_dir: Path) -> Watch:
        """A watch with the sizes of a plan."""
        return cls(run_dir, len(plan.worlds), laser_link_count(plan), plan.duration_ns)

    def look(self, t_ns: int, nodes_dead: int, is_first_telemetry: bool = True) -> Progress:
        """How the run is going at mission time `t_ns`."""
        counts = self._counts()
        now_s, (last_s, last_ns) = time.monotonic(), self._last
        if t_ns >= self._duration_ns:
            if not self._is_over:
                self._is_over = True
                self._speed = (t_ns - self._first[1]) / 1e9 / max(now_s - self._first[0], 1e-3)
        elif now_s - last_s >= SPEED_OVER_S_MIN:
            self._speed = (t_ns - last_ns) / 1e9 / (now_s - last_s)
            self._last = (now_s, t_ns)
            if t_ns == 0:
                # Processes are starting; the mean counts from the flight's first second on.
                self._first = self._last
        return Progress(
            t_mission_ns=t_ns,
            duration_ns=self._duration_ns,
            nodes_ok=self._satellite_count - nodes_dead,
            nodes_fault=nodes_dead,
            links_up=counts.get("links_up", 0),
            links_total=self._link_count,
            tasks_done=counts.get("TASK_DONE", 0),
            tasks_total=counts.get("tasks_planned", 0),
            products=counts.get("products", 0),
            speed=self._speed,
            is_first_telemetry=is_first_telemetry,
        )

    def _counts(self) -> Mapping[str, int]:
        if not self._catalogue.exists():
            return {}
        try:
            with sqlite3.connect(f"file:{self._catalogue}?mode=ro", uri=True) as connection:
                counts = dict(
                    connection.execute(
                        "SELECT name, count(*) FROM events WHERE path = 0 AND spacecraft < 1000 GROUP BY name"
                    )
                )
                counts["tasks_planned"] = connection.execute(
                    "SELECT coalesce(sum(json_extract(fields, '$.task_count')), 0) FROM events "
                    "WHERE path = 0 AND name = 'OBSERVATION_PLANNED'"
                ).fetchone()[0]
                counts["links_up"] = connection.execute(_LINKS_UP).fetchone()[0]
                counts["products"] = connection.execute("SELECT count(*) FROM products").fetchone()[0]
                return counts
        except sqlite3.Error:
            # The archive is being written this very moment; the next look will do.
            return {}


def live_record(progress: Progress) -> dict[str, object]:
    """What live.json holds."""
    return dict(msgspec.to_builtins(progress))


def laser_link_count(plan: RunPlan) -> int:
    """Laser links of the constellation: two terminals each."""
    lasers = [terminal for node in plan.nodes for terminal in node.terminals if terminal.kind == "laser"]
    return sum(1 for terminal in lasers if terminal.peer_ids) // 2


def write_live(run_dir: Path, record: Mapping[str, object]) -> None:
    """Replace live.json: readers see the old one or the new one."""
    partial = run_dir / ".live.json.partial"
    partial.write_bytes(msgspec.json.encode(record))
    partial.rename(run_dir / "live.json")
