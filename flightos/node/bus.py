"""The bus: one printed table of who receives what; delivery is first in, first out, in a bounded chain.

Theory of operation: an outside record or a wake-up starts a chain. Each record of the chain goes to its receivers in
the order of ROUTES; what they return joins the end of the queue. Receivers are services by name, EDGE (bytes and
records change places there), PORT (the record leaves the node) and ADDRESSEE (the service a command names). A
receiver that this node does not have is skipped: a station has no scheduling. A chain longer than the limit is cut,
counted and reported: full is a normal day.
"""

from __future__ import annotations

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
        edge: Callable[[type[Record]], Handler],
        routes: Mapping[type[Record], tuple[str, ...]] = ROUTES,
    ) -> None:
        self.services = tuple(services)
        # None: the record only leaves, which is not worth a call.
        self._handlers: dict[type[Record], tuple[tuple[Handler, int], ...] | None] = {}
        self.outputs: list[Record] = []
        self.record_count = 0
        self.chain_count_max = 0
        self.chains_cut_count = 0
        self.touched = 0
        bits = {service.name: 1 << index for index, service in enumerate(self.services)}
        services_by_name = {service.name: service for service in self.services}
        self._wakers = tuple(_reaction(service, WakeupReached) for service in self.services)
        for record_type, receivers in routes.items():
            if receivers == (PORT,):
                self._handlers[record_type] = None
                continue
            handlers: list[tuple[Handler, int]] = []
            for name in receivers:
                if name == EDGE:
                    handlers.append((edge(record_type), 0))
                elif name == ADDRESSEE:
                    handlers.append((self._deliver_command, 0))
                elif name in services_by_name:
                    handlers.append((_reaction(services_by_name[name], record_type), bits[name]))
            self._handlers[record_type] = tuple(handlers)

    def _deliver_command(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        assert isinstance(record, CommandDispatched)
        for index, service in enumerate(self.services):
            if service.name == record.service:
                self.touched |= 1 << index
                return service.handle(record, now_obt_ns)
        raise AssertionError(f"a command was accepted for {record.service}, which this node does not have")

    def wake(self, service_index: int, now_obt_ns: int) -> None:
        """Deliver a wake-up to one service and run the chain that it starts."""
        self.touched |= 1 << service_index
        self.record_count += 1
        produced = self._wakers[service_index](WAKEUP, now_obt_ns)
        if produced:
            self.run(list(produced), now_obt_ns)

    def run(self, queue: list[Record], now_obt_ns: int) -> None:
        """Run the chain that the records in `queue` start; the list is used up."""
        handlers_of = self._handlers
        outputs = self.outputs
        delivered = 0
        touched = 0
        # The queue grows at its end while it is read: first in, first out, without taking anything out.
        for record in queue:
            handlers = handlers_of[type(record)]
            if handlers is None:
                delivered += 1
                outputs.append(record)
            else:
                for handler, bit in handlers:
                    delivered += 1
                    touched |= bit
                    produced = handler(record, now_obt_ns)
                    if produced:
                        queue += produced
            if delivered > CHAIN_RECORD_COUNT_MAX:
                self.chains_cut_count += 1
                break
        self.touched |= touched
        self.record_count += delivered
        if delivered > self.chain_count_max:
            self.chain_count_max = delivered


def _reaction(service: Service, record_type: type[Record]) -> Handler:
    """What the service does with this record: its table's entry where it shows its table, so that the door, which
    would only look the entry up again, is not passed for every record."""
    table: Mapping[type[Record], Handler] = getattr(service, "reactions", {})
    return table.get(record_type, service.handle)
