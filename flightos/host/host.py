"""NodeHost: one node, its clock and its devices, driven up to a horizon of mission time.

Theory of operation: a host keeps a heap of what is due at this node, ordered by (mission time, source, sequence), and
the node's next wake-up; at equal times records come before wake-ups. `run_until(horizon)` carries out everything
before the horizon and leaves what goes to others in `outbox`, with due times that the link's physics decided. Whoever
drives the host guarantees that nothing more will arrive before the horizon; then the order of events is the same
however the hosts are spread over processes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from heapq import heappop, heappush
from typing import Any, Final, Protocol

from flightos.apps.sealed import is_intact
from flightos.core.configuration import NodeConfiguration
from flightos.core.ids import WORLD_ID, content_id
from flightos.core.ports import (
    SOURCE_IMAGER,
    SOURCE_WORKERS,
    AbortWork,
    AcceptProduct,
    ArchiveDownlink,
    CaptureImage,
    ContentArrived,
    EmitPacket,
    FrameReceived,
    ImageCaptured,
    ImageFailed,
    LoadsReported,
    PointTerminal,
    ReportLoads,
    StartWork,
    TerminalPointed,
    TerminalReported,
    TerminalState,
    TransmitFrame,
    UpsetStruck,
    WorkFailed,
    WorkFailure,
    WorkFinished,
)
from flightos.core.records import Record
from flightos.core.time import NEVER_NS, next_multiple_ns
from flightos.drivers.shaper import LinkShaper, ShaperDrop
from flightos.host.keeping import InputLog
from flightos.host.message import Message
from flightos.host.work import RunningWork, Workers, flip_bit
from flightos.node.clock import OnBoardClock
from flightos.node.node import Node

INLINE_BYTES_MAX: Final = 32 * 1024


class WorkDue(Record, frozen=True):
    """The modelled finish of a piece of work has come."""

    work_id: int


class ExposureEnded(Record, frozen=True):
    """The imager is ready to be read."""

    observation_id: int
    tile_index: int


class Imager(Protocol):
    """The instrument: gives an encoded tile, or None when it cannot."""

    def capture(self, observation_id: int, tile_index: int) -> bytes | None:
        """Read out one tile."""
        ...


class Devices:
    """What a host is given: its workers, imager and one shaper per peer, made when first needed."""

    def __init__(
        self,
        workers: Workers,
        imager: Imager,
        shaper_to: Callable[[int], LinkShaper],
        port_latency_ns: int,
        hang_at_ns: Sequence[int] = (),
    ) -> None:
        self.workers = workers
        self.imager = imager
        self.shaper_to = shaper_to
        self.port_latency_ns = port_latency_ns
        self.hang_at_ns = sorted(hang_at_ns)


class NodeHost:
    """See the module."""

    def __init__(self, node: Node, devices: Devices, log: InputLog | None = None, start_ns: int = 0) -> None:
        configuration: NodeConfiguration = node.configuration
        period_ns = configuration.snapshot_period_ns
        self._log = log
        self._snapshot_ns = NEVER_NS if log is None else next_multiple_ns(start_ns, period_ns)
        self.id = configuration.node_id
        self.node = node
        self.clock = OnBoardClock(configuration.obt_offset_ns, configuration.drift_ppb)
        self.outbox: list[Message] = []
        self.umbilical: list[bytes] = []
        self.ground_outputs: list[tuple[int, AcceptProduct | ArchiveDownlink, bytes]] = []
        self.frames_dropped_count = 0
        self.upset_count = 0
        self._devices = devices
        self._hangs = list(devices.hang_at_ns)
        self._heap: list[tuple[int, int, int, Record]] = []
        self._sequence = 0
        self._shapers: dict[int, LinkShaper] = {}
        self._works: dict[int, RunningWork] = {}
        self._terminal_of: dict[int, int] = {
            peer_id: terminal.index
            for terminal in configuration.terminals
            if terminal.kind == "wire"
            for peer_id in terminal.peer_ids
        }
        # Nothing wakes before NodeBooted: what an earlier life had planned lies in the past of this one.
        self._wake_ns = NEVER_NS
        self._wakeup_obt_ns = NEVER_NS
        self._requests: Mapping[type[Record], Callable[[Any, int], None]] = {
            PointTerminal: self._point,
            ReportLoads: self._report_loads,
            CaptureImage: self._capture,
            StartWork: self._start_work,
            AbortWork: self._abort_work,
            AcceptProduct: self._accept_product,
            ArchiveDownlink: self._archive,
        }

    # --- the loop ---------------------------------------------------------------------------------------------

    def post(self, message: Message) -> None:
        """Take a message that is due later than everything carried out so far."""
        heappush(self._heap, (message.due_ns, message.source_id, message.sequence, message.record))

    def next_event_ns(self) -> int:
        """Mission time of the next thing to do here; NEVER_NS when there is none."""
        heap = self._heap
        if heap and heap[0][0] < self._wake_ns:
            return heap[0][0]
        return self._wake_ns

    def run_until(self, horizon_ns: int) -> None:
        """Carry out every event before the horizon, in order; keep a snapshot whenever one is due on the way."""
        while self._snapshot_ns < horizon_ns:
            self._run_events(self._snapshot_ns)
            assert self._log is not None
            self._log.keep(self.node.snapshot(self.clock.obt_ns(self._snapshot_ns)))
            self._snapshot_ns += self.node.configuration.snapshot_period_ns
        self._run_events(horizon_ns)

    def close(self) -> None:
        """The life ends here: write what is left of the input log."""
        if self._log is not None:
            self._log.close()

    def flush(self) -> None:
        """Input-log entries reach the disk before anybody hears an answer."""
        if self._log is not None:
            self._log.flush()

    def _run_events(self, horizon_ns: int) -> None:
        heap = self._heap
        while True:
            if heap and heap[0][0] <= self._wake_ns:
                t_ns = heap[0][0]
                if t_ns >= horizon_ns:
                    return
                _, source_id, _, record = heappop(heap)
                self._take(record, source_id, t_ns)
            else:
                t_ns = self._wake_ns
                if t_ns >= horizon_ns:
                    return
                requests = self.node.wake(self.clock.obt_ns(t_ns))
                if requests:
                    self._carry_out(requests, t_ns)
                self._plan_wakeup(t_ns)

    def _take(self, record: Any, source_id: int, t_ns: int) -> None:
        kind = type(record)
        if kind is FrameReceived:
            terminal_index = self._terminal_of.get(source_id)
            if terminal_index is None:
                self.frames_dropped_count += 1
                return
            self._accept(FrameReceived(terminal_index, source_id, record.data), t_ns)
        elif kind is WorkDue:
            self._finish_work(record.work_id, t_ns)
        elif kind is ExposureEnded:
            self._read_imager(record, t_ns)
        elif kind is UpsetStruck:
            self._strike(record)
        else:
            if kind is TerminalReported:
                self._note_terminal(record)
            self._accept(record, t_ns)

    def _accept(self, record: Any, t_ns: int) -> None:
        requests = self.node.accept(record, self.clock.obt_ns(t_ns))
        if requests:
            self._carry_out(requests, t_ns)
        if self.node.next_wakeup_obt_ns != self._wakeup_obt_ns:
            self._plan_wakeup(t_ns)

    def _carry_out(self, requests: Sequence[Any], t_ns: int) -> None:
        for request in requests:
            kind = type(request)
            if kind is EmitPacket:
                self.umbilical.append(request.packet)
            elif kind is TransmitFrame:
                self._transmit(request, t_ns)
            else:
                self._requests[kind](request, t_ns)

    def _plan_wakeup(self, t_ns: int) -> None:
        wakeup = self._wakeup_obt_ns = self.node.next_wakeup_obt_ns
        self._wake_ns = NEVER_NS if wakeup >= NEVER_NS else max(self.clock.mission_ns(wakeup), t_ns)

    def _send(self, due_ns: int, destination_id: int, record: Record) -> None:
        self._sequence += 1
        self.outbox.append(Message(due_ns, self.id, self._sequence, destination_id, record))

    def _later(self, due_ns: int, source_id: int, record: Record) -> None:
        self._sequence += 1
        heappush(self._heap, (due_ns, source_id, self._sequence, record))

    # --- terminals --------------------------------------------------------------------------------------------

    def _transmit(self, request: TransmitFrame, t_ns: int) -> None:
        peer_id = request.peer_id
        shaper = self._shapers.get(peer_id)
        if shaper is None:
            shaper = self._shapers[peer_id] = self._devices.shaper_to(peer_id)
        due_ns = shaper.offer(len(request.data), t_ns)
        if isinstance(due_ns, ShaperDrop):
            self.frames_dropped_count += 1
            return
        self._sequence += 1
        frame = FrameReceived(0, self.id, request.data)
        self.outbox.append(Message(due_ns, self.id, self._sequence, peer_id, frame))

    def _point(self, request: PointTerminal, t_ns: int) -> None:
        record = TerminalPointed(self.id, request.terminal_index, request.peer_id)
        self._send(t_ns + self._devices.port_latency_ns, WORLD_ID, record)

    def _note_terminal(self, record: TerminalReported) -> None:
        for peer_id, terminal_index in list(self._terminal_of.items()):
            if terminal_index == record.terminal_index:
                del self._terminal_of[peer_id]
        if record.state == TerminalState.TRACKING:
            self._terminal_of[record.peer_id] = record.terminal_index

    def _report_loads(self, request: ReportLoads, t_ns: int) -> None:
        load_mw = (
            request.bus_mw + request.compute_mw + request.terminals_mw + request.radio_mw + request.imager_mw
        )
        record = LoadsReported(self.id, load_mw, request.compute_mw)
        self._send(t_ns + self._devices.port_latency_ns, WORLD_ID, record)

    # --- what leaves for the operator -------------------------------------------------------------------------

    def _accept_product(self, request: AcceptProduct, t_ns: int) -> None:
        data = self.node.edge.store.get(request.content_id)
        self.ground_outputs.append((t_ns, request, b"" if data is None else data))

    def _archive(self, request: ArchiveDownlink, t_ns: int) -> None:
        self.ground_outputs.append((t_ns, request, b""))

    # --- imager -----------------------------------------------------------------------------------------------

    def _capture(self, request: CaptureImage, t_ns: int) -> None:
        ended = ExposureEnded(request.observation_id, request.tile_index)
        self._later(t_ns + request.exposure_ns, SOURCE_IMAGER, ended)

    def _read_imager(self, record: ExposureEnded, t_ns: int) -> None:
        tile = self._devices.imager.capture(record.observation_id, record.tile_index)
        if tile is None:
            self._accept(ImageFailed(record.observation_id, record.tile_index), t_ns)
            return
        self._accept(ContentArrived(tile), t_ns)
        captured = ImageCaptured(record.observation_id, record.tile_index, content_id(tile), len(tile))
        self._accept(captured, t_ns)

    # --- workers ----------------------------------------------------------------------------------------------

    def _start_work(self, request: StartWork, t_ns: int) -> None:
        found = [self.node.edge.store.get(key) for key in request.input_ids]
        inputs = [data for data in found if data is not None]
        if len(inputs) < len(found):
            self._later(t_ns, SOURCE_WORKERS, WorkFailed(request.work_id, WorkFailure.INPUT_MISSING))
            return
        hangs = bool(self._hangs) and t_ns >= self._hangs[0]
        if hangs:
            self._hangs.pop(0)
        self._works[request.work_id] = RunningWork(request, inputs, hangs)
        self._devices.workers.start(request, inputs, hangs)
        lasts_ns = request.budget_ns if hangs else min(request.duration_ns, request.budget_ns)
        self._later(t_ns + lasts_ns, SOURCE_WORKERS, WorkDue(request.work_id))

    def _abort_work(self, request: AbortWork, t_ns: int) -> None:
        if self._works.pop(request.work_id, None) is not None:
            self._devices.workers.abort(request.work_id)

    def _finish_work(self, work_id: int, t_ns: int) -> None:
        running = self._works.pop(work_id, None)
        if running is None:
            return
        if running.hangs or running.work.duration_ns > running.work.budget_ns:
            self._devices.workers.abort(work_id)
            self._accept(WorkFailed(work_id, WorkFailure.TIMED_OUT), t_ns)
            return
        result = self._devices.workers.result(work_id)
        if isinstance(result, bytes) and running.result_bit is not None:
            result = flip_bit(result, running.result_bit)
        if isinstance(result, bytes) and not (running.work.wants_inline or is_intact(result)):
            result = WorkFailure.CORRUPT_RESULT
        if not isinstance(result, bytes):
            self._accept(WorkFailed(work_id, result), t_ns)
            return
        self._accept(ContentArrived(result), t_ns)
        is_inline = running.work.wants_inline and len(result) <= INLINE_BYTES_MAX
        inline = result if is_inline else b""
        self._accept(WorkFinished(work_id, content_id(result), len(result), inline), t_ns)

    def _strike(self, record: UpsetStruck) -> None:
        work_ids = [work_id for work_id, running in self._works.items() if not running.work.wants_inline]
        if not work_ids:
            return
        self.upset_count += 1
        work_id = work_ids[record.selector // 4 % len(work_ids)]
        running = self._works[work_id]
        if running.strike(record.selector, record.bit_index) and not running.hangs:
            self._devices.workers.abort(work_id)
            self._devices.workers.start(running.work, running.inputs, False)
