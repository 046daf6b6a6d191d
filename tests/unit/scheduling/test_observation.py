"""One observation through plan, tasks, finish and close, on one node and over several."""

from __future__ import annotations

from tests.unit.scheduling.cluster import Cluster


def test_an_observation_goes_from_request_to_close() -> None:
    """Imaged, copied, admitted, planned, computed, delivered, forgotten; nothing stays pinned anywhere."""
    cluster = Cluster([400, 400, 400])
    cluster.run(2)
    cluster.request(1, 7)
    cluster.run(600)
    for name in ("IMAGED", "ADMITTED", "PLANNED", "COMPLETED", "CLOSED"):
        assert len(cluster.named(f"OBSERVATION_{name}")) == 1, name
    assert cluster.named("OBSERVATION_PLANNED") == [(7, 4, 1)]
    assert len(cluster.named("TASK_DONE")) == 4
    assert cluster.products == [7]
    assert cluster.named("TRANSITION_ILLEGAL") == []
    for member in cluster.members.values():
        state = member.scheduling.state
        assert not state.observations
        assert not state.replicas
        assert not state.assignments
        assert state.task_counts == [0] * 6


def test_tasks_go_where_they_finish_first() -> None:
    """A slow owner with fast neighbours gives its tasks away, and the two middle tasks run side by side."""
    cluster = Cluster([100, 800, 800])
    cluster.run(12)
    cluster.request(1, 7)
    cluster.run(400)
    nodes = {task: node for task, node, _ in cluster.named("TASK_PLACED")}
    assert set(nodes.values()) == {2, 3}
    assert nodes[7 * 256 + 1] != nodes[7 * 256 + 2]
    assert cluster.products == [7]
