"""Whoever speaks lives, whoever is silent is found in time: laws of the peer watchdog."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.ports import NodeBooted
from flightos.core.records import Record, WakeupReached
from flightos.core.time import NS_PER_S
from flightos.services.health.interface import PeerDeclared, PeerRecovered, PeerSeen, PeerSuspected
from flightos.services.health.service import HealthService

SUSPECT_S, DECLARE_S = 25, 45


@settings(max_examples=60, deadline=None)
@given(
    signs=st.lists(
        st.tuples(st.integers(1, 400), st.integers(2, 4), st.integers(0, 6)), min_size=1, max_size=40
    )
)
def test_each_fact_has_its_silence(signs: list[tuple[int, int, int]]) -> None:
    """A peer is suspected and declared exactly when its silence, less its hops, has reached the limit."""
    service = HealthService(NodeConfiguration(1, "sat-1", Role.SATELLITE, (), ()))
    service.handle(NodeBooted(0, False), 0)
    seen: dict[int, tuple[int, int]] = {}
    steps: dict[int, list[str]] = {}
    by_second: dict[int, list[tuple[int, int]]] = {}
    for second, peer_id, hop_count in signs:
        by_second.setdefault(second, []).append((peer_id, hop_count))
    for second in range(1, 500):
        now_obt_ns = second * NS_PER_S
        out: list[Record] = []
        if service.next_wakeup_obt_ns() == now_obt_ns:
            out += service.handle(WakeupReached(), now_obt_ns)
        for fact in out:
            if isinstance(fact, PeerSuspected):
                last, hop_count = seen[fact.peer_id]
                assert second == last + SUSPECT_S + hop_count
                steps[fact.peer_id].append("suspected")
            elif isinstance(fact, PeerDeclared):
                last, hop_count = seen[fact.peer_id]
                assert second == last + DECLARE_S + hop_count
                assert steps[fact.peer_id] == ["suspected"]
                steps[fact.peer_id].append("declared")
        for peer_id, hop_count in by_second.get(second, ()):
            facts = service.handle(PeerSeen(peer_id, 0, hop_count), now_obt_ns)
            assert any(isinstance(fact, PeerRecovered) for fact in facts) == bool(steps.get(peer_id))
            seen[peer_id] = (second, hop_count)
            steps[peer_id] = []
    assert all(step == ["suspected", "declared"] for step in steps.values())
