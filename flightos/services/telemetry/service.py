"""`telemetry`: housekeeping, events and verifications become CCSDS packets, here and nowhere else.

Every packet leaves on the umbilical at once. A satellite's events and verifications, and the housekeeping
of the last second of each downlink period, are also gathered into telemetry bundles for the ground.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import msgspec

from flightos.core.configuration import NodeConfiguration, Role
from flightos.core.dictionary import ServiceDictionary, Severity
from flightos.core.ids import GROUND_ID
from flightos.core.ports import EmitPacket, NodeBooted, TimeSampled
from flightos.core.records import Record, WakeupReached
from flightos.core.time import NS_PER_S, next_multiple_ns
from flightos.services.commanding.interface import ResetCounters
from flightos.services.network.interface import BundleKind, SendBundle
from flightos.services.telemetry.interface import (
    DOWNLINK_PACKETS_DROPPED,
    EVENTS_WITHHELD,
    CollectHousekeeping,
    DownlinkBatch,
    HousekeepingCollected,
    ReportEvent,
    TelemetryHousekeeping,
    VerificationReported,
)
from flightos.services.telemetry.packer import Packer
from flightos.services.telemetry.state import TAI_ESTIMATED, TelemetryCounters, TelemetryState

DOWNLINK_BUNDLES_PER_PERIOD_MAX: Final = 4
DOWNLINK_PRIORITY: Final = 1
DOWNLINK_LIFETIME_MS: Final = 24 * 3_600_000


class TelemetryService:
    """See sdd.md. `dictionaries` are those of all services that may report on this node."""

    name = "telemetry"

    def __init__(self, configuration: NodeConfiguration, dictionaries: Sequence[ServiceDictionary]) -> None:
        self.state = TelemetryState()
        self._packer = Packer(configuration.node_id, dictionaries)
        self._has_downlink = configuration.role == Role.SATELLITE
        self._period_ns = configuration.downlink_period_ns
        self._bytes_max = configuration.downlink_bytes_max
        self.reactions: Mapping[type[Record], Callable[[Any, int], Sequence[Record]]] = {
            HousekeepingCollected: self._pack_housekeeping,
            ReportEvent: self._report_event,
            VerificationReported: self._report_verification,
            WakeupReached: self._wake,
            TimeSampled: self._take_time,
            NodeBooted: self._boot,
            ResetCounters: self._reset_counters,
        }

    def handle(self, record: Record, now_obt_ns: int) -> Sequence[Record]:
        """React to one record; the only thing that changes `state`."""
        return self.reactions[type(record)](record, now_obt_ns)

    def next_wakeup_obt_ns(self) -> int | None:
        """The next whole second, once the node has booted."""
        return self.state.wakeup_obt_ns or None

    def housekeeping(self) -> TelemetryHousekeeping:
        """Frozen counters and levels."""
        counters = self.state.counters
        by_severity = counters.events_count_by_severity
        return TelemetryHousekeeping(
            counters.housekeeping_packets_count,
            counters.verification_packets_count,
            by_severity[Severity.INFO],
            by_severity[Severity.LOW],
            by_severity[Severity.MEDIUM],
            by_severity[Severity.HIGH],
            counters.events_withheld_count,
            counters.values_saturated_count,
            counters.downlink_bundles_count,
            counters.downlink_packets_count,
            counters.downlink_dropped_count,
            self.state.waiting_bytes,
            self.state.time_reference == TAI_ESTIMATED,
        )

    # --- time -----------------------------------------------------------------------------------------------

    def _boot(self, record: NodeBooted, now_obt_ns: int) -> Sequence[Record]:
        self.state.wakeup_obt_ns = next_multiple_ns(now_obt_ns, NS_PER_S)
        self.state.flush_obt_ns = next_multiple_ns(now_obt_ns, self._period_ns)
        return ()

    def _take_time(self, record: TimeSampled, now_obt_ns: int) -> Sequence[Record]:
        self.state.tai_minus_obt_ns = record.tai_minus_obt_ns
        self.state.time_reference = TAI_ESTIMATED
        return ()

    def _wake(self, record: WakeupReached, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        state.wakeup_obt_ns = next_multiple_ns(now_obt_ns, NS_PER_S)
        produced: list[Record] = []
        if now_obt_ns >= state.flush_obt_ns:
            produced += self._end_period(now_obt_ns)
        state.downlinks_housekeeping = now_obt_ns + NS_PER_S >= state.flush_obt_ns
        produced.append(CollectHousekeeping(now_obt_ns))
        return produced

    # --- packets --------------------------------------------------------------------------------------------

    def _pack_housekeeping(self, record: HousekeepingCollected, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        packet = self._packer.housekeeping(state, record.service, record.housekeeping, now_obt_ns)
        state.counters.housekeeping_packets_count += 1
        if state.downlinks_housekeeping:
            return self._emit(packet, now_obt_ns)
        return (EmitPacket(packet),)

    def _report_event(self, record: ReportEvent, now_obt_ns: int) -> Sequence[Record]:
        state = self.state
        event_id = record.event_id
        definition = self._packer.event_definition(event_id)
        if definition.interval_ns_min:
            sent_obt_ns = state.event_sent_obt_ns.get(event_id)
            if sent_obt_ns is not None and now_obt_ns - sent_obt_ns < definition.interval_ns_min:
                state.events_withheld[event_id] = state.events_withheld.get(event_id, 0) + 1
                state.counters.events_withheld_count += 1
                return ()
            state.event_sent_obt_ns[event_id] = now_obt_ns
        packet = self._packer.event(state, event_id, record.values, now_obt_ns)
        state.counters.events_count_by_severity[definition.severity] += 1
        return self._emit(packet, now_obt_ns)

    def _report_verification(self, record: VerificationReported, now_obt_ns: int) -> Sequence[Record]:
        self.state.counters.verification_packets_count += 1
        return self._emit(self._packer.verification(self.state, record, now_obt_ns), now_obt_ns)

    def _reset_counters(self, record: ResetCounters, now_obt_ns: int) -> Sequence[Record]:
        self.state.counters = TelemetryCounters()
        return ()

    # --- umbilical and downlink -----------------------------------------------------------------------------

    def _emit(self, packet: bytes, now_obt_ns: int) -> Sequence[Record]:
        """Put a packet on the umbilical and, on a satellite, into the next telemetry bundle."""
        if not self._has_downlink:
            return (EmitPacket(packet),)
        state = self.state
        produced: list[Record] = [EmitPacket(packet)]
        if state.waiting_bytes + len(packet) > self._bytes_max:
            if state.period_bundle_count >= DOWNLINK_BUNDLES_PER_PERIOD_MAX - 1:
                state.counters.downlink_dropped_count += 1
                state.period_dropped_count += 1
                return produced
            produced += self._flush()
        state.waiting.append(packet)
        state.waiting_bytes += len(packet)
        return produced

    def _flush(self) -> Sequence[Record]:
        """Hand what waits to network as one bundle."""
        state = self.state
        if not state.waiting:
            return ()
        batch = DownlinkBatch(b"".join(state.waiting), len(state.waiting))
        state.counters.downlink_bundles_count += 1
        state.counters.downlink_packets_count += len(state.waiting)
        state.period_bundle_count += 1
        state.waiting = []
        state.waiting_bytes = 0
        body = msgspec.msgpack.encode(batch)
        return (
            SendBundle(
                destination_id=GROUND_ID,
                kind=BundleKind.TELEMETRY,
                body=body,
                attachment_ids=(),
                size_bytes=len(body),
                priority=DOWNLINK_PRIORITY,
                lifetime_ms=DOWNLINK_LIFETIME_MS,
            ),
        )

    def _end_period(self, now_obt_ns: int) -> Sequence[Record]:
        """Send what waits; then say in the new period what the old one left out."""
        state = self.state
        state.flush_obt_ns = next_multiple_ns(now_obt_ns, self._period_ns)
        produced: list[Record] = list(self._flush())
        state.period_bundle_count = 0
        withheld, state.events_withheld = state.events_withheld, {}
        dropped_count, state.period_dropped_count = state.period_dropped_count, 0
        for event_id in sorted(withheld):
            produced.append(ReportEvent(EVENTS_WITHHELD.id, (event_id, withheld[event_id])))
        if dropped_count:
            produced.append(ReportEvent(DOWNLINK_PACKETS_DROPPED.id, (dropped_count,)))
        return produced
