"""Physical constants of the world, one owner for each number.

Sources: mu and Earth radius WGS 84 (NIMA TR8350.2, table 3.1); J2 of EGM96; light, Stefan-Boltzmann CODATA
2018 (exact); astronomical unit IAU 2012 B2; solar radius IAU 2015 B3.
"""

from typing import Final

MU_KM3_S2: Final = 398_600.4418
EARTH_RADIUS_KM: Final = 6_378.137
EARTH_FLATTENING: Final = 1.0 / 298.257223563
EARTH_ECCENTRICITY_SQUARED: Final = EARTH_FLATTENING * (2.0 - EARTH_FLATTENING)
EARTH_ROTATION_RAD_S: Final = 7.292115e-5
J2: Final = 1.08262668e-3
LIGHT_M_S: Final = 299_792_458
STEFAN_BOLTZMANN_W_M2_K4: Final = 5.670374419e-8
SOLAR_RADIUS_KM: Final = 695_700.0
ASTRONOMICAL_UNIT_KM: Final = 149_597_870.7
TROPICAL_YEAR_D: Final = 365.2422
DAY_S: Final = 86_400
NS_PER_S: Final = 1_000_000_000
NS_PER_MS: Final = 1_000_000
GRAZING_HEIGHT_KM_MIN: Final = 80.0
"""A laser beam closer to the ground than this is taken as blocked by the atmosphere."""
