"""The imaged scene cut into encoded tiles, its reference results, and the commands that take the tiles."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from flightos.apps.tiles import TileHeader, encode_tile
from flightos.core.errors import ConfigError
from flightos.core.time import NS_PER_S
from flightos.services.commanding.interface import CommandSequence, TimedCommand
from sil.data import LANDSAT7_OLINDA
from sil.scenarios.commands import pack_request_observation
from sil.scenarios.loader import LoadedScenario
from sil.scenarios.schema import Payload
from sil.world.scene import (
    Image,
    Scene,
    SceneError,
    cut_tiles,
    plant_burn,
    read_scene,
    tile_image,
    whole_image_reference,
)


@dataclass(frozen=True)
class Shot:
    """One tile to be taken: by whom and when, in mission time."""

    observation_id: int
    satellite_id: int
    tile_index: int
    at_ns: int


def planned_shots(payload: Payload) -> list[Shot]:
    """All tiles in order of time; observations are numbered from 1 in that order."""
    unnumbered = sorted(
        (round((burst.at_s + place * payload.interval_s) * NS_PER_S), burst.satellite, tile)
        for burst in payload.bursts
        for place, tile in enumerate(burst.tiles)
    )
    return [
        Shot(number, satellite, tile, at) for number, (at, satellite, tile) in enumerate(unnumbered, start=1)
    ]


def command_sequence(
    payload: Payload, shots: list[Shot], satellite_id: int, epoch_tai_ns: int
) -> CommandSequence | None:
    """The imaging commands of one satellite, or None when it has none."""
    commands = [
        TimedCommand(
            epoch_tai_ns + shot.at_ns,
            *pack_request_observation(
                shot.observation_id, shot.tile_index, payload.priority, payload.deadline_s, payload.app
            ),
        )
        for shot in shots
        if shot.satellite_id == satellite_id
    ]
    return CommandSequence(tuple(commands)) if commands else None


def image_path(payload: Payload) -> Path:
    """The user's image, or the shipped scene."""
    return LANDSAT7_OLINDA if payload.image is None else Path(payload.image)


def read_image(loaded: LoadedScenario) -> Scene:
    """The image that is flown. Raises ConfigError for one that cannot be."""
    payload = loaded.scenario.payload
    try:
        scene = read_scene(image_path(payload), payload.bands)
    except SceneError as error:
        raise ConfigError([loaded.fault(("payload", "image"), fault) for fault in error.faults]) from error
    rows, columns = (int(side) for side in scene.image.shape[1:])
    if rows < payload.tile_rows or columns < payload.tile_columns:
        text = (
            f"expected at least {payload.tile_rows} x {payload.tile_columns} pixels, found {rows} x {columns}"
        )
        raise ConfigError([loaded.fault(("payload", "image"), text)])
    return scene


def make_tiles(loaded: LoadedScenario, shots: list[Shot]) -> tuple[tuple[bytes, ...], dict[str, object]]:
    """Encoded tiles by tile index, and the reference results of the flown image for checkers and report.

    Raises ConfigError for an image that cannot be flown.
    """
    payload = loaded.scenario.payload
    scene = read_image(loaded)
    rows, columns = (int(side) for side in scene.image.shape[1:])
    scene, burn_mask = plant_burn(scene) if payload.plant_burn else plant_burn(scene, ())
    observation_of_tile = {shot.tile_index: shot.observation_id for shot in shots}
    cuts = cut_tiles(rows, columns, payload.tile_rows, payload.tile_columns)
    tiles = []
    for cut in cuts:
        pixels = tile_image(scene, cut)
        header = TileHeader(
            observation_id=observation_of_tile.get(cut.index, 0),
            tile_index=cut.index,
            row_offset=cut.row0,
            col_offset=cut.col0,
            rows=cut.row1 - cut.row0,
            cols=cut.col1 - cut.col0,
            band_roles=scene.roles,
            sample_type=str(pixels.dtype.name),
            pixel_size_mm=max(1, round(payload.pixel_size_m * 1_000)),
        )
        tiles.append(encode_tile(header, _little_endian(pixels)))
    reference = whole_image_reference(scene, burn_mask)
    facts: dict[str, Any] = {
        "image": LANDSAT7_OLINDA.name if payload.image is None else payload.image,
        "rows": rows,
        "columns": columns,
        "bands": list(scene.roles),
        "raw_bytes": int(scene.image.nbytes),
        "pixel_size_m": payload.pixel_size_m,
        "tiles": [[cut.row0, cut.row1, cut.col0, cut.col1] for cut in cuts],
        "reference": {name: getattr(reference, name) for name in reference.__dataclass_fields__},
        "burn_planted": payload.plant_burn,
    }
    facts["reference"] |= {
        "water_ratio": reference.water_ratio,
        "precision_ratio": reference.precision_ratio,
        "recall_ratio": reference.recall_ratio,
    }
    return tuple(tiles), facts


def _little_endian(pixels: Image) -> bytes:
    """Pixels in the order and byte order of a tile's body."""
    return pixels.astype(pixels.dtype.newbyteorder("<")).tobytes()
