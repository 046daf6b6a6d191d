"""Medians, quantiles and alternation."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sil.bench.statistics import alternate, median, quantile, thinned

values = st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=50)


def test_the_median_of_an_even_number_lies_between_the_middle_two() -> None:
    assert median([3.0, 1.0, 2.0]) == 2.0
    assert median([4.0, 1.0, 2.0, 3.0]) == 2.5


def test_nothing_has_no_median_and_no_quantile() -> None:
    with pytest.raises(ValueError):
        median([])
    with pytest.raises(ValueError):
        quantile([], 0.5)
    with pytest.raises(ValueError):
        quantile([1.0], 1.5)


def test_quantiles_by_nearest_rank() -> None:
    hundred = [float(value) for value in range(1, 101)]
    assert quantile(hundred, 0.99) == 99.0
    assert quantile(hundred, 0.5) == 50.0
    assert quantile(hundred, 1.0) == 100.0
    assert quantile(hundred, 0.0) == 1.0


@settings(max_examples=100, deadline=None)
@given(values=values, ratio=st.floats(0.0, 1.0))
def test_a_quantile_is_one_of_the_values_and_covers_its_share(values: list[float], ratio: float) -> None:
    found = quantile(values, ratio)
    assert found in values
    assert sum(1 for value in values if value <= found) >= ratio * len(values) - 1e-9


def test_contenders_alternate_and_swap_places() -> None:
    calls: list[str] = []

    def contender(name: str) -> int:
        calls.append(name)
        return len(calls)

    results = alternate({"a": lambda: contender("a"), "b": lambda: contender("b")}, 3)
    assert calls == ["a", "b", "b", "a", "a", "b"]
    assert results == {"a": [1, 4, 5], "b": [2, 3, 6]}


def test_thinning_keeps_order_and_both_halves() -> None:
    assert thinned([1, 2, 3], 5) == [1, 2, 3]
    assert thinned(list(range(100)), 4) == [0, 25, 50, 75]
