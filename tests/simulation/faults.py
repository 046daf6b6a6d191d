"""Fault schedules for the string of three: what hypothesis draws."""

from __future__ import annotations

from hypothesis import strategies as st

from flightos.core.time import NS_PER_S
from sil.plan import Fault, KernelHang, LinkOutage, NodeCrash, StuckSensor

SATELLITES = (1, 2, 3)
LINKS = ((1, 2), (2, 3), (2, 1001), (1, 1001), (1000, 1001))
"""Lasers, radios and the wire of the scenario."""


def instants(first_s: int = 1, last_s: int = 280) -> st.SearchStrategy[int]:
    """Mission times, on and between whole seconds."""
    return st.integers(first_s * 10, last_s * 10).map(lambda tenths: tenths * NS_PER_S // 10)


@st.composite
def intervals(draw: st.DrawFn) -> tuple[int, int]:
    """[start, stop) of up to two minutes."""
    start_ns = draw(instants())
    return start_ns, start_ns + draw(st.integers(1, 120)) * NS_PER_S


def crashes(node_id: int, comes_back: bool) -> st.SearchStrategy[Fault]:
    """A death in mid-work, for ever or with a restart within two minutes."""
    after = st.integers(1, 120).map(lambda seconds: seconds * NS_PER_S) if comes_back else st.none()
    return st.builds(NodeCrash, st.just(node_id), instants(30), after)


def hangs() -> st.SearchStrategy[Fault]:
    """A kernel that never returns."""
    return st.builds(KernelHang, st.sampled_from(SATELLITES), instants(30))


def outages() -> st.SearchStrategy[Fault]:
    """A link without light, one of the scenario's."""

    def outage(pair: tuple[int, int], interval: tuple[int, int]) -> Fault:
        return LinkOutage(*pair, *interval)

    return st.builds(outage, st.sampled_from(LINKS), intervals())


def stuck_sensors() -> st.SearchStrategy[Fault]:
    """A sensor that repeats its last value."""

    def stuck(node_id: int, sensor: str, interval: tuple[int, int]) -> Fault:
        return StuckSensor(node_id, sensor, *interval)

    return st.builds(
        stuck, st.sampled_from(SATELLITES), st.sampled_from(("power", "temperature")), intervals()
    )


@st.composite
def fault_schedules(draw: st.DrawFn) -> tuple[Fault, ...]:
    """At most one death of each satellite, at most one of them for ever, and up to four other faults.

    An admitted observation is held by two satellites: two that die for ever at once may take it along.
    """
    dying = draw(st.lists(st.sampled_from(SATELLITES), unique=True, max_size=3))
    lost = draw(st.sampled_from((0, *SATELLITES)))
    deaths = [draw(crashes(node_id, comes_back=node_id != lost)) for node_id in dying]
    others = draw(st.lists(st.one_of(hangs(), outages(), stuck_sensors()), max_size=4))
    return (*deaths, *others)
