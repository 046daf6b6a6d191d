"""Element sets: made for a plane of evenly spaced satellites, or read from a user's TLE or OMM file.

Theory of operation. A TLE carries the *Kozai* mean motion, SGP4 flies the *Brouwer* one, so the wanted
semi-major axis must pass through the inverse of SGP4's own conversion (Hoots & Roehrich, Spacetrack Report 3,
section 6) before it is written: at 500 km and 97.4 degrees the difference is 3.8 s of period.
"""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any, Final

import numpy as np
from sgp4 import omm
from sgp4.api import Satrec

from sil.world.constants import DAY_S, EARTH_RADIUS_KM
from sil.world.orbit import mean_motion_rad_s, sun_synchronous_inclination_deg

_WGS72_RADIUS_KM: Final = 6_378.135
_WGS72_MU_KM3_S2: Final = 398_600.8
_WGS72_J2: Final = 0.001082616
_LINE_LENGTH: Final = 69
SATELLITE_COUNT_MAX: Final = 4_096


class ElementSetError(ValueError):
    """An element file that cannot be flown; `faults` lists everything found wrong."""

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep the list and print it one fault a line."""
        super().__init__("\n".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class ElementSet:
    """A named satellite: two TLE lines, and the sgp4 Satrec they initialise."""

    name: str
    line1: str
    line2: str
    satrec: Any


@dataclass(frozen=True)
class PlaneConfig:
    """A plane of evenly spaced satellites on one circular orbit; satellite k starts at first + k x spacing.

    inclination_deg None means sun-synchronous at that altitude, rounded to 1e-3 degree.
    """

    satellite_count: int = 12
    altitude_km: float = 500.0
    spacing_deg: float = 30.0
    raan_deg: float = 0.0
    epoch_utc: str = "2026-03-20T12:00:00Z"
    inclination_deg: float | None = None
    first_argument_of_latitude_deg: float = 0.0


def default_spacing_deg(satellite_count: int) -> float:
    """30 degrees for few satellites, an even share of the circle for many: neighbours see each other."""
    return min(30.0, 360.0 / satellite_count)


def plane_elements(plane: PlaneConfig) -> list[ElementSet]:
    """Element sets of a plane with zero drag, numbered from 90000, named RING-00 on.

    Raises ElementSetError when the plane is empty, too large or underground.
    """
    faults = []
    if not 1 <= plane.satellite_count <= SATELLITE_COUNT_MAX:
        faults.append(f"satellite_count = {plane.satellite_count}: expected 1 to {SATELLITE_COUNT_MAX}")
    if not 160.0 <= plane.altitude_km <= 2_000.0:
        faults.append(f"altitude_km = {plane.altitude_km}: expected 160 to 2000 (low orbit)")
    if faults:
        raise ElementSetError(faults)
    semi_major_axis_km = EARTH_RADIUS_KM + plane.altitude_km
    inclination_deg = plane.inclination_deg
    if inclination_deg is None:
        inclination_deg = round(sun_synchronous_inclination_deg(semi_major_axis_km), 3)
    motion_rev_day = kozai_mean_motion_rev_day(semi_major_axis_km, inclination_deg)
    sets = []
    for index in range(plane.satellite_count):
        latitude_deg = (plane.first_argument_of_latitude_deg + index * plane.spacing_deg) % 360.0
        lines = _tle_lines(
            index, plane.epoch_utc, inclination_deg, plane.raan_deg % 360.0, latitude_deg, motion_rev_day
        )
        sets.append(ElementSet(f"RING-{index:02d}", *lines, Satrec.twoline2rv(*lines)))
    return sets


def kozai_mean_motion_rev_day(semi_major_axis_km: float, inclination_deg: float) -> float:
    """The mean motion a TLE of a circular orbit must carry for SGP4 to fly this semi-major axis.

    Inverts the recovery of the original mean motion in SGP4 initialisation by fixed-point iteration.
    """
    wanted_rad_min = mean_motion_rad_s(semi_major_axis_km) * 60.0
    xke = 60.0 / np.sqrt(_WGS72_RADIUS_KM**3 / _WGS72_MU_KM3_S2)
    factor = 0.75 * _WGS72_J2 * (3.0 * np.cos(np.radians(inclination_deg)) ** 2 - 1.0)
    kozai_rad_min = wanted_rad_min
    for _ in range(20):
        axis = (xke / kozai_rad_min) ** (2.0 / 3.0)
        delta1 = factor / axis**2
        axis *= 1.0 - delta1**2 - delta1 * (1.0 / 3.0 + 134.0 * delta1**2 / 81.0)
        kozai_rad_min = wanted_rad_min * (1.0 + factor / axis**2)
    return float(kozai_rad_min * DAY_S / 60.0 / (2.0 * np.pi))


def load_elements(path: Path) -> list[ElementSet]:
    """Satellites of a file: TLE (two or three lines a satellite), or OMM as .csv, .xml.

    Raises ElementSetError with every fault found (checksums, lengths, pairs), each with file and line.
    """
    suffix = path.suffix.lower()
    try:
        sets = _load_omm(path, suffix) if suffix in (".csv", ".xml") else _load_tle(path)
    except (OSError, UnicodeDecodeError) as error:
        raise ElementSetError([f"{path}: expected a readable element file, found {error}"]) from error
    if not 1 <= len(sets) <= SATELLITE_COUNT_MAX:
        raise ElementSetError([f"{path}: expected 1 to {SATELLITE_COUNT_MAX} satellites, found {len(sets)}"])
    return sets


def tle_checksum(line: str) -> int:
    """Checksum of columns 1-68 of a TLE line: sum of the digits, a minus sign counts one, modulo 10."""
    return sum(int(letter) if letter.isdigit() else letter == "-" for letter in line[:68]) % 10


def _tle_lines(
    index: int,
    epoch_utc: str,
    inclination_deg: float,
    raan_deg: float,
    latitude_deg: float,
    motion_rev_day: float,
) -> tuple[str, str]:
    """The two lines of a made-up satellite, e = 0 and no drag."""
    moment = datetime.fromisoformat(epoch_utc)
    seconds = moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6
    epoch = f"{moment:%y}{moment.timetuple().tm_yday:03d}" + f"{seconds / DAY_S:.8f}"[1:]
    number = f"{90_000 + index:05d}"
    launch = f"{moment:%y}001A  "
    line1 = f"1 {number}U {launch} {epoch}  .00000000  00000-0  00000+0 0    1"
    line2 = (
        f"2 {number} {inclination_deg:8.4f} {raan_deg:8.4f} 0000001   0.0000 {latitude_deg:8.4f}"
        f" {motion_rev_day:11.8f}    0"
    )
    return line1 + str(tle_checksum(line1)), line2 + str(tle_checksum(line2))


def _load_tle(path: Path) -> list[ElementSet]:
    """Pairs of lines 1 and 2, each pair after an optional name line."""
    sets: list[ElementSet] = []
    faults: list[str] = []
    name, line1 = "", ""
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.rstrip()
        if not line or line.startswith("#"):
            continue
        if line[:2] not in ("1 ", "2 "):
            name = line.removeprefix("0 ").strip()
            continue
        fault = _line_fault(line)
        if fault:
            faults.append(f"{path}:{number}: {fault}")
        if line[0] == "1":
            line1 = line[:_LINE_LENGTH]
            continue
        if not line1 or line1[2:7] != line[2:7]:
            faults.append(f"{path}:{number}: expected line 1 of satellite {line[2:7]} before it, found none")
        elif not faults:
            satrec = Satrec.twoline2rv(line1, line[:_LINE_LENGTH])
            sets.append(ElementSet(name or line[2:7].strip(), line1, line[:_LINE_LENGTH], satrec))
        name, line1 = "", ""
    if faults:
        raise ElementSetError(faults)
    return sets


def _line_fault(line: str) -> str:
    """What is wrong with one TLE line, or an empty text."""
    if len(line) < _LINE_LENGTH:
        return f"expected {_LINE_LENGTH} columns, found {len(line)}"
    if not line[68].isdigit() or int(line[68]) != tle_checksum(line):
        return f"expected checksum {tle_checksum(line)}, found {line[68]!r}"
    return ""


def _load_omm(path: Path, suffix: str) -> list[ElementSet]:
    """Orbit mean-element messages (CCSDS 502.0-B-3) as CelesTrak and Space-Track write them."""
    sets = []
    with path.open(encoding="utf-8", newline="") as file:
        rows = csv.DictReader(file) if suffix == ".csv" else omm.parse_xml(file)
        try:
            for fields in rows:
                satrec = Satrec()
                omm.initialize(satrec, fields)
                sets.append(ElementSet(str(fields["OBJECT_NAME"]), "", "", satrec))
        except (KeyError, ValueError, SyntaxError) as error:
            fault = f"{path}: set {len(sets) + 1}: expected a complete OMM, found {error!r}"
            raise ElementSetError([fault]) from error
    return sets
