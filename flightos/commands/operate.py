"""`flightos cmd`: one telecommand for one node of a living run, checked against the dictionary, then sent."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from flightos.commands.endings import Ending, say
from flightos.commands.listing import print_json
from flightos.commands.runs import MANIFEST, find_run
from flightos.core.dictionary import CommandDefinition, FieldDefinition, ServiceDictionary
from flightos.core.errors import ConfigError, EncodeError, InfrastructureError
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.node.toml_faults import nearest
from flightos.wire.layout import INTEGER_BITS, Value
from flightos.wire.packet import SEQUENCE_COUNT_MASK

if TYPE_CHECKING:
    from flightos.ground.verifications import CommandReport

REPORT_WAIT_S: Final = 5.0
"""The archive writes every two seconds."""
REPORT_LOOK_S: Final = 0.2
_TRUE: Final = ("true", "yes", "on", "1")
_FALSE: Final = ("false", "no", "off", "0")


def send_command(run: Path | None, node: str, command: str, arguments: list[str], is_json: bool) -> Ending:
    """Check, sign and send; says at which mission time it goes up and what the node reported of it.

    A command that was refused or failed ends in status 1.
    """
    from flightos.node.dictionary import service_dictionaries
    from flightos.wire.command import encode_tc
    from sil.processes.operator_port import send_packet
    from sil.scenarios.keys import command_key

    definition = find_command(command, service_dictionaries())
    values = parse_arguments(definition, arguments)
    folder = find_run(run)
    manifest = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
    node_id = find_node(node, manifest.get("nodes", []))
    endpoints = str(manifest.get("endpoint_folder", ""))
    if not endpoints:
        raise InfrastructureError(f"{folder}: a run in virtual time takes no commands while it flies")
    # The counter must rise with every command to be no replay; milliseconds of the wall clock do, between commands too.
    counter = time.time_ns() // NS_PER_MS
    try:
        packet = encode_tc(definition, values, counter, command_key(int(manifest["seed"]), node_id), node_id)
    except EncodeError as error:
        raise ConfigError([f"{command}: {fault}" for fault in str(error).split("; ")]) from error
    at_ns = send_packet(Path(endpoints), node_id, packet)
    if not is_json:
        print(f"{command} goes up to node {node_id} at {at_ns / NS_PER_S:.3f} s", flush=True)
    report = await_report(folder, node_id, command, counter & SEQUENCE_COUNT_MASK)
    if is_json:
        sent = {"node": node_id, "command": command, "arguments": values, "at_s": at_ns / NS_PER_S}
        print_json({**sent, "stages": list(report.stages), "refusal": report.refusal})
    elif report.stages:
        print(f"{', '.join(report.stages)}{f': {report.refusal}' if report.refusal else ''}")
    if not report.is_over and not is_json:
        say(f"no end of it reported within {REPORT_WAIT_S:g} s; later: flightos status --run {folder}")
    return Ending.CRITERIA_FAILED if report.refusal else Ending.OK


def await_report(folder: Path, node_id: int, command: str, sequence_count: int) -> CommandReport:
    """Wait until the node has reported that the command is done or refused, and the archive has written it; gives what
    there is when the patience ends."""
    from flightos.ground.inspect import open_run
    from flightos.ground.verifications import report_of

    give_up_s = time.monotonic() + REPORT_WAIT_S
    while True:
        report = report_of(open_run(folder), node_id, command, sequence_count)
        if report.is_over or time.monotonic() > give_up_s:
            return report
        time.sleep(REPORT_LOOK_S)


def find_command(name: str, dictionaries: tuple[ServiceDictionary, ...]) -> CommandDefinition:
    """The command SERVICE.COMMAND. Raises ConfigError with the nearest right name."""
    commands = {
        f"{dictionary.service}.{command.name}": command
        for dictionary in dictionaries
        for command in dictionary.commands
    }
    if name not in commands:
        raise ConfigError([f"{name}: unknown command; {nearest(name, list(commands))}"])
    return commands[name]


def find_node(name: str, nodes: list[dict[str, Any]]) -> int:
    """A node by number or name. Raises ConfigError with the names there are."""
    for node in nodes:
        if name in (str(node["node_id"]), node["name"]):
            return int(node["node_id"])
    known = [str(node["name"]) for node in nodes]
    raise ConfigError([f"{name}: unknown node; {nearest(name, known)}"])


def parse_arguments(definition: CommandDefinition, texts: list[str]) -> dict[str, Value]:
    """key=value texts as values of the command's arguments. Raises ConfigError listing every fault."""
    faults: list[str] = []
    values: dict[str, Value] = {}
    fields = {field.name: field for field in definition.arguments}
    for text in texts:
        key, equals, value = text.partition("=")
        if not equals:
            faults.append(f"{text}: expected key=value")
        elif key not in fields:
            hint = nearest(key, list(fields)) if fields else "it takes none"
            faults.append(f"{key}: no argument of {definition.name}; {hint}")
        elif key in values:
            faults.append(f"{key}: given twice")
        else:
            parsed = parse_value(fields[key], value)
            if parsed is None:
                faults.append(f"{key}: expected {expected_text(fields[key])}, found {value!r}")
            else:
                values[key] = parsed
    given = [text.partition("=")[0] for text in texts]
    faults += [
        f"{name}: missing; expected {expected_text(field)}"
        for name, field in fields.items()
        if name not in given
    ]
    if faults:
        raise ConfigError(faults)
    return values


def parse_value(field: FieldDefinition, text: str) -> Value | None:
    """The value that a text means for a field, or None; names of an enumeration are understood."""
    for number, label in field.enum:
        if text.upper() == label.upper():
            return number
    try:
        if field.type in INTEGER_BITS:
            return int(text, 0)
        if field.type in ("f32", "f64"):
            return float(text)
        if field.type == "content_id":
            return bytes.fromhex(text)
    except ValueError:
        return None
    if field.type == "bool":
        return True if text.lower() in _TRUE else False if text.lower() in _FALSE else None
    return text


def expected_text(field: FieldDefinition) -> str:
    """What a field wants, in words."""
    if field.enum:
        return "one of " + ", ".join(label for _, label in field.enum)
    words = {"bool": "true or false", "text": "text", "content_id": "32 hexadecimal digits"}.get(
        field.type, field.type
    )
    low = "" if field.range_min is None else f" from {field.range_min:g}"
    high = "" if field.range_max is None else f" to {field.range_max:g}"
    return f"{words}{low}{high}"
