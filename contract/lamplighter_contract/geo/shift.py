"""The offset of Chinese base maps, vectorised: WGS-84 to GCJ-02 and to BD-09, in degrees.

The formulas are those in public use (Krasovsky ellipsoid, a = 6,378,245 m); neither system has a published standard.
"""

from typing import Final

import numpy as np
from numpy.typing import NDArray

Degrees = NDArray[np.float64]

AXIS_M: Final = 6_378_245.0
ECCENTRICITY_SQUARED: Final = 0.006_693_421_622_965_943
CENTRE_LATITUDE: Final = 35.0
CENTRE_LONGITUDE: Final = 105.0
BAIDU_TURN: Final = np.pi * 3000 / 180
BAIDU_LATITUDE: Final = 0.006
BAIDU_LONGITUDE: Final = 0.0065
SHIFTED_LATITUDES: Final = (0.8293, 55.8271)  # outside this box neither system shifts
SHIFTED_LONGITUDES: Final = (72.004, 137.8347)


def gcj02(latitude: Degrees, longitude: Degrees) -> tuple[Degrees, Degrees]:
    """GCJ-02 of WGS-84 positions; the same where the system does not shift."""
    north_m, east_m = _offset(latitude - CENTRE_LATITUDE, longitude - CENTRE_LONGITUDE)
    radians = np.radians(latitude)
    flat = 1 - ECCENTRICITY_SQUARED * np.sin(radians) ** 2
    metres_north = np.radians(AXIS_M * (1 - ECCENTRICITY_SQUARED) / flat**1.5)
    metres_east = np.radians(AXIS_M / np.sqrt(flat) * np.cos(radians))
    inside = _shifted(latitude, longitude)
    return (
        np.where(inside, latitude + north_m / metres_north, latitude),
        np.where(inside, longitude + east_m / metres_east, longitude),
    )


def bd09(latitude: Degrees, longitude: Degrees) -> tuple[Degrees, Degrees]:
    """BD-09 of WGS-84 positions; the same where the system does not shift."""
    north, east = gcj02(latitude, longitude)
    distance = np.hypot(east, north) + 0.000_02 * np.sin(north * BAIDU_TURN)
    angle = np.arctan2(north, east) + 0.000_003 * np.cos(east * BAIDU_TURN)
    inside = _shifted(latitude, longitude)
    return (
        np.where(inside, distance * np.sin(angle) + BAIDU_LATITUDE, latitude),
        np.where(inside, distance * np.cos(angle) + BAIDU_LONGITUDE, longitude),
    )


def _offset(north: Degrees, east: Degrees) -> tuple[Degrees, Degrees]:
    """Metres north and east at degrees from the centre."""
    root = np.sqrt(np.abs(east))
    short = 20 * (np.sin(6 * np.pi * east) + np.sin(2 * np.pi * east))
    north_m = -100 + 2 * east + 3 * north + 0.2 * north**2 + 0.1 * east * north + 0.2 * root
    north_m += 2 / 3 * (short + 20 * np.sin(np.pi * north) + 40 * np.sin(np.pi * north / 3))
    north_m += 2 / 3 * (160 * np.sin(np.pi * north / 12) + 320 * np.sin(np.pi * north / 30))
    east_m = 300 + east + 2 * north + 0.1 * east**2 + 0.1 * east * north + 0.1 * root
    east_m += 2 / 3 * (short + 20 * np.sin(np.pi * east) + 40 * np.sin(np.pi * east / 3))
    east_m += 2 / 3 * (150 * np.sin(np.pi * east / 12) + 300 * np.sin(np.pi * east / 30))
    return north_m, east_m


def _shifted(latitude: Degrees, longitude: Degrees) -> NDArray[np.bool_]:
    (south, north), (west, east) = SHIFTED_LATITUDES, SHIFTED_LONGITUDES
    within: NDArray[np.bool_] = (south < latitude) & (latitude < north) & (west < longitude) & (longitude < east)
    return within
