"""Radiation: the South Atlantic Anomaly, proton flux and the arrival of upsets.

Theory of operation. Protons come in bursts: about 5 % of the time of a polar orbit holds 99 % of them, so a
constant upset rate would be wrong in both directions. The flag is an ellipse over the South Atlantic (rule
R-1); the flux of an AP8 grid is the finer option. An upset process draws one 63-bit integer each second
from its own named stream and compares it with an integer threshold: the same upsets arrive on every
machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Float64Array = NDArray[np.float64]

SAA_CENTRE_DEG: Final = (-30.0, -30.0)
SAA_HALF_AXES_DEG: Final = (25.0, 55.0)
SAA_TIME_RATIO_500KM: Final = 0.0661
"""Share of a 500 km sun-synchronous orbit inside the ellipse, computed over three days."""
DRAW_BITS: Final = 63
GRID_ALTITUDES_KM: Final = (500, 550, 650)


def saa_margin(latitude_deg: Float64Array, longitude_deg: Float64Array) -> Float64Array:
    """1 - ((lat + 30) / 25)^2 - ((lon + 30) / 55)^2: not negative inside; longitude in -180..180."""
    north = (latitude_deg - SAA_CENTRE_DEG[0]) / SAA_HALF_AXES_DEG[0]
    east = (longitude_deg - SAA_CENTRE_DEG[1]) / SAA_HALF_AXES_DEG[1]
    return 1.0 - north * north - east * east


@dataclass(frozen=True)
class FluxGrid:
    """AP8-MIN flux of protons above 30 MeV (cm^-2 s^-1) on 2 degree nodes, lat -90..90, lon -180..178."""

    altitude_km: int
    values: Float64Array

    @classmethod
    def load(cls, path: Path, altitude_km: float) -> FluxGrid:
        """The grid of the shipped heights (500, 550, 650 km) nearest to altitude_km."""
        import numpy

        nearest = min(GRID_ALTITUDES_KM, key=lambda height_km: abs(height_km - altitude_km))
        with numpy.load(path) as file:
            return cls(nearest, file[f"flux_{nearest}km"].astype(numpy.float64))

    def flux(self, latitude_deg: Float64Array, longitude_deg: Float64Array) -> Float64Array:
        """Bilinear flux at places; longitude wraps."""
        import numpy

        y = (numpy.asarray(latitude_deg) + 90.0) / 2.0
        x = ((numpy.asarray(longitude_deg) + 180.0) % 360.0) / 2.0
        row = numpy.clip(y.astype(numpy.int64), 0, 89)
        column = x.astype(numpy.int64) % 180
        north, east = y - row, x - numpy.floor(x)
        right = (column + 1) % 180
        lower = (1.0 - east) * self.values[row, column] + east * self.values[row, right]
        upper = (1.0 - east) * self.values[row + 1, column] + east * self.values[row + 1, right]
        return (1.0 - north) * lower + north * upper


@dataclass(frozen=True)
class UpsetRates:
    """Upsets a day averaged over the orbit, and how they split between the anomaly and the rest.

    The share inside is rule R-3: measured low-orbit upsets lie 80-97 % inside. time_ratio is the share of
    the orbit inside.
    """

    per_day: float = 1.0
    inside_ratio: float = 0.9
    time_ratio: float = SAA_TIME_RATIO_500KM

    def thresholds(self) -> tuple[int, int]:
        """63-bit thresholds (outside, inside): a draw below the threshold is an upset in that second.

        Raises ValueError when a rate is negative or above one a second, where one draw a second no longer
        serves.
        """
        if not (0.0 <= self.inside_ratio <= 1.0 and 0.0 < self.time_ratio < 1.0):
            raise ValueError(f"{self}: expected inside_ratio in 0..1 and time_ratio between 0 and 1")
        per_s = self.per_day / 86_400.0
        inside = per_s * self.inside_ratio / self.time_ratio
        outside = per_s * (1.0 - self.inside_ratio) / (1.0 - self.time_ratio)
        if not (0.0 <= inside <= 1.0 and 0.0 <= outside <= 1.0):
            raise ValueError(f"per_day = {self.per_day}: expected 0 to one upset a second at most")
        return int(outside * 2.0**DRAW_BITS), int(inside * 2.0**DRAW_BITS)


class NamedStream:
    """Random integers of one purpose of one node: the same on every machine for the same seed.

    Mersenne Twister seeded with the SHA-512 of "seed/node/purpose" (random.seed, version 2), used by
    getrandbits only.
    """

    def __init__(self, seed: int, node_id: int, purpose: str) -> None:
        """Open the stream at its beginning."""
        self._random = Random(f"{seed}/{node_id}/{purpose}")

    def draw(self) -> int:
        """An integer of 63 bits."""
        return self._random.getrandbits(DRAW_BITS)

    def below(self, limit: int) -> int:
        """An integer in 0..limit-1; the bias of the remainder is below limit / 2^63."""
        return self.draw() % limit


class UpsetProcess:
    """Upset arrivals of one node: at most one a second, a Bernoulli draw with the rate of the second."""

    def __init__(self, seed: int, node_id: int, rates: UpsetRates) -> None:
        """Open the streams of the node. Raises ValueError for rates one draw a second cannot serve."""
        self._outside, self._inside = rates.thresholds()
        self._arrivals = NamedStream(seed, node_id, "upset")
        self._places = NamedStream(seed, node_id, "upset-place")
        self.count = 0

    def step(self, in_saa: bool) -> int | None:
        """Advance one second: None, or where the upset hits, a 63-bit integer to be reduced by the size hit.

        Every second costs one draw whatever its rate, so the arrivals after a change of rate do not shift.
        """
        if self._arrivals.draw() >= (self._inside if in_saa else self._outside):
            return None
        self.count += 1
        return self._places.draw()


def flux_threshold(flux_e3: int, mean_flux_e3: int, per_day: float) -> int:
    """63-bit threshold of a second of known proton flux: rate = per_day x flux / mean flux.

    At most one upset a second. Protons only: galactic cosmic rays would add a floor outside the anomaly
    (rule R-3).
    """
    if mean_flux_e3 <= 0:
        raise ValueError(f"mean_flux_e3 = {mean_flux_e3}: expected a positive flux")
    per_day_threshold = int(per_day / 86_400.0 * 2.0**DRAW_BITS)
    return min(per_day_threshold * flux_e3 // mean_flux_e3, 1 << DRAW_BITS)
