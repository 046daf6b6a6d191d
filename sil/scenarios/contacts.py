"""The tables that a node flies by: contact plan, eclipse forecast, command sequence.

Theory of operation. Flight code predicts from uploaded tables only. Laser contacts are the windows of the
geometry tape. A station has one antenna and a satellite one radio, so overlapping windows must be shared out:
going forward in time, whenever an antenna and a radio are free the pair with the longest remaining window
gets the contact and keeps it to its end. Long contacts waste the least time on acquisition.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from flightos.core.errors import ConfigError, InfrastructureError
from flightos.core.ids import GROUND_ID
from flightos.core.time import NS_PER_MS, NS_PER_S
from flightos.services.network.interface import Contact, ContactPlan
from flightos.services.resources.interface import EclipseForecast
from sil.scenarios.schema import Scenario
from sil.world.tape import GeometryTape

Window = tuple[int, int, int, int]
"""satellite id, station id, start_ns, stop_ns in mission time."""

_PLAN_COLUMNS: Final = ("node_a_id", "node_b_id", "start_s", "stop_s", "rate_bps")
_PLAN_ROWS_MAX: Final = 100_000


def contact_plan(
    scenario: Scenario, tape: GeometryTape, neighbours: Sequence[tuple[int, int]], epoch_tai_ns: int
) -> ContactPlan:
    """All contacts over the length of the tape, in order of start, then ids.

    Raises ConfigError or InfrastructureError for a user's contact plan that cannot be used.
    """
    links = scenario.links
    contacts = [
        _contact(tape, pair, window, links.laser_rate_bps, epoch_tai_ns)
        for pair in neighbours
        for window in tape.intervals(pair)
    ]
    if scenario.stations.contact_plan is None:
        passes = [
            (window, links.radio_rate_bps) for window in share_windows(_station_windows(tape), scenario)
        ]
    else:
        passes = _read_plan(Path(scenario.stations.contact_plan), tape)
    contacts += [
        _contact(tape, (satellite, station), (start, stop), rate_bps, epoch_tai_ns)
        for (satellite, station, start, stop), rate_bps in passes
    ]
    end_tai_ns = epoch_tai_ns + tape.duration_s * NS_PER_S
    wire_ns = round(links.wire_latency_ms * NS_PER_MS)
    contacts += [
        Contact(GROUND_ID, station, epoch_tai_ns, end_tai_ns, links.wire_rate_bps, wire_ns)
        for station in tape.station_ids
    ]
    contacts.sort(key=lambda contact: (contact.start_tai_ns, contact.node_a_id, contact.node_b_id))
    return ContactPlan(tuple(contacts))


def share_windows(windows: Sequence[Window], scenario: Scenario) -> list[Window]:
    """Contacts with one satellite per station and one station per satellite at a time, in order of start.

    Longest remaining window first, ties by ids; contacts below stations.contact_s_min are left out.
    """
    least_ns = scenario.stations.contact_s_min * NS_PER_S
    times = sorted({window[2] for window in windows} | {window[3] for window in windows})
    free_from: dict[int, int] = {}
    chosen: list[Window] = []
    for now in times:
        open_now = [window for window in windows if window[2] <= now and window[3] - now >= least_ns]
        open_now.sort(key=lambda window: (-window[3], window[0], window[1]))
        for satellite, station, _, stop in open_now:
            if free_from.get(satellite, 0) <= now and free_from.get(station, 0) <= now:
                free_from[satellite] = free_from[station] = stop
                chosen.append((satellite, station, now, stop))
    return chosen


def eclipse_forecast(tape: GeometryTape, satellite_id: int, epoch_tai_ns: int) -> EclipseForecast:
    """Eclipses of one satellite over the length of the tape."""
    return EclipseForecast(
        tuple((epoch_tai_ns + enter, epoch_tai_ns + leave) for enter, leave in tape.eclipses(satellite_id))
    )


def _contact(
    tape: GeometryTape, pair: tuple[int, int], window: tuple[int, int], rate_bps: int, epoch_tai_ns: int
) -> Contact:
    """One contact; its light time is that of the middle, a fair value for routes."""
    light_time_ns = tape.light_time_ns(pair, (window[0] + window[1]) // 2)
    return Contact(*pair, epoch_tai_ns + window[0], epoch_tai_ns + window[1], rate_bps, light_time_ns)


def _station_windows(tape: GeometryTape) -> list[Window]:
    """When each satellite is above the mask of each station."""
    return [
        (satellite, station, start, stop)
        for satellite in tape.satellite_ids
        for station in tape.station_ids
        for start, stop in tape.intervals((satellite, station))
    ]


def _read_plan(path: Path, tape: GeometryTape) -> list[tuple[Window, int]]:
    """Station contacts of a user's CSV, times in mission seconds. Raises ConfigError with every fault."""
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in _PLAN_COLUMNS if column not in (reader.fieldnames or [])]
            rows = list(reader) if not missing else []
    except (OSError, UnicodeDecodeError) as error:
        raise InfrastructureError(f"{path}: stations.contact_plan cannot be read: {error}") from error
    if missing:
        raise ConfigError([f"{path}:1: expected columns {', '.join(_PLAN_COLUMNS)}, missing {missing}"])
    faults: list[str] = []
    passes: list[tuple[Window, int]] = []
    if len(rows) > _PLAN_ROWS_MAX:
        raise ConfigError([f"{path}: expected at most {_PLAN_ROWS_MAX} contacts, found {len(rows)}"])
    for number, row in enumerate(rows, start=2):
        try:
            satellite, station = sorted((int(row["node_a_id"]), int(row["node_b_id"])))
            start, stop = (round(float(row[key]) * NS_PER_S) for key in ("start_s", "stop_s"))
            rate_bps = int(row["rate_bps"])
        except (TypeError, ValueError, OverflowError) as error:
            faults.append(f"{path}:{number}: expected numbers, found {error}")
            continue
        if satellite not in tape.satellite_ids or station not in tape.station_ids:
            faults.append(
                f"{path}:{number}: expected a satellite and a station, found {satellite} and {station}"
            )
        elif not 0 <= start < stop or rate_bps < 1:
            faults.append(f"{path}:{number}: expected 0 <= start_s < stop_s and a rate, found {dict(row)}")
        else:
            passes.append(((satellite, station, start, stop), rate_bps))
    if faults:
        raise ConfigError(faults)
    return passes
