"""Contract of `health`: watchdogs, limits, modes, failure detection."""

from __future__ import annotations

from enum import IntEnum
from typing import Final

from flightos.core.dictionary import (
    CommandDefinition,
    EventDefinition,
    FieldDefinition,
    HousekeepingDefinition,
    ServiceDictionary,
    Severity,
    labels_of,
)
from flightos.core.ports import WorkFailure
from flightos.core.records import HousekeepingRecord, Record


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


class Trigger(IntEnum):
    """Why the mode may change: the column of the transition table."""

    CHARGE_LOW = 1
    TEMPERATURE_HIGH = 2
    ENERGY_TIGHT = 3
    ENERGY_RECOVERED = 4
    LIMITS_RECOVERED = 5
    COMMANDED_SAFE = 6
    COMMANDED_ECLIPSE_SAVING = 7
    COMMANDED_NOMINAL = 8


class HealthHousekeeping(HousekeepingRecord, frozen=True):
    """Mode, peers and counters since `ResetCounters`."""

    mode: int
    mode_commanded: bool
    peer_count: int
    peer_suspected_count: int
    peer_declared_count: int
    suspicion_count: int
    declaration_count: int
    recovery_count: int
    reboot_count: int
    mode_change_count: int
    transition_refused_count: int
    command_refused_count: int
    peer_refused_count: int
    work_timed_out_count: int
    work_crashed_count: int
    work_corrupt_count: int
    work_other_count: int
    work_failed_in_row_count: int
    workers_failing_count: int
    forecast_silent_count: int
    in_saa: bool
    upset_count: int


MODE_ENUM: Final = tuple((int(mode), mode.name) for mode in Mode)

MODE_CHANGED: Final = EventDefinition(
    id=0x0401,
    name="MODE_CHANGED",
    severity=Severity.MEDIUM,
    text="mode {previous} -> {mode} because of {trigger}",
    fields=(
        FieldDefinition("previous", "u8", enum=MODE_ENUM),
        FieldDefinition("mode", "u8", enum=MODE_ENUM),
        FieldDefinition("trigger", "u8", enum=tuple((int(trigger), trigger.name) for trigger in Trigger)),
    ),
)
PEER_SUSPECTED: Final = EventDefinition(
    id=0x0402,
    name="PEER_SUSPECTED",
    severity=Severity.LOW,
    text="no sign of life from node {peer_id} for {silent_s} s",
    fields=(FieldDefinition("peer_id", "u16"), FieldDefinition("silent_s", "u32")),
)
PEER_DECLARED: Final = EventDefinition(
    id=0x0403,
    name="PEER_DECLARED",
    severity=Severity.HIGH,
    text="node {peer_id} is taken for dead after {silent_s} s without a sign of life",
    fields=(FieldDefinition("peer_id", "u16"), FieldDefinition("silent_s", "u32")),
)
PEER_RECOVERED: Final = EventDefinition(
    id=0x0404,
    name="PEER_RECOVERED",
    severity=Severity.INFO,
    text="node {peer_id} gave a sign of life again after {silent_s} s, boot {boot_count}",
    fields=(
        FieldDefinition("peer_id", "u16"),
        FieldDefinition("silent_s", "u32"),
        FieldDefinition("boot_count", "u32"),
    ),
)
PEER_REBOOTED: Final = EventDefinition(
    id=0x0405,
    name="PEER_REBOOTED",
    severity=Severity.LOW,
    text="node {peer_id} lives its boot {boot_count}",
    fields=(FieldDefinition("peer_id", "u16"), FieldDefinition("boot_count", "u32")),
)
WORKERS_FAILING: Final = EventDefinition(
    id=0x0406,
    name="WORKERS_FAILING",
    severity=Severity.HIGH,
    text="{in_row_count} executions in a row failed in this node's workers, the last with reason {reason}",
    fields=(
        FieldDefinition("in_row_count", "u32"),
        FieldDefinition("reason", "u8", enum=labels_of(WorkFailure, "none")),
    ),
    interval_ns_min=60_000_000_000,
)
FORECAST_SILENT: Final = EventDefinition(
    id=0x0407,
    name="FORECAST_SILENT",
    severity=Severity.HIGH,
    text="no forecast for {silent_s} s: power samples stay away, limits are not watched",
    fields=(FieldDefinition("silent_s", "u32"),),
)

SET_MODE: Final = CommandDefinition(
    id=0x0401,
    name="SetMode",
    meaning="Change the mode of the node; SAFE set so is left by command only",
    arguments=(FieldDefinition("mode", "u8", "mode wanted", enum=MODE_ENUM, range_min=0, range_max=2),),
)

DICTIONARY: Final = ServiceDictionary(
    service="health",
    apid=0x104,
    housekeeping=HousekeepingDefinition(
        structure_id=0x04,
        fields=(
            FieldDefinition("mode", "u8", "mode of the node", enum=MODE_ENUM),
            FieldDefinition(
                "mode_commanded", "bool", "the ground set the mode; SAFE set so is left by command only"
            ),
            FieldDefinition("peer_count", "u16", "peers watched"),
            FieldDefinition("peer_suspected_count", "u16", "of these, suspected now"),
            FieldDefinition("peer_declared_count", "u16", "of these, declared dead now"),
            FieldDefinition("suspicion_count", "u32", "event PEER_SUSPECTED"),
            FieldDefinition("declaration_count", "u32", "event PEER_DECLARED"),
            FieldDefinition("recovery_count", "u32", "event PEER_RECOVERED"),
            FieldDefinition("reboot_count", "u32", "event PEER_REBOOTED"),
            FieldDefinition("mode_change_count", "u32", "event MODE_CHANGED"),
            FieldDefinition(
                "transition_refused_count", "u32", "triggers that the transition table does not know"
            ),
            FieldDefinition("command_refused_count", "u32", "commands that were not understood"),
            FieldDefinition("peer_refused_count", "u32", "signs of life beyond the bound on peers"),
            FieldDefinition("work_timed_out_count", "u32", "workers killed by their watchdog"),
            FieldDefinition("work_crashed_count", "u32", "workers that died"),
            FieldDefinition("work_corrupt_count", "u32", "corrupt inputs and results"),
            FieldDefinition("work_other_count", "u32", "inputs missing and refusals"),
            FieldDefinition("work_failed_in_row_count", "u16", "worker failures since the last success"),
            FieldDefinition("workers_failing_count", "u32", "event WORKERS_FAILING"),
            FieldDefinition("forecast_silent_count", "u32", "event FORECAST_SILENT"),
            FieldDefinition("in_saa", "bool", "inside the South Atlantic Anomaly"),
            FieldDefinition("upset_count", "u32", "upsets by the radiation monitor since boot"),
        ),
    ),
    events=(
        MODE_CHANGED,
        PEER_SUSPECTED,
        PEER_DECLARED,
        PEER_RECOVERED,
        PEER_REBOOTED,
        WORKERS_FAILING,
        FORECAST_SILENT,
    ),
    commands=(SET_MODE,),
)
