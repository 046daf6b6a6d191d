"""The geometry tape: everything about the world that does not depend on what the nodes do, as integers.

Theory of operation. `tape_builder` computes ranges, sunlight and ground tracks on a 1 s grid and the times
of events to 1 ms, rounds them to integers, and hands them over. From there on no floating point is left: a
lookup interpolates in integers, so two machines that load the same file agree to the nanosecond. The hash
is taken over the very bytes of the file; where math libraries differ in the last bit the hash shows it, and
`world.tape = FILE` pins one tape for all machines. This module imports no numpy: node processes load a tape
and stay small.

File: 8 bytes magic, u32 little-endian header length, MessagePack header (`TapeHeader`), then the arrays in
header order without gaps, little-endian signed integers of 4 or 8 bytes.
"""

from __future__ import annotations

import sys
from array import array
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from hashlib import blake2b
from pathlib import Path
from typing import Final, TypeAlias

import msgspec

from flightos.core.reading import UNREADABLE
from sil.world.constants import LIGHT_M_S, NS_PER_MS, NS_PER_S

MAGIC: Final = b"FOSTAPE1"
_TYPECODE_OF_WIDTH: Final = {4: "i", 8: "q"}

Pair: TypeAlias = tuple[int, int]
Intervals: TypeAlias = list[tuple[int, int]]


class TapeError(ValueError):
    """A file that is no geometry tape, or one that does not fit the scenario."""


class ArraySpec(msgspec.Struct, frozen=True):
    """One array of the file: what it holds, of whom, bytes per value, number of values."""

    kind: str
    owner: tuple[int, ...]
    width: int
    count: int


class TapeHeader(msgspec.Struct, frozen=True):
    """What the tape covers. edges are pairs (lower id, higher id); stations have ids from 1001 on."""

    epoch_utc: str
    duration_s: int
    eclipse_model: str
    grazing_height_m_min: int
    satellite_ids: tuple[int, ...]
    station_ids: tuple[int, ...]
    station_names: tuple[str, ...]
    edges: tuple[tuple[int, int], ...]
    arrays: tuple[ArraySpec, ...]


class GeometryTape:
    """Lookups by mission time; pairs are (lower id, higher id), or the index of the edge in `edges`.

    Arrays of a satellite: `sunlit_e6`, `latitude_e6_deg`, `longitude_e6_deg`, `proton_flux_e3` (4 bytes),
    event times `eclipse_ms`, `saa_ms` (8 bytes). Of an edge: `range_mm` and `window_ms` (8 bytes). Event
    arrays hold start, stop, start, stop ... in mission milliseconds, ascending.
    """

    def __init__(self, header: TapeHeader, arrays: Sequence[array[int]]) -> None:
        """Take ownership of arrays that match header.arrays one by one."""
        assert len(arrays) == len(header.arrays), "every array of the header is there"
        self.header = header
        self.epoch_utc = header.epoch_utc
        self.duration_s = header.duration_s
        self.satellite_ids = list(header.satellite_ids)
        self.station_ids = list(header.station_ids)
        self.edges: list[Pair] = list(header.edges)
        self._arrays = list(arrays)
        self._by_kind: dict[str, dict[tuple[int, ...], array[int]]] = {}
        for spec, values in zip(header.arrays, arrays, strict=True):
            self._by_kind.setdefault(spec.kind, {})[spec.owner] = values
        self._last_ns = header.duration_s * NS_PER_S
        self._range_mm: dict[Pair | int, array[int]] = {}
        self._window_ns: dict[Pair | int, array[int]] = {}
        for index, pair in enumerate(self.edges):
            ranges = self._by_kind["range_mm"][pair]
            windows = array("q", [edge * NS_PER_MS for edge in self._by_kind["window_ms"][pair]])
            for key in (pair, index):
                self._range_mm[key], self._window_ns[key] = ranges, windows
        self.light_time_ns_min = _light_ns(min((min(self._range_mm[pair]) for pair in self.edges), default=0))
        """The lookahead: no frame on any edge at any time of the tape arrives sooner than this."""
        self._hash = blake2b(self.to_bytes(), digest_size=32).hexdigest()

    # ------------------------------------------------------------------ edges
    def edge_index(self, node_a: int, node_b: int) -> int:
        """Place in `edges` of a pair in either order; KeyError when the tape does not carry it."""
        pair = (node_a, node_b) if node_a < node_b else (node_b, node_a)
        if pair not in self._range_mm:
            raise KeyError(f"the tape carries no edge {pair}")
        return self.edges.index(pair)

    def light_time_ns(self, edge: Pair | int, t_mission_ns: int) -> int:
        """One-way light time of an edge, linear between whole seconds; held after the end.

        The straight line stays within 30 ns of the curve in low orbit. Called once per frame.
        """
        ranges = self._range_mm[edge]
        if t_mission_ns >= self._last_ns:
            return ranges[-1] * NS_PER_MS // LIGHT_M_S
        second, rest_ns = divmod(t_mission_ns, NS_PER_S)
        here = ranges[second]
        distance_mm = here + (ranges[second + 1] - here) * rest_ns // NS_PER_S
        return distance_mm * NS_PER_MS // LIGHT_M_S

    def range_m(self, edge: Pair | int, t_mission_ns: int) -> int:
        """Distance of an edge in whole metres, linear between whole seconds; held after the end."""
        ranges = self._range_mm[edge]
        if t_mission_ns >= self._last_ns:
            return ranges[-1] // 1000
        second, rest_ns = divmod(t_mission_ns, NS_PER_S)
        here = ranges[second]
        return (here + (ranges[second + 1] - here) * rest_ns // NS_PER_S) // 1000

    def is_visible(self, edge: Pair | int, t_mission_ns: int) -> bool:
        """True from the start of a window up to, not including, its stop."""
        return bisect_right(self._window_ns[edge], t_mission_ns) & 1 == 1

    def intervals(self, edge: Pair | int) -> Intervals:
        """Windows of line of sight (satellites) or above the mask (station) as (start_ns, stop_ns)."""
        return _paired(self._window_ns[edge], 1)

    def contact_intervals(self, satellite_ids: Sequence[int] | None = None) -> Intervals:
        """When at least one of the satellites (default: all) sees at least one station."""
        wanted = self.satellite_ids if satellite_ids is None else satellite_ids
        windows = [
            window
            for pair in self.edges
            if pair[0] in wanted and pair[1] in self.header.station_ids
            for window in self.intervals(pair)
        ]
        return union_of_intervals(windows)

    # ------------------------------------------------------------------ satellites
    def eclipses(self, satellite_id: int) -> Intervals:
        """Eclipses as (enter_ns, leave_ns), cut at the ends of the tape."""
        return _paired(self._by_kind["eclipse_ms"][(satellite_id,)], NS_PER_MS)

    def saa(self, satellite_id: int) -> Intervals:
        """Passes through the South Atlantic Anomaly as (enter_ns, leave_ns)."""
        return _paired(self._by_kind["saa_ms"][(satellite_id,)], NS_PER_MS)

    def in_saa(self, satellite_id: int, t_mission_ns: int) -> bool:
        """True inside the South Atlantic Anomaly."""
        edges_ms = self._by_kind["saa_ms"][(satellite_id,)]
        return bisect_right(edges_ms, t_mission_ns // NS_PER_MS) & 1 == 1

    def in_eclipse(self, satellite_id: int, t_mission_ns: int) -> bool:
        """True between enter and leave of an eclipse."""
        edges_ms = self._by_kind["eclipse_ms"][(satellite_id,)]
        return bisect_right(edges_ms, t_mission_ns // NS_PER_MS) & 1 == 1

    def sunlit_ratio_e6(self, satellite_id: int, t_s: int) -> int:
        """Sunlight over the second from t_s in millionths: 0 = umbra, 1,000,000 = full Sun; held."""
        values = self._by_kind["sunlit_e6"][(satellite_id,)]
        return values[t_s if t_s < self.duration_s else self.duration_s]

    def subpoint_e6_deg(self, satellite_id: int, t_s: int) -> tuple[int, int]:
        """Geodetic latitude and longitude under the satellite in micro-degrees, for plots."""
        t_s = min(t_s, self.duration_s)
        owner = (satellite_id,)
        return self._by_kind["latitude_e6_deg"][owner][t_s], self._by_kind["longitude_e6_deg"][owner][t_s]

    def proton_flux_e3(self, satellite_id: int, t_s: int) -> int:
        """Protons above 30 MeV in thousandths per cm^2 and second; 0 when the tape carries no grid."""
        flux = self._by_kind.get("proton_flux_e3")
        return 0 if flux is None else flux[(satellite_id,)][min(t_s, self.duration_s)]

    # ------------------------------------------------------------------ whole tape
    def hash(self) -> str:
        """BLAKE2b-256 over the bytes of the file, 64 hexadecimal digits."""
        return self._hash

    def to_bytes(self) -> bytes:
        """The whole file."""
        header = msgspec.msgpack.encode(self.header)
        parts = [MAGIC, len(header).to_bytes(4, "little"), header]
        parts.extend(_little_endian(values) for values in self._arrays)
        return b"".join(parts)

    def save(self, path: Path) -> None:
        """Write the file; load() gives a tape of the same hash."""
        path.write_bytes(self.to_bytes())

    @classmethod
    def load(cls, path: Path) -> GeometryTape:
        """Read a file. Raises TapeError saying what was expected and found."""
        try:
            data = path.read_bytes()
        except OSError as error:
            raise TapeError(f"{path}: expected a geometry tape, found {error}") from error
        return cls.from_bytes(data, str(path))

    @classmethod
    def from_bytes(cls, data: bytes, source: str = "tape") -> GeometryTape:
        """Read the bytes of a file. Raises TapeError for anything that is not exactly a tape."""
        if data[:8] != MAGIC:
            raise TapeError(f"{source}: expected a tape beginning {MAGIC!r}, found {data[:8]!r}")
        start = 12 + int.from_bytes(data[8:12], "little")
        try:
            header = msgspec.msgpack.decode(data[12:start], type=TapeHeader)
        except UNREADABLE as error:
            raise TapeError(f"{source}: expected a tape header, found {error}") from error
        _check_header(header, len(data) - start, source)
        arrays = []
        for spec in header.arrays:
            values = array(_TYPECODE_OF_WIDTH[spec.width])
            stop = start + spec.width * spec.count
            values.frombytes(data[start:stop])
            if sys.byteorder == "big":
                values.byteswap()
            arrays.append(values)
            start = stop
        return cls(header, arrays)


def union_of_intervals(windows: Sequence[tuple[int, int]]) -> Intervals:
    """Merge overlapping and touching intervals into the fewest that cover the same times, ascending."""
    merged: Intervals = []
    for start, stop in sorted(windows):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(stop, merged[-1][1]))
        else:
            merged.append((start, stop))
    return merged


def _check_header(header: TapeHeader, body_bytes: int, source: str) -> None:
    """Refuse a header whose arrays do not fit its own lists or the length of the file."""
    expected_bytes = 0
    found: dict[tuple[str, tuple[int, ...]], int] = {}
    for spec in header.arrays:
        if spec.width not in _TYPECODE_OF_WIDTH or spec.count < 0:
            raise TapeError(f"{source}: expected arrays of 4 or 8 byte integers, found {spec}")
        expected_bytes += spec.width * spec.count
        found[(spec.kind, spec.owner)] = spec.count
    if header.duration_s < 1 or expected_bytes != body_bytes:
        raise TapeError(f"{source}: expected {expected_bytes} bytes of arrays, found {body_bytes}")
    grids: list[tuple[str, tuple[int, ...]]] = [("range_mm", pair) for pair in header.edges]
    events: list[tuple[str, tuple[int, ...]]] = [("window_ms", pair) for pair in header.edges]
    for satellite_id in header.satellite_ids:
        grids += [(kind, (satellite_id,)) for kind in ("sunlit_e6", "latitude_e6_deg", "longitude_e6_deg")]
        events += [(kind, (satellite_id,)) for kind in ("eclipse_ms", "saa_ms")]
    if any(kind == "proton_flux_e3" for kind, _ in found):
        grids += [("proton_flux_e3", (satellite_id,)) for satellite_id in header.satellite_ids]
    for key in grids:
        if found.get(key) != header.duration_s + 1:
            raise TapeError(
                f"{source}: expected {header.duration_s + 1} values of {key}, found {found.get(key)}"
            )
    for key in events:
        if found.get(key, 1) % 2:
            raise TapeError(f"{source}: expected starts and stops of {key}, found {found.get(key)} values")


def _light_ns(distance_mm: int) -> int:
    """Light time of a distance, whole nanoseconds, rounded down so that no lookahead is too long."""
    return distance_mm * NS_PER_MS // LIGHT_M_S


def _paired(edges: Sequence[int], scale: int) -> Intervals:
    """start, stop, start, stop ... as pairs, times scale."""
    return [(edges[at] * scale, edges[at + 1] * scale) for at in range(0, len(edges), 2)]


def _little_endian(values: array[int]) -> bytes:
    """Bytes of an array in the order of the file."""
    if sys.byteorder == "big":
        values = values[:]
        values.byteswap()
    return values.tobytes()


def arrays_of(columns: Mapping[tuple[str, tuple[int, ...]], array[int]]) -> tuple[ArraySpec, ...]:
    """Header entries of arrays, in their order."""
    return tuple(
        ArraySpec(kind, owner, values.itemsize, len(values)) for (kind, owner), values in columns.items()
    )
