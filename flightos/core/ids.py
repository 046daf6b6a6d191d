"""Identifiers. All of them are plain integers or bytes, so that they sort, hash and encode alike everywhere."""

from __future__ import annotations

from hashlib import blake2b
from typing import Final

WORLD_ID: Final = 0
"""The world as a source of sensor records."""
SATELLITE_ID_MIN: Final = 1
SATELLITE_ID_MAX: Final = 999
GROUND_ID: Final = 1000
"""The ground's mission control: the acceptor of products and the sink of the downlink."""
STATION_ID_MIN: Final = 1001
STATION_ID_MAX: Final = 1999
OPERATOR_ID: Final = 2000
"""The operator's umbilical, as a source of commands."""
AUTHORITY_ID: Final = 2010
"""The time authority, as a source of what it tells the world."""
SELF_SOURCE_ID: Final = 2001
"""First of the reserved source ids for what a node's own devices report: see `flightos.core.ports`."""

CONTENT_ID_BYTES: Final = 16

ContentId = bytes
"""BLAKE2b-128 of the bytes it names."""


def content_id(data: bytes) -> ContentId:
    """BLAKE2b-128 (RFC 7693) of `data`."""
    return blake2b(data, digest_size=CONTENT_ID_BYTES).digest()


def task_id(observation_id: int, task_index: int) -> int:
    """One number for a task: tasks of an observation are numbered 0..255 in the order of its plan."""
    assert 0 <= task_index < 256
    return observation_id * 256 + task_index


def observation_of(task: int) -> int:
    """The observation to which a task number belongs."""
    return task // 256


def is_satellite(node_id: int) -> bool:
    """True for a spacecraft, False for the ground, a station, the world or the operator."""
    return SATELLITE_ID_MIN <= node_id <= SATELLITE_ID_MAX


def is_station(node_id: int) -> bool:
    """True for a ground station."""
    return STATION_ID_MIN <= node_id <= STATION_ID_MAX
