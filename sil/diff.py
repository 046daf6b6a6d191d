"""Where two runs part: the first event, over all nodes, in which they are not the same.

Theory of operation. The chains of all lives have a checkpoint for each on-board second, so the second in which a node
first differs is found without reading logs. Of the nodes that part first in mission time, the input logs tell the
exact entry: the earliest differing input of all is the cause, everything after it may be its effect. When the inputs
of that second are the same and the outputs are not, the code (or the configuration) is not the same.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import msgspec

from flightos.core.errors import DecodeError
from flightos.core.ports import FrameReceived
from flightos.core.time import NS_PER_S
from flightos.host.keeping import LogHeader, read_log
from flightos.node.clock import OnBoardClock
from flightos.wire.frame import BundleCarried, FrameCodec
from sil.folder import RunFolder
from sil.members import make_node
from sil.outcome import LifeTrace
from sil.rerun import LogEntry, name_of_service

_KEY_BYTES: Final = re.compile(r"""key=b('[^']*'|"[^"]*")""")
Life = tuple[int, int]
"""(node id, boot)."""


class Parting(msgspec.Struct, frozen=True):
    """The first event in which two runs differ."""

    node_id: int
    name: str
    boot_count: int
    mission_ns: int
    obt_ns: int
    entry_index: int
    """Of the input log; -1 when the inputs are the same."""
    what: str
    """Record and field that differ."""

    def line(self) -> str:
        """For people."""
        return (
            f"first difference: mission {self.mission_ns / NS_PER_S:.9f} s, node {self.node_id} ({self.name})"
            f" boot {self.boot_count}, on-board {self.obt_ns / NS_PER_S:.9f} s: {self.what}"
        )


class DiffReport(msgspec.Struct, frozen=True):
    """Two runs compared. `lines` say it for people, most important first."""

    run_a: str
    run_b: str
    is_same: bool
    lines: tuple[str, ...]
    parting: Parting | None


class _Candidate(NamedTuple):
    mission_ns: int
    life: Life
    second: int | None
    """On-board second of the first differing checkpoint; None when only logs were compared."""


class _Side(NamedTuple):
    """What a message is made of: the run's name for people, and one life's header and log."""

    header: LogHeader
    entries: list[LogEntry]


def diff(run_a: Path, run_b: Path) -> DiffReport:
    """Compare two runs. Raises InfrastructureError when one of them cannot be read."""
    a, b = RunFolder.open(run_a), RunFolder.open(run_b)
    lines = [
        f"{key.replace('_', ' ')} differs: {a.manifest.get(key)} in A, {b.manifest.get(key)} in B"
        for key in ("tape_hash", "scenario", "seed")
        if a.manifest.get(key) != b.manifest.get(key)
    ]
    lives_a, lives_b = _lives(a), _lives(b)
    for life in sorted(lives_a ^ lives_b):
        where = "A" if life in lives_a else "B"
        lines.append(f"node {life[0]} boot {life[1]} lived in {where} only")
    common = sorted(lives_a & lives_b)
    lines += _configuration_lines(a, b, common)
    parting = _first_parting(a, b, common)
    if parting is not None:
        lines.append(parting.line())
    is_same = (
        parting is None and lives_a == lives_b and a.manifest.get("tape_hash") == b.manifest.get("tape_hash")
    )
    if is_same:
        lines.append("the runs are the same, event for event")
    elif parting is None:
        lines.append("no event of a node differs")
    return DiffReport(str(run_a), str(run_b), is_same, tuple(lines), parting)


def _lives(folder: RunFolder) -> set[Life]:
    """Lives that left a log."""
    return {(node_id, boot) for node_id in folder.node_ids() for boot in folder.boots(node_id)}


def _configuration_lines(a: RunFolder, b: RunFolder, lives: Sequence[Life]) -> list[str]:
    """What nodes were told to be, where it is not the same: how many, and the first field of the first one."""
    found = []
    for node_id, boot_count in lives:
        if boot_count > 0:
            continue
        one, other = (read_log(run.inputs, node_id, boot_count)[0].configuration for run in (a, b))
        if one != other:
            found.append(f"node {node_id} ({one.name}): {_field_difference(one, other)}")
    return [f"{len(found)} nodes are configured differently, the first is {found[0]}"] if found else []


def _first_parting(a: RunFolder, b: RunFolder, lives: Sequence[Life]) -> Parting | None:
    trace_a, trace_b = a.trace(), b.trace()
    candidates = [found for life in lives if (found := _candidate(a, trace_a, trace_b, life)) is not None]
    if not candidates:
        return None
    earliest_ns = min(candidate.mission_ns for candidate in candidates)
    # A second of one node overlaps two of another: everything that may hold the first event is looked into.
    partings = [
        exact
        for candidate in candidates
        if candidate.mission_ns < earliest_ns + 2 * NS_PER_S
        and (exact := _look_into(a, b, candidate)) is not None
    ]
    return min(partings, key=lambda one: (one.mission_ns, one.entry_index < 0, one.node_id), default=None)


def _candidate(
    folder: RunFolder, trace_a: Mapping[Life, LifeTrace], trace_b: Mapping[Life, LifeTrace], life: Life
) -> _Candidate | None:
    """The life's first differing checkpoint; the whole life when a run left no trace of it; None when it is equal."""
    if life not in trace_a or life not in trace_b:
        return _Candidate(0, life, None)
    one, other = trace_a[life], trace_b[life]
    if one.chain == other.chain and one.checkpoints == other.checkpoints:
        return None
    clock = _clock(read_log(folder.inputs, *life)[0])
    second = _differing_second(one, other)
    return _Candidate(max(0, clock.mission_ns(second * NS_PER_S)), life, second)


def _differing_second(one: LifeTrace, other: LifeTrace) -> int:
    for (second, digest), (other_second, other_digest) in zip(
        one.checkpoints, other.checkpoints, strict=False
    ):
        if (second, digest) != (other_second, other_digest):
            return min(second, other_second)
    count = min(len(one.checkpoints), len(other.checkpoints))
    longer = one.checkpoints if len(one.checkpoints) > count else other.checkpoints
    if len(longer) > count:
        return longer[count][0]
    return longer[-1][0] + 1 if longer else 0


def _look_into(a: RunFolder, b: RunFolder, candidate: _Candidate) -> Parting | None:
    """The exact event of one life."""
    node_id, boot_count = candidate.life
    sides = _Side(*read_log(a.inputs, node_id, boot_count)), _Side(*read_log(b.inputs, node_id, boot_count))
    header = sides[0].header
    clock = _clock(header)

    def parting(obt_ns: int, index: int, what: str) -> Parting:
        name = header.configuration.name
        return Parting(node_id, name, boot_count, max(0, clock.mission_ns(obt_ns)), obt_ns, index, what)

    index = _differing_index(sides[0].entries, sides[1].entries)
    times = [side.entries[index][0] for side in sides if index < len(side.entries)]
    if times and (candidate.second is None or min(times) // NS_PER_S <= candidate.second):
        return parting(min(times), index, _entry_difference(sides, index))
    if candidate.second is None:
        return None
    cause = "the code" if sides[0].header == sides[1].header else "the configuration"
    what = f"same inputs in on-board second {candidate.second}, different outputs: {cause} differs"
    return parting(candidate.second * NS_PER_S, -1, what)


def _differing_index(entries: Sequence[LogEntry], others: Sequence[LogEntry]) -> int:
    for index, (one, other) in enumerate(zip(entries, others, strict=False)):
        if one != other:
            return index
    return min(len(entries), len(others))


def _entry_difference(sides: tuple[_Side, _Side], index: int) -> str:
    """Two log entries side by side, in words."""
    present = [side for side in sides if index < len(side.entries)]
    if len(present) == 1:
        where = "A" if present[0] is sides[0] else "B"
        return f"{_describe(present[0], index)} in {where} only, the other log ends"
    (obt_a, entry_a), (obt_b, entry_b) = sides[0].entries[index], sides[1].entries[index]
    if type(entry_a) is type(entry_b) and not isinstance(entry_a, int) and obt_a == obt_b:
        assert not isinstance(entry_b, int)
        return f"{_describe(sides[0], index)}: {_field_difference(entry_a, entry_b)}"
    return (
        f"{_describe(sides[0], index)} at {obt_a / NS_PER_S:.9f} s in A,"
        f" {_describe(sides[1], index)} at {obt_b / NS_PER_S:.9f} s in B"
    )


def _describe(side: _Side, index: int) -> str:
    """A log entry by name: a wake-up with its service, a frame with its sender and what it carries."""
    _, entry = side.entries[index]
    if isinstance(entry, int):
        return f"wake-up of {name_of_service(make_node(side.header.configuration), entry)}"
    if isinstance(entry, FrameReceived):
        return f"FrameReceived ({_frame_kind(side, entry)} from {entry.peer_id})"
    return type(entry).__name__


def _frame_kind(side: _Side, frame: FrameReceived) -> str:
    configuration = side.header.configuration
    try:
        _, body = FrameCodec(configuration.node_id, configuration.terminals[0].key).decode(frame.data, 0)
    except DecodeError:
        return "undecodable"
    return f"bundle of {len(body.bundle)} bytes" if isinstance(body, BundleCarried) else type(body).__name__


def _field_difference(one: msgspec.Struct, other: msgspec.Struct, prefix: str = "") -> str:
    """The first field in which two structs of one type differ, with both values."""
    for name in one.__struct_fields__:
        value, other_value = getattr(one, name), getattr(other, name)
        if value == other_value:
            continue
        if isinstance(value, msgspec.Struct) and type(value) is type(other_value):
            return _field_difference(value, other_value, f"{prefix}{name}.")
        if isinstance(value, tuple) and isinstance(other_value, tuple) and len(value) == len(other_value):
            place = next(
                i for i, (left, right) in enumerate(zip(value, other_value, strict=True)) if left != right
            )
            name, value, other_value = f"{name}[{place}]", value[place], other_value[place]
            if isinstance(value, msgspec.Struct) and type(value) is type(other_value):
                return _field_difference(value, other_value, f"{prefix}{name}.")
        if "key" in name.split("_"):
            # Keys of links and of the command port stand in the configuration that input logs begin with.
            return f"{prefix}{name}: not the same key (keys are not shown)"
        if isinstance(value, bytes) and isinstance(other_value, bytes):
            return f"{prefix}{name}: {_bytes_difference(value, other_value)}"
        return f"{prefix}{name}: {_short(value)} in A, {_short(other_value)} in B"
    return "nothing that can be named"


def _bytes_difference(one: bytes, other: bytes) -> str:
    place = next(
        (index for index, (left, right) in enumerate(zip(one, other, strict=False)) if left != right),
        min(len(one), len(other)),
    )
    return (
        f"{len(one)} and {len(other)} bytes, from byte {place} on {one[place : place + 8].hex() or 'nothing'} in A,"
        f" {other[place : place + 8].hex() or 'nothing'} in B"
    )


def _short(value: object) -> str:
    text = _KEY_BYTES.sub("key=...", repr(value))
    return text if len(text) <= 80 else f"{text[:77]}..."


def _clock(header: LogHeader) -> OnBoardClock:
    return OnBoardClock(header.configuration.obt_offset_ns, header.configuration.drift_ppb)
