"""Coordinate systems that positions may be declared in; inside the system everything is WGS-84."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Final

import numpy as np

from lamplighter_contract.geo.shift import Degrees, bd09, gcj02

ROUNDS: Final = 10
CLOSE_DEG: Final = 1e-9  # 0.1 mm


class System(StrEnum):
    """CGCS2000 is within centimetres of WGS-84 and taken as the same; GCJ-02 and BD-09 are shifted on purpose."""

    WGS84 = "wgs84"
    CGCS2000 = "cgcs2000"
    GCJ02 = "gcj02"
    BD09 = "bd09"


_Forward = Callable[[Degrees, Degrees], tuple[Degrees, Degrees]]
_SHIFTS: Final[Mapping[System, _Forward]] = {System.GCJ02: gcj02, System.BD09: bd09}


def from_wgs84(system: System, latitude: Degrees, longitude: Degrees) -> tuple[Degrees, Degrees]:
    """Positions in another system, as a base map of that system needs them."""
    shift = _SHIFTS.get(system)
    return shift(latitude, longitude) if shift else (latitude, longitude)


def to_wgs84(system: System, latitude: Degrees, longitude: Degrees) -> tuple[Degrees, Degrees]:
    """WGS-84 of positions in a system; a shift has no closed inverse and is undone round by round."""
    shift = _SHIFTS.get(system)
    if shift is None:
        return latitude, longitude
    north, east = latitude, longitude
    for _ in range(ROUNDS):
        there_north, there_east = shift(north, east)
        wrong_north, wrong_east = there_north - latitude, there_east - longitude
        north, east = north - wrong_north, east - wrong_east
        if max(np.max(np.abs(wrong_north), initial=0.0), np.max(np.abs(wrong_east), initial=0.0)) < CLOSE_DEG:
            break
    return north, east
