"""Windows of a federate: an effect that comes sooner than the lookahead promises is found, not flown."""

from __future__ import annotations

import pytest

from flightos.core.ports import NodeLifeChanged
from flightos.core.time import NEVER_NS
from flightos.host.message import Message
from sil.federate import Federate

LOOKAHEAD_NS = 100


class Player:
    """Acts once at `at_ns` and lets the other know `delay_ns` later; notes when it heard of something."""

    def __init__(self, player_id: int, other_id: int, at_ns: int, delay_ns: int) -> None:
        self.id = player_id
        self.outbox: list[Message] = []
        self.heard_ns: list[int] = []
        self._other_id = other_id
        self._at_ns = at_ns
        self._delay_ns = delay_ns
        self._due_ns: list[int] = []

    def post(self, message: Message) -> None:
        """Take a message."""
        self._due_ns.append(message.due_ns)

    def next_event_ns(self) -> int:
        """The earlier of acting and hearing."""
        return min([self._at_ns, *self._due_ns])

    def run_until(self, horizon_ns: int) -> None:
        """Act and hear before the horizon."""
        self.heard_ns += sorted(due_ns for due_ns in self._due_ns if due_ns < horizon_ns)
        self._due_ns = [due_ns for due_ns in self._due_ns if due_ns >= horizon_ns]
        if self._at_ns < horizon_ns:
            record = NodeLifeChanged(self.id, True)
            self.outbox.append(Message(self._at_ns + self._delay_ns, self.id, 1, self._other_id, record))
            self._at_ns = NEVER_NS


def test_a_message_is_heard_when_it_is_due() -> None:
    """At exactly the lookahead, the least that is allowed."""
    early, late = Player(1, 2, 1_000, LOOKAHEAD_NS), Player(2, 1, 5_000, LOOKAHEAD_NS)
    Federate([early, late], LOOKAHEAD_NS).run_until(10_000)
    assert late.heard_ns == [1_100]
    assert early.heard_ns == [5_100]


def test_an_effect_before_the_lookahead_is_found() -> None:
    """Whoever is told of something that it may already have passed would make runs differ in silence."""
    hasty = Player(1, 2, 1_000, LOOKAHEAD_NS - 1)
    federate = Federate([hasty, Player(2, 1, 1_050, LOOKAHEAD_NS)], LOOKAHEAD_NS)
    with pytest.raises(AssertionError, match="sooner than the lookahead"):
        federate.run_until(10_000)
