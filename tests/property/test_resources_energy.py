"""The closed form of energy through the eclipse, against a slow model that steps one second at a time."""

from __future__ import annotations

from hypothesis import example, given, settings
from hypothesis import strategies as st

from flightos.services.resources.energy import energy_available_mj

CAPACITY_MJ = 10_000_000
"""A small battery, so that it fills and empties within a few hundred steps."""


def lowest_charge_mj(
    charge_mj: int,
    floor_mj: int,
    array_mw: int,
    standing_mw: int,
    computing_mw: int,
    sunlit_s: int,
    eclipse_s: int,
    spent_mj: int,
) -> tuple[int, int]:
    """Lowest and last charge when `spent_mj` is spent from now on at `computing_mw`, second by second."""
    lowest_mj = charge_mj
    for second in range(sunlit_s + eclipse_s):
        spending_mw = min(computing_mw, spent_mj)
        spent_mj -= spending_mw
        gain_mw = array_mw if second < sunlit_s else 0
        charge_mj = min(charge_mj + gain_mw - standing_mw - spending_mw, CAPACITY_MJ)
        lowest_mj = min(lowest_mj, charge_mj)
    return lowest_mj, charge_mj


cases = st.tuples(
    st.integers(0, CAPACITY_MJ),
    st.integers(0, CAPACITY_MJ),
    st.integers(0, 100_000),
    st.integers(0, 40_000),
    st.integers(1, 150_000),
    st.integers(0, 300),
    st.integers(0, 300),
)


@settings(max_examples=100, deadline=None)
@given(case=cases)
@example(case=(9_000_000, 5_000_000, 60_000, 20_000, 30_000, 200, 200))
@example(case=(9_900_000, 5_000_000, 60_000, 20_000, 10_000, 200, 200))
@example(case=(5_100_000, 5_000_000, 30_000, 20_000, 90_000, 250, 20))
def test_spending_what_is_available_never_goes_below_the_floor(case: tuple[int, ...]) -> None:
    """Where the standing load alone is affordable, spending all that is available keeps the floor too."""
    charge_mj, floor_mj, array_mw, standing_mw, computing_mw, sunlit_s, eclipse_s = case
    available_mj = energy_available_mj(
        charge_mj, CAPACITY_MJ, floor_mj, array_mw, standing_mw, computing_mw, sunlit_s, eclipse_s
    )
    rest = (floor_mj, array_mw, standing_mw, computing_mw, sunlit_s, eclipse_s)
    if available_mj > 0:
        lowest_mj, _ = lowest_charge_mj(charge_mj, *rest, available_mj)
        assert lowest_mj >= floor_mj - computing_mw, "no lower than one second's spending"


@settings(max_examples=100, deadline=None)
@given(case=cases)
@example(case=(9_000_000, 5_000_000, 60_000, 20_000, 30_000, 200, 200))
@example(case=(9_900_000, 5_000_000, 60_000, 20_000, 10_000, 200, 200))
@example(case=(5_100_000, 5_000_000, 30_000, 20_000, 90_000, 250, 20))
def test_spending_more_than_is_available_breaks_the_floor(case: tuple[int, ...]) -> None:
    """The bound is tight: a little more, where there is time to spend it, leads below the floor."""
    charge_mj, floor_mj, array_mw, standing_mw, computing_mw, sunlit_s, eclipse_s = case
    available_mj = energy_available_mj(
        charge_mj, CAPACITY_MJ, floor_mj, array_mw, standing_mw, computing_mw, sunlit_s, eclipse_s
    )
    more_mj = available_mj + 2 * computing_mw + 1
    # At the floor itself nothing is available whatever the Sun brings: that is policy, not arithmetic.
    if charge_mj <= floor_mj or more_mj > computing_mw * (sunlit_s + eclipse_s):
        return
    rest = (floor_mj, array_mw, standing_mw, computing_mw, sunlit_s, eclipse_s)
    lowest_mj, _ = lowest_charge_mj(charge_mj, *rest, more_mj)
    assert lowest_mj < floor_mj
