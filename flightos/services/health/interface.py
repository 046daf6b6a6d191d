"""Contract of `health`: watchdogs, limits, modes, failure detection."""

from __future__ import annotations

from enum import IntEnum

from flightos.core.records import Record


class Mode(IntEnum):
    """Mode of the node; changed only here or by command."""

    SAFE = 0
    ECLIPSE_SAVING = 1
    NOMINAL = 2


class ModeChanged(Record, frozen=True):
    """The node's mode from now on."""

    mode: Mode
    previous: Mode


class ChangeMode(Record, frozen=True):
    """From commanding (`SetMode`): wanted by the ground."""

    mode: Mode


class PeerSuspected(Record, frozen=True):
    """No sign of life from a peer although one was due; nothing is decided yet."""

    peer_id: int


class PeerDeclared(Record, frozen=True):
    """A peer is taken for dead: its tasks may be taken over."""

    peer_id: int


class PeerRecovered(Record, frozen=True):
    """A suspected or declared peer gave a new sign of life."""

    peer_id: int
    boot_count: int


class PeerSeen(Record, frozen=True):
    """From scheduling: gossip brought a fresh view of a node that is no neighbour: a sign of life."""

    peer_id: int
    boot_count: int
    hop_count: int
