"""The bus: one printed table of who receives what; delivery is first in, first out, in a bounded chain.

Theory of operation: an outside record or a wake-up starts a chain. Each record of the chain goes to its receivers in
the order of ROUTES; what they return joins the end of the queue. Receivers are services by name, EDGE (bytes and
records change places there), PORT (the record leaves the node) and ADDRESSEE (the service a command names). A
receiver that this node does not have is skipped: a station has no scheduling. A chain longer than the limit is cut,
counted and reported: full is a normal day.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from flightos.core.records import Record, Service, WakeupReached
from flightos.node.routes import ADDRESSEE, EDGE, PORT, ROUTES
from flightos.services.commanding.interface import CommandDispatched

CHAIN_RECORD_COUNT_MAX: Final = 4096
WAKEUP: Final = WakeupReached()

Handler = Callable[[Record, int], Sequence[Record]]


class Bus:
    """Joins the services of one node. `outputs` collects what leaves it during a chain."""

    def __init__(
        self,
        services: Sequence[Service],
        edge: Handler,
        routes: Mapping[type[Record], tuple[str, ...]] = ROUTES,
    ) -> None:
        self.services = tuple(services)
        self._handlers: dict[type[Record], tuple[tuple[Handler, int], ...]] = {}
        self.outputs: list[Record] = []
        self.record_count = 0
        self.chain_count_max = 0
        self.chains_cut_count = 0
        self.touched = 0
        bits = {service.name: 1 << index for index, service in enumerate(self.services)}
        by_name: dict[str, Handler] = {service.name: service.handle for service in self.services}
        by_name[EDGE] = edge
        by_name[PORT] = self._leave
        by_name[ADDRESSEE] = self._deliver_command
        for record_type, receivers in routes.items():
            self._handlers[record_type] = tuple(
                (by_name[name], bits.get(name, 0)) for name in receivers if name in by_name
            )

    def _leave(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        self.outputs.append(record)
        return ()

    def _deliver_command(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        assert isinstance(record, CommandDispatched)
        for index, service in enumerate(self.services):
            if service.name == record.service:
                self.touched |= 1 << index
                return service.handle(record, now_obt_ns)
        raise AssertionError(f"a command was accepted for {record.service}, which this node does not have")

    def dispatch(self, record: Record, now_obt_ns: int) -> None:
        """Run the chain that `record` starts."""
        self._run(deque((record,)), now_obt_ns)

    def wake(self, service_index: int, now_obt_ns: int) -> None:
        """Deliver a wake-up to one service and run the chain that it starts."""
        self.touched |= 1 << service_index
        self.record_count += 1
        produced = self.services[service_index].handle(WAKEUP, now_obt_ns)
        if produced:
            self._run(deque(produced), now_obt_ns)

    def _run(self, queue: deque[Record], now_obt_ns: int) -> None:
        handlers = self._handlers
        delivered = 0
        touched = 0
        while queue:
            record = queue.popleft()
            for handler, bit in handlers[type(record)]:
                delivered += 1
                touched |= bit
                produced = handler(record, now_obt_ns)
                if produced:
                    queue.extend(produced)
            if delivered > CHAIN_RECORD_COUNT_MAX:
                self.chains_cut_count += 1
                queue.clear()
        self.touched |= touched
        self.record_count += delivered
        if delivered > self.chain_count_max:
            self.chain_count_max = delivered
