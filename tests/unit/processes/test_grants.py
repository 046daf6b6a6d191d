"""Who may run how far under granted time."""

from __future__ import annotations

from flightos.core.time import NEVER_NS
from sil.processes.grants import Ledger
from sil.processes.protocol import Answer

LOOKAHEAD_NS = 10


def ledger() -> Ledger:
    """Three members with their next events at 100, 105 and 500."""
    made = Ledger(LOOKAHEAD_NS)
    for index, next_ns in enumerate((100, 105, 500)):
        made.join(index, next_ns)
    return made


def test_all_may_run_to_the_earliest_event_plus_lookahead() -> None:
    """And only those with something before it are woken; a limit cuts the horizon short."""
    made = ledger()
    assert made.next_event_ns() == 100
    assert made.horizon_ns(1_000) == 110
    assert made.horizon_ns(103) == 103
    assert made.to_wake(110) == [0, 1]
    assert made.to_wake(103) == [0]


def test_a_batch_on_its_way_counts_as_an_event_of_its_receiver() -> None:
    """Until the receiver is told to take it."""
    made = ledger()
    made.answer(0, Answer(200, ((2, 1, 120),)))
    made.answer(1, Answer(NEVER_NS))
    assert made.next_event_ns() == 120
    assert made.awaiting() == [2]
    assert made.to_wake(130) == [2]
    assert made.expected(2) == ((0, 1),)
    assert made.awaiting() == []
    made.answer(2, Answer(500))
    assert made.next_event_ns() == 200


def test_the_dead_are_waited_for_by_nobody() -> None:
    """Neither their events nor their batches."""
    made = ledger()
    made.answer(0, Answer(200, ((2, 3, 120), (1, 1, 130))))
    made.leave(0)
    assert 0 not in made
    assert made.members() == [1, 2]
    assert made.expected(2) == made.expected(1) == ()
    made.answer(1, Answer(600, ((0, 1, 140),)))
    assert made.next_event_ns() == 500
    made.join(0, 300)
    assert made.next_event_ns() == 300
    assert made.expected(0) == ()


def test_mail_of_the_authority_wakes_its_receiver() -> None:
    """A command, or the news of a death to the world."""
    made = ledger()
    made.note(2, 104)
    assert made.to_wake(105) == [0, 2]
