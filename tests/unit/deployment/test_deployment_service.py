"""Deployment: valid tables are activated as one, others change nothing and every fault is told."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec
import pytest

from flightos.core.configuration import NodeConfiguration, Role, TerminalConfiguration
from flightos.core.ids import content_id
from flightos.core.ports import TableUploaded
from flightos.core.records import Record
from flightos.services.commanding.interface import DICTIONARY as COMMANDING
from flightos.services.commanding.interface import (
    NOOP,
    CommandSequence,
    CommandSequenceActivated,
    ResetCounters,
    TimedCommand,
)
from flightos.services.deployment.interface import (
    DICTIONARY,
    TABLE_FAULT,
    TABLE_REFUSED,
    DeploymentHousekeeping,
    TableActivated,
    TableRefused,
)
from flightos.services.deployment.service import FAULT_EVENT_COUNT_MAX, TABLE_BYTES_MAX, DeploymentService
from flightos.services.deployment.tables import FAULT_COUNT_MAX
from flightos.services.network.interface import Contact, ContactPlan, ContactPlanActivated
from flightos.services.resources.interface import EclipseForecast, EclipseForecastActivated
from flightos.services.telemetry.interface import ReportEvent

GOOD = Contact(1, 2, 100, 200, 10**9, 12_000_000)


def service() -> DeploymentService:
    terminal = TerminalConfiguration(0, "laser", (2,), 1, 1, 1, 1, bytes(32))
    configuration = NodeConfiguration(7, "seven", Role.SATELLITE, (terminal,), (2,))
    return DeploymentService(configuration, (COMMANDING,))


def upload(name: str, table: object, deployment: DeploymentService | None = None) -> Sequence[Record]:
    return (deployment or service()).handle(TableUploaded(name, msgspec.msgpack.encode(table)), 0)


def reason(produced: Sequence[Record]) -> str:
    (refused,) = [record for record in produced if isinstance(record, TableRefused)]
    return refused.reason


@pytest.mark.parametrize(
    ("name", "table", "activation"),
    [
        ("contact_plan", ContactPlan((GOOD, Contact(2, 1001, 100, 300, 10**9, 0))), ContactPlanActivated),
        ("eclipse_forecast", EclipseForecast(((5, 10), (10, 20))), EclipseForecastActivated),
        (
            "command_sequence",
            CommandSequence((TimedCommand(5, NOOP.id, b""), TimedCommand(5, NOOP.id, b""))),
            CommandSequenceActivated,
        ),
    ],
)
def test_a_valid_table_reaches_its_reader_first(name: str, table: object, activation: type[Record]) -> None:
    deployment = service()
    typed, activated, event = upload(name, table, deployment)
    assert typed == activation(table)
    assert activated == TableActivated(name, content_id(msgspec.msgpack.encode(table)))
    assert isinstance(event, ReportEvent)
    assert deployment.housekeeping() == DeploymentHousekeeping(1, 0, 0, 1)


@pytest.mark.parametrize(
    ("contact", "fault"),
    [
        (Contact(0, 2, 300, 400, 1, 0), "nodes 0 and 2"),
        (Contact(2, 2, 300, 400, 1, 0), "nodes 2 and 2"),
        (Contact(1, 2000, 300, 400, 1, 0), "nodes 1 and 2000"),
        (Contact(1, 3, 400, 400, 1, 0), "stops before it starts"),
        (Contact(1, 3, 300, 400, 0, 0), "rate 0 bps"),
        (Contact(1, 3, 300, 400, 1, -1), "light time -1 ns"),
        (Contact(2, 1, 150, 400, 1, 0), "overlaps another"),
        (Contact(1, 3, 50, 60, 1, 0), "out of order"),
    ],
)
def test_each_fault_of_a_contact_plan_is_found(contact: Contact, fault: str) -> None:
    produced = upload("contact_plan", ContactPlan((GOOD, contact)))
    assert fault in reason(produced)
    assert not any(isinstance(record, ContactPlanActivated) for record in produced)


@pytest.mark.parametrize(
    ("intervals", "fault"),
    [(((5, 5),), "left before it is entered"), (((5, 10), (9, 12)), "entered before the one before is left")],
)
def test_each_fault_of_an_eclipse_forecast_is_found(
    intervals: tuple[tuple[int, int], ...], fault: str
) -> None:
    assert fault in reason(upload("eclipse_forecast", EclipseForecast(intervals)))


@pytest.mark.parametrize(
    ("commands", "fault"),
    [
        ([TimedCommand(9, NOOP.id, b""), TimedCommand(8, NOOP.id, b"")], "command 1: out of order"),
        ([TimedCommand(9, 0x0777, b"")], "unknown id 0x0777"),
        ([TimedCommand(9, NOOP.id, b"x")], "arguments of NOOP unreadable"),
        ([TimedCommand(9, NOOP.id, b"")] * 1025, "at most 1024"),
    ],
)
def test_each_fault_of_a_command_sequence_is_found(commands: list[TimedCommand], fault: str) -> None:
    assert fault in reason(upload("command_sequence", CommandSequence(tuple(commands))))


def test_all_faults_are_told_within_limits() -> None:
    deployment = service()
    table = ContactPlan((Contact(0, 0, 9, 5, 0, -1),) * 40)
    produced = upload("contact_plan", table, deployment)
    events = [record for record in produced if isinstance(record, ReportEvent)]
    assert events[0] == ReportEvent(TABLE_REFUSED.id, ("contact_plan", FAULT_COUNT_MAX))
    assert [event.event_id for event in events[1:]] == [TABLE_FAULT.id] * FAULT_EVENT_COUNT_MAX
    assert deployment.housekeeping() == DeploymentHousekeeping(0, 1, FAULT_COUNT_MAX, 0)


@pytest.mark.parametrize(
    ("name", "content", "fault"),
    [
        ("weather", b"\x90", "unknown table; known are contact_plan"),
        ("contact_plan", b"\xc1", "unreadable"),
        ("contact_plan", b"\x91\x91\x93\x01\x02\x03", "unreadable"),
        ("contact_plan", bytes(TABLE_BYTES_MAX + 1), "at most"),
    ],
)
def test_bytes_that_are_no_table_are_refused(name: str, content: bytes, fault: str) -> None:
    assert fault in reason(service().handle(TableUploaded(name, content), 0))


def test_a_refused_table_leaves_the_old_one_in_force() -> None:
    deployment = service()
    upload("contact_plan", ContactPlan((GOOD,)), deployment)
    before = dict(deployment.state.active_ids)
    upload("contact_plan", ContactPlan((GOOD, GOOD)), deployment)
    assert deployment.state.active_ids == before
    deployment.handle(ResetCounters(), 0)
    assert deployment.housekeeping() == DeploymentHousekeeping(0, 0, 0, 1)


def test_the_dictionary_names_the_fields_of_the_record() -> None:
    names = tuple(field.name for field in DICTIONARY.housekeeping.fields)
    assert names == DeploymentHousekeeping.__struct_fields__
