"""Runs as a user starts them: `flightos run` as a process, and the processes that it starts in turn."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

ROOT: Final = Path(__file__).resolve().parents[2]
SCENARIOS: Final = Path(__file__).resolve().parent / "scenarios"
WAIT_S: Final = 120.0
"""Far longer than anything takes on two slow cores."""


def environment(extra: Mapping[str, str] | None = None) -> dict[str, str]:
    """The environment of a user who works with the tree that is tested."""
    places = [str(ROOT), os.environ.get("PYTHONPATH", "")]
    path = os.pathsep.join(place for place in places if place)
    return {**os.environ, "PYTHONPATH": path, "NO_COLOR": "1", **(extra or {})}


def command_line(*arguments: str) -> list[str]:
    """A `flightos` command."""
    return [sys.executable, "-m", "flightos.cli", *arguments]


@dataclass(frozen=True)
class Ended:
    """How a command ended, and what it wrote."""

    status: int
    stdout: str
    stderr: str

    @property
    def document(self) -> dict[str, Any]:
        """The JSON object on stdout."""
        content: dict[str, Any] = json.loads(self.stdout)
        return content


def flightos(*arguments: str, folder: Path, extra: Mapping[str, str] | None = None) -> Ended:
    """Run a command to its end, in a folder."""
    done = subprocess.run(
        command_line(*arguments),
        cwd=folder,
        env=environment(extra),
        capture_output=True,
        text=True,
        timeout=WAIT_S,
        check=False,
    )
    return Ended(done.returncode, done.stdout, done.stderr)


def fly(scenario: str | Path, out: Path, *options: str, extra: Mapping[str, str] | None = None) -> Ended:
    """Fly a scenario into `out`, as processes and as fast as it goes unless `options` say otherwise."""
    speed = () if {"--virtual", "--wall", "--speed"} & set(options) else ("--speed", "max")
    arguments = ("run", str(scenario), "--out", str(out), "--json", *speed, *options)
    return flightos(*arguments, folder=out.parent, extra=extra)


@dataclass(frozen=True)
class Process:
    """A process of a run, by the part it plays."""

    pid: int
    part: str
    """Name of a member (`sat-01`, `ground`, `world`), `fork server`, `worker server`, `worker` or `archive`."""


def processes_of(endpoints: str, run_pid: int = -1) -> list[Process]:
    """Processes whose command line names the endpoint folder of a run; zombies have no command line."""
    found = []
    for place in Path("/proc").iterdir():
        if not place.name.isdigit():
            continue
        try:
            command = (place / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            name = (place / "comm").read_text().strip()
            parent = int((place / "stat").read_text().rpartition(")")[2].split()[1])
        except OSError:
            continue  # ended meanwhile
        if not endpoints or endpoints not in command:
            continue
        if "sil.processes.archive" in command:
            part = "archive"
        elif "flightos.worker_server" in command:
            part = "worker server" if parent == run_pid else "worker"
        elif "sil.processes.server" in command:
            part = "fork server" if parent == run_pid else name
        else:
            part = name
        found.append(Process(int(place.name), part))
    return found


class LiveRun:
    """A run under way. It leads a process group of its own, as a command at a terminal does."""

    def __init__(
        self, scenario: str | Path, out: Path, *options: str, extra: Mapping[str, str] | None = None
    ) -> None:
        self.out = out
        self.endpoints = ""
        self._texts = out.with_suffix(".stdout"), out.with_suffix(".stderr")
        with self._texts[0].open("wb") as stdout, self._texts[1].open("wb") as stderr:
            self.process = subprocess.Popen(
                command_line("run", str(scenario), "--out", str(out), "--json", *options),
                cwd=out.parent,
                env=environment(extra),
                stdin=subprocess.DEVNULL,
                stdout=stdout,
                stderr=stderr,
                process_group=0,
            )

    def __enter__(self) -> LiveRun:
        return self

    def __exit__(self, *_: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    @property
    def stderr(self) -> str:
        """What the run has said so far."""
        return self._texts[1].read_text(errors="replace")

    def until(self, condition: Callable[[], bool], what: str) -> None:
        """Wait for something; fails when the run ends before."""
        give_up_s = time.monotonic() + WAIT_S
        while not condition():
            assert self.process.poll() is None, f"the run ended before {what}:\n{self.stderr}"
            assert time.monotonic() < give_up_s, f"waited too long for {what}:\n{self.stderr}"
            time.sleep(0.01)

    def until_mission_s(self, mission_s: float) -> None:
        """Wait until the run has come so far; it is fully up then."""
        self.until(lambda: self._mission_s() >= mission_s, f"{mission_s} s of mission time")
        self.endpoints = str(self.manifest()["endpoint_folder"])

    def _mission_s(self) -> float:
        try:
            return float(json.loads((self.out / "live.json").read_text())["t_mission_ns"]) / 1e9
        except (OSError, ValueError):
            return -1.0

    def manifest(self) -> dict[str, Any]:
        """The manifest as it is now."""
        content: dict[str, Any] = json.loads((self.out / "manifest.json").read_text())
        return content

    def processes(self) -> list[Process]:
        """Everybody that the run has started and that still lives."""
        return processes_of(self.endpoints, self.process.pid)

    def pids(self, part: str) -> list[int]:
        """Process ids of those that play a part."""
        return [process.pid for process in self.processes() if process.part == part]

    def send(self, number: signal.Signals) -> None:
        """To the command alone."""
        self.process.send_signal(number)

    def send_to_group(self, number: signal.Signals) -> None:
        """To the whole foreground group, as a terminal does."""
        os.killpg(self.process.pid, number)

    def ended(self) -> Ended:
        """Wait for the end."""
        status = self.process.wait(WAIT_S)
        stdout, stderr = (text.read_text(errors="replace") for text in self._texts)
        return Ended(status, stdout, stderr)

    def left_behind(self) -> list[str]:
        """What is still there of the run a moment after its end: processes, and its folder of sockets."""
        give_up_s = time.monotonic() + 10.0
        while time.monotonic() < give_up_s:
            found = [f"{process.part} ({process.pid})" for process in self.processes()]
            if not found:
                break
            time.sleep(0.02)
        return found + ([self.endpoints] if Path(self.endpoints).exists() else [])
