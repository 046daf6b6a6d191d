"""Ground stations: the shipped list or a user's CSV. Plain Python, no numpy."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

FIRST_STATION_ID: Final = 1_001
STATION_COUNT_MAX: Final = 256
_COLUMNS: Final = ("name", "operator", "lat_deg", "lon_deg", "alt_m")


class StationError(ValueError):
    """A station list that cannot be used; `faults` lists everything found wrong."""

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep the list and print it one fault a line."""
        super().__init__("\n".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class Station:
    """A place on the WGS 84 ellipsoid with an antenna; elevation_deg_min is its horizon mask."""

    station_id: int
    name: str
    latitude_deg: float
    longitude_deg: float
    altitude_m: float = 0.0
    elevation_deg_min: float = 10.0


def load_stations(
    path: Path, names: Sequence[str] | None = None, elevation_deg_min: float = 10.0
) -> list[Station]:
    """Stations of a CSV (name, operator, lat_deg, lon_deg, alt_m), numbered from 1001.

    They come in the order of `names`; without names, all rows in file order. Raises StationError listing
    every fault: columns, numbers, ranges, unknown names (with the known ones).
    """
    try:
        with path.open(encoding="utf-8", newline="") as file:
            reader = csv.DictReader(file)
            missing = [column for column in _COLUMNS if column not in (reader.fieldnames or [])]
            if missing:
                raise StationError([f"{path}: expected columns {', '.join(_COLUMNS)}, missing {missing}"])
            rows = list(reader)
    except (OSError, UnicodeDecodeError) as error:
        raise StationError([f"{path}: expected a readable CSV, found {error}"]) from error
    faults: list[str] = []
    places: dict[str, tuple[float, float, float]] = {}
    for number, row in enumerate(rows, start=2):
        place = _place(row, f"{path}:{number}", faults)
        if row["name"] in places:
            faults.append(f"{path}:{number}: station {row['name']!r} is there twice")
        if place is not None:
            places[row["name"]] = place
    wanted = list(places) if names is None else list(names)
    unknown = [name for name in wanted if name not in places]
    if unknown and not faults:
        faults.append(f"{path}: no station named {unknown}; it has {sorted(places)}")
    if not 1 <= len(wanted) <= STATION_COUNT_MAX:
        faults.append(f"{path}: expected 1 to {STATION_COUNT_MAX} stations, found {len(wanted)}")
    if faults:
        raise StationError(faults)
    return [
        Station(FIRST_STATION_ID + index, name, *places[name], elevation_deg_min)
        for index, name in enumerate(wanted)
    ]


def _place(row: dict[str, str], where: str, faults: list[str]) -> tuple[float, float, float] | None:
    """Latitude, longitude and height of a row; None, with a fault added, when they are no place on Earth."""
    try:
        latitude, longitude, altitude = float(row["lat_deg"]), float(row["lon_deg"]), float(row["alt_m"])
    except (TypeError, ValueError):
        found = (row["lat_deg"], row["lon_deg"], row["alt_m"])
        faults.append(f"{where}: expected numbers lat_deg, lon_deg, alt_m, found {found}")
        return None
    if not (-90.0 <= latitude <= 90.0 and -180.0 <= longitude <= 360.0 and -500.0 <= altitude <= 9_000.0):
        faults.append(f"{where}: expected a place on Earth, found {latitude}, {longitude}, {altitude} m")
        return None
    return latitude, longitude, altitude
