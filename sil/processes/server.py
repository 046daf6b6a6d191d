"""The lean fork server of members: `python -m sil.processes.server FD FOLDERS`.

It loads the flight modules and the plan once (no ZeroMQ context, no numpy, no pydantic) and forks a member for each
order on its socket; the members share its memory. It waits for their ends and tells them, and dies with the run.
"""

from __future__ import annotations

import gc
import os
import select
import signal
import socket
import sys
import traceback
from pathlib import Path

import msgspec

from flightos.core.errors import DriverError, InfrastructureError
from flightos.drivers.own_process import living_with
from sil.processes.protocol import MemberPlan, RunFolders, leave_last_words

LENGTH_BYTES = 4
HOST_TROUBLE = 3
"""Exit status of a member that the host did not let go on: a full disk, a folder that is gone."""


class Started(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """A member was forked."""

    index: int
    pid: int


class Ended(msgspec.Struct, frozen=True, array_like=True, tag="e"):
    """A member's process ended; negative status = killed by that signal."""

    index: int
    pid: int
    status: int


FromServer = Started | Ended


def send_message(stream: socket.socket, message: msgspec.Struct) -> None:
    """4 bytes of length, big-endian, then MessagePack."""
    data = msgspec.msgpack.encode(message)
    stream.sendall(len(data).to_bytes(LENGTH_BYTES, "big") + data)


def receive_message(stream: socket.socket) -> bytes | None:
    """One message, or None at the end."""
    head = _receive_bytes(stream, LENGTH_BYTES)
    return None if head is None else _receive_bytes(stream, int.from_bytes(head, "big"))


def _receive_bytes(stream: socket.socket, count: int) -> bytes | None:
    """So many bytes, in however many pieces they come; None when the other end closes before."""
    data = b""
    while len(data) < count:
        try:
            piece = stream.recv(count - len(data))
        except ConnectionResetError:
            return None
        if not piece:
            return None
        data += piece
    return data


class Server:
    """Forks members and waits for their ends."""

    def __init__(self, stream: socket.socket, folders: RunFolders) -> None:
        from sil.processes.plan_file import load_plan

        self._stream = stream
        self._folders = folders
        self._plan = load_plan(Path(folders.plan))
        self._index_of: dict[int, int] = {}
        self._wake_read, self._wake_write = os.pipe()
        os.set_blocking(self._wake_write, False)

    def serve(self) -> None:
        """Until the other end of the socket closes."""
        signal.set_wakeup_fd(self._wake_write)
        signal.signal(signal.SIGCHLD, lambda number, frame: None)
        gc.collect()
        gc.freeze()
        while True:
            stream = self._stream.fileno()
            readable, _, _ = select.select([stream, self._wake_read], [], [])
            if self._wake_read in readable:
                os.read(self._wake_read, 4096)
                if not self._reap():
                    self._end_all()
                    return
            if stream in readable:
                data = receive_message(self._stream)
                if data is None:
                    self._end_all()
                    return
                self._fork(msgspec.msgpack.decode(data, type=MemberPlan))

    def _end_all(self) -> None:
        """Nobody is left when this process ends."""
        for pid in self._index_of:
            os.kill(pid, signal.SIGKILL)
        for pid in self._index_of:
            os.waitpid(pid, 0)

    def _reap(self) -> bool:
        """Tell of members that have ended; False when nobody listens any more."""
        while self._index_of:
            pid, status = os.waitpid(-1, os.WNOHANG)
            if pid == 0:
                break
            index = self._index_of.pop(pid)
            try:
                send_message(self._stream, Ended(index, pid, os.waitstatus_to_exitcode(status)))
            except OSError:
                return False
        return True

    def _fork(self, member: MemberPlan) -> None:
        server_pid = os.getpid()
        pid = os.fork()
        if pid == 0:
            self._be_member(member, server_pid)
        self._index_of[pid] = member.index
        send_message(self._stream, Started(member.index, pid))

    def _be_member(self, member: MemberPlan, server_pid: int) -> None:
        from flightos.worker import become_worker
        from sil.processes.member import Member
        from sil.processes.wall import WallMember

        signal.set_wakeup_fd(-1)
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        self._stream.close()
        become_worker(server_pid)
        # Seen in ps and top; the kernel keeps 15 characters.
        Path("/proc/self/comm").write_text(member.name[:15])
        try:
            kind = WallMember if member.is_wall else Member
            kind(self._plan, self._folders, member).run()
        except (OSError, DriverError, InfrastructureError) as error:
            # The host is at fault, not the node: the run cannot count on what this member would have done.
            leave_last_words(self._folders, str(member.index), str(error))
            os._exit(HOST_TROUBLE)
        except BaseException:
            print(f"process {member.name} failed:", file=sys.stderr)
            traceback.print_exc()
            sys.stderr.flush()
            os._exit(1)
        os._exit(0)


def main() -> None:
    """Entry point: an inherited socket and the run's folders as JSON."""
    from flightos.worker import become_worker

    if len(sys.argv) != 3:
        raise SystemExit("usage: python -m sil.processes.server FILE_DESCRIPTOR FOLDERS")
    become_worker(os.getppid())
    stream = socket.socket(fileno=int(sys.argv[1]))
    folders = msgspec.json.decode(sys.argv[2], type=RunFolders)
    # Loaded before the first fork, so that members share it.
    import sil.processes.wall  # noqa: F401

    with living_with(Path(folders.endpoints)):
        Server(stream, folders).serve()


if __name__ == "__main__":
    main()
