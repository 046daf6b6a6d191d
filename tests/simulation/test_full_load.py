"""The whole system at full load for one orbit: who is held back, by what, and that nothing runs that may not."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import pytest

from flightos.core.refusal import Refusal
from sil.checkers.evidence import read_housekeeping
from tests.simulation.simulate import simulate

pytestmark = pytest.mark.simulation

CHARGE_OK, HEAT_OK, SOC = "resources/charge_ok", "resources/heat_ok", "resources/soc_ratio"


def longest_s(conditions: Iterable[bool]) -> int:
    """Longest stretch of seconds in which a condition holds."""
    longest = here = 0
    for condition in conditions:
        here = here + 1 if condition else 0
        longest = max(longest, here)
    return longest


@pytest.mark.slow
def test_the_largest_node_is_limited_by_heat_and_the_busy_ones_by_charge(tmp_path: Path) -> None:
    """With more work than the ring can do in an orbit, satellite 1 waits for its radiator, and it and others wait for
    the Sun; while they wait nothing starts, and work is not lost for it."""
    run = simulate("full_load", 7, None, tmp_path)
    assert run.violations == []
    assert run.summary["tasks_lost"] == run.summary["tasks_dropped"] == 0
    assert run.summary["tasks_open"] > 100, "more work than an orbit can do"

    found = read_housekeeping(run.folder.path, (CHARGE_OK, HEAT_OK, SOC))
    hot_s = {node: longest_s(series.value == 0) for node, series in found[HEAT_OK].items()}
    drained_s = {node: longest_s(series.value == 0) for node, series in found[CHARGE_OK].items()}
    assert [node for node, seconds in hot_s.items() if seconds > 0] == [1]
    assert hot_s[1] >= 60
    assert [node for node in (1, 2, 3) if drained_s[node] >= 10] == [1, 2, 3], "560 TOPS and more"

    refused = run.evidence.named("EXECUTION_REFUSED", "EXECUTION_GIVEN_BACK")
    assert {event.node_id for event in refused if event.fields["refusal"] == Refusal.TOO_HOT} == {1}
    floor_ratio = run.plan.worlds[0].power.soc_ratio_e6_min / 1_000_000
    started = run.evidence.named("EXECUTION_STARTED")
    assert len(started) > 500
    for event in started:
        lowest = min(found[SOC][event.node_id].at(event.t_tai_ns) or (0.0,))
        assert lowest > floor_ratio, (event.node_id, event.t_tai_ns)
