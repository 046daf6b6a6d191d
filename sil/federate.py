"""A group of participants that share a process: they run to a horizon together and exchange messages at once.

Theory of operation: an event at time t can reach another participant at t + lookahead at the earliest. So all events
before (earliest pending event anywhere) + lookahead may be carried out in any order of participants, and each
participant sees its own events in the order (mission time, source, sequence). Virtual time is one federate that holds
everybody; under granted time each process holds one, and the time authority plays the same game between them.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from flightos.core.time import NEVER_NS
from flightos.host.message import Message


class Participant(Protocol):
    """A node's host or the world."""

    id: int
    outbox: list[Message]

    def post(self, message: Message) -> None:
        """Take a message that is due later than everything carried out so far."""
        ...

    def next_event_ns(self) -> int:
        """Mission time of the next thing to do."""
        ...

    def run_until(self, horizon_ns: int) -> None:
        """Carry out every event before the horizon."""
        ...


class Federate:
    """Participants of one process. Messages for others collect in `outbox`."""

    def __init__(self, participants: Iterable[Participant], lookahead_ns: int) -> None:
        assert lookahead_ns > 0, "without lookahead nobody may move"
        self.participants: dict[int, Participant] = {member.id: member for member in participants}
        self.outbox: list[Message] = []
        self._lookahead_ns = lookahead_ns
        self._next_ns: dict[int, int] = {
            member.id: member.next_event_ns() for member in self.participants.values()
        }

    def add(self, participant: Participant) -> None:
        """A participant joins, or comes back as a new object."""
        self.participants[participant.id] = participant
        self._next_ns[participant.id] = participant.next_event_ns()

    def remove(self, participant_id: int) -> None:
        """A participant is gone; messages to it go to the outbox from now on."""
        del self.participants[participant_id]
        del self._next_ns[participant_id]

    def post(self, message: Message) -> None:
        """Hand a message to its participant."""
        participant = self.participants[message.destination_id]
        participant.post(message)
        if message.due_ns < self._next_ns[message.destination_id]:
            self._next_ns[message.destination_id] = message.due_ns

    def next_event_ns(self) -> int:
        """The earliest event of anybody here."""
        return min(self._next_ns.values(), default=NEVER_NS)

    def run_until(self, horizon_ns: int) -> None:
        """Carry out everything before the horizon, window by window."""
        while True:
            next_ns = self.next_event_ns()
            if next_ns >= horizon_ns:
                return
            self._run_window(min(next_ns + self._lookahead_ns, horizon_ns))

    def _run_window(self, horizon_ns: int) -> None:
        next_of = self._next_ns
        moved = [member for member_id, member in self.participants.items() if next_of[member_id] < horizon_ns]
        for member in moved:
            member.run_until(horizon_ns)
            next_of[member.id] = member.next_event_ns()
        participants = self.participants
        for member in moved:
            if member.outbox:
                messages, member.outbox = member.outbox, []
                for message in messages:
                    assert message.due_ns >= horizon_ns, (
                        "an effect sooner than the lookahead: somebody may have passed it"
                    )
                    destination_id = message.destination_id
                    receiver = participants.get(destination_id)
                    if receiver is None:
                        self.outbox.append(message)
                        continue
                    receiver.post(message)
                    if message.due_ns < next_of[destination_id]:
                        next_of[destination_id] = message.due_ns
