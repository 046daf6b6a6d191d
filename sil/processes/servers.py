"""The parent's side of the fork server, and the other helper processes of a run."""

from __future__ import annotations

import select
import signal
import socket
import subprocess
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import msgspec

from flightos.core.errors import InfrastructureError
from flightos.drivers.own_process import module_command, module_environment
from sil.processes.protocol import MemberPlan, RunFolders, last_words
from sil.processes.server import Ended, FromServer, Started, receive_message, send_message

START_WAIT_S: Final = 30.0


class ForkServer:
    """Forks members on demand and tells of their ends."""

    def __init__(self, folders: RunFolders) -> None:
        self._stream, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
        self._stream.settimeout(START_WAIT_S)
        number = theirs.fileno()
        folders_json = msgspec.json.encode(folders).decode()
        self._process = subprocess.Popen(
            module_command("sil.processes.server", str(number), folders_json),
            pass_fds=(number,),
            stdin=subprocess.DEVNULL,
            env=module_environment(),
            process_group=0,
        )
        theirs.close()
        self._decode = msgspec.msgpack.Decoder(FromServer).decode
        self._ended: list[Ended] = []

    def fileno(self) -> int:
        """To poll: readable when a member ended."""
        return self._stream.fileno()

    def fork(self, member: MemberPlan) -> int:
        """Start a member; gives its process id."""
        try:
            send_message(self._stream, member)
        except OSError as error:
            raise self._is_gone() from error
        while True:
            message = self._next()
            if isinstance(message, Started):
                return message.pid
            self._ended.append(message)

    def take_ended(self) -> list[Ended]:
        """Members whose processes ended since the last call."""
        while select.select([self._stream], [], [], 0)[0]:
            message = self._next()
            assert isinstance(message, Ended)
            self._ended.append(message)
        ended, self._ended = self._ended, []
        return ended

    def _next(self) -> FromServer:
        try:
            data = receive_message(self._stream)
        except OSError as error:
            raise InfrastructureError(f"the fork server does not answer: {error}") from error
        if data is None:
            raise self._is_gone()
        message: Started | Ended = self._decode(data)
        return message

    def _is_gone(self) -> InfrastructureError:
        return InfrastructureError(f"the fork server of the run {how_it_ended(self._process)}")

    def close(self) -> None:
        """End the server; members that are left die with it."""
        self._stream.close()
        try:
            self._process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            end(self._process)


def start_module(module: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start one of our modules as a process that dies with us. It is in a process group of its own: Ctrl-C at the
    terminal reaches the run only, which ends everybody in order."""
    command = module_command(module, *arguments)
    return subprocess.Popen(command, stdin=subprocess.DEVNULL, env=module_environment(), process_group=0)


class Helpers:
    """The processes beside the members without which a run is nothing."""

    def __init__(self, folders: RunFolders, processes: Mapping[str, subprocess.Popen[bytes]]) -> None:
        self._folders = folders
        self._processes = processes

    def check(self) -> None:
        """Raises InfrastructureError when one has died."""
        for name, process in self._processes.items():
            if process.poll() is not None:
                raise InfrastructureError(
                    f"the {name} of the run {how_it_ended(process, self._folders, name)}"
                )


def how_it_ended(process: subprocess.Popen[bytes], folders: RunFolders | None = None, name: str = "") -> str:
    """Of a process that has ended: how, or its own last words."""
    try:
        status = process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        return f"(pid {process.pid}) does not answer"
    words = "" if folders is None else last_words(folders, name)
    return f"(pid {process.pid}) {words}" if words else f"(pid {process.pid}) died: {status_text(status)}"


def status_text(status: int) -> str:
    """An exit status in words; negative = a signal."""
    return (
        f"killed by signal {-status} ({signal.strsignal(-status)})" if status < 0 else f"exit status {status}"
    )


def wait_for_socket(path: Path, process: subprocess.Popen[bytes]) -> None:
    """Wait until a helper process listens at a path. Raises InfrastructureError when it died or is late."""
    give_up_s = time.monotonic() + START_WAIT_S
    while not path.exists():
        if process.poll() is not None:
            raise InfrastructureError(f"a process of the run {how_it_ended(process)}, before it was up")
        if time.monotonic() > give_up_s:
            raise InfrastructureError(f"{path} does not appear: a process of the run is stuck")
        time.sleep(0.01)


def end(process: subprocess.Popen[bytes]) -> None:
    """End a process and wait for it, whatever it does."""
    process.terminate()
    try:
        process.wait(timeout=5)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()
