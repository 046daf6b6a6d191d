"""State of `telemetry`: what a snapshot carries."""

from __future__ import annotations

import msgspec

from flightos.core.records import ServiceState

TAI_UNKNOWN = 0
TAI_ESTIMATED = 1


class TelemetryCounters(msgspec.Struct):
    """What `ResetCounters` zeroes."""

    housekeeping_packets_count: int = 0
    verification_packets_count: int = 0
    events_count_by_severity: list[int] = msgspec.field(default_factory=lambda: [0, 0, 0, 0, 0])
    """Indexed by severity; entry 0 is unused."""
    events_withheld_count: int = 0
    values_saturated_count: int = 0
    downlink_bundles_count: int = 0
    downlink_packets_count: int = 0
    downlink_dropped_count: int = 0


class TelemetryState(ServiceState):
    """Everything that influences the packets to come."""

    tai_minus_obt_ns: int = 0
    time_reference: int = TAI_UNKNOWN
    """Time reference status of the PUS header (ECSS-E-ST-70-41C, 7.4.3.1).

    0 = on-board time, 1 = TAI estimate.
    """
    wakeup_obt_ns: int = 0
    flush_obt_ns: int = 0
    sequence_counts: dict[int, int] = msgspec.field(default_factory=dict)
    """Next sequence count by APID."""
    message_counts: dict[int, int] = msgspec.field(default_factory=dict)
    """Next message type count by APID, service and subtype."""
    event_sent_obt_ns: dict[int, int] = msgspec.field(default_factory=dict)
    """When a rate-limited event last left, by event id."""
    events_withheld: dict[int, int] = msgspec.field(default_factory=dict)
    """Held back since the last report of it, by event id."""
    waiting: list[bytes] = msgspec.field(default_factory=list)
    """Packets for the next telemetry bundle, oldest first."""
    waiting_bytes: int = 0
    period_bundle_count: int = 0
    period_dropped_count: int = 0
    downlinks_housekeeping: bool = False
    counters: TelemetryCounters = msgspec.field(default_factory=TelemetryCounters)
