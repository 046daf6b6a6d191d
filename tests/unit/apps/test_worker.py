"""The compute worker as a real process: answers, faults, and death with its parent."""

from __future__ import annotations

import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator

import msgspec
import pytest

from flightos.apps.template.product import decode_product
from flightos.apps.tiles import TileHeader, encode_tile
from flightos.core.errors import DriverError
from flightos.core.ports import WorkFailure
from flightos.drivers.work_messages import MessageReader, WorkAnswer, WorkJob, encode_message
from flightos.services.scheduling.interface import PlanRequest, PlanResult
from flightos.worker import worker_main

TILE = encode_tile(TileHeader(7, 3, 0, 0, 2, 3, ("nir",), "uint8", 28_500), bytes(range(6)))


class ForkedWorker:
    """A worker behind a socket pair, forked from the test process."""

    def __init__(self) -> None:
        ours, theirs = socket.socketpair()
        self.pid = os.fork()
        if self.pid == 0:
            ours.close()
            try:
                worker_main(theirs.detach())
            finally:
                os._exit(0)
        theirs.close()
        ours.settimeout(10)
        self.stream = ours
        self.reader = MessageReader(WorkAnswer)

    def ask(self, job: WorkJob) -> WorkAnswer:
        self.stream.sendall(encode_message(job))
        while True:
            data = self.stream.recv(1 << 16)
            assert data, "the worker closed the connection"
            answers = self.reader.feed(data)
            if answers:
                (answer,) = answers
                return answer


@pytest.fixture
def worker() -> Iterator[ForkedWorker]:
    forked = ForkedWorker()
    yield forked
    forked.stream.close()
    os.kill(forked.pid, signal.SIGKILL)
    os.waitpid(forked.pid, 0)


def test_it_runs_plan_step_and_finish(worker: ForkedWorker) -> None:
    request = msgspec.msgpack.encode(PlanRequest(7, 3, b"id"))
    planned = worker.ask(WorkJob(1, "template", "plan", request, ()))
    assert (planned.work_id, planned.failure) == (1, 0)
    (task,) = msgspec.msgpack.decode(planned.result, type=PlanResult).tasks
    measured = worker.ask(WorkJob(2, "template", task.step, task.parameters, (TILE,)))
    finished = worker.ask(WorkJob(3, "template", "finish", b"", (measured.result,)))
    assert decode_product(finished.result).count_sums == (15,)
    assert finished.execution_ns > 0


def test_two_jobs_in_one_write_are_answered_in_order(worker: ForkedWorker) -> None:
    job = WorkJob(1, "template", "measure", b"", (TILE,))
    worker.stream.sendall(encode_message(job) + encode_message(msgspec.structs.replace(job, work_id=2)))
    answers: list[WorkAnswer] = []
    while len(answers) < 2:
        answers += worker.reader.feed(worker.stream.recv(1 << 16))
    assert [answer.work_id for answer in answers] == [1, 2]


@pytest.mark.parametrize(
    ("app", "step", "inputs", "failure"),
    [
        ("template", "measure", (TILE[:-1] + b"\x00",), WorkFailure.CORRUPT_INPUT),
        ("template", "no_such_step", (), WorkFailure.REFUSED),
        ("no_such_app", "plan", (), WorkFailure.REFUSED),
        ("no.such.module", "plan", (), WorkFailure.REFUSED),
    ],
)
def test_what_an_app_refuses_is_an_answer_and_the_worker_lives(
    worker: ForkedWorker, app: str, step: str, inputs: tuple[bytes, ...], failure: WorkFailure
) -> None:
    answer = worker.ask(WorkJob(5, app, step, b"", inputs))
    assert answer.failure == failure
    assert answer.result == b""
    assert answer.text
    assert worker.ask(WorkJob(6, "template", "measure", b"", (TILE,))).failure == 0


def test_a_hanging_job_gives_no_answer_until_it_is_killed(worker: ForkedWorker) -> None:
    worker.stream.sendall(encode_message(WorkJob(1, "template", "measure", b"", (TILE,), fault="hang")))
    readable, _, _ = select.select([worker.stream], [], [], 0.3)
    assert readable == []
    os.kill(worker.pid, signal.SIGKILL)
    assert worker.stream.recv(1) == b""


def test_a_crashing_job_closes_the_connection(worker: ForkedWorker) -> None:
    worker.stream.sendall(encode_message(WorkJob(1, "template", "measure", b"", (TILE,), fault="crash")))
    assert worker.stream.recv(1) == b""


def test_it_ends_when_the_node_closes_the_connection() -> None:
    forked = ForkedWorker()
    forked.stream.close()
    _, status = os.waitpid(forked.pid, 0)
    assert os.waitstatus_to_exitcode(status) == 0


def test_a_hanging_worker_dies_with_its_parent() -> None:
    """A node killed with -9 leaves no worker behind, whatever the worker is doing."""
    parent = (
        "import os, socket, sys\n"
        "from flightos.drivers.work_messages import WorkJob, encode_message\n"
        "from flightos.worker import worker_main\n"
        "ours, theirs = socket.socketpair()\n"
        "pid = os.fork()\n"
        "if pid == 0:\n"
        "    worker_main(theirs)\n"
        "ours.sendall(encode_message(WorkJob(1, 'template', 'measure', b'', (), 'hang')))\n"
        "print(pid, flush=True)\n"
        "sys.stdin.read()\n"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", parent], stdin=subprocess.PIPE, stdout=subprocess.PIPE, env={**os.environ}
    )
    assert process.stdin is not None
    assert process.stdout is not None
    worker_pid = int(process.stdout.readline())
    time.sleep(0.2)
    assert _is_alive(worker_pid)
    process.kill()
    process.wait()
    process.stdin.close()
    process.stdout.close()
    deadline_s = time.monotonic() + 5
    while _is_alive(worker_pid) and time.monotonic() < deadline_s:
        time.sleep(0.02)
    assert not _is_alive(worker_pid)


def _is_alive(pid: int) -> bool:
    """A dead process whose new parent has not read its end yet counts as dead."""
    try:
        with open(f"/proc/{pid}/stat") as stat:
            return stat.read().rsplit(")", 1)[1].split()[0] not in ("Z", "X")
    except FileNotFoundError:
        return False


@pytest.mark.parametrize("bad", [b"\xff\xff\xff\xff", b"\x00\x00\x00\x01\xc0", b"\x00\x00\x00\x03abc"])
def test_bytes_that_are_no_message_are_a_driver_error(bad: bytes) -> None:
    with pytest.raises(DriverError):
        MessageReader(WorkAnswer).feed(bad)
