"""Workers that hang are killed; those that have died are let go, and nobody else is hit in their place."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from flightos.core.ports import StartWork, WorkFailure
from flightos.drivers import workers as workers_module
from flightos.drivers.workers import ForkedWorkers

WORK = StartWork(1, "surface_watch", "water", b"", (), 10**9, 2 * 10**9, False)


@pytest.fixture
def sleeper() -> Iterator[subprocess.Popen[bytes]]:
    """A process that lives until it is killed."""
    process = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    yield process
    process.kill()
    process.wait()


@pytest.fixture
def listener(tmp_path: Path) -> Iterator[socket.socket]:
    """Where the node looks for the worker server."""
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as server:
        server.bind(str(tmp_path / "workers"))
        server.listen(1)
        yield server


def answer_with(listener: socket.socket, pid: int, keep: list[socket.socket]) -> threading.Thread:
    """Play the server: tell a process id, then keep the connection open, or close it when `keep` is not wanted."""

    def serve() -> None:
        connection, _ = listener.accept()
        connection.sendall(pid.to_bytes(workers_module.PID_BYTES, "big"))
        keep.append(connection)

    thread = threading.Thread(target=serve)
    thread.start()
    return thread


def test_a_hung_worker_is_killed(
    tmp_path: Path, listener: socket.socket, sleeper: subprocess.Popen[bytes]
) -> None:
    """By abort, as the watchdog of a node asks."""
    kept: list[socket.socket] = []
    server = answer_with(listener, sleeper.pid, kept)
    workers = ForkedWorkers(str(tmp_path / "workers"))
    workers.start(WORK, (), hang=True)
    server.join()
    workers.abort(WORK.work_id)
    assert sleeper.wait(5) == -9
    workers.close()
    kept[0].close()


def test_the_id_of_a_dead_worker_may_belong_to_somebody_else(
    tmp_path: Path, listener: socket.socket, sleeper: subprocess.Popen[bytes]
) -> None:
    """The worker dies, and its id is given to a process of somebody else before its answer is wanted."""
    worker = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    kept: list[socket.socket] = []
    server = answer_with(listener, worker.pid, kept)
    workers = ForkedWorkers(str(tmp_path / "workers"))
    workers.start(WORK, (), hang=False)
    server.join()
    worker.kill()
    worker.wait()
    kept[0].close()
    for process in workers._busy.values():
        process.pid = sleeper.pid
    open_before = len(os.listdir("/proc/self/fd"))
    assert workers.result(WORK.work_id) is WorkFailure.CRASHED
    assert "died or hung" in workers.trouble
    assert sleeper.poll() is None, "an innocent process was killed"
    assert len(os.listdir("/proc/self/fd")) == open_before - 2, "the stream and the handle of the process"
