"""A run as real processes under granted time: members, archive, worker server, and the authority in this process."""

from __future__ import annotations

import shutil
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from subprocess import Popen
from typing import Final

import msgspec
import zmq

from flightos.core.errors import InfrastructureError
from flightos.core.time import NS_PER_S
from sil.folder import RunFolder
from sil.outcome import Outcome
from sil.plan import RunPlan
from sil.processes import protocol
from sil.processes.authority import Authority
from sil.processes.operator_port import OperatorPort
from sil.processes.outputs import ArchivePort
from sil.processes.plan_file import save_plan
from sil.processes.protocol import RunFolders, RunSizes
from sil.processes.servers import ForkServer, end, start_module, wait_for_socket
from sil.processes.wall_authority import WallAuthority
from sil.progress import OnProgress, Progress
from sil.stops import OPERATOR_LOG, Command, stops_of
from sil.watching import laser_link_count

ARCHIVE_WAIT_S: Final = 120.0
PACE_SLACK_S: Final = 0.002


def fly_processes(
    plan: RunPlan,
    folder: RunFolder,
    commands: Sequence[Command],
    speed: float | None,
    wall: bool,
    progress: OnProgress,
) -> Outcome:
    """Fly a plan; gives the outcome. No process is left behind, whatever happens."""
    endpoints = Path(tempfile.mkdtemp(prefix="fos-"))
    folder.note_endpoints(endpoints)
    try:
        save_plan(plan, endpoints)
        folders = RunFolders(str(endpoints), str(endpoints), str(folder.inputs.resolve()))
        return ProcessFlight(plan, folder, folders, 1.0 if wall else speed, wall, progress).run(commands)
    except zmq.ZMQError as error:
        raise InfrastructureError(f"{endpoints}: {error}") from error
    finally:
        shutil.rmtree(endpoints, ignore_errors=True)


class ProcessFlight:
    """Brings everything up, lets the authority fly, and takes everything down."""

    def __init__(
        self,
        plan: RunPlan,
        folder: RunFolder,
        folders: RunFolders,
        speed: float | None,
        is_wall: bool,
        progress: OnProgress,
    ) -> None:
        self._plan = plan
        self._is_wall = is_wall
        self._folder = folder
        self._folders = folders
        self._speed = speed
        self._progress = progress
        self._context = zmq.Context()
        self._looks: zmq.Socket[bytes] = self._context.socket(zmq.PULL)
        self._looks.bind(folders.endpoint(protocol.PROGRESS_NAME))
        self._control: zmq.Socket[bytes] = self._context.socket(zmq.ROUTER)
        self._control.set_hwm(0)
        self._control.setsockopt(zmq.ROUTER_MANDATORY, 1)
        self._control.bind(folders.endpoint(protocol.CONTROL_NAME))
        self._decode_look = msgspec.msgpack.Decoder(Progress).decode

    def run(self, commands: Sequence[Command]) -> Outcome:
        """Fly from start to end."""
        encoded = msgspec.json.encode(self._folders).decode()
        sizes = RunSizes(
            self._plan.duration_ns,
            self._plan.epoch_tai_ns,
            len(self._plan.worlds),
            laser_link_count(self._plan),
        )
        helpers = [
            start_module("flightos.worker_server", self._folders.worker_server()),
            start_module(
                "sil.processes.archive",
                str(self._folder.path.resolve()),
                encoded,
                msgspec.json.encode(sizes).decode(),
            ),
        ]
        server = ForkServer(self._folders)
        try:
            wait_for_socket(Path(self._folders.worker_server()), helpers[0])
            archive = ArchivePort(self._context, self._folders)
            operator = OperatorPort(self._context, self._folders, self._folder.inputs / OPERATOR_LOG)
            kind = WallAuthority if self._is_wall else Authority
            authority = kind(self._plan, server, self._control, archive, operator)
            authority.start()
            self._fly(authority, commands)
            operator.close()
            archive.tell(protocol.Close(authority.archive_count))
            archive.close()
            self._wait_for_archive(helpers[1])
            return authority.outcome
        finally:
            server.close()
            for helper in helpers:
                helper.terminate()
                end(helper)
            self._look()
            self._context.destroy(linger=0)

    def _fly(self, authority: Authority, commands: Sequence[Command]) -> None:
        started_s = time.perf_counter()
        pace = self._pace(started_s)
        try:
            for stop in stops_of(self._plan, commands):
                authority.run_until(stop.at_ns, pace)
                authority.act(stop)
            authority.run_until(self._plan.duration_ns, pace)
        except KeyboardInterrupt:
            authority.outcome.interrupted = True
            authority.outcome.not_repeatable = "interrupted"
        authority.outcome.wall_s = time.perf_counter() - started_s
        authority.finish()

    def _pace(self, started_s: float) -> Callable[[int], None]:
        """Holds a grant back until the wall clock has reached its mission time at the wanted speed."""
        looked_s = started_s

        def pace(horizon_ns: int) -> None:
            nonlocal looked_s
            if self._speed is not None:
                ahead_s = horizon_ns / NS_PER_S / self._speed - (time.perf_counter() - started_s)
                if ahead_s > PACE_SLACK_S:
                    time.sleep(ahead_s)
            now_s = time.perf_counter()
            if now_s - looked_s > 0.1:
                looked_s = now_s
                self._look()

        return pace

    def _look(self) -> None:
        while self._looks.poll(0):
            self._progress(self._decode_look(self._looks.recv()))

    def _wait_for_archive(self, archive: Popen[bytes]) -> None:
        give_up_s = time.monotonic() + ARCHIVE_WAIT_S
        while archive.poll() is None:
            self._look()
            time.sleep(0.02)
            if time.monotonic() > give_up_s:
                raise InfrastructureError("the archive does not finish: is the disk full?")
        if archive.returncode != 0:
            raise InfrastructureError("the archive failed; its message is above")
