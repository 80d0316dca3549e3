"""Places of the city as polygons, and which of them positions lie in; many positions at once through an R-tree."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import time
from enum import StrEnum
from typing import Final

import numpy as np
import shapely
from numpy.typing import NDArray
from shapely.geometry.base import BaseGeometry

from lamplighter_controller.fleet.judging.fixes import Flags, Floats

METRES_PER_DEGREE: Final = 111_195.0
LEAVE_M: Final = 10.0  # how much further out a place is left than it was entered


class PlaceKind(StrEnum):
    """What a place is to a truck."""

    SITE = "site"  # where it loads
    GROUND = "ground"  # where it may dump
    WASH = "wash"
    PARKING = "parking"
    SERVICE = "service"
    NO_GO = "no_go"
    NIGHT = "night"  # closed at its hours
    SPEED = "speed"
    NO_LIMIT = "no_limit"  # tunnels, bridges, expressways, crossings: no limit is tightened there


_FAIR_M: Final = {PlaceKind.NO_GO: -15.0, PlaceKind.NIGHT: -15.0, PlaceKind.SPEED: -5.0}
_GENEROUS_M: Final = 40.0  # the error of a position between houses counts for the driver


@dataclass(frozen=True, slots=True)
class Hours:
    """From `start` to `end`, over midnight when the end comes first."""

    start: time
    end: time

    def hold(self, minute: NDArray[np.int64]) -> Flags:
        """Which minutes of the day lie within."""
        start, end = self.start.hour * 60 + self.start.minute, self.end.hour * 60 + self.end.minute
        if start <= end:
            return (start <= minute) & (minute < end)
        return (start <= minute) | (minute < end)


@dataclass(frozen=True, slots=True)
class Place:
    """One place; `outline` in WGS-84 (longitude, latitude). `version` says which drawing of it was judged by."""

    id: str
    kind: PlaceKind
    outline: BaseGeometry
    hours: Hours | None = None
    limit_kmh: float | None = None
    night_limit_kmh: float | None = None
    version: int = 1
    basis: str = ""


@dataclass(frozen=True, slots=True)
class Plane:
    """Metres east and north of a point, flat: right to a metre over a city."""

    latitude: float
    longitude: float

    def metres(self, latitude: Floats, longitude: Floats) -> tuple[Floats, Floats]:
        """Where positions lie."""
        east = (longitude - self.longitude) * METRES_PER_DEGREE * np.cos(np.radians(self.latitude))
        return east, (latitude - self.latitude) * METRES_PER_DEGREE

    def degrees(self, east_m: Floats, north_m: Floats) -> tuple[Floats, Floats]:
        """Latitude and longitude of points."""
        longitude = self.longitude + east_m / (METRES_PER_DEGREE * np.cos(np.radians(self.latitude)))
        return self.latitude + north_m / METRES_PER_DEGREE, longitude

    def flat(self, geometry: BaseGeometry) -> BaseGeometry:
        """A geometry in metres."""
        moved: BaseGeometry = shapely.transform(
            geometry, lambda points: np.column_stack(self.metres(points[:, 1], points[:, 0]))
        )
        return moved


@dataclass(slots=True)
class Places:
    """All places, each with the kinder border: wide where being inside is a right, narrow where it is a wrong."""

    places: Sequence[Place]
    plane: Plane
    _enter: shapely.STRtree = field(init=False)
    _leave: shapely.STRtree = field(init=False)
    _of: dict[tuple[PlaceKind, ...], Flags] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        """Draw both borders of each place."""
        flat = [self.plane.flat(place.outline) for place in self.places]
        widths = [_FAIR_M.get(place.kind, _GENEROUS_M) for place in self.places]
        enter = [shape.buffer(width) for shape, width in zip(flat, widths, strict=True)]
        self._enter = shapely.STRtree(enter)
        self._leave = shapely.STRtree([shape.buffer(LEAVE_M) for shape in enter])

    def inside(self, latitude: Floats, longitude: Floats, before: Flags) -> Flags:
        """Which positions lie in which places, (k, places); `before` is where each was, as one leaves further out."""
        found = np.zeros((len(latitude), len(self.places)), bool)
        known = np.flatnonzero(np.isfinite(latitude))
        if len(known) and len(self.places):
            points = shapely.points(*self.plane.metres(latitude[known], longitude[known]))
            position, place = self._enter.query(points, predicate="within")
            found[known[position], place] = True
            position, place = self._leave.query(points, predicate="within")
            still = before[known[position], place]
            found[known[position][still], place[still]] = True
        found[~np.isfinite(latitude)] = before[~np.isfinite(latitude)]
        return found

    def of(self, *kinds: PlaceKind) -> Flags:
        """Which places are of any of these kinds."""
        found = self._of.get(kinds)
        if found is None:
            found = self._of[kinds] = np.array([place.kind in kinds for place in self.places], bool)
        return found
