"""The rows of `flightos bench`: one JSON object a line, or a table for people."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping, Sequence
from importlib.util import find_spec
from typing import Any, Final

import msgspec

Detail = Mapping[str, float | int | str | bool | None]

NAME_WIDTH: Final = 46
AT_LIMIT: Final = 0.97
"""From this share of a limit on, what is left is within the scatter of measuring."""

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {"<=": operator.le, ">=": operator.ge}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `ratio` is to the peer, measured in the same run, and better when larger unless `detail` says
    otherwise; `goal` ("<= 5", ">= 1000") applies to the ratio where there is one, else to the value.

    Known to the table in `detail`: `limit` and `limit_ratio`, the share reached of what this machine can do at
    most; `bound`, what keeps the figure from being better.
    """

    name: str
    value: float | None
    unit: str
    peer: str | None = None
    ratio: float | None = None
    goal: str | None = None
    detail: Detail = {}
    skipped: str | None = None
    """Why there is no value."""


def skipped(name: str, unit: str, reason: str, peer: str | None = None, goal: str | None = None) -> Row:
    """A row without a value."""
    return Row(name=name, value=None, unit=unit, peer=peer, goal=goal, skipped=reason)


def missing_peer(module: str) -> str | None:
    """Why a peer cannot be measured, or None when its module is there."""
    return None if find_spec(module) is not None else f"{module} is not installed"


def document(row: Row) -> dict[str, Any]:
    """The row as its JSON object; `skipped` appears only where there is no value, and in `detail` whether the goal is
    met, and what is known of the reason where it is not."""
    content = dict(msgspec.to_builtins(row))
    if row.skipped is None:
        del content["skipped"]
    verdict = is_met(row)
    if verdict is not None:
        content["detail"] = {**content["detail"], "is_met": verdict}
    if verdict is False and shortfall(row):
        content["detail"]["shortfall"] = shortfall(row)
    return content


def json_line(row: Row) -> str:
    """The row on one line."""
    return json.dumps(document(row))


def is_met(row: Row) -> bool | None:
    """True or False where there is a goal and a figure, else None. Raises ValueError for a goal of another form."""
    figure = row.ratio if row.ratio is not None else row.value
    if row.goal is None or figure is None:
        return None
    sign, _, limit = row.goal.partition(" ")
    if sign not in _COMPARISONS:
        raise ValueError(f"goal {row.goal!r}: expected '<= number' or '>= number'")
    return _COMPARISONS[sign](figure, float(limit))


def shortfall(row: Row) -> str:
    """Why a goal is not met, as far as the limit measured in the same run can say; "" where it cannot."""
    bound = row.detail.get("bound")
    limit, share = row.detail.get("limit"), row.detail.get("limit_ratio")
    reasons = [bound] if isinstance(bound, str) else []
    if row.ratio is not None and row.goal is not None and isinstance(share, float) and share > 0:
        most = row.ratio / share
        below = "" if most >= float(row.goal.partition(" ")[2]) else "only "
        rest = (
            f"all of it would be {below}{most:.3g} x {row.peer}"
            if share < AT_LIMIT
            else "no more is to be had"
        )
        reasons.insert(0, f"{_percent(share)} of {limit}; {rest}")
    return "; ".join(reasons)


def table_lines(row: Row, is_detailed: bool = True) -> list[str]:
    """The row for people: figure, peer, limit, goal and verdict on one line, the detail below it."""
    if row.skipped is not None:
        return [f"{row.name:<{NAME_WIDTH}} skipped: {row.skipped}"]
    value = "-" if row.value is None else f"{row.value:,.4g} {row.unit}"
    ratio = "" if row.ratio is None else f"{row.ratio:.3g} x {row.peer}"
    share = row.detail.get("limit_ratio")
    limit = f"{_percent(share)} of {row.detail.get('limit')}" if isinstance(share, float) else ""
    verdict = {True: "met", False: "not met", None: ""}[is_met(row)]
    goal = "" if row.goal is None else f"goal {row.goal}"
    line = f"{row.name:<{NAME_WIDTH}} {value:<24} {ratio:<26} {limit:<24} {goal:<12} {verdict}".rstrip()
    return [line, *_detail_lines(row)] if is_detailed else [line]


def summary_lines(rows: Sequence[Row]) -> list[str]:
    """How many goals are met, and each that is not, with the reason; nothing where no row has a goal."""
    judged = [row for row in rows if is_met(row) is not None]
    missed = [row for row in judged if not is_met(row)]
    absent = [row for row in rows if row.skipped is not None]
    if not judged:
        return []
    lines = [f"{len(judged) - len(missed)} goals met, {len(missed)} not met, {len(absent)} rows skipped"]
    for row in missed:
        figure = f"{row.value:.3g} {row.unit}" if row.ratio is None else f"{row.ratio:.3g} x {row.peer}"
        lines.append(f"  not met: {row.name}: {figure}, goal {row.goal}")
        if shortfall(row):
            lines.append(f"           {shortfall(row)}")
    return lines


def _detail_lines(row: Row) -> list[str]:
    figures = [f"{key} {_short(value)}" for key, value in row.detail.items() if not isinstance(value, str)]
    lines = ["    " + ", ".join(figures)] if figures else []
    return lines + [f"    {key}: {value}" for key, value in row.detail.items() if isinstance(value, str)]


def _percent(ratio: float) -> str:
    return f"{100 * ratio:.3g} %"


def _short(value: float | int | bool | None) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
