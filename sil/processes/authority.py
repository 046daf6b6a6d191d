"""The time authority: grants every member leave to run to a safe horizon, and carries out what happens to the run.

It supervises as well: a member that dies unplanned is taken out of the run, the world is told, and the run goes on
without its promise of repeatability; when the world, mission control or a server dies, the run ends with a message.
"""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable
from typing import Final

import msgspec
import zmq

from flightos.core.errors import InfrastructureError
from flightos.core.ids import AUTHORITY_ID, OPERATOR_ID, WORLD_ID
from flightos.core.ports import CommandReceived, NodeLifeChanged
from flightos.core.time import NS_PER_S
from sil.outcome import Outcome
from sil.plan import RunPlan
from sil.processes import protocol
from sil.processes.grants import Ledger
from sil.processes.layout import member_of_node, members_of
from sil.processes.operator_port import OperatorPort
from sil.processes.outputs import ArchivePort
from sil.processes.protocol import Answer, Finish, Grant, Ready, Report
from sil.processes.server import Ended
from sil.processes.servers import ForkServer
from sil.stops import Command, Crash, Restart, Stop

ANSWER_WAIT_S: Final = 120.0
"""A member that answers nothing for this long is stuck."""
READY_WAIT_S: Final = 30.0
NOW_PERIOD_NS: Final = NS_PER_S


class Authority:
    """Sockets and processes around a Ledger."""

    def __init__(
        self,
        plan: RunPlan,
        server: ForkServer,
        control: zmq.Socket[bytes],
        archive: ArchivePort,
        operator: OperatorPort,
        *,
        is_wall: bool = False,
    ) -> None:
        self._plan = plan
        self._server = server
        self._control = control
        self._archive = archive
        self._operator = operator
        self._members = {member.index: member for member in members_of(plan, is_wall)}
        self._index_of = member_of_node(plan)
        self._pids: dict[int, int] = {}
        self._ledger = Ledger(plan.lookahead_ns())
        self._boots: dict[int, int] = {}
        self._news: dict[int, list[tuple[int, int]]] = {}
        self._mail: dict[int, list[protocol.WireMessage]] = {}
        self._sequence = 0
        self._ending = -1
        self._now_ns = 0
        self._told_ns = -1
        self.archive_count = 0
        self.outcome = Outcome()
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(protocol.FromMember).decode

    # --- life of members --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Fork all members and wait until each has said that it is ready."""
        for member in self._members.values():
            self._pids[member.index] = self._server.fork(member)
        waiting = dict(self._members)
        deadline_s = time.monotonic() + READY_WAIT_S
        while waiting:
            try:
                index, ready = self._receive(max(deadline_s - time.monotonic(), 0.0))
            except MemberDied as death:
                raise InfrastructureError(f"process {waiting[death.index].name} did not start") from death
            assert isinstance(ready, Ready)
            self._join(index, ready.next_event_ns)
            del waiting[index]

    def _join(self, index: int, next_event_ns: int) -> None:
        self._ledger.join(index, next_event_ns)

    def _receive(self, wait_s: float) -> tuple[int, protocol.FromMember]:
        """The next word of any member; deaths meanwhile are handled or end the run."""
        give_up_s = time.monotonic() + wait_s
        poller = zmq.Poller()
        poller.register(self._control, zmq.POLLIN)
        poller.register(self._server.fileno(), zmq.POLLIN)
        while True:
            ready = dict(poller.poll(max(int((give_up_s - time.monotonic()) * 1000), 1)))
            if self._control in ready:
                identity, data = self._control.recv_multipart()
                return int(identity), self._decode(data)
            if ready:
                self._note_deaths()
            elif time.monotonic() >= give_up_s:
                raise InfrastructureError(f"no answer from a process of the run for {wait_s:.0f} s")

    def _note_deaths(self) -> None:
        for ended in self._server.take_ended():
            if self._pids.get(ended.index) == ended.pid:
                self._bury(ended)

    def _bury(self, ended: Ended) -> None:
        """A member died that nobody planned to kill, unless it has just been asked to end."""
        if ended.index == self._ending:
            return
        member = self._members[ended.index]
        how = f"signal {-ended.status}" if ended.status < 0 else f"exit status {ended.status}"
        if member.hosts_world or len(member.node_ids) != 1:
            raise InfrastructureError(f"process {member.name} (pid {ended.pid}) died: {how}")
        when = f"{self._now_ns / NS_PER_S:.3f} s of mission time"
        self.outcome.not_repeatable = (
            f"process {member.name} (pid {ended.pid}) died unplanned at {when}: {how}"
        )
        self._remove(ended.index)
        self._tell_world(member.node_ids[0], False, self._now_ns)
        raise MemberDied(ended.index)

    def _remove(self, index: int) -> None:
        if index in self._ledger.members():
            self._ledger.leave(index)
        self._pids.pop(index, None)
        self._boots[index] = -1
        self._announce(index, -1)

    def _announce(self, index: int, boot_count: int) -> None:
        for other in self._ledger.members():
            if other != index:
                self._news.setdefault(other, []).append((index, boot_count))

    # --- grants -----------------------------------------------------------------------------------------------

    def run_until(self, until_ns: int, pace: Callable[[int], None]) -> None:
        """Grant windows until every event before `until_ns` is done."""
        while self._ledger.next_event_ns() < until_ns:
            horizon_ns = self._ledger.horizon_ns(until_ns)
            pace(horizon_ns)
            self._now_ns = horizon_ns
            waiting = self._grant(horizon_ns)
            while waiting:
                try:
                    index, answer = self._receive(ANSWER_WAIT_S)
                except MemberDied as death:
                    waiting.pop(death.index, None)
                    continue
                if index in waiting and isinstance(answer, Answer):
                    del waiting[index]
                    self._ledger.answer(index, answer)
                    self._note(answer)
            self._take_commands(horizon_ns)
            self._tell_archive()

    def _take_commands(self, at_ns: int) -> None:
        for command in self._operator.take(at_ns):
            self._post(OPERATOR_ID, command.node_id, at_ns, CommandReceived(command.packet))

    def _grant(self, horizon_ns: int) -> dict[int, None]:
        woken = self._ledger.to_wake(horizon_ns)
        for index in woken:
            grant = Grant(
                horizon_ns,
                self._ledger.expected(index),
                tuple(self._mail.pop(index, ())),
                tuple(self._news.pop(index, ())),
            )
            self._order(index, grant)
        return dict.fromkeys(woken)

    def _order(self, index: int, order: protocol.ToMember) -> None:
        """Send to a member. One that has died takes nothing: its death is noted when the server tells of it."""
        try:
            self._control.send_multipart((str(index).encode(), self._encode(order)))
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise

    def _note(self, answer: Answer) -> None:
        self.outcome.frames_to_dead_count += answer.to_dead_count
        if answer.trouble and not self.outcome.not_repeatable:
            self.outcome.not_repeatable = answer.trouble

    def _tell_archive(self) -> None:
        if self._now_ns - self._told_ns >= NOW_PERIOD_NS:
            self._told_ns = self._now_ns
            dead = sum(1 for boot_count in self._boots.values() if boot_count < 0)
            self._archive.tell(protocol.Now(self._now_ns, dead))

    # --- what happens to the run ------------------------------------------------------------------------------

    def act(self, stop: Stop) -> None:
        """Carry out a fault or a command; everything before it has been answered."""
        self._now_ns = stop.at_ns
        if isinstance(stop, Command):
            self._operator.keep(stop)
            self._post(OPERATOR_ID, stop.node_id, stop.at_ns, CommandReceived(stop.packet))
        elif isinstance(stop, Crash):
            self._crash(stop)
        else:
            self._restart(stop)

    def _post(
        self, source_id: int, destination_id: int, t_ns: int, record: CommandReceived | NodeLifeChanged
    ) -> None:
        index = self._index_of.get(destination_id)
        if index is None or index not in self._pids:
            return
        self._sequence += 1
        self._mail.setdefault(index, []).append((t_ns, source_id, self._sequence, destination_id, record))
        self._ledger.note(index, t_ns)

    def _tell_world(self, node_id: int, alive: bool, t_ns: int) -> None:
        self._post(AUTHORITY_ID, WORLD_ID, t_ns, NodeLifeChanged(node_id, alive))

    def _crash(self, stop: Crash) -> None:
        index = self._index_of[stop.node_id]
        if index not in self._pids:
            return
        pid = self._pids[index]
        self._finish_member(index, is_killed=True)
        os.kill(pid, signal.SIGKILL)
        self._remove(index)
        self._tell_world(stop.node_id, False, stop.at_ns)

    def _restart(self, stop: Restart) -> None:
        index = self._index_of[stop.node_id]
        if index in self._pids:
            return
        old = self._members[index]
        boots = tuple((other, boot) for other, boot in self._boots.items() if other != index)
        member = msgspec.structs.replace(old, boot_count=old.boot_count + 1, start_ns=stop.at_ns, boots=boots)
        self._members[index] = member
        self._boots[index] = member.boot_count
        self._pids[index] = self._server.fork(member)
        _, ready = self._receive(READY_WAIT_S)
        assert isinstance(ready, Ready)
        self._announce(index, member.boot_count)
        self._join(index, ready.next_event_ns)
        self._tell_world(stop.node_id, True, stop.at_ns)

    def _finish_member(self, index: int, is_killed: bool = False) -> None:
        finish = Finish(self._ledger.expected(index), is_killed)
        self._ending = index
        self._order(index, finish)
        while True:
            answered, report = self._receive(ANSWER_WAIT_S)
            if answered == index and isinstance(report, Report):
                break
        self._note_report(report)

    def _note_report(self, report: Report) -> None:
        self.outcome.lives.extend(report.lives)
        self.outcome.record_count += report.record_count
        self.outcome.frames_dropped_count += report.frames_dropped_count
        self.outcome.accepted.extend(report.accepted)
        self.archive_count += report.archive_count

    def finish(self) -> None:
        """End every life and gather the reports."""
        for index in self._ledger.members():
            try:
                self._finish_member(index)
            except MemberDied:
                continue
            self._pids.pop(index, None)
        self.outcome.end_ns = self._now_ns


class MemberDied(Exception):
    """A node's process died unplanned and has been taken out of the run."""

    def __init__(self, index: int) -> None:
        super().__init__(f"member {index}")
        self.index = index
