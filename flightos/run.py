"""One node as one process on a board: `flightos node NODE.toml`.

Theory of operation. The same NodeHost as in every other way of running, driven by the monotonic clock. Mission
time is the TAI that the system clock gave at the start, carried on by the monotonic clock, so that a clock step
never moves it; it goes on above the last life's, whatever the system clock says after a power cut. Frames
travel over ZeroMQ: a ROUTER where this node listens, a DEALER to each peer, bounded queues whose drops are
counted. The real network is the link: the shaper keeps its rate and adds no light time. Sensors are files of
the board; a quantity without one is said to be constant (a board on mains, at its starting temperature), as
`manifest.json` tells. The data folder is laid out as a run folder, so `flightos tlm --run FOLDER` reads a board
too.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from types import FrameType
from typing import Any, Final

import msgspec
import zmq

from flightos.core.errors import DriverError, InfrastructureError
from flightos.core.ids import OPERATOR_ID, WORLD_ID
from flightos.core.ports import (
    CommandReceived,
    FrameReceived,
    NodeBooted,
    TableUploaded,
    TerminalPointed,
    TerminalReported,
    TerminalState,
    TimeSampled,
)
from flightos.core.records import Record
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.drivers.board_sensors import BoardSensors
from flightos.drivers.own_process import module_command, module_environment
from flightos.drivers.shaper import LinkShaper
from flightos.drivers.workers import ForkedWorkers
from flightos.host.host import Devices, NodeHost
from flightos.host.keeping import InputLog
from flightos.host.message import Message
from flightos.host.relive import relive
from flightos.node.configuration import BoardConfiguration
from flightos.node.node import Node
from flightos.node.recorder import Recorder

TAI_MINUS_UTC_S: Final = 37
"""Since 2017-01-01 (IERS Bulletin C); a board that knows better sets CLOCK_TAI, which is used where it is set."""
UNIX_EPOCH_TAI_S: Final = 4_383 * 86_400
"""From 1958-01-01 to 1970-01-01."""
QUEUE_FRAMES_MAX: Final = 4_096
WAIT_MS_MAX: Final = 1_000
TIME_SAMPLE_PERIOD_S: Final = 60
WORKER_SERVER_WAIT_S: Final = 20.0
UMBILICAL_NAME: Final = "packets.umbilical.raw"


class BoardNode:
    """See the module."""

    def __init__(self, board: BoardConfiguration) -> None:
        """Take the board's files and sockets. Raises InfrastructureError when one is not to be had."""
        self._board = board
        self.id = board.node.node_id
        self._inputs = board.store_folder / "inputs"
        self._inputs.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._live_file = board.store_folder / "live.json"
        self._boot_count = self._next_boot()
        self._clock_origin_ns = max(tai_now_ns(), self._last_mission_ns() + NS_PER_S) - time.monotonic_ns()
        self._sequence = 0
        self._is_stopping = False
        self._next_time_sample_ns = 0
        self._packets_dropped_count = 0
        self._frames_dropped_count = 0
        self._context: zmq.Context[zmq.Socket[bytes]] = zmq.Context()
        self._umbilical_file = (board.store_folder / UMBILICAL_NAME).open("ab")
        self._sensors = BoardSensors(
            board.temperature_file, board.power_file, board.node.power, board.node.heat
        )
        self._endpoints = Path(tempfile.mkdtemp(prefix="fos-"))
        self._workers = ForkedWorkers(str(self._endpoints / "workers"))
        try:
            # Read by whoever clears up after processes that were killed.
            (self._endpoints / "owner").write_text(str(os.getpid()))
            self._worker_server = self._start_worker_server()
            self._open_sockets()
            self._host = self._make_host()
        except zmq.ZMQError as error:
            self.close()
            raise InfrastructureError(f"{board.listen}: {error}") from error
        except BaseException:
            self.close()
            raise

    # --- start ------------------------------------------------------------------------------------------------

    def _next_boot(self) -> int:
        boots = [int(path.name.split(".")[1]) for path in self._inputs.glob(f"{self.id}.*.log")]
        return max(boots, default=-1) + 1

    def _last_mission_ns(self) -> int:
        """Mission time at which an earlier life was last seen: on-board time must not go back."""
        try:
            return int(json.loads(self._live_file.read_text())["t_mission_ns"])
        except (OSError, ValueError, KeyError, TypeError):
            return 0

    def _start_worker_server(self) -> subprocess.Popen[bytes]:
        path = self._endpoints / "workers"
        command = module_command("flightos.worker_server", str(path))
        server = subprocess.Popen(command, stdin=subprocess.DEVNULL, env=module_environment())
        give_up_s = time.monotonic() + WORKER_SERVER_WAIT_S
        while not path.exists():
            if server.poll() is not None or time.monotonic() > give_up_s:
                server.kill()
                raise InfrastructureError("the worker server does not start")
            time.sleep(0.02)
        return server

    def _open_sockets(self) -> None:
        self._listening = self._context.socket(zmq.ROUTER)
        self._listening.set_hwm(QUEUE_FRAMES_MAX)
        self._listening.bind(self._board.listen)
        self._umbilical = self._context.socket(zmq.PUSH)
        self._umbilical.set_hwm(QUEUE_FRAMES_MAX)
        self._umbilical.connect(self._board.umbilical)
        self._peers: dict[int, zmq.Socket[bytes]] = {}
        for peer_id, address in self._board.peer_addresses.items():
            peer = self._context.socket(zmq.DEALER)
            peer.set_hwm(QUEUE_FRAMES_MAX)
            peer.setsockopt(zmq.IDENTITY, str(self.id).encode())
            peer.setsockopt(zmq.LINGER, 0)
            peer.connect(address)
            self._peers[peer_id] = peer

    def _make_host(self) -> NodeHost:
        """The node of this life: new, or brought back from snapshot and input log."""
        board, now_ns = self._board, self.now_ns()
        node = Node(board.node)
        is_restored = self._boot_count > 0
        tables = () if is_restored else self._read_tables()
        if is_restored:
            relive(node, self._inputs, self._boot_count - 1)
        log = InputLog(self._inputs, board.node, self._boot_count, is_restored)
        node.recorder = Recorder(self.id, self._boot_count, log)
        rates_bps = {
            peer: terminal.rate_bps for terminal in board.node.terminals for peer in terminal.peer_ids
        }

        def shaper_to(peer_id: int) -> LinkShaper:
            return LinkShaper(rates_bps[peer_id], 0, 64 * 1024 * 1024, lambda _: 0, lambda _: True)

        devices = Devices(self._workers, NoImager(), shaper_to, port_latency_ns=NS_PER_MS)
        host = NodeHost(node, devices, log, now_ns)
        self._post_to(host, now_ns, WORLD_ID, NodeBooted(self._boot_count, is_restored))
        for name, content in tables:
            self._post_to(host, now_ns, OPERATOR_ID, TableUploaded(name, content))
        return host

    def _read_tables(self) -> Sequence[tuple[str, bytes]]:
        """Tables of the first boot, by name. Raises InfrastructureError for a file that cannot be read."""
        tables = []
        for name, path in self._board.table_files.items():
            try:
                tables.append((name, path.read_bytes()))
            except OSError as error:
                raise InfrastructureError(f"{path}: table {name} cannot be read: {error}") from error
        return tables

    # --- the loop ---------------------------------------------------------------------------------------------

    def now_ns(self) -> int:
        """Mission time: TAI of the start, carried on by the monotonic clock."""
        return self._clock_origin_ns + time.monotonic_ns()

    def stop(self, _signal: int = 0, _frame: FrameType | None = None) -> None:
        """Leave the loop after this round."""
        self._is_stopping = True

    def run(self, duration_s: float | None = None) -> None:
        """Live until stopped, or for a time."""
        end_ns = None if duration_s is None else self.now_ns() + round(duration_s * NS_PER_S)
        next_second_ns = self.now_ns()
        while not self._is_stopping:
            now_ns = self.now_ns()
            if end_ns is not None and now_ns >= end_ns:
                return
            due_ns = min(self._host.next_event_ns(), next_second_ns)
            wait_ms = min(max((due_ns - now_ns) // NS_PER_MS, 0), WAIT_MS_MAX)
            self._listening.poll(wait_ms)
            now_ns = self.now_ns()
            self._take_frames(now_ns)
            if now_ns >= next_second_ns:
                self._each_second(now_ns)
                next_second_ns = now_ns - now_ns % NS_PER_S + NS_PER_S
            self._host.run_until(now_ns + 1)
            self._host.flush()
            self._send(self._host.outbox, now_ns)
            self._host.outbox = []
            self._hand_over()

    def _post_to(self, host: NodeHost, t_ns: int, source_id: int, record: Record) -> None:
        self._sequence += 1
        host.post(Message(t_ns, source_id, self._sequence, self.id, record))

    def _take_frames(self, now_ns: int) -> None:
        for _ in range(QUEUE_FRAMES_MAX):
            try:
                identity, data = self._listening.recv_multipart(zmq.NOBLOCK)
            except zmq.Again:
                return
            except ValueError:
                continue  # not two parts: not from a node
            source = identity.decode("ascii", "replace")
            if source == "operator":
                self._post_to(self._host, now_ns, OPERATOR_ID, CommandReceived(data))
            elif source.isdigit() and int(source) in self._peers:
                self._post_to(self._host, now_ns, int(source), FrameReceived(0, int(source), data))

    def _each_second(self, now_ns: int) -> None:
        for record in self._sensors.sample():
            self._post_to(self._host, now_ns, WORLD_ID, record)
        if now_ns >= self._next_time_sample_ns:
            self._next_time_sample_ns = now_ns + TIME_SAMPLE_PERIOD_S * NS_PER_S
            tai_minus_obt_ns = tai_now_ns() - self._host.clock.obt_ns(now_ns)
            self._post_to(self._host, now_ns, WORLD_ID, TimeSampled(tai_minus_obt_ns, NS_PER_MS))
        partial = self._live_file.with_suffix(".part")
        partial.write_text(
            json.dumps(
                {
                    "t_mission_ns": str(now_ns),
                    "boot_count": self._boot_count,
                    "frames_dropped": self._frames_dropped_count + self._host.frames_dropped_count,
                    "packets_dropped": self._packets_dropped_count,
                }
            )
        )
        partial.replace(self._live_file)

    def _send(self, messages: Sequence[Message], now_ns: int) -> None:
        """Frames to peers; what is meant for the world is answered by the board itself."""
        for message in messages:
            record: Any = message.record
            if message.destination_id == WORLD_ID:
                if isinstance(record, TerminalPointed):
                    self._track(record, now_ns)
                continue
            peer = self._peers.get(message.destination_id)
            try:
                if peer is None:
                    raise zmq.Again
                peer.send(record.data, zmq.NOBLOCK)
            except zmq.Again:
                self._frames_dropped_count += 1

    def _track(self, pointed: TerminalPointed, now_ns: int) -> None:
        """A terminal on a network has its peer after its acquisition time; silence is noticed by its hellos."""
        terminal = self._board.node.terminals[pointed.terminal_index]
        if pointed.peer_id == 0:
            return
        for after_ns, state, rate_bps in (
            (0, TerminalState.ACQUIRING, 0),
            (terminal.acquisition_ns, TerminalState.TRACKING, terminal.rate_bps),
        ):
            report = TerminalReported(terminal.index, pointed.peer_id, state, 0, rate_bps)
            self._post_to(self._host, now_ns + NS_PER_MS + after_ns, WORLD_ID, report)

    def _hand_over(self) -> None:
        packets, self._host.umbilical = self._host.umbilical, []
        if not packets:
            return
        data = b"".join(packets)
        self._umbilical_file.write(data)
        self._umbilical_file.flush()
        try:
            self._umbilical.send(msgspec.msgpack.encode((self.id, data)), zmq.NOBLOCK)
        except zmq.Again:
            self._packets_dropped_count += len(packets)

    def _keep_trace(self, recorder: Recorder | None) -> None:
        """The chain of this life, so that `flightos rerun` has something to compare with."""
        if recorder is not None:
            life = (self.id, recorder.boot_count, recorder.chain(), tuple(recorder.checkpoints))
            with (self._board.store_folder / "trace").open("ab") as file:
                file.write(msgspec.msgpack.encode(life))

    def close(self) -> None:
        """Leave no process, no socket and no half-written file, however far the start had come."""
        host = getattr(self, "_host", None)
        if host is not None:
            host.close()
            self._keep_trace(host.node.recorder)
        self._workers.close()
        server = getattr(self, "_worker_server", None)
        if server is not None:
            server.terminate()
            server.wait(10)
        self._umbilical_file.close()
        self._context.destroy(linger=100)
        shutil.rmtree(self._endpoints, ignore_errors=True)


class NoImager:
    """A board without an instrument."""

    def capture(self, observation_id: int, tile_index: int) -> bytes | None:
        """Nothing."""
        return None


def tai_now_ns() -> int:
    """TAI nanoseconds since 1958-01-01, from CLOCK_TAI where its offset is set, else from UTC."""
    utc_ns = time.time_ns()
    kernel_ns = time.clock_gettime_ns(time.CLOCK_TAI) if hasattr(time, "CLOCK_TAI") else utc_ns
    is_set = kernel_ns - utc_ns > NS_PER_S
    return (kernel_ns if is_set else utc_ns + TAI_MINUS_UTC_S * NS_PER_S) + UNIX_EPOCH_TAI_S * NS_PER_S


def write_manifest(board: BoardConfiguration, dictionary_document: dict[str, Any], state: str) -> None:
    """What makes the data folder readable as a run; `state` is running or finished."""
    folder = board.store_folder
    manifest = {
        "scenario": "board",
        "mode": "board",
        "nodes": [{"node_id": board.node.node_id, "name": board.node.name, "role": str(board.node.role)}],
        "names": {str(board.node.node_id): board.node.name},
        "listen": board.listen,
        "temperature": str(board.temperature_file) if board.temperature_file else "constant",
        "power": str(board.power_file) if board.power_file else "constant (mains)",
        "pid": os.getpid(),
        "state": state,
    }
    (folder / "manifest.json").write_text(json.dumps(manifest, indent=1) + "\n", encoding="utf-8")
    (folder / "dictionary.json").write_text(json.dumps(dictionary_document), encoding="utf-8")


def live(board: BoardConfiguration, duration_s: float | None = None) -> None:
    """Be this node until SIGTERM or Ctrl-C. Raises InfrastructureError when a device is not to be had."""
    try:
        node = BoardNode(board)
    except (OSError, DriverError) as error:
        raise InfrastructureError(f"node {board.node.node_id}: {error}") from error
    signal.signal(signal.SIGTERM, node.stop)
    signal.signal(signal.SIGINT, node.stop)
    try:
        node.run(duration_s)
    finally:
        node.close()
