"""A compute worker: one process that runs the steps of apps, one after the other, and can be killed at any
moment.

It answers jobs on one stream socket (`drivers.work_messages`) until the other end closes. It holds no state
between jobs, has one BLAS thread, ignores Ctrl-C (its node decides), and dies with the process that made it.
What an app does wrong becomes an answer; a hang or a crash is for the node's watchdog.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import time
from typing import Final

from flightos.drivers.work_messages import MessageReader, WorkAnswer, WorkJob, encode_message

_PR_SET_PDEATHSIG: Final = 1
_RECEIVE_BYTES: Final = 1 << 18


def worker_main(connection: int | socket.socket, parent_pid: int | None = None) -> None:
    """Serve jobs on a connected stream socket (or its file descriptor, which is taken over) until it closes.

    `parent_pid` is the process with which the worker shall die, the direct parent; without it, whatever the
    parent is at this moment. Never raises for what a job does.
    """
    become_worker(parent_pid)
    stream = connection if isinstance(connection, socket.socket) else socket.socket(fileno=connection)
    stream.setblocking(True)
    reader = MessageReader(WorkJob)
    try:
        while data := stream.recv(_RECEIVE_BYTES):
            for job in reader.feed(data):
                stream.sendall(encode_message(run_job(job)))
    except (BrokenPipeError, ConnectionResetError):
        return  # the node is gone; there is nobody to answer
    finally:
        stream.close()


def run_job(job: WorkJob) -> WorkAnswer:
    """Run one job to its answer, or to the fault it was told to have."""
    # Imported here, so that a fork server may choose what is loaded before it forks.
    from flightos.apps.execution import execute

    if job.fault == "hang":
        while True:
            signal.pause()
    if job.fault == "crash":
        os.kill(os.getpid(), signal.SIGKILL)
    start_ns = time.perf_counter_ns()
    done = execute(job.app, job.step, job.parameters, job.inputs)
    return WorkAnswer(
        work_id=job.work_id,
        failure=0 if done.failure is None else int(done.failure),
        result=done.result,
        text=done.text,
        execution_ns=time.perf_counter_ns() - start_ns,
    )


def become_worker(parent_pid: int | None) -> None:
    """Tie the life of this process to its parent, and keep numeric libraries to one thread."""
    expected_parent_pid = os.getppid() if parent_pid is None else parent_pid
    libc = ctypes.CDLL(None, use_errno=True)
    if libc.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0) != 0:
        raise OSError(ctypes.get_errno(), "prctl(PR_SET_PDEATHSIG)")
    if os.getppid() != expected_parent_pid:
        os._exit(0)  # the parent died before the signal was armed
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # Read by the libraries when they are first loaded.
    for variable in ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS"):
        os.environ[variable] = "1"


def main() -> None:
    """Entry point of `python -m flightos.worker FD`: FD is an inherited, connected stream socket."""
    if len(sys.argv) != 2 or not sys.argv[1].isdigit():
        raise SystemExit("usage: python -m flightos.worker FILE_DESCRIPTOR")
    worker_main(int(sys.argv[1]))


if __name__ == "__main__":
    main()
