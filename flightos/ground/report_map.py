"""The constellation on the ground and in space: tracks on a map, and the ring seen from above its plane."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from flightos.core.ids import is_satellite
from flightos.ground.report_data import ReportData
from flightos.ground.report_svg import Drawing, clock, spans

Floats = NDArray[np.float64]

MAP_WIDTH: Final = 720.0
MAP_HEIGHT: Final = 360.0
RING_SIZE: Final = 360.0
EARTH_RADIUS: Final = 112.0
EARTH_RADIUS_KM: Final = 6371.0
TRACK_POINT_COUNT: Final = 240


@cache
def land_rings() -> list[list[float]]:
    """Outlines of land as [lon, lat, lon, lat ...] in degrees (vendor/VENDOR.md)."""
    text = (files("flightos.ground") / "vendor" / "land.json").read_text()
    return list(json.loads(text)["rings_lon_lat_deg"])


def _map_x(lon_deg: float) -> float:
    return (lon_deg + 180.0) * MAP_WIDTH / 360.0


def _map_y(lat_deg: float) -> float:
    return (90.0 - lat_deg) * MAP_HEIGHT / 180.0


def ground_map(data: ReportData) -> str:
    """Land, ground tracks (dark where in eclipse), satellites at the end of the run, stations."""
    tracks = {node: track for node in data.satellite_ids if (track := _track(data, node)) is not None}
    if not tracks:
        return ""
    drawing = Drawing(MAP_WIDTH, MAP_HEIGHT, "ground tracks of the satellites")
    drawing.rect(0, 0, MAP_WIDTH, MAP_HEIGHT, "sea")
    for ring in land_rings():
        lons, lats = ring[::2], ring[1::2]
        for shift in (0.0, 360.0, -360.0):
            if max(lons) + shift > -180 and min(lons) + shift < 180:
                points = [(_map_x(lon + shift), _map_y(lat)) for lon, lat in zip(lons, lats, strict=True)]
                drawing.path(points, "land", close=True)
    for parallel in (-60, -30, 0, 30, 60):
        drawing.line(0, _map_y(parallel), MAP_WIDTH, _map_y(parallel), "graticule")
    for meridian in range(-120, 180, 60):
        drawing.line(_map_x(meridian), 0, _map_x(meridian), MAP_HEIGHT, "graticule")
    for node, (t_s, lat, lon) in tracks.items():
        _draw_track(drawing, data, node, t_s, lat, lon)
    for node, (lat_deg, lon_deg) in _stations(data).items():
        x, y = _map_x(lon_deg), _map_y(lat_deg)
        drawing.path([(x, y - 5), (x + 5, y + 4), (x - 5, y + 4)], "station", close=True, tip=data.name(node))
        drawing.text(x + 7, y + 4, data.name(node), "map-label")
    for node, (t_s, lat, lon) in tracks.items():
        _draw_satellite(drawing, data, node, _map_x(lon[-1]), _map_y(lat[-1]), float(t_s[-1]))
    return drawing.svg("map")


def _track(data: ReportData, node_id: int) -> tuple[Floats, Floats, Floats] | None:
    """(t_s, lat_deg, lon_deg) of a satellite; None when the geometry does not tell or not consistently."""
    entry: Any = (data.run.geometry.get("satellites") or {}).get(str(node_id))
    try:
        columns = [np.asarray(entry[key], dtype=np.float64) for key in ("t_s", "lat_deg", "lon_deg")]
    except (TypeError, KeyError, ValueError):
        return None
    if not len(columns[0]) or len({len(column) for column in columns}) != 1:
        return None
    step = max(1, len(columns[0]) // TRACK_POINT_COUNT)
    keep = np.unique(np.append(np.arange(0, len(columns[0]), step), len(columns[0]) - 1))
    t_s, lat, lon = (column[keep] for column in columns)
    return t_s, lat, lon


def _draw_track(drawing: Drawing, data: ReportData, node: int, t_s: Floats, lat: Floats, lon: Floats) -> None:
    """Pieces that neither jump over the date line nor change between sunlight and eclipse."""
    is_dark = np.array([_in_eclipse(data, node, at) for at in t_s.tolist()])
    piece: list[tuple[float, float]] = []
    for index in range(len(t_s)):
        point = (_map_x(float(lon[index])), _map_y(float(lat[index])))
        if index and abs(lon[index] - lon[index - 1]) > 180:
            drawing.path(piece, "track dark" if is_dark[index - 1] else "track")
            piece = []
        piece.append(point)
        if index and is_dark[index] != is_dark[index - 1]:
            drawing.path(piece, "track dark" if is_dark[index - 1] else "track")
            piece = [point]
    drawing.path(piece, "track dark" if is_dark[-1] else "track")


def _in_eclipse(data: ReportData, node: int, t_s: float) -> bool:
    return any(start <= t_s < stop for start, stop in data.eclipses.get(node, ()))


def _is_silent(data: ReportData, node: int, t_s: float) -> bool:
    return any(start < t_s <= stop for start, stop in data.silences.get(node, ()))


def _stations(data: ReportData) -> dict[int, tuple[float, float]]:
    """Latitude and longitude of stations in degrees by id, where the manifest has them."""
    places = data.setting("station_places_deg")
    if not isinstance(places, dict):
        return {}
    by_name = {_plain(name): node for node, name in data.run.names.items()}
    found = {}
    for name, place in places.items():
        if _plain(name) in by_name and spans([place]):
            found[by_name[_plain(name)]] = spans([place])[0]
    return found


def _plain(name: str) -> str:
    """A name without what the station list and the node names write differently."""
    return "".join(letter for letter in name.casefold() if letter.isalnum())


def _draw_satellite(drawing: Drawing, data: ReportData, node: int, x: float, y: float, t_s: float) -> None:
    state = _state(data, node, t_s)
    drawing.add("circle", f"sat {state}", f"{data.name(node)}, {state} at {clock(t_s)}", cx=x, cy=y, r=4.5)
    drawing.text(x, y - 8, _short(data.name(node)), "map-label strong", "middle")


def _state(data: ReportData, node: int, t_s: float) -> str:
    if _is_silent(data, node, t_s):
        return "silent"
    return "eclipsed" if _in_eclipse(data, node, t_s) else "sunlit"


def _short(name: str) -> str:
    """The number of a satellite where its name ends with one."""
    tail = name.rsplit("-", 1)[-1]
    return tail.lstrip("0") or tail if tail.isdigit() else name


# --- the ring from above --------------------------------------------------------------------------------------


def ring_view(data: ReportData) -> str:
    """Satellites and their laser links, true to scale, seen along the normal of the plane they lie in.

    The moment is the middle of the run; links are those open then. Empty when there are fewer than three.
    """
    at_s = data.stop_s / 2
    places: dict[int, Floats] = {}
    for node in data.satellite_ids:
        track = _track(data, node)
        if track is not None:
            t_s, lat, lon = track
            unwrapped = np.unwrap(np.radians(lon))
            places[node] = _unit(
                float(np.interp(at_s, t_s, np.radians(lat))), float(np.interp(at_s, t_s, unwrapped))
            )
    if len(places) < 3:
        return ""
    altitude_km = data.setting("constellation", "altitude_km")
    height = 1.0 + (float(altitude_km) if isinstance(altitude_km, int | float) else 500.0) / EARTH_RADIUS_KM
    _, _, axes = np.linalg.svd(np.array(list(places.values())))
    middle = RING_SIZE / 2
    flat = {
        node: (
            middle + EARTH_RADIUS * height * float(place @ axes[0]),
            middle - EARTH_RADIUS * height * float(place @ axes[1]),
        )
        for node, place in places.items()
    }
    drawing = Drawing(RING_SIZE, RING_SIZE, "the ring seen from above its plane")
    drawing.add("circle", "earth", cx=middle, cy=middle, r=EARTH_RADIUS)
    drawing.text(middle, middle + 4, f"mission time {clock(at_s)}", "map-label", "middle")
    for a, b in sorted({(link.node_a_id, link.node_b_id) for link in data.links}):
        if a in flat and b in flat and is_satellite(b):
            is_open = any(
                link.start_s <= at_s <= link.stop_s
                for link in data.links
                if (link.node_a_id, link.node_b_id) == (a, b)
            )
            drawing.line(*flat[a], *flat[b], "laser" if is_open else "laser down")
    for node, (x, y) in flat.items():
        away = np.array([x - middle, y - middle])
        label_x, label_y = (np.array([x, y]) + away / max(float(np.linalg.norm(away)), 1e-9) * 18).tolist()
        state = _state(data, node, at_s)
        drawing.add("circle", f"sat {state}", f"{data.name(node)}, {state}", cx=x, cy=y, r=6)
        drawing.text(label_x, label_y + 4, _short(data.name(node)), "map-label strong", "middle")
    return drawing.svg("ring")


def _unit(lat_rad: float, lon_rad: float) -> Floats:
    return np.array(
        [np.cos(lat_rad) * np.cos(lon_rad), np.cos(lat_rad) * np.sin(lon_rad), np.sin(lat_rad)],
        dtype=np.float64,
    )
