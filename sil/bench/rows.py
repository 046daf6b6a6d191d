"""The rows of `flightos bench`: one JSON object a line, or a table for people."""

from __future__ import annotations

import json
import operator
from collections.abc import Callable, Mapping
from importlib.util import find_spec
from typing import Any, Final

import msgspec

Detail = Mapping[str, float | int | str | bool | None]

_COMPARISONS: Final[Mapping[str, Callable[[float, float], bool]]] = {"<=": operator.le, ">=": operator.ge}


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One figure. `ratio` is to the peer, measured in the same run, and better when larger unless `detail` says
    otherwise; `goal` ("<= 5", ">= 1000") applies to the ratio where there is one, else to the value."""

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
    """The row as its JSON object; `skipped` appears only where there is no value."""
    content = dict(msgspec.to_builtins(row))
    if row.skipped is None:
        del content["skipped"]
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


def table_lines(row: Row) -> list[str]:
    """The row for people: figure, goal and verdict on one line, the detail below it."""
    if row.skipped is not None:
        return [f"{row.name:<28} skipped: {row.skipped}"]
    value = "-" if row.value is None else f"{row.value:,.4g} {row.unit}"
    ratio = "" if row.ratio is None else f"{row.ratio:.3g} x {row.peer}"
    verdict = {True: "met", False: "not met", None: ""}[is_met(row)]
    goal = "" if row.goal is None else f"goal {row.goal}"
    lines = [f"{row.name:<28} {value:<24} {ratio:<26} {goal:<14} {verdict}".rstrip()]
    if row.detail:
        figures = [
            f"{key} {_short(value)}" for key, value in row.detail.items() if not isinstance(value, str)
        ]
        if figures:
            lines.append("    " + ", ".join(figures))
        lines += [f"    {key}: {value}" for key, value in row.detail.items() if isinstance(value, str)]
    return lines


def _short(value: float | int | bool | None) -> str:
    return f"{value:.4g}" if isinstance(value, float) else str(value)
