"""The lean fork server of compute workers: `python -m flightos.worker_server SOCKET_PATH`.

It loads NumPy, kernels and apps once, listens on a Unix socket in a private folder, and forks one worker for each
connection; the worker tells its process id (4 bytes, big-endian) and then serves jobs. Forked workers share the
server's memory, start in a millisecond and cannot be confused by its threads, because it has none.
"""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
from pathlib import Path

from flightos.drivers.own_process import living_with

PID_BYTES = 4


def serve(path: Path, parent_pid: int) -> None:
    """Listen until killed; dies with `parent_pid`."""
    from flightos.worker import become_worker, worker_main

    become_worker(parent_pid)
    _preload()
    # Workers that end are nobody's children to wait for.
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    listener.bind(str(path))
    listener.listen(128)
    gc.collect()
    gc.freeze()
    server_pid = os.getpid()
    while True:
        connection, _ = listener.accept()
        if os.fork() == 0:
            listener.close()
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            connection.sendall(os.getpid().to_bytes(PID_BYTES, "big"))
            worker_main(connection, server_pid)
            os._exit(0)
        connection.close()


def _preload() -> None:
    """Load what every worker needs, so that a fork shares it."""
    import numpy

    import flightos.apps.execution
    import flightos.apps.surface_watch.steps
    import flightos.kernels  # noqa: F401

    numpy.zeros(1)


def main() -> None:
    """Entry point."""
    if len(sys.argv) != 2:
        raise SystemExit("usage: python -m flightos.worker_server SOCKET_PATH")
    path = Path(sys.argv[1])
    with living_with(path.parent):
        serve(path, os.getppid())


if __name__ == "__main__":
    main()
