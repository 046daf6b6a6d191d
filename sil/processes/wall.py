"""A member under the wall clock: the same federate, driven by the host's monotonic clock instead of grants.

Events are carried out when their mission time has come; frames still carry the due time that the sender's shaper gave
them, so transport does not add to light time. What arrives after its time is carried out at once and counted as late.
Nothing is repeatable here but the input logs: each node re-executes to its hash.
"""

from __future__ import annotations

import select
import time
from typing import Final

import msgspec

from flightos.host.message import Message
from sil.processes import protocol
from sil.processes.data_line import decode_batch
from sil.processes.member import Member
from sil.processes.protocol import Finish, Grant, News, Ready, Start

LATENESS_CLASS_COUNT: Final = 24
_decode_control = msgspec.msgpack.Decoder(protocol.ToMember).decode


class WallMember(Member):
    """See the module."""

    def run(self) -> None:
        """Wait for the start, then fly until told to finish."""
        self._lateness = [0] * LATENESS_CLASS_COUNT
        self._done_ns = 0
        self._control.send(msgspec.msgpack.encode(Ready(self._federate.next_event_ns(), self._pid())))
        start = _decode_control(self._control.recv())
        assert isinstance(start, Start)
        self._start_ns = start.monotonic_ns
        files = [int(self._control.fileno()), int(self._data.fileno())]
        while True:
            wait_s = (self._federate.next_event_ns() - self._now_ns()) / 1e9
            if wait_s > 0 and not self._has_mail():
                select.select(files, [], [], min(wait_s, 1.0))
            self._take_batches()
            if self._take_orders():
                return
            self._fly_to(self._now_ns())

    def _now_ns(self) -> int:
        return time.monotonic_ns() - self._start_ns

    def _has_mail(self) -> bool:
        """True when a socket has something: their file descriptors tell changes only."""
        return bool(self._control.poll(0) or self._data.poll(0))

    def _take_batches(self) -> None:
        while self._data.poll(0):
            _, data = self._data.recv_multipart()
            for message in decode_batch(data):
                self._post_late(message)

    def _post_late(self, message: Message) -> None:
        if message.due_ns < self._done_ns:
            message = msgspec.structs.replace(message, due_ns=self._done_ns)
        self._post(message)

    def _take_orders(self) -> bool:
        """True when the life ends."""
        while self._control.poll(0):
            order = _decode_control(self._control.recv())
            if isinstance(order, Finish):
                self._finish(order.is_killed, tuple(self._lateness))
                return True
            if isinstance(order, News):
                self._note_boots(order.boots)
                continue
            assert isinstance(order, Grant)
            for fields in order.messages:
                self._post_late(Message(*fields))
        return False

    def _fly_to(self, now_ns: int) -> None:
        """Carry out what is due, one window after the other, so that lateness is that of each."""
        next_ns = self._federate.next_event_ns()
        if next_ns >= now_ns:
            return
        late_us = (now_ns - next_ns) // 1000
        self._lateness[min(late_us.bit_length(), LATENESS_CLASS_COUNT - 1)] += 1
        self._federate.run_until(now_ns)
        self._done_ns = now_ns
        self._send_outbox()
        self._hand_over(now_ns)
