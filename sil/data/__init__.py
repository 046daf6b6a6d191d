"""Real inputs with provenance (PROVENANCE.md): Landsat-7 scene, Sentinel-2 patch, ground stations, proton flux."""

from pathlib import Path
from typing import Final

_FOLDER: Final = Path(__file__).resolve().parent

LANDSAT7_OLINDA: Final = _FOLDER / "L7_ETMs.tif"
SENTINEL2_10M: Final = _FOLDER / "s2_10m.npz"
STATIONS: Final = _FOLDER / "stations.csv"
PROTON_FLUX_GRID: Final = _FOLDER / "ap8min_p30MeV_2deg.npz"
