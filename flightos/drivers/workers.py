"""Workers as processes: each node has one, forked by the worker server when work first needs it.

The node's side of the pipe: jobs go out at once, answers are waited for when the run needs them. A worker that hangs
is killed; one that dies answers `CRASHED`. The next job gets a fresh one.
"""

from __future__ import annotations

import os
import signal
import socket
from collections.abc import Sequence
from contextlib import suppress
from typing import Final

from flightos.core.errors import DriverError
from flightos.core.ports import StartWork, WorkFailure
from flightos.drivers.work_messages import MessageReader, WorkAnswer, WorkJob, encode_message

PID_BYTES: Final = 4
ANSWER_WAIT_S: Final = 60.0
"""Longer than any step takes on the slowest host: then the worker really hangs, although nobody planned it."""
_RECEIVE_BYTES: Final = 1 << 18


class WorkerProcess:
    """A connection to one forked worker; jobs are answered in order."""

    def __init__(self, server_path: str) -> None:
        self._stream = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._stream.settimeout(ANSWER_WAIT_S)
        try:
            self._stream.connect(server_path)
            self.pid = int.from_bytes(self._stream.recv(PID_BYTES, socket.MSG_WAITALL), "big")
        except OSError as error:
            raise DriverError(f"no worker from {server_path}: {error}") from error
        # Holds on to this very process: once it has ended, its id may be given to somebody else.
        self._pidfd = -1
        if self.pid > 1:
            with suppress(OSError):
                self._pidfd = os.pidfd_open(self.pid)
        self._reader = MessageReader(WorkAnswer)
        self._answers: dict[int, WorkAnswer] = {}

    def send(self, job: WorkJob) -> None:
        """Hand over a job; a worker that is gone is noticed when its answer is wanted."""
        try:
            self._stream.sendall(encode_message(job))
        except OSError:
            return

    def answer(self, work_id: int) -> WorkAnswer | None:
        """Wait for an answer; None when the worker died or hangs."""
        try:
            while work_id not in self._answers:
                data = self._stream.recv(_RECEIVE_BYTES)
                if not data:
                    return None
                for answer in self._reader.feed(data):
                    self._answers[answer.work_id] = answer
        except (OSError, DriverError):
            return None
        return self._answers.pop(work_id)

    def kill(self) -> None:
        """End it, whatever it does; one that has ended by itself is only let go."""
        if self._pidfd >= 0:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            os.close(self._pidfd)
            self._pidfd = -1
        self._stream.close()


class ForkedWorkers:
    """Satisfies `Workers` with one process per piece of work under way; idle ones are kept for the next.

    `trouble` says what happened that no scenario planned: from then on the run does not repeat exactly.
    """

    def __init__(self, server_path: str) -> None:
        self._server_path = server_path
        self._busy: dict[int, WorkerProcess] = {}
        self._idle: list[WorkerProcess] = []
        self.trouble = ""

    def start(self, work: StartWork, inputs: Sequence[bytes], hang: bool) -> None:
        """Give the work to an idle worker, or to a new one."""
        worker = self._idle.pop() if self._idle else WorkerProcess(self._server_path)
        self._busy[work.work_id] = worker
        worker.send(
            WorkJob(work.work_id, work.app, work.step, work.parameters, tuple(inputs), "hang" if hang else "")
        )

    def result(self, work_id: int) -> bytes | WorkFailure:
        """Wait for the answer; a worker that dies or hangs unplanned is killed and the fact kept in `trouble`."""
        worker = self._busy.pop(work_id)
        answer = worker.answer(work_id)
        if answer is None:
            worker.kill()
            self.trouble = f"worker {worker.pid} of work {work_id} died or hung"
            return WorkFailure.CRASHED
        self._idle.append(worker)
        if answer.failure:
            return WorkFailure(answer.failure)
        return answer.result

    def abort(self, work_id: int) -> None:
        """Kill the worker of this work."""
        worker = self._busy.pop(work_id, None)
        if worker is not None:
            worker.kill()

    def close(self) -> None:
        """Leave no process behind."""
        for worker in (*self._busy.values(), *self._idle):
            worker.kill()
        self._busy.clear()
        self._idle.clear()
