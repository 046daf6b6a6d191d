"""Modes of the node: the transition table, and the watchpoints that trigger it.

Theory of operation. A watchpoint is a condition on the forecast that must hold for several seconds in a row;
then it pulls its trigger. What a trigger does depends on the mode alone: one printable table. A watchpoint
is looked at only in the modes in which its trigger has an entry. Entry and return limits lie apart
(hysteresis), and SAFE that the ground ordered is left by order only.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, Final

import msgspec

from flightos.core.configuration import NodeConfiguration
from flightos.services.health.interface import Mode, Trigger

TRANSITIONS: Final[Mapping[tuple[Mode, Trigger], Mode]] = {
    (Mode.NOMINAL, Trigger.CHARGE_LOW): Mode.SAFE,
    (Mode.NOMINAL, Trigger.TEMPERATURE_HIGH): Mode.SAFE,
    (Mode.NOMINAL, Trigger.ENERGY_TIGHT): Mode.ECLIPSE_SAVING,
    (Mode.ECLIPSE_SAVING, Trigger.CHARGE_LOW): Mode.SAFE,
    (Mode.ECLIPSE_SAVING, Trigger.TEMPERATURE_HIGH): Mode.SAFE,
    (Mode.ECLIPSE_SAVING, Trigger.ENERGY_RECOVERED): Mode.NOMINAL,
    (Mode.SAFE, Trigger.LIMITS_RECOVERED): Mode.NOMINAL,
    (Mode.NOMINAL, Trigger.COMMANDED_SAFE): Mode.SAFE,
    (Mode.ECLIPSE_SAVING, Trigger.COMMANDED_SAFE): Mode.SAFE,
    (Mode.SAFE, Trigger.COMMANDED_SAFE): Mode.SAFE,
    (Mode.NOMINAL, Trigger.COMMANDED_ECLIPSE_SAVING): Mode.ECLIPSE_SAVING,
    (Mode.ECLIPSE_SAVING, Trigger.COMMANDED_ECLIPSE_SAVING): Mode.ECLIPSE_SAVING,
    (Mode.SAFE, Trigger.COMMANDED_ECLIPSE_SAVING): Mode.ECLIPSE_SAVING,
    (Mode.NOMINAL, Trigger.COMMANDED_NOMINAL): Mode.NOMINAL,
    (Mode.ECLIPSE_SAVING, Trigger.COMMANDED_NOMINAL): Mode.NOMINAL,
    (Mode.SAFE, Trigger.COMMANDED_NOMINAL): Mode.NOMINAL,
}  # an absent pair changes nothing and is counted

COMMANDED: Final[Mapping[Mode, Trigger]] = {
    Mode.SAFE: Trigger.COMMANDED_SAFE,
    Mode.ECLIPSE_SAVING: Trigger.COMMANDED_ECLIPSE_SAVING,
    Mode.NOMINAL: Trigger.COMMANDED_NOMINAL,
}

CHARGE_SAFE_MARGIN_E6: Final = 10_000
"""SAFE begins this far below the floor: the floor itself is the business of who starts tasks."""
CHARGE_RETURN_MARGIN_E6: Final = 30_000
HEAT_RETURN_MARGIN_MK: Final = 8_000
TIGHT_E6: Final = 5_000
"""Energy that may be spent until the eclipse ends, in millionths of the battery, under which it is tight."""
RECOVERED_E6: Final = 20_000


class Compare(StrEnum):
    """How a value is held against its limit."""

    BELOW = "<"
    ABOVE = ">"


HOLDS: Final[Mapping[Compare, Callable[[Any, Any], bool]]] = {
    Compare.BELOW: operator.lt,
    Compare.ABOVE: operator.gt,
}


class Term(msgspec.Struct, frozen=True):
    """One comparison: a field of the forecast against a limit in the field's unit."""

    field: str
    compare: Compare
    limit: int


class Watchpoint(msgspec.Struct, frozen=True):
    """All terms hold for `persistence_count` forecasts in a row: pull the trigger."""

    name: str
    terms: tuple[Term, ...]
    persistence_count: int
    trigger: Trigger


def make_watchpoints(configuration: NodeConfiguration) -> tuple[Watchpoint, ...]:
    """The table of watchpoints with this node's limits."""
    power = configuration.power
    floor_e6 = power.soc_ratio_e6_min
    limit_mk = configuration.heat.temperature_mk_max
    persistence_count = configuration.health.limit_persistence_count
    return (
        Watchpoint(
            "charge low",
            (Term("soc_ratio_e6", Compare.BELOW, floor_e6 - CHARGE_SAFE_MARGIN_E6),),
            persistence_count,
            Trigger.CHARGE_LOW,
        ),
        Watchpoint(
            "temperature high",
            (Term("temperature_mk", Compare.ABOVE, limit_mk),),
            persistence_count,
            Trigger.TEMPERATURE_HIGH,
        ),
        Watchpoint(
            "energy tight in eclipse",
            (
                Term("sunlit_ratio_e6", Compare.BELOW, 10_000),
                Term("energy_available_mj", Compare.BELOW, power.battery_mj * TIGHT_E6 // 1_000_000),
            ),
            persistence_count,
            Trigger.ENERGY_TIGHT,
        ),
        Watchpoint(
            "sunlit and recovered",
            (
                Term("sunlit_ratio_e6", Compare.ABOVE, 500_000),
                Term("energy_available_mj", Compare.ABOVE, power.battery_mj * RECOVERED_E6 // 1_000_000),
            ),
            persistence_count,
            Trigger.ENERGY_RECOVERED,
        ),
        Watchpoint(
            "limits recovered",
            (
                Term("soc_ratio_e6", Compare.ABOVE, min(floor_e6 + CHARGE_RETURN_MARGIN_E6, 999_999)),
                Term("temperature_mk", Compare.BELOW, limit_mk - HEAT_RETURN_MARGIN_MK),
            ),
            persistence_count,
            Trigger.LIMITS_RECOVERED,
        ),
    )


def watchpoints_of(mode: Mode, watchpoints: tuple[Watchpoint, ...]) -> tuple[int, ...]:
    """Indices of the watchpoints whose trigger means something in this mode."""
    return tuple(
        index for index, watchpoint in enumerate(watchpoints) if (mode, watchpoint.trigger) in TRANSITIONS
    )


def terms_of(watchpoint: Watchpoint) -> tuple[tuple[Callable[[Any, Any], bool], str, int], ...]:
    """The terms of a watchpoint as (comparison, field, limit): what is held against every forecast."""
    return tuple((HOLDS[term.compare], term.field, term.limit) for term in watchpoint.terms)
