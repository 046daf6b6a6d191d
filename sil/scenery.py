"""What of a run can be drawn before it flies: ground tracks, eclipses, planned contacts, and the imaged scene."""

from __future__ import annotations

from io import BytesIO
from typing import Any, Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from flightos.apps.tiles import decode_tile
from flightos.core.time import NS_PER_S
from flightos.services.network.interface import ContactPlan
from sil.plan import RunPlan

TRACK_STEP_S: Final = 10
_DISPLAY_ROLES: Final[tuple[tuple[str, ...], ...]] = (("red", "green", "blue"), ("swir2", "nir", "green"))
"""Bands shown as red, green, blue: true colour where the image has it, false colour else."""


def geometry(plan: RunPlan) -> dict[str, object]:
    """Ground tracks, eclipses, planned contacts and names, in mission seconds and degrees."""
    duration_s = plan.duration_ns // NS_PER_S
    seconds = list(range(0, duration_s + 1, TRACK_STEP_S))
    tracks: dict[str, object] = {}
    eclipses: dict[str, object] = {}
    for satellite_id in plan.tape.satellite_ids:
        places = [plan.tape.subpoint_e6_deg(satellite_id, t_s) for t_s in seconds]
        tracks[str(satellite_id)] = {
            "lat_deg": [round(latitude / 1e6, 4) for latitude, _ in places],
            "lon_deg": [round(longitude / 1e6, 4) for _, longitude in places],
            "t_s": seconds,
        }
        eclipses[str(satellite_id)] = [
            [start_ns / NS_PER_S, min(stop_ns / NS_PER_S, float(duration_s))]
            for start_ns, stop_ns in plan.tape.eclipses(satellite_id)
            if start_ns < plan.duration_ns
        ]
    return {
        "satellites": tracks,
        "eclipses": eclipses,
        "contacts": planned_contacts(plan),
        "names": {str(node.node_id): node.name for node in plan.nodes},
    }


def planned_contacts(plan: RunPlan) -> list[list[float]]:
    """[node a, node b, start_s, stop_s] of the uploaded contact plan, as far as the run goes."""
    for tables in plan.tables.values():
        for name, content in tables:
            if name == "contact_plan":
                contacts = msgspec.msgpack.decode(content, type=ContactPlan).contacts
                end_s = plan.duration_ns / NS_PER_S
                return [
                    [
                        contact.node_a_id,
                        contact.node_b_id,
                        max(0.0, (contact.start_tai_ns - plan.epoch_tai_ns) / NS_PER_S),
                        min(end_s, (contact.stop_tai_ns - plan.epoch_tai_ns) / NS_PER_S),
                    ]
                    for contact in contacts
                    if contact.start_tai_ns - plan.epoch_tai_ns < plan.duration_ns
                ]
    return []


def flown_image(plan: RunPlan) -> tuple[dict[str, NDArray[Any]], list[tuple[int, int, int, int]]]:
    """The imaged scene put together from its tiles: planes by role, shape (rows, cols); and the cuts by tile."""
    headers = [decode_tile(tile) for tile in plan.tiles]
    cuts = [
        (
            header.row_offset,
            header.row_offset + header.rows,
            header.col_offset,
            header.col_offset + header.cols,
        )
        for header, _ in headers
    ]
    planes: dict[str, NDArray[Any]] = {}
    if not headers:
        return planes, cuts
    shape = max(cut[1] for cut in cuts), max(cut[3] for cut in cuts)
    first = headers[0][0]
    dtype = np.dtype(first.sample_type).newbyteorder("<")
    for role in first.band_roles:
        planes[role] = np.zeros(shape, dtype=dtype)
    for (header, pixels), (row0, row1, col0, col1) in zip(headers, cuts, strict=True):
        bands = np.frombuffer(pixels, dtype=dtype).reshape(-1, header.rows, header.cols)
        for role, band in zip(header.band_roles, bands, strict=True):
            planes[role][row0:row1, col0:col1] = band
    return planes, cuts


def scene_archive(plan: RunPlan) -> bytes:
    """scene.npz: `rgb` uint8 of shape (rows, cols, 3), stretched between the 2nd and 98th percentile of each band."""
    planes, cuts = flown_image(plan)
    candidates = [*_DISPLAY_ROLES, tuple(planes)[:3]]
    roles = next(
        (roles for roles in candidates if len(roles) == 3 and all(role in planes for role in roles)), ()
    )
    channels = []
    for role in roles:
        low, high = np.percentile(planes[role], (2, 98))
        stretched = (planes[role].astype(np.float64) - low) / max(high - low, 1.0)
        channels.append((np.clip(stretched, 0.0, 1.0) * 255.0).astype(np.uint8))
    rgb = np.stack(channels, axis=-1) if channels else np.zeros((0, 0, 3), np.uint8)
    file = BytesIO()
    np.savez_compressed(
        file, rgb=rgb, tiles=np.array(cuts, dtype=np.int32).reshape(-1, 4), roles=np.array(roles)
    )
    return file.getvalue()
