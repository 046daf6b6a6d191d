"""A flight started as the user starts it, seen from outside: its processes, their memory and CPU time."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

from flightos.core.errors import InfrastructureError

END_WAIT_S = 60.0
KIB_PER_MIB = 1024.0


class Memory(NamedTuple):
    """Of one process, in MiB: resident, and resident with shared pages divided among those who share them."""

    rss_mib: float
    pss_mib: float


@contextmanager
def started_run(*arguments: str) -> Iterator[subprocess.Popen[bytes]]:
    """`flightos run ARGUMENTS` in a fresh interpreter; interrupted, and ended, when the block ends.

    Its talk can be read from `stderr`.
    """
    command = [sys.executable, "-m", "flightos.cli", "run", *arguments]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    process = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, env=environment
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.communicate(timeout=END_WAIT_S)
        except subprocess.TimeoutExpired:
            process.kill()
            process.communicate()


def descendants(pid: int) -> list[int]:
    """Processes below a process, as far as they live."""
    found: list[int] = []
    try:
        children = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return found
    for child in map(int, children):
        found += [child, *descendants(child)]
    return found


def process_name(pid: int) -> str:
    """The name in ps; empty for a process that is gone."""
    try:
        return Path(f"/proc/{pid}/comm").read_text().rstrip("\n")
    except OSError:
        return ""


def wait_for_processes(parent: subprocess.Popen[bytes], names: list[str], wait_s: float = 30.0) -> list[int]:
    """Process ids of the descendants with these names, once all are there. Raises InfrastructureError."""
    wanted = {name[:15] for name in names}
    give_up_s = time.monotonic() + wait_s
    while time.monotonic() < give_up_s and parent.poll() is None:
        found = {process_name(pid): pid for pid in descendants(parent.pid)}
        if wanted <= found.keys():
            return [found[name] for name in sorted(wanted)]
        time.sleep(0.2)
    if parent.poll() is not None:
        raise InfrastructureError(f"the run ended before all its processes appeared: {_last_words(parent)}")
    raise InfrastructureError(f"the processes of the run did not all appear within {wait_s:.0f} s")


def _last_words(process: subprocess.Popen[bytes]) -> str:
    """The last line on stderr of a process that has ended, or its exit status."""
    lines = process.stderr.read().decode(errors="replace").split("\n") if process.stderr else []
    said = [line.strip() for line in lines if line.strip()]
    return said[-1] if said else f"exit status {process.returncode}"


def memory(pid: int) -> Memory:
    """What a process holds now, from /proc/PID/smaps_rollup. Raises InfrastructureError where there is none."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError as error:
        raise InfrastructureError(f"no memory figures of process {pid}: {error}") from error
    kib = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return Memory(kib["Rss"] / KIB_PER_MIB, kib["Pss"] / KIB_PER_MIB)


def mapped_packages(pid: int) -> list[str]:
    """Installed packages whose native libraries a process has loaded, sorted: what a lean node must do without shows
    here. Raises InfrastructureError for a process that is gone."""
    try:
        lines = Path(f"/proc/{pid}/maps").read_text().splitlines()
    except OSError as error:
        raise InfrastructureError(f"no memory map of process {pid}: {error}") from error
    paths = [line.split(None, 5)[5] for line in lines if "/site-packages/" in line]
    return sorted({path.split("/site-packages/")[1].split("/")[0].split(".")[0] for path in paths})


def cpu_s(pid: int) -> float:
    """CPU seconds that a process has used, to the nanosecond where the kernel counts so. Raises
    InfrastructureError for a process that is gone."""
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9 + _other_threads_s(pid)
    except OSError as error:
        raise InfrastructureError(f"no CPU figures of process {pid}: {error}") from error


def _other_threads_s(pid: int) -> float:
    tasks = [path for path in Path(f"/proc/{pid}/task").iterdir() if path.name != str(pid)]
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9
