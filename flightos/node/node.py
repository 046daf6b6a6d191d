"""One node as the drivers see it: records in at an on-board time, requests to devices out.

Whatever drives it (virtual time, granted processes, a board's loop, a replay of its own log) calls `accept` for each
outside record and `wake` when the next wake-up is due, in order of time, and carries out what they return.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.core.dictionary import ServiceDictionary
from flightos.core.ids import ContentId
from flightos.core.ports import NodeInput
from flightos.core.records import Record, Service
from flightos.core.time import NEVER_NS
from flightos.node.bus import Bus
from flightos.node.dictionary import service_dictionaries
from flightos.node.edge import Edge
from flightos.node.executive import Executive
from flightos.node.recorder import Recorder
from flightos.node.services import services_of
from flightos.wire.frame import FrameCounters


@lru_cache(maxsize=4)
def _dictionaries(extra: tuple[ServiceDictionary, ...]) -> tuple[ServiceDictionary, ...]:
    return service_dictionaries(extra)


class Snapshot(msgspec.Struct, frozen=True):
    """A node at one moment between two records. `states` are MessagePack, by service in bus order."""

    obt_ns: int
    entry_count: int
    states: tuple[bytes, ...]
    counters: FrameCounters
    contents: dict[ContentId, bytes]


class Node:
    """Services, bus and edge of one configuration."""

    def __init__(
        self,
        configuration: NodeConfiguration,
        recorder: Recorder | None = None,
        ground_services: Sequence[Service] = (),
        ground_dictionaries: tuple[ServiceDictionary, ...] = (),
    ) -> None:
        self.configuration = configuration
        self.edge = Edge(configuration)
        executive = Executive(self.edge.levels)
        services: list[Service] = [
            *services_of(configuration, _dictionaries(ground_dictionaries)),
            *ground_services,
            executive,
        ]
        self.bus = Bus(services, self.edge.reaction)
        executive.attach(self.bus)
        self.recorder = recorder
        self._wakeups = [NEVER_NS] * len(services)
        self._wakeups_of: dict[int, tuple[tuple[int, Callable[[], int | None]], ...]] = {}
        self.next_wakeup_obt_ns = NEVER_NS

    def accept(self, record: NodeInput, now_obt_ns: int) -> Sequence[Record]:
        """Take one outside record; give the requests to devices that follow from it, in order."""
        edge = self.edge
        if edge.dropping:
            edge.drop_now()
        if self.recorder is not None:
            self.recorder.input(now_obt_ns, record)
        self.bus.run([record], now_obt_ns)
        return self._finish()

    def wake(self, now_obt_ns: int) -> Sequence[Record]:
        """Deliver the wake-ups that are due, one chain per service, in service order."""
        for index, due in enumerate(self._wakeups):
            if due <= now_obt_ns:
                self.wake_service(index, now_obt_ns)
        return self._finish()

    def wake_service(self, index: int, now_obt_ns: int) -> None:
        """Deliver one wake-up; a replay calls it for each logged one."""
        edge = self.edge
        if edge.dropping:
            edge.drop_now()
        if self.recorder is not None:
            self.recorder.input(now_obt_ns, index)
        self.bus.wake(index, now_obt_ns)

    def _finish(self) -> Sequence[Record]:
        bus = self.bus
        touched = bus.touched
        if touched:
            bus.touched = 0
            wakeups = self._wakeups
            is_changed = False
            for index, next_wakeup_obt_ns in self._wakeups_of.get(touched) or self._note_touched(touched):
                due = next_wakeup_obt_ns()
                if due is None:
                    due = NEVER_NS
                if due != wakeups[index]:
                    wakeups[index] = due
                    is_changed = True
            if is_changed:
                self.next_wakeup_obt_ns = min(wakeups)
        outputs = bus.outputs
        if not outputs:
            return ()
        bus.outputs = []
        if self.recorder is not None:
            self.recorder.outputs(outputs)
        return outputs

    def _note_touched(self, touched: int) -> tuple[tuple[int, Callable[[], int | None]], ...]:
        """Whom to ask for a wake-up after these services were touched; few combinations ever happen."""
        asked = tuple(
            (index, service.next_wakeup_obt_ns)
            for index, service in enumerate(self.bus.services)
            if touched >> index & 1
        )
        self._wakeups_of[touched] = asked
        return asked

    def replay(self, entry: NodeInput | int, obt_ns: int) -> Sequence[Record]:
        """Feed one entry of an input log; what comes out is given back but is nobody's business."""
        if isinstance(entry, int):
            self.wake_service(entry, obt_ns)
            return self._finish()
        return self.accept(entry, obt_ns)

    # --- snapshot and restore ---------------------------------------------------------------------------------

    def snapshot(self, now_obt_ns: int) -> Snapshot:
        """Everything that a new life needs to go on from here."""
        encode = msgspec.msgpack.encode
        self.edge.drop_now()
        return Snapshot(
            obt_ns=now_obt_ns,
            entry_count=0 if self.recorder is None else self.recorder.entry_count,
            states=tuple(encode(service.state) for service in self.bus.services),
            counters=msgspec.msgpack.decode(encode(self.edge.codec.counters), type=FrameCounters),
            contents=self.edge.store.snapshot(),
        )

    def restore(self, snapshot: Snapshot) -> None:
        """Become the node that the snapshot was taken of."""
        assert len(snapshot.states) == len(self.bus.services), "a snapshot of another set of services"
        for service, encoded in zip(self.bus.services, snapshot.states, strict=True):
            restored: Any = msgspec.msgpack.decode(encoded, type=type(service.state))
            service.state = restored
        encode = msgspec.msgpack.encode
        self.edge.codec.counters = msgspec.msgpack.decode(encode(snapshot.counters), type=FrameCounters)
        self.edge.store.restore(snapshot.contents)
        self.bus.touched = (1 << len(self.bus.services)) - 1
        self._finish()
