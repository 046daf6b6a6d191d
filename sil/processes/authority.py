"""The time authority: grants every member leave to run to a safe horizon, and carries out what happens to the run.

It supervises as well: a member that dies unplanned is taken out of the run, the world is told, and the run goes on
without its promise of repeatability; when the world, mission control or a server dies, the run ends with a message.
"""

from __future__ import annotations

import os
import select
import signal
import sys
import time
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from typing import Final, NamedTuple

import msgspec
import zmq

from flightos.core.errors import InfrastructureError
from flightos.core.ids import AUTHORITY_ID, OPERATOR_ID, WORLD_ID
from flightos.core.ports import CommandReceived, NodeLifeChanged
from flightos.core.time import NS_PER_S
from sil.interruption import Interruption
from sil.outcome import Outcome
from sil.plan import RunPlan
from sil.processes import protocol
from sil.processes.grants import Ledger
from sil.processes.layout import member_of_node, members_of
from sil.processes.operator_port import OperatorPort
from sil.processes.outputs import ArchivePort
from sil.processes.protocol import (
    Answer,
    Finish,
    Grant,
    News,
    Ready,
    Report,
    RunFolders,
    last_words,
    line_of,
    member_of_line,
)
from sil.processes.server import HOST_TROUBLE, Ended
from sil.processes.servers import ForkServer, Helpers, status_text
from sil.stops import Command, Crash, Restart, Stop

ANSWER_WAIT_S: Final = 120.0
"""A member that answers nothing for this long is stuck."""
READY_WAIT_S: Final = 30.0
LOOK_MS: Final = 200
"""How often the helper processes are looked after while everybody is waited for."""
NOW_PERIOD_NS: Final = NS_PER_S


def warn(text: str) -> None:
    """Tell the user at once, on a line of its own also where a status line stands."""
    lead = "\r\x1b[2K" if sys.stderr.isatty() else ""
    print(f"{lead}warning: {text}", file=sys.stderr, flush=True)


class Crew(NamedTuple):
    """What the authority works with, beside the plan."""

    server: ForkServer
    helpers: Helpers
    folders: RunFolders
    control: zmq.Socket[bytes]
    archive: ArchivePort
    operator: OperatorPort
    interruption: Interruption


class Authority:
    """Sockets and processes around a Ledger."""

    def __init__(self, plan: RunPlan, crew: Crew, *, is_wall: bool = False) -> None:
        self._plan = plan
        self._crew = crew
        self._server = crew.server
        self._control = crew.control
        self._poller = zmq.Poller()
        self._poller.register(self._control, zmq.POLLIN)
        self._poller.register(self._server.fileno(), zmq.POLLIN)
        self._members = {member.index: member for member in members_of(plan, is_wall)}
        self._index_of = member_of_node(plan)
        self._pids: dict[int, int] = {}
        self._ledger = Ledger(plan.lookahead_ns())
        self._boots: dict[int, int] = {}
        self._died: deque[int] = deque()
        self._mail: dict[int, list[protocol.WireMessage]] = {}
        self._sequence = 0
        self._ending = -1
        self._now_ns = 0
        self._told_ns = -1
        self.archive_counts: list[tuple[bytes, int]] = []
        self.outcome = Outcome()
        self._encode = msgspec.msgpack.Encoder().encode
        self._decode = msgspec.msgpack.Decoder(protocol.FromMember).decode

    # --- life of members --------------------------------------------------------------------------------------

    def start(self) -> None:
        """Fork all members and wait until each has said that it is ready."""
        for member in self._members.values():
            self._pids[member.index] = self._server.fork(member)
        waiting = dict.fromkeys(self._members)
        deadline_s = time.monotonic() + READY_WAIT_S
        while waiting:
            index, ready = self._receive(max(deadline_s - time.monotonic(), 0.0), waiting)
            if ready is None:
                name = self._members[index].name
                raise InfrastructureError(f"process {name} did not start; its message is above")
            assert isinstance(ready, Ready)
            self._join(index, ready.next_event_ns)
            del waiting[index]

    def _join(self, index: int, next_event_ns: int) -> None:
        self._ledger.join(index, next_event_ns)

    def _receive(self, wait_s: float, awaited: Iterable[int]) -> tuple[int, protocol.FromMember | None]:
        """The next word of any member; None with a member that died unplanned meanwhile."""
        give_up_s = time.monotonic() + wait_s
        while not self._died:
            ready = dict(self._poller.poll(LOOK_MS))
            if self._control in ready:
                line, data = self._control.recv_multipart()
                index, boot_count = member_of_line(line)
                if boot_count == self._members[index].boot_count:
                    return index, self._decode(data)
            elif ready:
                self._note_deaths()
            else:
                self._crew.helpers.check()
                if time.monotonic() >= give_up_s:
                    names = ", ".join(self._members[index].name for index in awaited)
                    raise InfrastructureError(f"no answer for {wait_s:.0f} s from: {names}")
        return self._died.popleft(), None

    def _note_deaths(self) -> list[int]:
        """Take in the ends of processes, and give their ids."""
        found = self._server.take_ended()
        for ended in found:
            if self._pids.get(ended.index) == ended.pid:
                self._bury(ended)
        return [ended.pid for ended in found]

    def _bury(self, ended: Ended) -> None:
        """A member died that nobody planned to kill; one that has just been asked to end may end."""
        if ended.index == self._ending and ended.status == 0:
            return
        member = self._members[ended.index]
        who = f"process {member.name} (pid {ended.pid})"
        if ended.status == HOST_TROUBLE:
            reason = last_words(self._crew.folders, str(member.index)) or "its message is above"
            # It may have seen first that a helper is gone.
            self._crew.helpers.check()
            raise InfrastructureError(f"{who} cannot go on: {reason}")
        how = status_text(ended.status)
        if member.hosts_world or len(member.node_ids) != 1:
            raise InfrastructureError(f"{who} died: {how}; the run cannot go on without it")
        when = f"{self._now_ns / NS_PER_S:.3f} s of mission time"
        self.outcome.not_repeatable = f"{who} died unplanned at {when}: {how}"
        warn(f"{self.outcome.not_repeatable}; the run goes on without it")
        self._remove(ended.index)
        self._tell_world(member.node_ids[0], False, self._now_ns)
        self._died.append(ended.index)

    def _remove(self, index: int) -> None:
        if index in self._ledger:
            self._ledger.leave(index)
        self._pids.pop(index, None)
        self._mail.pop(index, None)
        self._boots[index] = -1
        self._announce(index, -1)

    def _announce(self, index: int, boot_count: int) -> None:
        """Everybody hears of it before the next grant, or while waiting for a batch that may never come."""
        for other in self._ledger.members():
            if other != index:
                self._order(other, News(((index, boot_count),)))

    # --- grants -----------------------------------------------------------------------------------------------

    def run_until(self, until_ns: int, pace: Callable[[int], None]) -> None:
        """Grant windows until every event before `until_ns` is done, or the user wants an end."""
        while self._ledger.next_event_ns() < until_ns:
            horizon_ns = self._ledger.horizon_ns(until_ns)
            pace(horizon_ns)
            if self._crew.interruption.is_wanted:
                return
            self._now_ns = horizon_ns
            self._grant(self._ledger.to_wake(horizon_ns), horizon_ns)
            self._take_commands(horizon_ns)
            self._tell_archive()
        self._now_ns = until_ns

    def _take_commands(self, at_ns: int) -> None:
        for command in self._crew.operator.take(at_ns):
            self._post(OPERATOR_ID, command.node_id, at_ns, CommandReceived(command.packet))

    def _grant(self, woken: Sequence[int], horizon_ns: int) -> None:
        """Let these run to the horizon, and wait until all of them have."""
        for index in woken:
            mail = tuple(self._mail.pop(index, ()))
            self._order(index, Grant(horizon_ns, self._ledger.expected(index), mail))
        waiting = dict.fromkeys(woken)
        while waiting:
            index, answer = self._receive(ANSWER_WAIT_S, waiting)
            if answer is None:
                waiting.pop(index, None)
            elif index in waiting and isinstance(answer, Answer):
                del waiting[index]
                self._ledger.answer(index, answer)
                self._note(answer)

    def _order(self, index: int, order: protocol.ToMember) -> None:
        """Send to a member. One that has died takes nothing: its death is noted when the server tells of it."""
        line = line_of(index, self._members[index].boot_count)
        try:
            self._control.send_multipart((line, self._encode(order)))
        except zmq.ZMQError as error:
            if error.errno != zmq.EHOSTUNREACH:
                raise

    def _note(self, answer: Answer) -> None:
        self.outcome.frames_to_dead_count += answer.to_dead_count
        if answer.trouble and not self.outcome.not_repeatable:
            self.outcome.not_repeatable = answer.trouble

    def _tell_archive(self, is_end: bool = False) -> None:
        if is_end or self._now_ns - self._told_ns >= NOW_PERIOD_NS:
            self._told_ns = self._now_ns
            dead = sum(1 for boot_count in self._boots.values() if boot_count < 0)
            self._crew.archive.tell(protocol.Now(self._now_ns, dead))

    # --- what happens to the run ------------------------------------------------------------------------------

    def act(self, stop: Stop) -> None:
        """Carry out a fault or a command; everything before it has been answered."""
        self._now_ns = stop.at_ns
        if isinstance(stop, Command):
            self._crew.operator.keep(stop)
            self._post(OPERATOR_ID, stop.node_id, stop.at_ns, CommandReceived(stop.packet))
        elif isinstance(stop, Crash):
            self._crash(stop)
        else:
            self._restart(stop)

    def _post(
        self, source_id: int, destination_id: int, t_ns: int, record: CommandReceived | NodeLifeChanged
    ) -> None:
        index = self._index_of.get(destination_id)
        if index is None or index not in self._ledger:
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
        # Frames it has sent are on their way: everybody has them before the sender is gone.
        self._settle(stop.at_ns)
        if not self._finish_member(index, is_killed=True):
            return
        self._await_death(pid)
        self._remove(index)
        self._tell_world(stop.node_id, False, stop.at_ns)

    def _await_death(self, pid: int) -> None:
        """Wait until a process that is to be killed is dead; one that lingers is killed from here."""
        give_up_s = time.monotonic() + READY_WAIT_S
        while pid not in self._note_deaths():
            select.select([self._server], [], [], LOOK_MS / 1000)
            if time.monotonic() >= give_up_s:
                os.kill(pid, signal.SIGKILL)
                give_up_s += READY_WAIT_S

    def _settle(self, at_ns: int) -> None:
        """Everybody takes what is on the way to it; nothing happens before `at_ns` any more."""
        self._grant(self._ledger.awaiting(), at_ns)

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
        while True:
            answered, ready = self._receive(READY_WAIT_S, [index])
            if answered == index:
                break
        if ready is None:
            return
        assert isinstance(ready, Ready)
        self._announce(index, member.boot_count)
        self._join(index, ready.next_event_ns)
        self._tell_world(stop.node_id, True, stop.at_ns)

    def _finish_member(self, index: int, is_killed: bool = False) -> bool:
        """End a life and take its report; False when it died before it could give one."""
        self._ending = index
        self._order(index, Finish(self._ledger.expected(index), is_killed))
        while True:
            answered, report = self._receive(ANSWER_WAIT_S, [index])
            if answered == index and report is None:
                self._ending = -1
                return False
            if answered == index and isinstance(report, Report):
                break
        self._ending = -1
        self._pids.pop(index)
        self._note_report(index, report)
        return True

    def _note_report(self, index: int, report: Report) -> None:
        self.outcome.lives.extend(report.lives)
        self.outcome.record_count += report.record_count
        self.outcome.frames_dropped_count += report.frames_dropped_count
        self.outcome.upsets_hit_count += report.upsets_hit_count
        self.outcome.accepted.extend(report.accepted)
        line = line_of(index, self._members[index].boot_count)
        self.archive_counts.append((line, report.archive_count))

    def finish(self) -> None:
        """End every life and gather the reports."""
        for index in self._ledger.members():
            if index in self._pids:
                self._finish_member(index)
        self.outcome.end_ns = self._now_ns
        self._tell_archive(is_end=True)
