"""A run as real processes under granted time: members, archive, worker server, and the authority in this process."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path
from subprocess import Popen
from typing import Final

import msgspec
import zmq

from flightos.core.errors import InfrastructureError
from flightos.core.time import NS_PER_S
from sil.folder import RunFolder
from sil.interruption import Interruption
from sil.outcome import Outcome
from sil.plan import RunPlan
from sil.processes import protocol
from sil.processes.authority import Authority, Crew
from sil.processes.endpoints import endpoint_folder
from sil.processes.operator_port import OperatorPort
from sil.processes.outputs import ArchivePort
from sil.processes.plan_file import save_plan
from sil.processes.protocol import RunFolders, RunSizes
from sil.processes.servers import ForkServer, Helpers, end, start_module, wait_for_socket
from sil.processes.wall_authority import WallAuthority
from sil.progress import OnProgress, Progress
from sil.stops import OPERATOR_LOG, Command, stops_of
from sil.watching import laser_link_count

ARCHIVE_WAIT_S: Final = 120.0
PACE_SLACK_S: Final = 0.002
NAP_S: Final = 0.2
"""Between two looks at whether the user wants an end."""


def fly_processes(
    plan: RunPlan,
    folder: RunFolder,
    commands: Sequence[Command],
    speed: float | None,
    wall: bool,
    progress: OnProgress,
    interruption: Interruption,
) -> Outcome:
    """Fly a plan; gives the outcome. No process is left behind, whatever happens."""
    with endpoint_folder() as endpoints:
        folder.note_endpoints(endpoints)
        try:
            save_plan(plan, endpoints)
        except OSError as error:
            raise InfrastructureError(f"{endpoints}: cannot keep the plan: {error.strerror}") from error
        folders = RunFolders(str(endpoints), str(endpoints), str(folder.inputs.resolve()))
        try:
            flight = ProcessFlight(plan, folder, folders, 1.0 if wall else speed, wall, progress)
            return flight.run(commands, interruption)
        except zmq.ZMQError as error:
            raise InfrastructureError(f"{endpoints}: {error}") from error
        finally:
            interruption.closing()


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

    def run(self, commands: Sequence[Command], interruption: Interruption) -> Outcome:
        """Fly from start to end."""
        encoded = msgspec.json.encode(self._folders).decode()
        sizes = RunSizes(
            self._plan.duration_ns,
            self._plan.epoch_tai_ns,
            len(self._plan.worlds),
            laser_link_count(self._plan),
        )
        run_dir = str(self._folder.path.resolve())
        with ExitStack() as closing:
            closing.callback(self._context.destroy, linger=0)
            closing.callback(self._look)
            workers = start_module("flightos.worker_server", self._folders.worker_server())
            closing.callback(end, workers)
            archiver = start_module(
                "sil.processes.archive", run_dir, encoded, msgspec.json.encode(sizes).decode()
            )
            closing.callback(end, archiver)
            server = ForkServer(self._folders)
            closing.callback(server.close)
            # First of all, when it comes to closing: from then on nothing interrupts.
            closing.callback(interruption.closing)
            wait_for_socket(Path(self._folders.worker_server()), workers)
            archive = ArchivePort(self._context, self._folders)
            operator = OperatorPort(self._context, self._folders, self._folder.inputs / OPERATOR_LOG)
            closing.callback(operator.close)
            crew = Crew(
                server,
                Helpers(self._folders, {protocol.ARCHIVE_NAME: archiver, "worker server": workers}),
                self._folders,
                self._control,
                archive,
                operator,
                interruption,
            )
            authority = WallAuthority(self._plan, crew) if self._is_wall else Authority(self._plan, crew)
            authority.start()
            interruption.flying()
            self._fly(authority, commands, crew)
            archive.tell(protocol.Close(tuple(authority.archive_counts)))
            archive.close()
            self._wait_for_archive(archiver, crew.helpers)
            return authority.outcome

    def _fly(self, authority: Authority, commands: Sequence[Command], crew: Crew) -> None:
        started_s = time.perf_counter()
        pace = self._pace(started_s, crew)
        for stop in [*stops_of(self._plan, commands), None]:
            authority.run_until(self._plan.duration_ns if stop is None else stop.at_ns, pace)
            if crew.interruption.is_wanted:
                authority.outcome.interrupted = True
                authority.outcome.not_repeatable = "interrupted"
                break
            if stop is not None:
                authority.act(stop)
        authority.outcome.wall_s = time.perf_counter() - started_s
        authority.finish()

    def _pace(self, started_s: float, crew: Crew) -> Callable[[int], None]:
        """Holds a grant back until the wall clock has reached its mission time at the wanted speed, or until the user
        wants an end; now and then looks how the run is going."""
        looked_s = started_s

        def pace(horizon_ns: int) -> None:
            nonlocal looked_s
            if self._speed is not None:
                due_s = started_s + horizon_ns / NS_PER_S / self._speed
                while (
                    ahead_s := due_s - time.perf_counter()
                ) > PACE_SLACK_S and not crew.interruption.is_wanted:
                    time.sleep(min(ahead_s, NAP_S))
            now_s = time.perf_counter()
            if now_s - looked_s > 0.1:
                looked_s = now_s
                crew.helpers.check()
                self._look()

        return pace

    def _look(self) -> None:
        while self._looks.poll(0):
            self._progress(self._decode_look(self._looks.recv()))

    def _wait_for_archive(self, archive: Popen[bytes], helpers: Helpers) -> None:
        give_up_s = time.monotonic() + ARCHIVE_WAIT_S
        while archive.poll() is None:
            self._look()
            time.sleep(0.02)
            if time.monotonic() > give_up_s:
                raise InfrastructureError("the archive does not finish: is the disk full?")
        if archive.returncode != 0:
            helpers.check()
