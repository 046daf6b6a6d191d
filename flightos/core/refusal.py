"""Refusals are values: a full queue or a missing route is an ordinary day, counted and often an event."""

from __future__ import annotations

from enum import IntEnum


class Refusal(IntEnum):
    """Why something was not done. Numbers travel in telemetry and are never reused."""

    QUEUE_FULL = 1
    STORE_FULL = 2
    NO_ROUTE = 3
    NO_STANDBY = 4
    NO_CAPACITY = 5
    DEADLINE_INFEASIBLE = 6
    DEADLINE_PASSED = 7
    ATTEMPTS_EXHAUSTED = 8
    CHARGE_BELOW_FLOOR = 9
    TOO_HOT = 10
    WRONG_MODE = 11
    UNKNOWN_COMMAND = 12
    BAD_ARGUMENT = 13
    NOT_AUTHENTIC = 14
    REPLAYED = 15
    STALE_EPOCH = 16
    UNKNOWN_CONTENT = 17
    LIFETIME_PASSED = 18
    HOP_LIMIT = 19
    INPUT_LOST = 20
    TABLE_INVALID = 21
    CHAIN_TOO_LONG = 22
    NO_IMAGER = 23
    ABORTED = 24
    TOO_LARGE = 25
