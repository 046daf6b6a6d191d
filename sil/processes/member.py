"""A member process: one federate (a node; the world; mission control with its stations) under granted time.

The loop is plain: wait for a grant, wait for the batches that it counts on, run to the horizon, send what came of it,
write the input log, answer. It never looks at a clock.
"""

from __future__ import annotations

import gc
import os
import signal
from pathlib import Path

import msgspec
import zmq

from flightos.core.time import NEVER_NS
from flightos.drivers.workers import ForkedWorkers
from flightos.host.host import NodeHost
from flightos.host.message import Message
from sil.federate import Federate, Participant
from sil.members import Start, make_host
from sil.outcome import LifeTrace
from sil.plan import RunPlan
from sil.processes import protocol
from sil.processes.data_line import bound_inbox, connected_dealer, decode_batch, encode_batch
from sil.processes.layout import member_of_node
from sil.processes.outputs import ArchivePort
from sil.processes.protocol import (
    Answer,
    Finish,
    Grant,
    MemberPlan,
    News,
    Ready,
    Report,
    RunFolders,
    line_of,
    member_of_line,
)
from sil.world.participant import World

_encode = msgspec.msgpack.Encoder().encode
_decode_control = msgspec.msgpack.Decoder(protocol.ToMember).decode


class Member:
    """One process of a run: sockets around a federate."""

    def __init__(self, plan: RunPlan, folders: RunFolders, member: MemberPlan) -> None:
        self._member = member
        self._folders = folders
        self._member_of = member_of_node(plan)
        self._context = zmq.Context()
        self._identity = line_of(member.index, member.boot_count)
        control = folders.endpoint(protocol.CONTROL_NAME)
        self._control = connected_dealer(self._context, control, self._identity)
        inbox = folders.endpoint(f"m{member.index}.{member.boot_count}")
        self._data = bound_inbox(self._context, inbox)
        self._poller = zmq.Poller()
        self._poller.register(self._data, zmq.POLLIN)
        self._poller.register(self._control, zmq.POLLIN)
        self._peers: dict[int, zmq.Socket[bytes]] = {}
        self._boots: dict[int, int] = dict(member.boots)
        self._sent: dict[int, int] = {}
        self._received: dict[int, int] = {}
        self._archive = ArchivePort(self._context, folders, self._identity)
        self._workers: list[ForkedWorkers] = []
        self._hosts: list[NodeHost] = self._make_hosts(plan)
        participants: list[Participant] = [*self._hosts]
        if member.hosts_world:
            participants.append(World(plan))
        self._federate = Federate(participants, plan.lookahead_ns())

    def _make_hosts(self, plan: RunPlan) -> list[NodeHost]:
        hosts = []
        configurations = {node.node_id: node for node in plan.nodes}
        start = Start(self._member.boot_count, self._member.start_ns)
        for node_id in self._member.node_ids:
            workers = ForkedWorkers(self._folders.worker_server())
            self._workers.append(workers)
            inputs = Path(self._folders.inputs)
            hosts.append(make_host(plan, configurations[node_id], workers, inputs, start))
        return hosts

    def run(self) -> None:
        """Serve grants until the end."""
        gc.collect()
        gc.freeze()
        self._control.send(_encode(Ready(self._federate.next_event_ns(), self._pid())))
        while True:
            order = _decode_control(self._control.recv())
            if isinstance(order, Finish):
                self._await(order.expected)
                self._finish(order.is_killed)
                return
            if isinstance(order, News):
                self._note_boots(order.boots)
                continue
            assert isinstance(order, Grant)
            self._serve(order)

    def _await(self, expected: tuple[tuple[int, int], ...]) -> None:
        """Take batches until as many have come as the authority knows of; those of the dead may never come."""
        received, boots = self._received, self._boots
        for index, count in expected:
            while received.get(index, 0) < count and boots.get(index, 0) >= 0:
                self._take_batch()

    def _take_batch(self) -> None:
        """Wait for the next batch, or for the news that a member has died."""
        while True:
            try:
                line, data = self._data.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                if self._control in dict(self._poller.poll()):
                    order = _decode_control(self._control.recv())
                    assert isinstance(order, News), "a member has one grant at a time"
                    self._note_boots(order.boots)
                    return
                continue
            source, boot_count = member_of_line(line)
            if boot_count == self._boots.get(source, 0):
                self._received[source] = self._received.get(source, 0) + 1
                for message in decode_batch(data):
                    self._post(message)
            return

    @staticmethod
    def _pid() -> int:
        return os.getpid()

    def _post(self, message: Message) -> None:
        if message.destination_id in self._federate.participants:
            self._federate.post(message)

    def _note_boots(self, boots: tuple[tuple[int, int], ...]) -> None:
        """A member that died or came back: what was counted between it and us begins anew."""
        for index, boot_count in boots:
            self._boots[index] = boot_count
            self._sent.pop(index, None)
            self._received.pop(index, None)
            peer = self._peers.pop(index, None)
            if peer is not None:
                peer.close(linger=0)

    def _serve(self, grant: Grant) -> None:
        self._await(grant.expected)
        for fields in grant.messages:
            self._post(Message(*fields))
        self._federate.run_until(grant.horizon_ns)
        sent, to_dead_count = self._send_outbox()
        self._hand_over(grant.horizon_ns)
        trouble = next((workers.trouble for workers in self._workers if workers.trouble), "")
        answer = Answer(self._federate.next_event_ns(), tuple(sent), to_dead_count, trouble)
        self._control.send(_encode(answer))

    def _hand_over(self, t_ns: int) -> None:
        """Input logs reach the disk and packets leave before anybody hears an answer."""
        for host in self._hosts:
            host.flush()
            self._archive.collect(host, t_ns)

    def _send_outbox(self) -> tuple[list[tuple[int, int, int]], int]:
        outbox, self._federate.outbox = self._federate.outbox, []
        batches: dict[int, list[Message]] = {}
        to_dead_count = 0
        for message in outbox:
            index = self._member_of.get(message.destination_id)
            if index is None or self._boots.get(index, 0) < 0:
                to_dead_count += 1
            else:
                batches.setdefault(index, []).append(message)
        sent = []
        for index, batch in batches.items():
            self._peer(index).send(encode_batch(batch))
            self._sent[index] = self._sent.get(index, 0) + 1
            sent.append((index, self._sent[index], min(message.due_ns for message in batch)))
        return sent, to_dead_count

    def _peer(self, index: int) -> zmq.Socket[bytes]:
        peer = self._peers.get(index)
        if peer is None:
            inbox = self._folders.endpoint(f"m{index}.{self._boots.get(index, 0)}")
            peer = self._peers[index] = connected_dealer(self._context, inbox, self._identity)
        return peer

    def _finish(self, is_killed: bool, lateness_us: tuple[int, ...] = ()) -> None:
        lives = []
        record_count = frames_dropped_count = upsets_hit_count = 0
        for host in self._hosts:
            host.close()
            self._archive.collect(host, NEVER_NS)
            recorder = host.node.recorder
            assert recorder is not None
            lives.append(
                LifeTrace(host.id, recorder.boot_count, recorder.chain(), tuple(recorder.checkpoints))
            )
            record_count += host.node.bus.record_count
            frames_dropped_count += host.frames_dropped_count
            upsets_hit_count += host.upset_count
        for workers in self._workers:
            workers.close()
        report = Report(
            tuple(lives),
            record_count,
            frames_dropped_count,
            self._archive.sent_count,
            tuple(self._archive.accepted),
            lateness_us,
            upsets_hit_count,
        )
        self._control.send(_encode(report))
        for socket in (*self._peers.values(), self._data, self._control):
            socket.close()
        self._archive.close()
        # Returns when everything that was said is on its way: what a node emitted before its death has left it.
        self._context.term()
        if is_killed:
            os.kill(os.getpid(), signal.SIGKILL)
