"""Laws of the placement policy: total, repeatable, never beyond energy, deadline or reach."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.refusal import Refusal
from flightos.core.time import NS_PER_S
from flightos.services.scheduling.policies.earliest_finish import (
    TIE_NS,
    Candidate,
    Choice,
    Demand,
    choose,
    duration_ns,
)

MW_PER_TOPS = 200
RATE_BPS = 100_000_000_000

CANDIDATES = st.lists(
    st.builds(
        Candidate,
        node_id=st.integers(1, 12),
        hop_count=st.integers(0, 6),
        accepts=st.booleans(),
        rate_tops=st.integers(1, 1_000),
        queued_tera_ops=st.integers(0, 500_000),
        energy_available_mj=st.integers(-1_000, 500_000_000),
        heat_seconds=st.integers(0, 2_000),
    ),
    max_size=12,
    unique_by=lambda candidate: candidate.node_id,
)
DEMANDS = st.builds(
    Demand,
    tera_ops=st.integers(0, 200_000),
    input_bytes=st.integers(0, 10**9),
    result_bytes=st.integers(0, 10**9),
    deadline_obt_ns=st.integers(0, 10_000 * NS_PER_S),
    avoided_node_id=st.integers(0, 12),
)


@settings(max_examples=100, deadline=None)
@given(demand=DEMANDS, candidates=CANDIDATES, link_rate_bps=st.sampled_from((0, RATE_BPS)))
def test_the_choice_is_feasible_and_as_early_as_any(
    demand: Demand, candidates: list[Candidate], link_rate_bps: int
) -> None:
    """Who is chosen can do it in time; nobody else who is not avoided would be a second earlier."""
    choice = choose(demand, candidates, MW_PER_TOPS, link_rate_bps, 0)
    feasible = [
        candidate
        for candidate in candidates
        if candidate.accepts
        and (candidate.queued_tera_ops + demand.tera_ops) * MW_PER_TOPS <= candidate.energy_available_mj
        and (candidate.hop_count == 0 or link_rate_bps > 0)
        and duration_ns(demand, candidate, link_rate_bps) <= demand.deadline_obt_ns
    ]
    if isinstance(choice, Refusal):
        assert not feasible
        assert choice in (Refusal.NO_CAPACITY, Refusal.DEADLINE_INFEASIBLE)
        return
    assert choice.node_id in [candidate.node_id for candidate in feasible]
    wanted = [candidate for candidate in feasible if candidate.node_id != demand.avoided_node_id] or feasible
    earliest_ns = min(duration_ns(demand, candidate, link_rate_bps) for candidate in wanted)
    assert choice.expected_finish_obt_ns < earliest_ns + TIE_NS


@settings(max_examples=50, deadline=None)
@given(demand=DEMANDS, data=st.data(), candidates=CANDIDATES)
def test_the_order_of_views_does_not_matter(
    demand: Demand, data: st.DataObject, candidates: list[Candidate]
) -> None:
    """Views arrive in any order; the decision is the same."""
    shuffled = data.draw(st.permutations(candidates))
    assert choose(demand, candidates, MW_PER_TOPS, RATE_BPS, 5) == choose(
        demand, shuffled, MW_PER_TOPS, RATE_BPS, 5
    )


def test_nearly_equal_finishes_go_to_the_richer_node() -> None:
    """Within a second the price decides, and then the lower id."""
    demand = Demand(10_000, 0, 0, 10**15, 0)
    poor = Candidate(1, 0, True, 100, 0, 3_000_000, 1_000)
    rich = Candidate(2, 1, True, 100, 0, 300_000_000, 1_000)
    choice = choose(demand, (poor, rich), MW_PER_TOPS, RATE_BPS, 0)
    assert isinstance(choice, Choice)
    assert choice.node_id == 2
    twin = Candidate(3, 1, True, 100, 0, 300_000_000, 1_000)
    choice = choose(demand, (twin, rich), MW_PER_TOPS, RATE_BPS, 0)
    assert isinstance(choice, Choice)
    assert choice.node_id == 2


def test_a_box_near_its_heat_limit_is_slower() -> None:
    """Every second beyond heat_seconds costs another one to cool."""
    demand = Demand(10_000, 0, 0, 10**15, 0)
    assert duration_ns(demand, Candidate(1, 0, True, 100, 0, 10**9, 1_000), 0) == 100 * NS_PER_S
    assert duration_ns(demand, Candidate(1, 0, True, 100, 0, 10**9, 40), 0) == 160 * NS_PER_S


def test_an_avoided_node_is_the_last_resort() -> None:
    """Where a task failed it goes again only when nobody else can."""
    fast = Candidate(1, 0, True, 1_000, 0, 10**9, 1_000)
    slow = Candidate(2, 1, True, 10, 0, 10**9, 10_000)
    demand = Demand(10_000, 0, 0, 10**15, 1)
    choice = choose(demand, (fast, slow), MW_PER_TOPS, RATE_BPS, 0)
    assert isinstance(choice, Choice)
    assert choice.node_id == 2
    choice = choose(demand, (fast,), MW_PER_TOPS, RATE_BPS, 0)
    assert isinstance(choice, Choice)
    assert choice.node_id == 1
