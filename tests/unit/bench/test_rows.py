"""Rows of `flightos bench`: the form of the contract, goals, the table."""

from __future__ import annotations

import json

import pytest

from sil.bench.rows import Row, document, is_met, json_line, missing_peer, skipped, table_lines


def row(value: float = 12.0, ratio: float | None = None, goal: str | None = ">= 10") -> Row:
    return Row(
        name="figure", value=value, unit="s", peer="other", ratio=ratio, goal=goal, detail={"rounds": 3}
    )


def test_a_row_has_exactly_the_keys_of_the_contract() -> None:
    """One JSON object a line: name, value, unit, peer, ratio, goal, detail, and no other."""
    line = json_line(row())
    assert "\n" not in line
    assert list(json.loads(line)) == ["name", "value", "unit", "peer", "ratio", "goal", "detail"]


def test_a_skipped_row_says_why_and_has_no_value() -> None:
    content = document(skipped("figure", "x", "simpy is not installed", "simpy", ">= 1"))
    assert content["skipped"] == "simpy is not installed"
    assert content["value"] is None
    assert content["peer"] == "simpy"
    assert table_lines(skipped("figure", "x", "gone")) == ["figure                       skipped: gone"]


@pytest.mark.parametrize(
    ("value", "ratio", "goal", "expected"),
    [
        (12.0, None, ">= 10", True),
        (9.0, None, ">= 10", False),
        (10.0, None, "<= 10", True),
        (10.5, None, "<= 10", False),
        (12.0, 0.5, ">= 1", False),
        (0.1, 2.0, ">= 1", True),
        (12.0, None, None, None),
    ],
)
def test_a_goal_applies_to_the_ratio_where_there_is_one(
    value: float, ratio: float | None, goal: str | None, expected: bool | None
) -> None:
    assert is_met(row(value, ratio, goal)) is expected


def test_a_skipped_row_neither_meets_nor_misses_its_goal() -> None:
    assert is_met(skipped("figure", "x", "gone", goal=">= 1")) is None


def test_a_goal_of_another_form_is_a_mistake_of_ours() -> None:
    with pytest.raises(ValueError, match="goal"):
        is_met(row(goal="about 10"))


def test_the_table_shows_figure_goal_verdict_and_detail() -> None:
    first, detail = table_lines(row(value=9.0, ratio=None))
    assert first.split() == ["figure", "9", "s", "goal", ">=", "10", "not", "met"]
    assert detail.strip() == "rounds 3"


def test_a_missing_peer_is_named() -> None:
    assert missing_peer("json") is None
    assert missing_peer("no_such_library_here") == "no_such_library_here is not installed"
