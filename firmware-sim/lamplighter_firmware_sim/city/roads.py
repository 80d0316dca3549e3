"""A fictional grid of roads, and where poles stand along them."""

import math
from dataclasses import dataclass
from typing import Final

from lamplighter_firmware_sim.city.inventory import Position
from lamplighter_firmware_sim.scenario.model import Name, Place, Road

_METRES_PER_DEGREE: Final = 111_320.0
_KERB_M: Final = 9.0  # from the road's axis to a pole


@dataclass(frozen=True, slots=True)
class Stretch:
    """One half of a road, lit from one cabinet. Metres east and north of the place; `direction` is a unit vector."""

    road: Road
    name: Name
    start: tuple[float, float]
    direction: tuple[float, float]

    def point(self, along_m: float, aside_m: float) -> tuple[float, float]:
        """East and north of a point `along_m` down the stretch and `aside_m` to its left."""
        (east, north), (towards_east, towards_north) = self.start, self.direction
        return east + along_m * towards_east - aside_m * towards_north, (
            north + along_m * towards_north + aside_m * towards_east
        )

    def pole(self, index: int, pole_m: float) -> tuple[float, float]:
        """East and north of pole `index`: poles stand in pairs, left and right."""
        return self.point((index // 2 + 0.5) * pole_m, _KERB_M if index % 2 == 0 else -_KERB_M)


_HALVES: Final = {  # (runs west to east, first half) -> word in Chinese and English
    (True, True): Name("西段", "West"),
    (True, False): Name("东段", "East"),
    (False, True): Name("南段", "South"),
    (False, False): Name("北段", "North"),
}


def position(place: Place, point: tuple[float, float]) -> Position:
    """Degrees of a point given in metres east and north of the place."""
    east, north = point
    scale = _METRES_PER_DEGREE * math.cos(math.radians(place.latitude))
    return Position(round(place.latitude + north / _METRES_PER_DEGREE, 6), round(place.longitude + east / scale, 6))


def stretches(place: Place, roads: tuple[Road, ...], count: int, half_m: float) -> list[Stretch]:
    """`count` stretches, ordered around the centre so that neighbours in the list are neighbours in the city.

    Roads run west-east and south-north in turn, `block_m` apart; `half_m` is the longest stretch.
    """
    number = math.ceil(count / 2)
    found = [half for road in range(number) for half in _road(place, roads, road, number, half_m)]
    return sorted(found[:count], key=lambda stretch: math.atan2(*reversed(stretch.point(half_m / 2, 0))))


def _road(place: Place, roads: tuple[Road, ...], road: int, number: int, half_m: float) -> list[Stretch]:
    level = road % 2 == 0
    alike = (number + 1) // 2 if level else number // 2
    offset = (road // 2 - (alike - 1) / 2) * place.block_m
    name = roads[road % len(roads)]
    lap = "" if road < len(roads) else str(road // len(roads) + 1)
    whole = Road(name.zh + lap, f"{name.en} {lap}".strip(), name.road_class)
    return [_half(whole, level, first, offset, half_m) for first in (True, False)]


def _half(road: Road, level: bool, first: bool, offset: float, half_m: float) -> Stretch:
    word = _HALVES[level, first]
    along = -half_m if first else 0.0
    start = (along, offset) if level else (offset, along)
    return Stretch(road, Name(road.zh + word.zh, f"{road.en} {word.en}"), start, (1.0, 0.0) if level else (0.0, 1.0))
