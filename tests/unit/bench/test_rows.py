"""Rows of `flightos bench`: the form of the contract, goals, the table."""

from __future__ import annotations

import json

import pytest

from sil.bench.rows import (
    NAME_WIDTH,
    Row,
    document,
    is_met,
    json_line,
    missing_peer,
    shortfall,
    skipped,
    summary_lines,
    table_lines,
)


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
    assert table_lines(skipped("figure", "x", "gone")) == [f"{'figure':<{NAME_WIDTH}} skipped: gone"]


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


def limited(ratio: float, share: float, goal: str) -> Row:
    return Row(
        name="figure",
        value=1.0,
        unit="GB/s",
        peer="other",
        ratio=ratio,
        goal=goal,
        detail={"limit": "copy", "limit_ratio": share},
    )


def test_one_line_names_figure_peer_share_of_the_limit_goal_and_verdict() -> None:
    (line,) = table_lines(limited(3.0, 0.75, ">= 4"), is_detailed=False)
    words = [
        "figure",
        "1",
        "GB/s",
        "3",
        "x",
        "other",
        "75",
        "%",
        "of",
        "copy",
        "goal",
        ">=",
        "4",
        "not",
        "met",
    ]
    assert line.split() == words


@pytest.mark.parametrize(
    ("ratio", "share", "reason"),
    [
        (3.0, 0.5, "50 % of copy; all of it would be 6 x other"),
        (3.0, 0.9, "90 % of copy; all of it would be only 3.33 x other"),
        (3.0, 1.1, "110 % of copy; no more is to be had"),
    ],
)
def test_a_missed_goal_says_what_the_whole_limit_would_give(ratio: float, share: float, reason: str) -> None:
    missed = limited(ratio, share, ">= 4")
    assert shortfall(missed) == reason
    assert document(missed)["detail"]["is_met"] is False
    assert document(missed)["detail"]["shortfall"] == reason


def test_a_bound_that_is_known_is_named() -> None:
    missed = Row(name="figure", value=0.4, unit="of copy", goal=">= 0.5", detail={"bound": "arithmetic"})
    assert shortfall(missed) == "arithmetic"
    assert shortfall(row(value=1.0)) == ""


def test_a_goal_that_is_met_needs_no_reason() -> None:
    detail = document(limited(5.0, 0.5, ">= 4"))["detail"]
    assert detail["is_met"] is True
    assert "shortfall" not in detail
    assert "is_met" not in document(row(goal=None))["detail"]


def test_the_summary_counts_goals_and_names_each_that_is_missed() -> None:
    rows = [row(), limited(3.0, 0.5, ">= 4"), skipped("peer", "x", "gone", goal=">= 1"), row(goal=None)]
    assert summary_lines(rows) == [
        "1 goals met, 1 not met, 1 rows skipped",
        "  not met: figure: 3 x other, goal >= 4",
        "           50 % of copy; all of it would be 6 x other",
    ]
    assert summary_lines([row(goal=None)]) == []


def test_a_missing_peer_is_named() -> None:
    assert missing_peer("json") is None
    assert missing_peer("no_such_library_here") == "no_such_library_here is not installed"
