"""What a flight leaves behind in memory: chains, checkpoints, accepted products, and what went wrong with the host."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from hashlib import blake2b
from pathlib import Path

import msgspec

from flightos.core.ids import ContentId


class LifeTrace(msgspec.Struct, frozen=True, array_like=True):
    """One life of a node: the digest of its chain, and checkpoints (on-board second, first 8 bytes) on the way."""

    node_id: int
    boot_count: int
    chain: bytes
    checkpoints: tuple[tuple[int, bytes], ...]


@dataclass
class Outcome:
    """Filled while a run flies. `not_repeatable` says why the trace does not count, or is empty."""

    lives: list[LifeTrace] = field(default_factory=list)
    accepted: list[ContentId] = field(default_factory=list)
    not_repeatable: str = ""
    end_ns: int = 0
    wall_s: float = 0.0
    record_count: int = 0
    frames_to_dead_count: int = 0
    frames_dropped_count: int = 0
    upsets_hit_count: int = 0
    """Upsets that changed a tile or a result in use; the others struck memory that held neither."""
    interrupted: bool = False
    invalid: str = ""
    """Why the figures of this run do not count (a host too slow for the wall clock), or empty."""
    notes: dict[str, object] = field(default_factory=dict)

    def trace_hash(self, tape_hash: str) -> str | None:
        """Hash of the tape hash and the chains in order of (node id, boot); None when the run does not repeat."""
        if self.not_repeatable:
            return None
        total = blake2b(tape_hash.encode(), digest_size=32)
        for life in sorted(self.lives, key=lambda life: (life.node_id, life.boot_count)):
            total.update(b"%d %d " % (life.node_id, life.boot_count) + life.chain)
        return total.hexdigest()

    def products_hash(self) -> str:
        """Hash of the sorted content ids that the ground accepted."""
        return blake2b(b"".join(sorted(self.accepted)), digest_size=32).hexdigest()


def write_trace(path: Path, outcome: Outcome) -> None:
    """The file `trace`: a stream of MessagePack, one LifeTrace each, in order of (node id, boot)."""
    lives = sorted(outcome.lives, key=lambda life: (life.node_id, life.boot_count))
    path.write_bytes(b"".join(msgspec.msgpack.encode(life) for life in lives))


def read_trace(path: Path) -> Mapping[tuple[int, int], LifeTrace]:
    """Lives of a run by (node id, boot)."""
    import msgpack

    with path.open("rb") as file:
        lives = [
            msgspec.convert(element, LifeTrace) for element in msgpack.Unpacker(file, strict_map_key=False)
        ]
    return {(life.node_id, life.boot_count): life for life in lives}
