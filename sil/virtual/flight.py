"""A run in virtual time: one federate with everybody, as fast as the machine goes."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final, Protocol

from flightos.core.ids import AUTHORITY_ID, OPERATOR_ID, WORLD_ID
from flightos.core.ports import AcceptProduct, ArchiveDownlink, CommandReceived, NodeLifeChanged
from flightos.core.time import NS_PER_S
from flightos.host.host import NodeHost
from flightos.host.inline import InlineWorkers
from flightos.host.message import Message
from sil.federate import Federate
from sil.members import Start, make_host
from sil.outcome import LifeTrace, Outcome
from sil.plan import RunPlan
from sil.stops import Command, Crash, Restart, stops_of
from sil.world.participant import World

GARBAGE_COUNT_MAX: Final = 50_000
"""New objects between two looks for cycles."""
SLICE_NS: Final = NS_PER_S
"""What nodes emitted is archived, and progress told, once per slice."""


class Archive(Protocol):
    """The operator's side of a run: see `flightos.ground.receive.Receiver`."""

    def umbilical(self, packets: bytes, receive_t_ns: int) -> None: ...
    def downlink(self, source_id: int, packets: bytes, receive_t_ns: int) -> None: ...
    def accept(self, accepted: AcceptProduct, product: bytes, receive_t_ns: int) -> None: ...


class VirtualFlight:
    """Flies a plan to its end; `inputs` is the folder of the nodes' input logs, None for none."""

    def __init__(
        self,
        plan: RunPlan,
        inputs: Path | None,
        archive: Archive | None,
        commands: Sequence[Command] = (),
    ) -> None:
        self._plan = plan
        self._inputs = inputs
        self._archive = archive
        self._workers: dict[int, InlineWorkers] = {node.node_id: InlineWorkers() for node in plan.nodes}
        self._configurations = {node.node_id: node for node in plan.nodes}
        self._boots = {node.node_id: 0 for node in plan.nodes}
        self._stops = stops_of(plan, commands)
        self.hosts: dict[int, NodeHost] = {
            node.node_id: make_host(plan, node, self._workers[node.node_id], inputs, Start())
            for node in plan.nodes
        }
        self.federate = Federate([World(plan), *self.hosts.values()], plan.lookahead_ns())
        self.outcome = Outcome()
        self._sequence = 0

    def run(
        self,
        on_slice: Callable[[int], None] = lambda t_ns: None,
        wants_end: Callable[[], bool] = lambda: False,
    ) -> Outcome:
        """Fly to the end, or to the first whole slice after the user wants one; what was flown is kept."""
        started = time.perf_counter()
        # What exists before the flight lives until its end; records of a flight hold no cycles, so that looking for
        # them often only costs time.
        gc.collect()
        gc.freeze()
        thresholds = gc.get_threshold()
        gc.set_threshold(GARBAGE_COUNT_MAX)
        try:
            end_ns = self._fly(on_slice, wants_end)
        finally:
            gc.set_threshold(*thresholds)
            gc.unfreeze()
            for host in self.hosts.values():
                host.close()
        for node_id in list(self.hosts):
            self._end_life(node_id)
        self.outcome.end_ns = end_ns
        self.outcome.wall_s = time.perf_counter() - started
        return self.outcome

    def _fly(self, on_slice: Callable[[int], None], wants_end: Callable[[], bool]) -> int:
        """Gives the mission time up to which everything was done."""
        t_ns = 0
        for stop in [*self._stops, None]:
            until_ns = self._plan.duration_ns if stop is None else stop.at_ns
            while t_ns < until_ns:
                t_ns = min(t_ns + SLICE_NS, until_ns)
                self.federate.run_until(t_ns)
                self._collect(t_ns)
                on_slice(t_ns)
                if wants_end():
                    self.outcome.interrupted = True
                    self.outcome.not_repeatable = "interrupted"
                    return t_ns
            if stop is not None:
                self._act(stop)
        return t_ns

    def _collect(self, t_ns: int) -> None:
        archive = self._archive
        packets: list[bytes] = []
        for host in self.hosts.values():
            packets += host.umbilical
            host.umbilical.clear()
            if host.ground_outputs:
                self._collect_ground(host)
        if packets and archive is not None:
            # One piece for all: each packet names its spacecraft, and the archive pays by the piece.
            archive.umbilical(b"".join(packets), t_ns)
        self.outcome.frames_to_dead_count += len(self.federate.outbox)
        self.federate.outbox.clear()

    def _collect_ground(self, host: NodeHost) -> None:
        outputs, host.ground_outputs = host.ground_outputs, []
        for t_ns, record, data in outputs:
            if isinstance(record, ArchiveDownlink):
                if self._archive is not None:
                    self._archive.downlink(record.source_id, record.packets, t_ns)
                continue
            self.outcome.accepted.append(record.content_id)
            if self._archive is not None:
                self._archive.accept(record, data, t_ns)

    # --- what happens to the run ------------------------------------------------------------------------------

    def _act(self, stop: Command | Crash | Restart) -> None:
        if isinstance(stop, Command):
            self._post(OPERATOR_ID, stop.node_id, stop.at_ns, CommandReceived(stop.packet))
        elif isinstance(stop, Crash):
            if stop.node_id in self.hosts:
                self._end_life(stop.node_id)
                self.federate.remove(stop.node_id)
                self._post(AUTHORITY_ID, WORLD_ID, stop.at_ns, NodeLifeChanged(stop.node_id, False))
        else:
            self._restart(stop)

    def _post(
        self, source_id: int, destination_id: int, t_ns: int, record: CommandReceived | NodeLifeChanged
    ) -> None:
        if destination_id in self.federate.participants:
            self._sequence += 1
            self.federate.post(Message(t_ns, source_id, self._sequence, destination_id, record))

    def _end_life(self, node_id: int) -> None:
        host = self.hosts.pop(node_id)
        host.close()
        recorder = host.node.recorder
        assert recorder is not None
        self.outcome.record_count += host.node.bus.record_count
        self.outcome.frames_dropped_count += host.frames_dropped_count
        self.outcome.upsets_hit_count += host.upset_count
        self.outcome.lives.append(
            LifeTrace(node_id, recorder.boot_count, recorder.chain(), tuple(recorder.checkpoints))
        )

    def _restart(self, stop: Restart) -> None:
        if stop.node_id in self.hosts:
            return
        self._boots[stop.node_id] += 1
        start = Start(self._boots[stop.node_id], stop.at_ns)
        configuration = self._configurations[stop.node_id]
        self._workers[stop.node_id].close()
        host = make_host(self._plan, configuration, self._workers[stop.node_id], self._inputs, start)
        self.hosts[stop.node_id] = host
        self.federate.add(host)
        self._post(AUTHORITY_ID, WORLD_ID, stop.at_ns, NodeLifeChanged(stop.node_id, True))
