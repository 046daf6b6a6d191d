"""What the time authority and the members of a run say to each other, as MessagePack over ipc sockets.

Control: one ROUTER at the authority, one DEALER per member. Data: one ROUTER per member, to which every other member
opens a DEALER when it first has something for it. A data message is a batch of `Message`s; grants and answers count
batches, so that nobody runs before what was sent to it has arrived. Sockets never drop: their queues are unbounded
here, because every drop is decided by shapers and bounded node queues.
"""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Final

import msgspec

from flightos.core.ports import HostInput, WorldInput
from sil.outcome import LifeTrace

CONTROL_NAME: Final = "control"
ARCHIVE_NAME: Final = "archive"
PROGRESS_NAME: Final = "progress"
OPERATOR_NAME: Final = "operator"

WireMessage = tuple[int, int, int, int, HostInput | WorldInput]
"""A `flightos.host.message.Message` in transit."""


class Grant(msgspec.Struct, frozen=True, array_like=True, tag="g"):
    """Leave to carry out every event before `horizon_ns`, once `expected` batches of each member (index, count since
    the start) have arrived. `messages` come from the authority itself."""

    horizon_ns: int
    expected: tuple[tuple[int, int], ...]
    messages: tuple[WireMessage, ...] = ()


class News(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    """Members that died (boot -1) or came back (their new boot). Nobody waits for batches of the dead."""

    boots: tuple[tuple[int, int], ...]


class Finish(msgspec.Struct, frozen=True, array_like=True, tag="f"):
    """The life of this member ends: close logs and report. The process exits, or dies by
    kill -9 once its report is on its way."""

    expected: tuple[tuple[int, int], ...] = ()
    is_killed: bool = False


class Answer(msgspec.Struct, frozen=True, array_like=True, tag="a"):
    """All before the horizon is done. `sent`: (member index, batches since the start, earliest due of the new ones).
    `trouble` says why the run no longer repeats, or is empty."""

    next_event_ns: int
    sent: tuple[tuple[int, int, int], ...] = ()
    to_dead_count: int = 0
    trouble: str = ""


class Report(msgspec.Struct, frozen=True, array_like=True, tag="r"):
    """Last word of a member: its chains and counters."""

    lives: tuple[LifeTrace, ...]
    record_count: int
    frames_dropped_count: int
    archive_count: int
    """Messages that this member sent to the archive."""
    accepted: tuple[bytes, ...] = ()
    """Content ids that mission control accepted, when it is here."""
    lateness_us: tuple[int, ...] = ()
    """Wall clock only: how late events were carried out, as counts by power of two microseconds."""
    upsets_hit_count: int = 0
    """Upsets that changed a tile or a result in use."""


class Ready(msgspec.Struct, frozen=True, array_like=True, tag="y"):
    """First word of a member."""

    next_event_ns: int
    pid: int


class Start(msgspec.Struct, frozen=True, array_like=True, tag="s"):
    """Wall clock only: mission time 0 is this reading of the host's monotonic clock; run by yourself from then on."""

    monotonic_ns: int


FromMember = Answer | Report | Ready
ToMember = Grant | Finish | Start | News


class Umbilical(msgspec.Struct, frozen=True, array_like=True, tag="u"):
    """To the archive: packets that nodes of one member emitted up to a horizon."""

    receive_t_ns: int
    packets: bytes


class Downlinked(msgspec.Struct, frozen=True, array_like=True, tag="d"):
    """To the archive: packets that a telemetry bundle brought down."""

    receive_t_ns: int
    source_id: int
    packets: bytes


class Accepted(msgspec.Struct, frozen=True, array_like=True, tag="p"):
    """To the archive: a product that mission control accepted."""

    receive_t_ns: int
    content_id: bytes
    observation_id: int
    tile_index: int
    source_id: int
    product: bytes


class Now(msgspec.Struct, frozen=True, array_like=True, tag="n"):
    """To the archive, from the authority: mission time and how many nodes are dead, for live.json."""

    t_ns: int
    nodes_dead: int


class Close(msgspec.Struct, frozen=True, array_like=True, tag="c"):
    """To the archive: when these have come (line of the sender, count of its messages), write everything and exit.
    What a member sent that died without a report is taken as far as it came."""

    message_counts: tuple[tuple[bytes, int], ...]


ToArchive = Umbilical | Downlinked | Accepted | Now | Close


class MemberPlan(msgspec.Struct, frozen=True):
    """One process of the run: its index and name, whom it hosts, and which life of a node it is."""

    index: int
    name: str
    node_ids: tuple[int, ...]
    hosts_world: bool = False
    boot_count: int = 0
    start_ns: int = 0
    boots: tuple[tuple[int, int], ...] = ()
    """Boots of the other members when this one starts; 0 where not named, -1 = dead."""
    is_wall: bool = False
    """Run by the wall clock, without grants."""


def line_of(index: int, boot_count: int) -> bytes:
    """Name of one life of a member as a sender: a later life is somebody else, so that sockets and counts of the two
    never mix."""
    return b"%d.%d" % (index, boot_count)


def member_of_line(line: bytes) -> tuple[int, int]:
    """Member index and boot."""
    index, _, boot_count = line.partition(b".")
    return int(index), int(boot_count)


def leave_last_words(folders: RunFolders, name: str, reason: str) -> None:
    """Say why this process cannot go on; who waits for it will read it."""
    try:
        folders.last_words(name).write_text(reason)
    except OSError:
        print(f"process {name}: {reason}", file=sys.stderr, flush=True)


def last_words(folders: RunFolders, name: str) -> str:
    """What a process left, or nothing."""
    try:
        return folders.last_words(name).read_text()
    except OSError:
        return ""


class RunFolders(msgspec.Struct, frozen=True):
    """Where a run's processes meet: endpoints (short, private), plan file, input logs."""

    endpoints: str
    plan: str
    inputs: str

    def endpoint(self, name: str) -> str:
        """The ipc address of a socket of the run."""
        return f"ipc://{Path(self.endpoints) / name}"

    def last_words(self, name: str) -> Path:
        """Where a process that cannot go on leaves the reason."""
        return Path(self.endpoints) / f"{name}.end"

    def worker_server(self) -> str:
        """Path of the Unix socket at which workers are forked."""
        return str(Path(self.endpoints) / "workers")


class RunSizes(msgspec.Struct, frozen=True):
    """What the archive must know of the plan."""

    duration_ns: int
    epoch_tai_ns: int
    satellite_count: int
    link_count: int
