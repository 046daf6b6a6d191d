"""Few, robust statistics: medians of alternating rounds, and quantiles by nearest rank."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TypeVar

T = TypeVar("T")
Name = TypeVar("Name")


def median(values: Sequence[float]) -> float:
    """The middle value; of an even number the mean of the middle two. Raises ValueError for none."""
    if not values:
        raise ValueError("the median of nothing")
    ordered = sorted(values)
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def quantile(values: Sequence[float], ratio: float) -> float:
    """The smallest value that at least `ratio` (0..1) of the values do not exceed: nearest rank, no interpolation.

    Raises ValueError for none.
    """
    if not values or not 0.0 <= ratio <= 1.0:
        raise ValueError("a quantile needs values, and a ratio of 0 to 1")
    ordered = sorted(values)
    rank = -int(-ratio * len(ordered) // 1)
    return ordered[max(rank, 1) - 1]


def alternate(contenders: Mapping[Name, Callable[[], T]], rounds: int) -> dict[Name, list[T]]:
    """Run each contender once a round, so that a change of the machine meets all alike; every other round runs in
    reverse order, so that nobody always goes first."""
    results: dict[Name, list[T]] = {name: [] for name in contenders}
    for index in range(rounds):
        names = list(contenders) if index % 2 == 0 else list(contenders)[::-1]
        for name in names:
            results[name].append(contenders[name]())
    return results


def thinned(values: Sequence[T], count_max: int) -> list[T]:
    """At most `count_max` of the values, evenly spread, in order."""
    if len(values) <= count_max:
        return list(values)
    return [values[index * len(values) // count_max] for index in range(count_max)]
