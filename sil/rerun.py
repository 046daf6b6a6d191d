"""The flight recorder, played: a node is made anew and lives again from its input log, to the same chain.

Theory of operation. The log of a life holds what came from outside and which wake-ups were delivered. Records are fed
in as they stand; for wake-ups the node is asked for its own, at the logged time, and must want exactly those that the
log has. So the replay stops being equal at the very entry where the code behaves differently, not only at the next
checkpoint. A later life starts where a restart starts: from the snapshot and the log of the life before.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

import msgspec

from flightos.core.errors import InfrastructureError
from flightos.core.ports import NodeInput
from flightos.core.records import Record
from flightos.core.time import NS_PER_S
from flightos.host.keeping import LogHeader, read_log
from flightos.host.relive import relive
from flightos.node.node import Node
from flightos.node.recorder import Recorder
from sil.folder import RunFolder, source_commit
from sil.members import make_node
from sil.outcome import LifeTrace

LogEntry = tuple[int, NodeInput | int]
_encode: Final = msgspec.msgpack.Encoder().encode


class LifeReport(msgspec.Struct, frozen=True):
    """One life, played again. `is_equal` is None when the run left no trace of it to compare with."""

    boot_count: int
    entry_count: int
    chain: str
    chain_recorded: str | None
    is_equal: bool | None
    difference: str = ""
    """Where the two part, in a sentence; empty when they do not."""


class RerunReport(msgspec.Struct, frozen=True):
    """All lives of a node. `is_equal` is False as soon as one differs, None when none could be compared."""

    run_dir: str
    node_id: int
    name: str
    lives: tuple[LifeReport, ...]
    is_equal: bool | None
    commit_recorded: str | None = None
    commit: str | None = None
    """Source of the run, and the source that played it."""

    def lines(self) -> list[str]:
        """The report for people, one line a life."""
        verdicts = {True: "equal", False: "DIFFERS", None: "no trace to compare with"}
        found = [
            f"node {self.node_id} ({self.name}) boot {life.boot_count}: {life.entry_count} entries,"
            f" chain {life.chain}: {verdicts[life.is_equal]}"
            + (f"\n  {life.difference}" if life.difference else "")
            for life in self.lives
        ]
        if self.is_equal is False and self.commit != self.commit_recorded:
            found.append(f"recorded by commit {self.commit_recorded}, played by {self.commit}")
        return found


class _Entries:
    """The sink of the replaying recorder: the entries it would have logged."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []

    def append(self, obt_ns: int, entry: Record | int) -> None:
        self.taken.append(_encode((obt_ns, entry)))


def rerun(run_dir: Path, node_id: int) -> RerunReport:
    """Play every life of a node. Raises InfrastructureError when its logs cannot be read."""
    folder = RunFolder.open(run_dir)
    boots = folder.boots(node_id)
    if not boots:
        known = ", ".join(map(str, folder.node_ids()))
        raise InfrastructureError(f"{run_dir}: no input log of node {node_id}; there are nodes {known}")
    trace = folder.trace()
    name = read_log(folder.inputs, node_id, boots[0])[0].configuration.name
    lives = tuple(_replay(folder.inputs, node_id, boot, trace.get((node_id, boot))) for boot in boots)
    verdicts = [life.is_equal for life in lives]
    is_equal = False if False in verdicts else (True if True in verdicts else None)
    recorded = folder.manifest.get("commit")
    return RerunReport(str(run_dir), node_id, name, lives, is_equal, recorded, source_commit())


def _replay(inputs: Path, node_id: int, boot_count: int, recorded: LifeTrace | None) -> LifeReport:
    header, entries = read_log(inputs, node_id, boot_count)
    node = make_reliving_node(inputs, header)
    sink = _Entries()
    recorder = Recorder(node_id, boot_count, sink)
    node.recorder = recorder
    difference = play(node, entries, sink.taken)
    chain = recorder.chain()
    if recorded is not None and not difference and chain != recorded.chain:
        difference = first_difference(recorded, tuple(recorder.checkpoints))
    return LifeReport(
        boot_count=boot_count,
        entry_count=len(entries),
        chain=chain.hex(),
        chain_recorded=None if recorded is None else recorded.chain.hex(),
        is_equal=False if difference else (None if recorded is None else chain == recorded.chain),
        difference=difference,
    )


def make_reliving_node(inputs: Path, header: LogHeader) -> Node:
    """A node as it was when the life of `header` began."""
    node = make_node(header.configuration)
    if header.boot_count > 0:
        relive(node, inputs, header.boot_count - 1)
    return node


def play(node: Node, entries: Sequence[LogEntry], taken: list[bytes]) -> str:
    """Feed a log into a node whose recorder appends to `taken`; say where they part, or nothing."""
    index = 0
    while index < len(entries):
        obt_ns, entry = entries[index]
        taken.clear()
        if isinstance(entry, int):
            node.wake(obt_ns)
        else:
            node.accept(entry, obt_ns)
        logged = [_encode(one) for one in entries[index : index + max(1, len(taken))]]
        # A killed node may have logged the first of several wake-ups of one instant: what is there must fit.
        if taken[: len(logged)] != logged:
            return _parting(node, index, entries, taken)
        index += len(taken)
    return ""


def _parting(node: Node, index: int, entries: Sequence[LogEntry], taken: Sequence[bytes]) -> str:
    obt_ns, entry = entries[index]
    assert isinstance(entry, int), "records are fed in as they stand"
    wanted = [name_of_service(node, int(msgspec.msgpack.decode(one)[1])) for one in taken]
    logged = []
    for at_obt_ns, one in entries[index : index + max(1, len(taken))]:
        logged.append(
            name_of_service(node, one) if at_obt_ns == obt_ns and isinstance(one, int) else type(one).__name__
        )
    return (
        f"entry {index}, on-board {obt_ns / NS_PER_S:.9f} s: the log wakes {', '.join(logged)},"
        f" the node wants {', '.join(wanted) or 'nobody'}"
    )


def name_of_service(node: Node, index: int) -> str:
    """The service of a logged wake-up."""
    services = node.bus.services
    return services[index].name if 0 <= index < len(services) else f"service {index}"


def first_difference(recorded: LifeTrace, checkpoints: Sequence[tuple[int, bytes]]) -> str:
    """The first checkpoint at which two chains of one life differ, in a sentence."""
    for (second, digest), (other_second, other_digest) in zip(
        recorded.checkpoints, checkpoints, strict=False
    ):
        if second != other_second:
            return f"the recorded chain has a checkpoint of on-board second {second}, the replay of {other_second}"
        if digest != other_digest:
            return f"the chains part in on-board second {second}: same inputs, different outputs"
    if len(recorded.checkpoints) != len(checkpoints):
        return (
            f"the recorded chain has {len(recorded.checkpoints)} checkpoints, the replay {len(checkpoints)}"
        )
    return "the chains part after the last checkpoint"
