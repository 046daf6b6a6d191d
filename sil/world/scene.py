"""The imaged scene: read it, plant a synthetic burn, cut tiles, compute the reference results.

Theory of operation. An image is an array (bands, rows, cols) of raw counts with one *role* per plane
(green, nir, swir1, swir2 are needed). No small pair of images before and after a fire is public, so a burn
is made: inside ellipses on land (MNDWI <= 0 in the original) near infrared is multiplied by 0.4 and the
second shortwave band by 1.6, the way a fire changes them, rounded to counts and held at the largest count.
The burn rule NBR < -0.375 is exact in integers, 11 nir < 5 swir2, so float32 and float64 agree on every
pixel. Reference results are computed over the whole image in float64.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.unsignedinteger[Any]]
Mask = NDArray[np.bool_]
Float64Array = NDArray[np.float64]

BAND_ROLES: Final = ("blue", "green", "red", "nir", "swir1", "swir2")
"""Planes of the shipped scene in order: ETM+ bands 1, 2, 3, 4, 5, 7."""
NEEDED_ROLES: Final = ("green", "nir", "swir1", "swir2")
BURN_NBR_MAX: Final = -0.375
NIR_BURN_FACTOR: Final = 0.4
SWIR2_BURN_FACTOR: Final = 1.6
PIXEL_COUNT_MAX: Final = 1 << 26
INDEX_SCALE: Final = 2.0**30


class SceneError(ValueError):
    """An image that cannot be flown; `faults` lists everything: file, what was expected, what was found."""

    def __init__(self, faults: Sequence[str]) -> None:
        """Keep the list and print it one fault a line."""
        super().__init__("\n".join(faults))
        self.faults = list(faults)


@dataclass(frozen=True)
class Scene:
    """Raw counts of shape (bands, rows, cols), uint8 or uint16, and the role of each plane in order."""

    image: Image
    roles: tuple[str, ...]

    def band(self, role: str) -> Image:
        """The plane of a role, shape (rows, cols); a view."""
        plane: Image = self.image[self.roles.index(role)]
        return plane


@dataclass(frozen=True)
class TileCut:
    """Rows row0 .. row1 - 1 and columns col0 .. col1 - 1 of the image; index counts along rows of tiles."""

    index: int
    row0: int
    row1: int
    col0: int
    col1: int


@dataclass(frozen=True)
class BurnEllipse:
    """An upright ellipse in shares of the height and width of the image."""

    row_ratio: float
    col_ratio: float
    half_rows_ratio: float
    half_cols_ratio: float


BURN_ELLIPSES: Final = (
    BurnEllipse(0.767, 0.250, 0.051, 0.086),  # over the corner of four tiles of a 4 x 4 cut
    BurnEllipse(0.500, 0.660, 0.040, 0.060),  # over the border of two
    BurnEllipse(0.156, 0.829, 0.034, 0.046),  # inside one
    BurnEllipse(0.936, 0.370, 0.025, 0.043),  # inside one
    BurnEllipse(0.057, 0.215, 0.018, 0.018),  # inside one, small
)


@dataclass(frozen=True)
class WholeImageReference:
    """Results over the whole flown image in float64; the products of all tiles must add up to them.

    The sums are of rint(index x 2^30) as int64. precision and recall judge the burn rule against the
    planted mask; natural pixels under the threshold count against precision.
    """

    pixel_count: int
    water_pixel_count: int
    mndwi_sum_q30: int
    nbr_sum_q30: int
    nbr_mean: float
    burn_pixel_count: int
    planted_pixel_count: int
    found_pixel_count: int

    @property
    def water_ratio(self) -> float:
        """Share of pixels with MNDWI > 0."""
        return self.water_pixel_count / self.pixel_count

    @property
    def precision_ratio(self) -> float:
        """Share of the pixels called burnt that were planted; 0 when none was called."""
        return self.found_pixel_count / self.burn_pixel_count if self.burn_pixel_count else 0.0

    @property
    def recall_ratio(self) -> float:
        """Share of the planted pixels that were called burnt; 0 when none was planted."""
        return self.found_pixel_count / self.planted_pixel_count if self.planted_pixel_count else 0.0


def read_scene(path: Path, roles: Sequence[str] = BAND_ROLES) -> Scene:
    """A GeoTIFF, or an .npz holding `image` (bands, rows, cols) or one (rows, cols) array per role.

    roles names the planes in order. Raises SceneError listing every fault.
    """
    faults = _role_faults(path, roles)
    try:
        image = _read_npz(path, roles) if path.suffix.lower() == ".npz" else _read_tiff(path)
    except SceneError as error:
        raise SceneError(faults + error.faults) from error
    except Exception as error:  # the readers raise many kinds; any of them means the file is not an image
        raise SceneError([*faults, f"{path}: expected a GeoTIFF or .npz image, found {error!r}"]) from error
    faults += _image_faults(path, image, roles)
    if faults:
        raise SceneError(faults)
    return Scene(np.ascontiguousarray(image), tuple(roles))


def normalized_difference(first: NDArray[Any], second: NDArray[Any]) -> Float64Array:
    """(a - b) / (a + b) in float64, shape of the inputs; 0 where both are 0."""
    a, b = first.astype(np.float64), second.astype(np.float64)
    total = a + b
    return np.divide(a - b, total, out=np.zeros_like(total), where=total != 0.0)


def mndwi(scene: Scene) -> Float64Array:
    """Modified water index (green - swir1) / (green + swir1): above 0 is water."""
    return normalized_difference(scene.band("green"), scene.band("swir1"))


def nbr(scene: Scene) -> Float64Array:
    """Burn ratio (nir - swir2) / (nir + swir2): below -0.375 is called burnt here."""
    return normalized_difference(scene.band("nir"), scene.band("swir2"))


def plant_burn(scene: Scene, ellipses: Sequence[BurnEllipse] = BURN_ELLIPSES) -> tuple[Scene, Mask]:
    """A copy of the scene with the burn, and the mask of changed pixels, shape (rows, cols).

    The mask is the union of the ellipses on land of the original; the input is only read.
    """
    rows, cols = scene.image.shape[1:]
    row, col = np.ogrid[:rows, :cols]
    inside = np.zeros((rows, cols), dtype=np.bool_)
    for one in ellipses:
        down = (row - one.row_ratio * rows) / (one.half_rows_ratio * rows)
        across = (col - one.col_ratio * cols) / (one.half_cols_ratio * cols)
        inside |= down * down + across * across <= 1.0
    mask = inside & (mndwi(scene) <= 0.0)
    image = scene.image.copy()
    count_max = int(np.iinfo(image.dtype).max)
    for role, factor in (("nir", NIR_BURN_FACTOR), ("swir2", SWIR2_BURN_FACTOR)):
        plane = image[scene.roles.index(role)]
        plane[mask] = np.minimum(np.rint(plane[mask] * factor), count_max).astype(image.dtype)
    return Scene(image, scene.roles), mask


def cut_tiles(rows: int, cols: int, tile_rows: int = 4, tile_cols: int = 4) -> list[TileCut]:
    """Tiles that cover the image once, along rows first; sizes differ by one pixel at most."""
    assert rows >= tile_rows >= 1, "a tile holds at least one row"
    assert cols >= tile_cols >= 1, "a tile holds at least one column"
    return [
        TileCut(
            row * tile_cols + col,
            row * rows // tile_rows,
            (row + 1) * rows // tile_rows,
            col * cols // tile_cols,
            (col + 1) * cols // tile_cols,
        )
        for row in range(tile_rows)
        for col in range(tile_cols)
    ]


def tile_image(scene: Scene, cut: TileCut) -> Image:
    """The counts of a tile, shape (bands, rows, cols), C order, in memory of its own."""
    return np.ascontiguousarray(scene.image[:, cut.row0 : cut.row1, cut.col0 : cut.col1])


def whole_image_reference(scene: Scene, burn_mask: Mask) -> WholeImageReference:
    """Compute the reference results of the flown image."""
    water_index, burn_index = mndwi(scene), nbr(scene)
    burnt = burn_index < BURN_NBR_MAX
    return WholeImageReference(
        pixel_count=int(burn_index.size),
        water_pixel_count=int(np.count_nonzero(water_index > 0.0)),
        mndwi_sum_q30=int(np.rint(water_index * INDEX_SCALE).astype(np.int64).sum()),
        nbr_sum_q30=int(np.rint(burn_index * INDEX_SCALE).astype(np.int64).sum()),
        nbr_mean=float(burn_index.mean()),
        burn_pixel_count=int(np.count_nonzero(burnt)),
        planted_pixel_count=int(np.count_nonzero(burn_mask)),
        found_pixel_count=int(np.count_nonzero(burnt & burn_mask)),
    )


def _read_tiff(path: Path) -> NDArray[Any]:
    """First image of a TIFF as (bands, rows, cols), whichever way its samples are stored."""
    import tifffile  # slow to import, and only wanted here

    with tifffile.TiffFile(path) as file:
        series = file.series[0]
        image, axes = series.asarray(), series.axes
    if image.ndim != 3:
        raise SceneError([f"{path}: expected an image of several bands, found shape {image.shape}"])
    return np.moveaxis(image, 2, 0) if axes.endswith("S") else image


def _read_npz(path: Path, roles: Sequence[str]) -> NDArray[Any]:
    """`image`, or the planes named after the roles stacked in their order."""
    with np.load(path, allow_pickle=False) as file:
        if "image" in file:
            return np.asarray(file["image"])
        arrays: Mapping[str, Any] = file
        missing = [role for role in roles if role not in arrays]
        if missing:
            raise SceneError([f"{path}: expected `image` or arrays {list(roles)}, missing {missing}"])
        planes = [np.asarray(arrays[role]) for role in roles]
    if len({(plane.shape, plane.dtype) for plane in planes}) != 1:
        found = {role: (plane.shape, str(plane.dtype)) for role, plane in zip(roles, planes, strict=True)}
        raise SceneError([f"{path}: expected planes of one shape and type, found {found}"])
    return np.stack(planes)


def _role_faults(path: Path, roles: Sequence[str]) -> list[str]:
    """Roles that are missing or named twice."""
    missing = [role for role in NEEDED_ROLES if role not in roles]
    faults = [f"{path}: expected a band {role!r}, found {list(roles)}" for role in missing]
    twice = sorted(role for index, role in enumerate(roles) if role in roles[:index])
    return [*faults, f"{path}: expected each band once, found {twice} again"] if twice else faults


def _image_faults(path: Path, image: NDArray[Any], roles: Sequence[str]) -> list[str]:
    """Type, number of planes and size that cannot be flown."""
    faults = []
    if image.dtype not in (np.uint8, np.uint16):
        faults.append(f"{path}: expected uint8 or uint16 counts, found {image.dtype}")
    if image.ndim != 3 or image.shape[0] != len(roles):
        faults.append(f"{path}: expected {len(roles)} bands ({', '.join(roles)}), found shape {image.shape}")
    if image.ndim == 3 and (min(image.shape[1:]) < 4 or image.shape[1] * image.shape[2] > PIXEL_COUNT_MAX):
        faults.append(f"{path}: expected 4 x 4 to {PIXEL_COUNT_MAX} pixels, found shape {image.shape}")
    return faults
