"""The authority under the wall clock: starts the members, watches, and does at its time what happens to the run."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

import zmq

from flightos.core.time import NS_PER_MS
from sil.plan import RunPlan
from sil.processes.authority import Authority, Crew
from sil.processes.protocol import Grant, Report, Start
from sil.stops import Stop

LEAD_NS: Final = 200 * NS_PER_MS
"""From the start order to mission time 0, so that everybody has it by then."""
LOOK_MS: Final = 100
LATENESS_US_MAX: Final = 50_000
"""A run whose events are later than this at the 99th percentile is declared invalid."""


class WallAuthority(Authority):
    """See the module."""

    def __init__(self, plan: RunPlan, crew: Crew) -> None:
        super().__init__(plan, crew, is_wall=True)
        self.outcome.not_repeatable = "wall clock"
        self._start_ns = 0
        self._lateness: list[int] = []

    def start(self) -> None:
        """Bring everybody up, then let mission time begin for all at once."""
        super().start()
        self._start_ns = time.monotonic_ns() + LEAD_NS
        for index in self._ledger.members():
            self._order(index, Start(self._start_ns))

    def run_until(self, until_ns: int, pace: Callable[[int], None]) -> None:
        """Let time pass, watching for deaths and taking commands."""
        while (left_ns := until_ns - self._mission_ns()) > 0:
            self._watch(min(left_ns // NS_PER_MS + 1, LOOK_MS))
            if self._crew.interruption.is_wanted:
                return
            self._now_ns = min(max(self._mission_ns(), 0), until_ns)
            pace(self._now_ns)
            self._take_commands(self._now_ns)
            self._send_mail()
            self._tell_archive()

    def _mission_ns(self) -> int:
        return time.monotonic_ns() - self._start_ns

    def _watch(self, wait_ms: int) -> None:
        poller = zmq.Poller()
        poller.register(self._server.fileno(), zmq.POLLIN)
        if poller.poll(wait_ms):
            self._note_deaths()
            self._died.clear()
        self._crew.helpers.check()

    def _settle(self, at_ns: int) -> None:
        """Nothing to do: nobody waits for anybody here."""

    def act(self, stop: Stop) -> None:
        """Carry out a fault or a command now."""
        super().act(stop)
        self._send_mail()

    def _send_mail(self) -> None:
        """What the authority has for members goes out at once."""
        for index in self._ledger.members():
            messages = tuple(self._mail.pop(index, ()))
            if messages:
                self._order(index, Grant(0, (), messages))

    def _join(self, index: int, next_event_ns: int) -> None:
        super()._join(index, next_event_ns)
        if self._start_ns:
            self._order(index, Start(self._start_ns))

    def _note_report(self, index: int, report: Report) -> None:
        super()._note_report(index, report)
        length = max(len(self._lateness), len(report.lateness_us))
        counts = [*self._lateness, *[0] * (length - len(self._lateness))]
        for place, count in enumerate(report.lateness_us):
            counts[place] += count
        self._lateness = counts

    def finish(self) -> None:
        """End every life; say how late the run was."""
        super().finish()
        lateness = {f"p{share}": _percentile_us(self._lateness, share) for share in (50, 99, 100)}
        self.outcome.notes["lateness_us"] = lateness
        if lateness["p99"] > LATENESS_US_MAX:
            self.outcome.invalid = (
                f"this host was late: 99 % of events within {lateness['p99'] / 1000:.0f} ms, "
                f"limit {LATENESS_US_MAX / 1000:.0f} ms"
            )


def _percentile_us(counts: list[int], share: int) -> int:
    """Upper bound of the class of lateness that holds this percentage of the events, in microseconds."""
    wanted = sum(counts) * share / 100
    seen = 0
    for place, count in enumerate(counts):
        seen += count
        if seen >= wanted and count:
            return 1 << place
    return 0
