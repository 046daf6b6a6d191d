"""Commands by their definition: names and values to a telecommand packet, and arguments back to values."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from flightos.core.dictionary import CommandDefinition
from flightos.core.errors import EncodeError
from flightos.core.ids import OPERATOR_ID
from flightos.wire.layout import Value, layout_of
from flightos.wire.packet import encode_command_packet


def pack_arguments(command: CommandDefinition, arguments: Sequence[Value] | Mapping[str, Value]) -> bytes:
    """Pack arguments, in order or by name, as a telecommand and table `command_sequence` carry them.

    Raises EncodeError that names every argument that is missing, unknown or out of its range.
    """
    if isinstance(arguments, Mapping):
        names = [field.name for field in command.arguments]
        faults = [f"{name} is missing" for name in names if name not in arguments]
        faults += [f"{name} is no argument of {command.name}" for name in arguments if name not in names]
        if faults:
            raise EncodeError("; ".join(faults))
        arguments = [arguments[name] for name in names]
    layout = layout_of(command.arguments)
    faults = layout.faults(arguments)
    if faults:
        raise EncodeError("; ".join(faults))
    return layout.pack(arguments)


def encode_tc(
    command: CommandDefinition,
    arguments: Sequence[Value] | Mapping[str, Value],
    counter: int,
    key: bytes,
    spacecraft_id: int,
    source_id: int = OPERATOR_ID,
) -> bytes:
    """Give the authenticated telecommand packet of a command.

    `counter` rises with each command of a source.
    """
    packed = pack_arguments(command, arguments)
    return encode_command_packet(command.id, packed, counter, key, spacecraft_id, source_id)
