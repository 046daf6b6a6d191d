"""The tables that a node knows: type, validation and the record that puts each of them in force.

To add a table: declare its struct and its activation record in the interface of the service that reads it,
write its faults here, add a line to TABLES, and a line to the bus.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice, pairwise
from typing import Any, Final, NamedTuple

from flightos.core.dictionary import CommandDefinition
from flightos.core.ids import GROUND_ID, SATELLITE_ID_MIN, STATION_ID_MAX
from flightos.core.records import Record
from flightos.core.time import NEVER_NS
from flightos.services.commanding.interface import CommandSequence, CommandSequenceActivated
from flightos.services.network.interface import Contact, ContactPlan, ContactPlanActivated
from flightos.services.resources.interface import EclipseForecast, EclipseForecastActivated
from flightos.wire.layout import layout_of

CONTACT_COUNT_MAX: Final = 20_000
ECLIPSE_COUNT_MAX: Final = 10_000
TIMED_COMMAND_COUNT_MAX: Final = 1_024
FAULT_COUNT_MAX: Final = 64
"""A table with more faults than this is not looked at any further."""
RATE_BPS_MAX: Final = 10**15

Commands = Mapping[int, CommandDefinition]


class TableDefinition(NamedTuple):
    """What deployment must know of a table. `faults` gives every fault in words, none for a valid table."""

    type: type[Any]
    faults: Callable[[Any, Commands], Iterable[str]]
    activation: Callable[[Any], Record]


def table_faults(definition: TableDefinition, table: object, commands: Commands) -> list[str]:
    """The first FAULT_COUNT_MAX faults of a decoded table."""
    return list(islice(definition.faults(table, commands), FAULT_COUNT_MAX))


def contact_plan_faults(plan: ContactPlan, commands: Commands) -> Iterator[str]:
    """Ids known, times in order, rates and light times possible, one contact of a pair at a time."""
    if len(plan.contacts) > CONTACT_COUNT_MAX:
        yield f"{len(plan.contacts)} contacts, at most {CONTACT_COUNT_MAX}"
        return
    stop_tai_ns_by_pair: dict[tuple[int, int], int] = {}
    for index, contact in enumerate(plan.contacts):
        node_a_id, node_b_id = contact.node_a_id, contact.node_b_id
        if not _is_node(node_a_id) or not _is_node(node_b_id) or node_a_id == node_b_id:
            yield f"contact {index}: nodes {node_a_id} and {node_b_id}"
        if not 0 <= contact.start_tai_ns < contact.stop_tai_ns <= NEVER_NS:
            yield f"contact {index}: stops before it starts"
        if not 0 < contact.rate_bps <= RATE_BPS_MAX:
            yield f"contact {index}: rate {contact.rate_bps} bps"
        if contact.light_time_ns < 0:
            yield f"contact {index}: light time {contact.light_time_ns} ns"
        pair = (min(node_a_id, node_b_id), max(node_a_id, node_b_id))
        if contact.start_tai_ns < stop_tai_ns_by_pair.get(pair, 0):
            yield f"contact {index}: overlaps another of {node_a_id} and {node_b_id}"
        stop_tai_ns_by_pair[pair] = contact.stop_tai_ns
    for index, (previous, contact) in enumerate(pairwise(plan.contacts)):
        if _contact_order(contact) < _contact_order(previous):
            yield f"contact {index + 1}: out of order"


def eclipse_forecast_faults(table: EclipseForecast, commands: Commands) -> Iterator[str]:
    """Intervals in order of time, apart from each other."""
    if len(table.intervals_tai_ns) > ECLIPSE_COUNT_MAX:
        yield f"{len(table.intervals_tai_ns)} eclipses, at most {ECLIPSE_COUNT_MAX}"
        return
    left_tai_ns = 0
    for index, (enter_tai_ns, leave_tai_ns) in enumerate(table.intervals_tai_ns):
        if not enter_tai_ns < leave_tai_ns <= NEVER_NS:
            yield f"eclipse {index}: left before it is entered"
        if enter_tai_ns < left_tai_ns:
            yield f"eclipse {index}: entered before the one before is left"
        left_tai_ns = leave_tai_ns


def command_sequence_faults(table: CommandSequence, commands: Commands) -> Iterator[str]:
    """Commands known, arguments readable and in range, times in order."""
    if len(table.commands) > TIMED_COMMAND_COUNT_MAX:
        yield f"{len(table.commands)} commands, at most {TIMED_COMMAND_COUNT_MAX}"
        return
    previous_tai_ns = 0
    for index, command in enumerate(table.commands):
        if not previous_tai_ns <= command.execute_tai_ns < NEVER_NS:
            yield f"command {index}: out of order"
        previous_tai_ns = command.execute_tai_ns
        definition = commands.get(command.command_id)
        if definition is None:
            yield f"command {index}: unknown id {command.command_id:#06x}"
            continue
        layout = layout_of(definition.arguments)
        arguments = layout.unpack_or_none(command.arguments)
        if arguments is None:
            yield f"command {index}: arguments of {definition.name} unreadable"
            continue
        for fault in layout.faults(arguments):
            yield f"command {index}: {fault}"


def _is_node(node_id: int) -> bool:
    return SATELLITE_ID_MIN <= node_id <= GROUND_ID or GROUND_ID < node_id <= STATION_ID_MAX


def _contact_order(contact: Contact) -> tuple[int, int, int]:
    return (contact.start_tai_ns, contact.node_a_id, contact.node_b_id)


TABLES: Final[Mapping[str, TableDefinition]] = {
    "contact_plan": TableDefinition(ContactPlan, contact_plan_faults, ContactPlanActivated),
    "eclipse_forecast": TableDefinition(EclipseForecast, eclipse_forecast_faults, EclipseForecastActivated),
    "command_sequence": TableDefinition(CommandSequence, command_sequence_faults, CommandSequenceActivated),
}
