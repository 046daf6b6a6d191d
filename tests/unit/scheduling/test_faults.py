"""Nodes and links fail at bad moments: every admitted observation still gives its product or ends with a reason."""

from __future__ import annotations

import msgspec
import pytest

from flightos.core.ids import content_id
from flightos.core.ports import NodeBooted, WorkFailure
from flightos.core.refusal import Refusal
from flightos.services.health.interface import Mode, ModeChanged
from flightos.services.links.interface import LinkOpened
from flightos.services.network.interface import BundleDelivered, BundleKind
from flightos.services.scheduling.interface import TaskResult
from flightos.services.scheduling.service import SchedulingService
from flightos.services.scheduling.state import SchedulingState
from tests.unit.scheduling.cluster import HOP_NS, RATE_BPS, Cluster


def placed_on(cluster: Cluster, task: int) -> list[int]:
    """Nodes on which a task was placed, in order."""
    return [node for number, node, _ in cluster.named("TASK_PLACED") if number == task]


def test_tasks_of_a_dead_node_finish_elsewhere() -> None:
    """PeerDeclared returns what the dead node had at once, long before its results would expire."""
    cluster = Cluster([100, 800, 400])
    cluster.run(12)
    cluster.request(1, 7)
    cluster.run(10)
    assert placed_on(cluster, 7 * 256) == [2]
    cluster.kill(2, declared_after_s=30)
    cluster.run(500)
    assert placed_on(cluster, 7 * 256) == [2, 3]
    assert cluster.products == [7]
    assert len(cluster.named("TASK_DONE")) == 4


def test_the_standby_takes_over_from_a_dead_owner() -> None:
    """The copy becomes an observation with a higher epoch, and its product arrives."""
    cluster = Cluster([400, 400, 400, 400])
    cluster.run(12)
    cluster.request(1, 7)
    cluster.run(30)
    ((_, _, standby_id),) = cluster.named("OBSERVATION_ADMITTED")
    cluster.kill(1)
    cluster.run(600)
    assert cluster.named("OBSERVATION_TAKEN_OVER") == [(7, 3, 1, 2)]
    assert cluster.products == [7]
    assert not cluster.members[standby_id].scheduling.state.observations
    for node_id in (2, 3, 4):
        state = cluster.members[node_id].scheduling.state
        assert not state.replicas
        assert not state.assignments


def test_a_returning_owner_gives_way_to_the_new_one() -> None:
    """Cut off and taken for dead, the old owner learns of the higher epoch and abandons; the work is done once."""
    cluster = Cluster([100, 800, 800], is_ring=False)
    cluster.run(12)
    cluster.request(1, 7, deadline_s=100_000)
    cluster.run(8)
    cluster.cut(1, 2)
    peer = cluster.members[1]
    peer.is_alive = False
    cluster.kill(1, declared_after_s=1)
    cluster.run(3)
    peer.is_alive = True
    cluster.mend(1, 2)
    cluster.run(900)
    assert cluster.named("OBSERVATION_TAKEN_OVER") == [(7, 3, 1, 2)]
    assert cluster.named("OBSERVATION_ABANDONED") == [(7, 3, 2, 2)]
    assert cluster.products == [7]
    assert all(not member.scheduling.state.observations for member in cluster.members.values())


def test_without_a_neighbour_the_tile_waits() -> None:
    """Not admitted before a copy exists; admitted when a link opens."""
    cluster = Cluster([400, 400], is_ring=False)
    cluster.run(2)
    cluster.cut(1, 2)
    cluster.request(1, 7)
    cluster.run(100)
    assert cluster.named("OBSERVATION_WAITS_FOR_STANDBY") == [(7, 3)]
    assert cluster.named("OBSERVATION_ADMITTED") == []
    cluster.mend(1, 2)
    cluster.run(300)
    assert cluster.named("OBSERVATION_ADMITTED") == [(7, 3, 2)]
    assert cluster.products == [7]


def test_a_silent_neighbour_is_passed_over() -> None:
    """No answer within the timeout: the other neighbour is asked."""
    cluster = Cluster([400, 400, 400])
    cluster.run(2)
    cluster.members[2].is_alive = False
    cluster.request(1, 7)
    cluster.run(40)
    assert cluster.named("OBSERVATION_ADMITTED") == [(7, 3, 3)]


def test_a_dead_standby_is_replaced() -> None:
    """After admission only the copy is missing; the work goes on meanwhile."""
    cluster = Cluster([800, 400, 400])
    cluster.run(12)
    cluster.request(1, 7)
    cluster.run(10)
    ((_, _, standby_id),) = cluster.named("OBSERVATION_ADMITTED")
    cluster.kill(standby_id, declared_after_s=10)
    cluster.run(20)
    other_id = 5 - standby_id
    assert cluster.members[1].scheduling.state.observations[7].record.standby_id == other_id
    assert 7 in cluster.members[other_id].scheduling.state.replicas


@pytest.mark.parametrize("failure", [WorkFailure.TIMED_OUT, WorkFailure.CRASHED, WorkFailure.CORRUPT_RESULT])
def test_a_failed_task_is_tried_elsewhere(failure: WorkFailure) -> None:
    """A worker that hangs, dies or gives garbage costs an attempt, not the observation."""
    cluster = Cluster([100, 800, 400])
    cluster.members[2].failing_steps["water"] = failure
    cluster.run(12)
    cluster.request(1, 7)
    cluster.run(900)
    nodes = placed_on(cluster, 7 * 256 + 1)
    assert nodes[0] == 2
    assert nodes[-1] != 2
    assert cluster.products == [7]
    assert cluster.members[1].scheduling.state.counters.task_retry_count >= 1


def test_a_task_that_fails_everywhere_ends_with_a_reason() -> None:
    """attempts_max failures: the observation is dropped, and nothing is left of it anywhere."""
    cluster = Cluster([400, 400, 400])
    for member in cluster.members.values():
        member.failing_steps["burn"] = WorkFailure.CRASHED
    cluster.run(12)
    cluster.request(1, 7)
    cluster.run(2_000)
    assert cluster.named("OBSERVATION_DROPPED") == [(7, 3, int(Refusal.ATTEMPTS_EXHAUSTED), True)]
    ended = len(cluster.named("TASK_DONE")) + len(cluster.named("TASK_DROPPED"))
    assert ended == 4
    assert cluster.products == []
    for member in cluster.members.values():
        assert not member.scheduling.state.observations
        assert not member.scheduling.state.replicas


def test_a_passed_deadline_drops_what_is_left() -> None:
    """Every task that has not ended is dropped with DEADLINE_PASSED; executors are told."""
    cluster = Cluster([100, 100, 100])
    cluster.run(12)
    cluster.request(1, 7, deadline_s=60)
    cluster.run(100)
    assert cluster.named("OBSERVATION_DROPPED") == [(7, 3, int(Refusal.DEADLINE_PASSED), True)]
    assert len(cluster.named("TASK_DROPPED")) == 4
    assert cluster.products == []
    assert all(not member.works for member in cluster.members.values())


def test_a_node_in_safe_mode_hands_its_work_back() -> None:
    """Entering SAFE sheds the load of a node; the owner places it elsewhere."""
    cluster = Cluster([100, 800, 400])
    cluster.run(12)
    cluster.request(1, 7)
    cluster.run(10)
    cluster.give(2, ModeChanged(Mode.SAFE, Mode.NOMINAL))
    cluster.run(600)
    assert placed_on(cluster, 7 * 256)[:2] == [2, 3]
    assert cluster.products == [7]


def test_a_node_that_saves_energy_takes_no_work_of_others_and_does_its_own() -> None:
    """In ECLIPSE_SAVING its view says no, so the owner computes itself, though the saver would be faster."""
    cluster = Cluster([100, 800], is_ring=False)
    cluster.run(12)
    cluster.give(2, ModeChanged(Mode.ECLIPSE_SAVING, Mode.NOMINAL))
    cluster.run(3)
    cluster.request(1, 7)
    cluster.request(2, 8)
    cluster.run(1_200)
    assert {node for number, node, _ in cluster.named("TASK_PLACED") if number >> 8 == 7} == {1}
    assert 2 in {node for number, node, _ in cluster.named("TASK_PLACED") if number >> 8 == 8}
    assert sorted(cluster.products) == [7, 8]


def test_a_full_table_is_told_but_loses_no_copy() -> None:
    """The standby owns as much as it may when an owner dies: it takes over all the same, and says so."""
    cluster = Cluster([400, 400], is_ring=False, observation_count_max=1)
    cluster.run(12)
    cluster.accepts_products = False
    cluster.request(1, 7)
    cluster.request(2, 8)
    cluster.run(10)
    cluster.kill(1)
    cluster.run(300)
    assert cluster.named("OBSERVATION_TAKEN_OVER") == [(7, 3, 1, 2)]
    assert cluster.named("SCHEDULING_TABLE_FULL") == [("observations",)]
    assert sorted(cluster.members[2].scheduling.state.observations) == [7, 8]


def test_no_energy_anywhere_leaves_tasks_ready() -> None:
    """Nothing is placed while no forecast covers a task; placed when energy is back."""
    cluster = Cluster([400, 400, 400])
    cluster.run(2)
    for member in cluster.members.values():
        member.forecast["energy_available_mj"] = 1_000_000
    cluster.run(12)
    cluster.request(1, 7)
    cluster.run(60)
    assert cluster.named("TASK_PLACED") == []
    assert cluster.members[1].scheduling.housekeeping().task_ready_count == 1
    for member in cluster.members.values():
        member.forecast.clear()
    cluster.run(500)
    assert cluster.products == [7]


def test_a_node_that_forgot_everything_loses_nothing() -> None:
    """Restart without a snapshot, faster than anyone declares it dead: its gossip tells, the standby takes over."""
    cluster = Cluster([400, 400, 400])
    cluster.run(12)
    cluster.request(1, 7)
    cluster.run(20)
    member = cluster.members[1]
    member.scheduling = SchedulingService(member.configuration)
    member.compute = type(member.compute)(member.configuration)
    member.works.clear()
    cluster.give(1, NodeBooted(1, False))
    for peer_id in member.configuration.neighbour_ids:
        cluster.give(1, LinkOpened(peer_id, HOP_NS, RATE_BPS))
    cluster.run(600)
    assert [values[0] for values in cluster.named("OBSERVATION_TAKEN_OVER")] == [7]
    assert cluster.products == [7]


def test_a_restored_node_goes_on() -> None:
    """State through MessagePack and back, running work lost: the observation finishes at its first owner."""
    cluster = Cluster([800, 100, 100])
    cluster.run(12)
    cluster.request(1, 7)
    cluster.run(15)
    member = cluster.members[1]
    assert member.works
    for service in (member.scheduling, member.compute):
        data = msgspec.msgpack.encode(service.state)
        restored = msgspec.msgpack.decode(data, type=type(service.state))
        assert msgspec.msgpack.encode(restored) == data
        service.state = restored
    member.works.clear()
    cluster.give(1, NodeBooted(1, True))
    cluster.run(600)
    assert cluster.named("OBSERVATION_TAKEN_OVER") == []
    assert cluster.products == [7]
    assert len(cluster.named("TASK_DONE")) == 4


def test_results_of_an_old_epoch_are_refused() -> None:
    """A TASK_RESULT below the observation's epoch changes nothing, is counted and is an event."""
    cluster = Cluster([400, 400, 400])
    cluster.run(12)
    cluster.request(1, 7)
    cluster.run(8)
    ((_, _, standby_id),) = cluster.named("OBSERVATION_ADMITTED")
    cluster.kill(1, declared_after_s=1)
    cluster.run(3)
    state = cluster.members[standby_id].scheduling.state
    assert state.observations[7].record.epoch == (2, standby_id)
    before = [task.state for task in state.observations[7].tasks]
    result_id = content_id(b"late")
    body = msgspec.msgpack.encode(TaskResult(7 * 256, (1, 1), 1, result_id, 10, 0, 0))
    delivered = BundleDelivered(3, BundleKind.TASK_RESULT, body, (result_id,), 10, (3, 0, 0))
    cluster.give(standby_id, delivered)
    assert [task.state for task in state.observations[7].tasks] == before
    assert state.counters.stale_epoch_count == 1
    assert cluster.named("EPOCH_STALE") == [(7, 3, 1)]
    assert result_id not in cluster.members[standby_id].pins


def test_state_type_is_a_plain_struct() -> None:
    """A fresh state encodes and decodes to itself."""
    data = msgspec.msgpack.encode(SchedulingState())
    assert msgspec.msgpack.encode(msgspec.msgpack.decode(data, type=SchedulingState)) == data
