"""Is a file of positions in the city at all, and if not, how was it probably meant?"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.geo.shift import Degrees
from lamplighter_contract.geo.systems import System, to_wgs84

SWAPPED: Final = "latitude and longitude exchanged"


@dataclass(frozen=True, slots=True)
class Box:
    """A stretch of the earth in WGS-84 degrees."""

    south: float
    west: float
    north: float
    east: float

    def __str__(self) -> str:
        """Latitudes, then longitudes."""
        return f"{self.south:g} to {self.north:g} north, {self.west:g} to {self.east:g} east"

    def holds(self, latitude: Degrees, longitude: Degrees) -> NDArray[np.bool_]:
        """Which WGS-84 positions lie in it."""
        within: NDArray[np.bool_] = (
            (self.south <= latitude) & (latitude <= self.north) & (self.west <= longitude) & (longitude <= self.east)
        )
        return within


def likely(box: Box, latitude: Degrees, longitude: Degrees, declared: System) -> str | None:
    """How else positions can be read so that more of them lie in the box; None when no reading brings more there.

    `latitude` and `longitude` as they stand in the file, `declared` as it says of itself.
    """
    readings = {str(system): (system, latitude, longitude) for system in System if system is not declared}
    readings[SWAPPED] = (declared, longitude, latitude)
    inside = {name: _inside(box, *reading) for name, reading in readings.items()}
    best = max(inside, key=lambda name: inside[name])
    return best if inside[best] > _inside(box, declared, latitude, longitude) else None


def _inside(box: Box, system: System, latitude: Degrees, longitude: Degrees) -> int:
    return int(np.count_nonzero(box.holds(*to_wgs84(system, latitude, longitude))))
