"""`flightos tlm`: list, show, plot and export telemetry by satellite, service and field.

Each function returns data; those named `print_...` only write what another one returned. Patterns are
NODE/service/field with * and ?, times mission seconds, paths 'umbilical' or 'downlink' (both when None).
Unknown names raise ConfigError with the nearest right ones.
"""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, TextIO

import numpy as np
from numpy.typing import NDArray

from flightos.core.errors import ConfigError
from flightos.ground.archive import safe
from flightos.ground.decode import PATH_NAMES
from flightos.ground.inspect import Run, Series
from flightos.ground.names import nearest, unit_of
from flightos.ground.text_plot import chart

EXPORT_FORMATS: Final = ("csv", "jsonl", "parquet")
PLOT_POINT_COUNT_MAX: Final = 2000


@dataclass(frozen=True)
class ParameterRow:
    """One parameter over one path, all chosen nodes together; times are mission seconds."""

    parameter: str
    path: str
    unit: str
    node_count: int
    sample_count: int
    first_s: float
    last_s: float
    value_min: float
    value_max: float
    meaning: str


@dataclass(frozen=True)
class Sample:
    """One value; `receive_s` is None while nothing but the raw log knows it. `label` names a state."""

    node: str
    parameter: str
    path: str
    t_s: float
    receive_s: float | None
    value: float
    unit: str
    label: str = ""


def list_parameters(run: Run, pattern: str = "*", path: str | None = None) -> list[ParameterRow]:
    """What was received, one row per parameter and path."""
    where, values = run.where(pattern, None, None, path)
    rows = run.query(
        "SELECT parameter, path, count(DISTINCT spacecraft), count(*), min(t_tai_ns), max(t_tai_ns), "
        f"min(value), max(value) FROM telemetry WHERE {where} GROUP BY parameter, path ORDER BY parameter, path",
        values,
    )
    known = run.dictionary.parameters if run.dictionary is not None else {}
    return [
        ParameterRow(
            parameter=name,
            path=PATH_NAMES[path_index],
            unit=unit_of(name),
            node_count=node_count,
            sample_count=count,
            first_s=run.mission_s(first),
            last_s=run.mission_s(last),
            value_min=low,
            value_max=high,
            meaning=known[name].meaning if name in known else "",
        )
        for name, path_index, node_count, count, first, last, low, high in rows
    ]


def show(
    run: Run,
    pattern: str,
    from_s: float | None = None,
    to_s: float | None = None,
    last: int | None = None,
    path: str | None = None,
) -> list[Sample]:
    """Samples in order of node, parameter, path, time; with `last` only so many of each series."""
    return [
        sample
        for series in run.series(pattern, from_s, to_s, path)
        for sample in _samples(run, series, 0 if last is None else max(0, len(series.t_s) - last))
    ]


def _samples(run: Run, series: Series, start: int) -> Iterator[Sample]:
    definition = run.dictionary.parameters.get(series.parameter) if run.dictionary is not None else None
    labels = dict(definition.enum) if definition is not None else {}
    for t_s, receive_s, value in zip(
        series.t_s[start:].tolist(),
        series.receive_s[start:].tolist(),
        series.value[start:].tolist(),
        strict=True,
    ):
        yield Sample(
            node=series.node,
            parameter=series.parameter,
            path=series.path,
            t_s=t_s,
            receive_s=None if receive_s != receive_s else receive_s,
            value=value,
            unit=series.unit,
            label=labels.get(int(value), "") if value == value else "",
        )


# --- plots ----------------------------------------------------------------------------------------------------


def plot_text(
    run: Run,
    pattern: str,
    from_s: float | None = None,
    to_s: float | None = None,
    path: str | None = "umbilical",
    width: int = 100,
    height: int = 20,
) -> str:
    """A chart for the terminal, one letter per series where there are several."""
    found = run.series(pattern, from_s, to_s, path)
    lines = [
        (_label(series, found), *reduced(series.t_s, series.value, PLOT_POINT_COUNT_MAX)) for series in found
    ]
    return chart(lines, _title(found), "mission time, s", width, height)


def _label(series: Series, found: list[Series]) -> str:
    """What tells this series from the others."""
    parts = [series.node]
    if len({other.parameter for other in found}) > 1:
        parts.append(series.parameter)
    if len({other.path for other in found}) > 1:
        parts.append(series.path)
    return " ".join(parts)


def _title(found: list[Series]) -> str:
    parameters = sorted({f"{series.parameter} [{series.unit or '-'}]" for series in found})
    return ", ".join(parameters[:3]) + (" ..." if len(parameters) > 3 else "")


def plot_png(
    run: Run, pattern: str, file: Path, from_s: float | None = None, to_s: float | None = None
) -> Path:
    """A PNG with one line per series. Raises ConfigError without matplotlib (extra `plots`)."""
    if find_spec("matplotlib") is None:
        raise ConfigError(["PNG plots need matplotlib: pip install 'flightos[plots]'"])
    from matplotlib.figure import Figure

    found = run.series(pattern, from_s, to_s)
    figure = Figure(figsize=(10, 5), layout="constrained")
    axes = figure.subplots()
    for series in found:
        t_s, value = reduced(series.t_s, series.value, PLOT_POINT_COUNT_MAX)
        style = "-" if series.path == PATH_NAMES[0] else "--"
        axes.plot(t_s, value, style, linewidth=1, label=_label(series, found))
    axes.set_xlabel("mission time, s")
    axes.set_title(_title(found) if found else "no samples")
    if found:
        axes.legend(fontsize="small", ncols=max(1, len(found) // 10))
    figure.savefig(file, dpi=150)
    return file


def reduced(
    t_s: NDArray[np.float64], value: NDArray[np.float64], point_count_max: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """At most about so many points: smallest and largest of each bucket, so that no peak is lost."""
    if len(t_s) <= point_count_max:
        return t_s, value
    bucket = -(-len(t_s) // max(1, point_count_max // 2))
    starts = np.arange(0, len(t_s), bucket)
    keep: set[int] = set()
    for start in starts.tolist():
        part = value[start : start + bucket]
        keep.update((start + int(np.argmin(part)), start + int(np.argmax(part))))
    indices = np.array(sorted({0, len(t_s) - 1, *keep}))
    return t_s[indices], value[indices]


# --- export ---------------------------------------------------------------------------------------------------


def export(
    run: Run,
    pattern: str,
    file_format: str,
    file: Path | TextIO,
    from_s: float | None = None,
    to_s: float | None = None,
    path: str | None = None,
) -> int:
    """Write samples as CSV, JSON lines (integers above 2^53 as text) or Parquet; how many."""
    if file_format not in EXPORT_FORMATS:
        raise ConfigError([f"no format {file_format!r}{nearest(file_format, EXPORT_FORMATS)}"])
    found = run.series(pattern, from_s, to_s, path)
    if file_format == "parquet":
        if not isinstance(file, Path):
            raise ConfigError(["Parquet needs a file to write to"])
        return _export_parquet(found, file)
    if isinstance(file, Path):
        with file.open("w", newline="") as stream:
            return _export_text(run, found, file_format, stream)
    return _export_text(run, found, file_format, file)


def _export_text(run: Run, found: list[Series], file_format: str, stream: TextIO) -> int:
    count = 0
    names = list(Sample.__dataclass_fields__)
    writer = csv.DictWriter(stream, names)
    if file_format == "csv":
        writer.writeheader()
    for series in found:
        for sample in _samples(run, series, 0):
            row = asdict(sample)
            if file_format == "csv":
                writer.writerow(row)
            else:
                stream.write(json.dumps({key: safe(value) for key, value in row.items()}) + "\n")
            count += 1
    return count


def _export_parquet(found: list[Series], file: Path) -> int:
    import pyarrow as pa
    import pyarrow.parquet as parquet

    sizes = [len(series.t_s) for series in found]

    def column(values: list[str]) -> Any:
        return pa.array(np.repeat(np.array(values, dtype=object), sizes), pa.string())

    def numbers(arrays: list[NDArray[np.float64]]) -> NDArray[np.float64]:
        return np.concatenate(arrays) if arrays else np.zeros(0)

    table = pa.table(
        {
            "node": column([series.node for series in found]),
            "parameter": column([series.parameter for series in found]),
            "path": column([series.path for series in found]),
            "unit": column([series.unit for series in found]),
            "t_s": numbers([series.t_s for series in found]),
            "receive_s": numbers([series.receive_s for series in found]),
            "value": numbers([series.value for series in found]),
        }
    )
    parquet.write_table(table, file)
    return len(table)


# --- printing -------------------------------------------------------------------------------------------------


def print_parameters(rows: list[ParameterRow], out: TextIO, as_json: bool = False) -> None:
    """Rows as a table, or as JSON lines."""
    if as_json:
        out.writelines(json.dumps(asdict(row)) + "\n" for row in rows)
        return
    out.write(
        f"{'parameter':<44} {'path':<9} {'unit':<6} {'nodes':>5} {'samples':>9} {'min':>12} {'max':>12}\n"
    )
    for row in rows:
        out.write(
            f"{row.parameter:<44} {row.path:<9} {row.unit:<6} {row.node_count:>5} {row.sample_count:>9} "
            f"{row.value_min:>12.6g} {row.value_max:>12.6g}\n"
        )


def print_samples(samples: list[Sample], out: TextIO, as_json: bool = False) -> None:
    """Samples as a table, or as JSON lines."""
    if as_json:
        out.writelines(json.dumps(asdict(sample)) + "\n" for sample in samples)
        return
    for sample in samples:
        name = f"{sample.node}/{sample.parameter}"
        value = f"{sample.value:.10g} {sample.unit} {sample.label}".rstrip()
        out.write(f"{sample.t_s:>12.3f} s  {name:<44} {sample.path:<9} {value}\n")
