"""Routes against a plain search over every path of small random plans."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.services.network.interface import Contact
from flightos.services.network.routes import find_route, index_plan

CROSSING = 3
NODES = 5


@st.composite
def plans(draw: st.DrawFn) -> list[Contact]:
    """Up to fourteen contacts between five nodes, overlapping and nested ones included."""
    contacts = []
    for _ in range(draw(st.integers(0, 14))):
        a = draw(st.integers(1, NODES))
        b = draw(st.integers(1, NODES - 1))
        start = draw(st.integers(0, 60))
        length = draw(st.integers(1, 60))
        light = draw(st.integers(1, 20))
        contacts.append(Contact(a, b + (b >= a), start, start + length, 1, light))
    return contacts


def plain_arrival(
    contacts: list[Contact], node: int, goal: int, at: int, used: tuple[int, ...], first_not: list[int]
) -> int | None:
    """Earliest arrival by trying every contact of every simple path."""
    if node == goal:
        return at
    best: int | None = None
    for contact in contacts:
        if node not in (contact.node_a_id, contact.node_b_id):
            continue
        peer = contact.node_b_id if contact.node_a_id == node else contact.node_a_id
        arrival = max(at, contact.start_tai_ns) + contact.light_time_ns + CROSSING
        if peer in used or peer in first_not or arrival > contact.stop_tai_ns:
            continue
        found = plain_arrival(contacts, peer, goal, arrival, (*used, peer), [])
        if found is not None and (best is None or found < best):
            best = found
    return best


@given(
    plan=plans(), source=st.integers(1, NODES), step=st.integers(1, NODES - 1), at=st.integers(0, 80),
    excluded=st.lists(st.integers(1, NODES), max_size=2),
)  # fmt: skip
@settings(max_examples=100, deadline=None)
def test_the_route_is_the_earliest(
    plan: list[Contact], source: int, step: int, at: int, excluded: list[int]
) -> None:
    """No path of any kind arrives earlier, and there is a route whenever there is a path."""
    goal = (source + step - 1) % NODES + 1
    route = find_route(index_plan(plan), source, goal, at, CROSSING, excluded)
    expected = plain_arrival(plan, source, goal, at, (source,), excluded)
    assert (None if route is None else route.arrival_tai_ns) == expected


@given(plan=plans(), at=st.integers(0, 80), later=st.integers(0, 100))
@settings(max_examples=100, deadline=None)
def test_a_route_may_be_kept_until_it_says(plan: list[Contact], at: int, later: int) -> None:
    """Until `leave_by` the same nodes can be followed; a path that waits for a contact stays the earliest."""
    route = find_route(index_plan(plan), 1, 2, at, CROSSING)
    if route is None or not at <= later <= route.leave_by_tai_ns:
        return
    now = later
    node = 1
    for following in route.node_ids:
        arrivals = [
            arrival
            for c in plan
            if {c.node_a_id, c.node_b_id} == {node, following}
            and (arrival := max(now, c.start_tai_ns) + c.light_time_ns + CROSSING) <= c.stop_tai_ns
        ]
        assert arrivals
        now = min(arrivals)
        node = following
    assert now - route.arrival_tai_ns <= later - at
    best = plain_arrival(plan, 1, 2, later, (1,), [])
    assert best is not None
    assert route.arrival_tai_ns <= best


@given(plan=plans())
@settings(max_examples=50, deadline=None)
def test_the_order_of_the_plan_changes_nothing(plan: list[Contact]) -> None:
    """Routes do not depend on the order in which contacts are listed."""
    ways = [find_route(index_plan(order), 1, 2, 0, CROSSING) for order in (plan, plan[::-1])]
    assert (ways[0] is None) == (ways[1] is None)
    if ways[0] is not None and ways[1] is not None:
        assert ways[0].arrival_tai_ns == ways[1].arrival_tai_ns
