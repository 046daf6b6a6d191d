"""Mission times at which something is done to a run: faults that kill and restart, and the operator's commands."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from flightos.core.errors import InfrastructureError
from flightos.core.reading import UNREADABLE
from sil.plan import NodeCrash, RunPlan

OPERATOR_LOG: Final = "operator.log"
"""Name of the file in `inputs/` that keeps the operator's commands: a stream of MessagePack, one Command each."""


class Crash(msgspec.Struct, frozen=True):
    """The node's process is killed; everything before `at_ns` has been answered."""

    at_ns: int
    node_id: int


class Restart(msgspec.Struct, frozen=True):
    """The node boots again from its snapshot and input log."""

    at_ns: int
    node_id: int


class Command(msgspec.Struct, frozen=True, array_like=True):
    """One telecommand of the operator, stamped with the mission time of its delivery on the umbilical."""

    at_ns: int
    node_id: int
    packet: bytes


Stop = Crash | Restart | Command


def stops_of(plan: RunPlan, commands: Sequence[Command] = ()) -> list[Stop]:
    """All stops within the run, by time; at equal times deaths, then births, then commands, each by node."""
    stops: list[Stop] = list(commands)
    for fault in plan.faults:
        if isinstance(fault, NodeCrash):
            stops.append(Crash(fault.at_ns, fault.node_id))
            if fault.restart_after_ns is not None:
                stops.append(Restart(fault.at_ns + fault.restart_after_ns, fault.node_id))
    order = (Crash, Restart, Command)
    within = [stop for stop in stops if 0 <= stop.at_ns < plan.duration_ns]
    return sorted(within, key=lambda stop: (stop.at_ns, order.index(type(stop)), stop.node_id))


def read_commands(path: Path) -> list[Command]:
    """An operator log: a stream of MessagePack, one Command each. Raises InfrastructureError."""
    import msgpack

    try:
        with path.open("rb") as file:
            return [msgspec.convert(element, Command) for element in msgpack.Unpacker(file)]
    except (OSError, ValueError, *UNREADABLE) as error:
        raise InfrastructureError(f"{path}: expected an operator log: {error}") from error


def write_commands(path: Path, commands: Sequence[Command]) -> None:
    """Write an operator log."""
    path.write_bytes(b"".join(msgspec.msgpack.encode(command) for command in commands))
