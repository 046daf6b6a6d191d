"""The ledger: which tasks are done, dropped, open and lost."""

from __future__ import annotations

from sil.checkers.evidence import Violation
from sil.checkers.tasks import TaskCounts, make_ledger
from tests.unit.checkers.evidence_examples import admitted, done, dropped, event, evidence, series


def names(violations: list[Violation]) -> list[str]:
    return [violation.invariant for violation in violations]


def test_done_and_dropped_tasks_are_counted_once() -> None:
    """One observation with a good and a bad end of its two tasks is complete."""
    ledger = make_ledger(evidence([*admitted(5, 1, 10), done(20, 1, 5, 0), dropped(30, 1, 5, 1)]))
    assert ledger.counts == TaskCounts(submitted=2, done=1, dropped=1, open=0, lost=0)
    assert ledger.violations == []


def test_observation_that_was_never_admitted_has_no_tasks() -> None:
    """What only one node held may be dropped without counting."""
    events = [event(10, 1, "OBSERVATION_IMAGED", observation_id=5, tile_index=0, size_bytes=1000)]
    assert make_ledger(evidence(events)).counts == TaskCounts(0, 0, 0, 0, 0)


def test_task_that_ends_twice_is_a_violation() -> None:
    """Exactly one end under one owner."""
    ledger = make_ledger(evidence([*admitted(5, 1, 10, 1), done(20, 1, 5, 0), dropped(21, 1, 5, 0)]))
    assert names(ledger.violations) == ["tasks_end_once"]


def test_drop_without_reason_is_a_violation() -> None:
    """Refusal 0 is no reason."""
    ledger = make_ledger(evidence([*admitted(5, 1, 10, 1), dropped(21, 1, 5, 0, refusal=0)]))
    assert names(ledger.violations) == ["drops_have_reasons"]


def test_task_of_a_living_owner_is_open_until_its_deadline() -> None:
    """240 s of deadline and a minute of grace: an observation of 200 s is open at 300 s, one of second 0 is not
    judged before 300 s, and when the run is longer it is lost."""
    ledger = make_ledger(evidence([*admitted(5, 1, 200)]))
    assert (ledger.counts.open, ledger.counts.lost) == (2, 0)
    late = evidence([*admitted(5, 1, 1)])
    late.outcome.end_ns += 10_000_000_000
    ledger = make_ledger(late)
    assert (ledger.counts.open, ledger.counts.lost) == (0, 2)
    assert names(ledger.violations) == ["no_task_lost"]


def test_task_of_a_dead_owner_is_lost_unless_the_standby_may_still_take_over() -> None:
    """Death 20 s before the end: not declared yet. Death 200 s before the end: somebody should have."""
    events = admitted(5, 1, 95)
    assert make_ledger(evidence(events, dead={1: 280})).counts.open == 2
    assert make_ledger(evidence(events, dead={1: 100})).counts.lost == 2
    assert make_ledger(evidence(events, dead={1: 280, 2: 100})).counts.lost == 2


def test_takeover_replaces_the_plan_of_the_former_owner() -> None:
    """Only the tasks of the highest epoch count; the former owner's late endings do not."""
    takeover = event(
        160, 2, "OBSERVATION_TAKEN_OVER", observation_id=5, tile_index=0, node_id=1, epoch_counter=2
    )
    plan_again = event(161, 2, "OBSERVATION_PLANNED", observation_id=5, task_count=2, epoch_counter=2)
    events = [
        *admitted(5, 1, 95),
        done(99, 1, 5, 0),
        takeover,
        plan_again,
        done(180, 2, 5, 0),
        done(190, 2, 5, 1),
    ]
    events.append(done(200, 1, 5, 0))
    ledger = make_ledger(evidence(events, dead={1: 100}))
    assert ledger.counts == TaskCounts(submitted=2, done=2, dropped=0, open=0, lost=0)
    assert ledger.violations == []


def test_takeover_that_never_planned_counts_as_one_lost_task() -> None:
    """An admitted observation without a plan is not nothing."""
    takeover = event(
        160, 2, "OBSERVATION_TAKEN_OVER", observation_id=5, tile_index=0, node_id=1, epoch_counter=2
    )
    ledger = make_ledger(evidence([*admitted(5, 1, 95), takeover], dead={1: 100, 2: 165}))
    assert (ledger.counts.submitted, ledger.counts.lost) == (1, 1)


def test_task_that_its_owner_no_longer_counts_is_lost() -> None:
    """Housekeeping of the living owner says 1 task, the events 2: one was forgotten."""
    counts = {
        f"scheduling/task_{state}_count": {1: series(0.0)} for state in ("waiting", "assigned", "running")
    }
    counts["scheduling/task_ready_count"] = {1: series(1.0)}
    ledger = make_ledger(evidence(admitted(5, 1, 200), counts))
    assert (ledger.counts.open, ledger.counts.lost) == (1, 1)
    counts["scheduling/task_ready_count"] = {1: series(2.0)}
    assert make_ledger(evidence(admitted(5, 1, 200), counts)).counts.open == 2
