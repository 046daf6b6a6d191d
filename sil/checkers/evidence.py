"""What the checkers judge: umbilical events and housekeeping of a run's archive, its products, its input logs.

Umbilical events and not records are judged, because every way of running archives the same ones. Events are put in
the order of their time, which is TAI as estimated aboard; nodes differ by less than a microsecond after the first
time sample.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from flightos.core.errors import InfrastructureError
from flightos.core.time import NS_PER_S
from sil.outcome import Outcome
from sil.plan import RunPlan

UMBILICAL: Final = 0
ALIVE_NS: Final = 5 * NS_PER_S
"""A node whose last housekeeping is older than this at the end of the run was dead by then."""
_ALIVE_PARAMETER: Final = "executive/boot_count"


class Violation(msgspec.Struct, frozen=True):
    """An invariant that did not hold: which, in a sentence, at which node (0 = the whole run)."""

    invariant: str
    text: str
    node_id: int = 0


class Event(NamedTuple):
    """One umbilical event."""

    t_tai_ns: int
    node_id: int
    name: str
    severity: int
    fields: dict[str, Any]

    def number(self, name: str) -> int:
        """An integer field; above 2^53 the catalogue holds text."""
        return int(self.fields[name])


class Product(NamedTuple):
    """One accepted product: its row of the catalogue and its bytes (None when the file is missing)."""

    content_id: str
    observation_id: int
    tile_index: int
    source_id: int
    data: bytes | None


class Series(NamedTuple):
    """One parameter of one node over time, ascending."""

    t_tai_ns: NDArray[np.int64]
    value: NDArray[np.float64]

    def at(self, t_tai_ns: int) -> tuple[float, float] | None:
        """The samples at or before a time and after it; the one there is, twice, at the ends; None when empty."""
        if len(self.value) == 0:
            return None
        place = int(np.searchsorted(self.t_tai_ns, t_tai_ns, side="right"))
        before, after = max(0, place - 1), min(len(self.value) - 1, place)
        return float(self.value[before]), float(self.value[after])

    def total(self) -> int:
        """Sum of the increments of a counter, over its resets."""
        if len(self.value) == 0:
            return 0
        steps = np.diff(self.value)
        return int(self.value[0] + steps[steps > 0].sum() + self.value[1:][steps < 0].sum())


_EMPTY: Final = Series(np.zeros(0, np.int64), np.zeros(0, np.float64))


@dataclass
class Evidence:
    """Everything a checker may look at."""

    plan: RunPlan
    outcome: Outcome
    events: Sequence[Event]
    products: Sequence[Product] = ()
    housekeeping: dict[str, dict[int, Series]] = field(default_factory=dict)
    """By parameter ('resources/soc_ratio'), then node."""
    gaps: Sequence[tuple[int, int, int]] = ()
    """Missing umbilical packets: (node, APID, count)."""
    bad_packets: Sequence[tuple[str, int]] = ()
    """Umbilical packets that gave nothing: (cause, count)."""
    run_dir: Path | None = None

    @property
    def end_tai_ns(self) -> int:
        """Where the flight ended."""
        return self.plan.epoch_tai_ns + self.outcome.end_ns

    def named(self, *names: str) -> list[Event]:
        """Events of these names, in order of time."""
        return [event for event in self.events if event.name in names]

    def series(self, parameter: str, node_id: int) -> Series:
        """One parameter of one node; empty when it was never sent."""
        return self.housekeeping.get(parameter, {}).get(node_id, _EMPTY)

    def total(self, parameter: str) -> int:
        """A counter added up over all nodes."""
        return sum(series.total() for series in self.housekeeping.get(parameter, {}).values())

    def is_alive_at_end(self, node_id: int) -> bool:
        """True when the node still sent housekeeping at the end of the flight."""
        times = self.series(_ALIVE_PARAMETER, node_id).t_tai_ns
        return len(times) > 0 and int(times[-1]) >= self.end_tai_ns - ALIVE_NS

    def last_sign_tai_ns(self, node_id: int) -> int:
        """Time of the node's last housekeeping; 0 when there is none."""
        times = self.series(_ALIVE_PARAMETER, node_id).t_tai_ns
        return int(times[-1]) if len(times) else 0


PARAMETERS: Final = (
    _ALIVE_PARAMETER,
    "acceptance/downlink_bytes",
    "acceptance/products_duplicated",
    "compute/corrupt_count",
    "compute/running_count",
    "compute/started_count",
    "network/dropped_hop_limit_count",
    "network/dropped_lifetime_count",
    "network/dropped_missing_count",
    "resources/compute_mw",
    "resources/soc_ratio",
    "scheduling/task_assigned_count",
    "scheduling/task_ready_count",
    "scheduling/task_running_count",
    "scheduling/task_waiting_count",
)
"""Housekeeping that checkers and summary read."""


def load_evidence(run_dir: Path, plan: RunPlan, outcome: Outcome) -> Evidence:
    """Read a run's folder. Raises InfrastructureError when its archive cannot be read."""
    try:
        connection = sqlite3.connect(f"file:{run_dir / 'catalogue.sqlite'}?mode=ro", uri=True)
    except sqlite3.Error as error:
        raise InfrastructureError(f"{run_dir}: expected a catalogue: {error}") from error
    try:
        evidence = Evidence(
            plan, outcome, _events(connection), _products(connection, run_dir), run_dir=run_dir
        )
        evidence.gaps = connection.execute(
            "SELECT spacecraft, apid, count FROM gaps WHERE path = ? ORDER BY spacecraft, apid", (UMBILICAL,)
        ).fetchall()
        evidence.bad_packets = connection.execute(
            "SELECT cause, count FROM faults WHERE path = ? AND count > 0 ORDER BY cause", (UMBILICAL,)
        ).fetchall()
    except sqlite3.Error as error:
        raise InfrastructureError(f"{run_dir}: cannot read the catalogue: {error}") from error
    finally:
        connection.close()
    evidence.housekeeping = read_housekeeping(run_dir, PARAMETERS)
    return evidence


def _events(connection: sqlite3.Connection) -> list[Event]:
    rows = connection.execute(
        "SELECT t_tai_ns, spacecraft, name, severity, fields FROM events WHERE path = ?"
        " ORDER BY t_tai_ns, spacecraft, rowid",
        (UMBILICAL,),
    )
    return [Event(t, node, name, severity, json.loads(fields)) for t, node, name, severity, fields in rows]


def _products(connection: sqlite3.Connection, run_dir: Path) -> list[Product]:
    rows = connection.execute(
        "SELECT content_id, observation_id, tile_index, source FROM products ORDER BY tile_index, content_id"
    ).fetchall()
    products = []
    for content_id, observation_id, tile_index, source_id in rows:
        path = run_dir / "products" / content_id
        data = path.read_bytes() if path.is_file() else None
        products.append(Product(content_id, observation_id, tile_index, source_id, data))
    return products


def read_housekeeping(run_dir: Path, parameters: Iterable[str]) -> dict[str, dict[int, Series]]:
    """Umbilical series by parameter and node, from the archive's segments."""
    import pyarrow.dataset as dataset

    from flightos.ground.archive import segments

    paths = [str(path) for path in segments(run_dir)]
    if not paths:
        return {}
    wanted = list(parameters)
    condition = (dataset.field("path") == UMBILICAL) & dataset.field("parameter").isin(wanted)
    columns = ["parameter", "spacecraft", "t_tai_ns", "value"]
    table = dataset.dataset(paths, format="parquet").to_table(columns=columns, filter=condition)
    names = np.asarray(table.column("parameter").to_pylist(), dtype=object)
    nodes = table.column("spacecraft").to_numpy().astype(np.int64)
    times = table.column("t_tai_ns").to_numpy()
    values = table.column("value").to_numpy()
    found: dict[str, dict[int, Series]] = {}
    for parameter in wanted:
        of_parameter = np.flatnonzero(names == parameter)
        by_node: dict[int, Series] = {}
        for node_id in np.unique(nodes[of_parameter]).tolist():
            index = of_parameter[nodes[of_parameter] == node_id]
            index = index[np.argsort(times[index], kind="stable")]
            by_node[int(node_id)] = Series(times[index], values[index])
        found[parameter] = by_node
    return found
