"""Granted time as arithmetic: who may run how far. No sockets here, so that it can be tested for itself.

Theory of operation (conservative synchronisation after Chandy, Misra and Bryant, with the authority as the one place
that knows all pending times). A member's effective next event is the earlier of what it answered and the earliest due
time of batches that were sent to it and that it has not been told to take. Everything before (earliest of these +
lookahead) is safe. A member with nothing before the horizon is not woken.
"""

from __future__ import annotations

from flightos.core.time import NEVER_NS
from sil.processes.protocol import Answer


class Ledger:
    """Next events and batches on the way, of every living member."""

    def __init__(self, lookahead_ns: int) -> None:
        assert lookahead_ns > 0
        self._lookahead_ns = lookahead_ns
        self._next_ns: dict[int, int] = {}
        self._due_ns: dict[int, int] = {}
        self._sent: dict[int, dict[int, int]] = {}

    def join(self, index: int, next_event_ns: int) -> None:
        """A member lives, with nothing on the way to it."""
        self._next_ns[index] = next_event_ns
        self._due_ns[index] = NEVER_NS
        self._sent[index] = {}

    def leave(self, index: int) -> None:
        """A member is dead; what was on the way to it or from it is forgotten."""
        del self._next_ns[index]
        del self._due_ns[index]
        del self._sent[index]
        for counts in self._sent.values():
            counts.pop(index, None)

    def __contains__(self, index: int) -> bool:
        return index in self._next_ns

    def answer(self, index: int, answer: Answer) -> None:
        """A member did what it was granted."""
        self._next_ns[index] = answer.next_event_ns
        for destination, count, due_ns in answer.sent:
            if destination in self._sent:
                self._sent[destination][index] = count
                self._due_ns[destination] = min(self._due_ns[destination], due_ns)

    def note(self, index: int, due_ns: int) -> None:
        """The authority itself has something for a member."""
        self._due_ns[index] = min(self._due_ns[index], due_ns)

    def members(self) -> list[int]:
        """Indices of the living."""
        return list(self._next_ns)

    def next_event_ns(self) -> int:
        """The earliest event of anybody."""
        return min(
            min(self._next_ns.values(), default=NEVER_NS), min(self._due_ns.values(), default=NEVER_NS)
        )

    def horizon_ns(self, limit_ns: int) -> int:
        """How far all may run, at most to `limit_ns`."""
        return min(self.next_event_ns() + self._lookahead_ns, limit_ns)

    def to_wake(self, horizon_ns: int) -> list[int]:
        """Members with something to do before the horizon."""
        due = self._due_ns
        return [
            index
            for index, next_ns in self._next_ns.items()
            if next_ns < horizon_ns or due[index] < horizon_ns
        ]

    def awaiting(self) -> list[int]:
        """Members with something on the way to them."""
        return [index for index, due_ns in self._due_ns.items() if due_ns < NEVER_NS]

    def expected(self, index: int) -> tuple[tuple[int, int], ...]:
        """Batches that a member must have before it runs; from now on they count as taken."""
        self._due_ns[index] = NEVER_NS
        return tuple(self._sent[index].items())
