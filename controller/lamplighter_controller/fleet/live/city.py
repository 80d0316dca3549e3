"""The fleet as it is judged: trucks in rows, places and routes as the register has them."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time
from functools import cached_property
from typing import Any, Final

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from lamplighter_contract.geo.box import Box
from lamplighter_contract.truck.orders import MOST_CLOSED
from lamplighter_controller.fleet.judging import places as judged
from lamplighter_controller.fleet.judging.places import PlaceKind, Places, Plane
from lamplighter_controller.fleet.register.holding import holding
from lamplighter_controller.fleet.register.things import Driver, Permit, Place, Truck, WatchedObject

MIDDLE: Final = Plane(35.0, 110.0)
NO_COMPANY: Final = ""
CLOSED_NEAR_M: Final = 20_000.0  # as far as a truck may come until a limit's command expires


@dataclass(frozen=True, slots=True)
class Row:
    """One truck: by its id in the register, else by that of its terminal."""

    truck: str
    device: str
    company: str = NO_COMPANY
    view_only: bool = False
    registered: bool = True


@dataclass(frozen=True, slots=True)
class Register:
    """The register as the engine reads it, with versions of places and permits."""

    trucks: Mapping[str, Truck] = field(default_factory=dict)
    drivers: Mapping[str, Driver] = field(default_factory=dict)
    places: Mapping[str, Place] = field(default_factory=dict)
    objects: Mapping[str, WatchedObject] = field(default_factory=dict)
    permits: Mapping[str, Permit] = field(default_factory=dict)
    place_versions: Mapping[str, int] = field(default_factory=dict)
    permit_versions: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class City:
    """Rows of the fleet, and what they are judged by."""

    rows: tuple[Row, ...]
    register: Register
    places: Places

    @cached_property
    def row_of_device(self) -> Mapping[str, int]:
        """Row by the id of the terminal."""
        return {row.device: number for number, row in enumerate(self.rows) if row.device}

    @cached_property
    def row_of_truck(self) -> Mapping[str, int]:
        """Row by the truck's id."""
        return {row.truck: number for number, row in enumerate(self.rows)}

    @cached_property
    def permits_of(self) -> Mapping[str, Sequence[Permit]]:
        """Permits by truck."""
        found: dict[str, list[Permit]] = {}
        for permit in self.register.permits.values():
            found.setdefault(permit.truck, []).append(permit)
        return found

    @cached_property
    def no_limit(self) -> Any:
        """Where no limit is tightened, as one shape in metres; empty when there is no such place."""
        shapes = [self.places.plane.flat(one.outline) for one in self.places.places if one.kind is PlaceKind.NO_LIMIT]
        return shapely.union_all(shapes)

    def find(self, name: str) -> Row | None:
        """A truck by its own id or by that of its terminal."""
        number = self.row_of_truck.get(name, self.row_of_device.get(name))
        return None if number is None else self.rows[number]

    def permit_of(self, truck: str, local: datetime, *, suspended: bool) -> Permit | None:
        """The permit that holds for a truck now."""
        return holding(self.permits_of.get(truck, ()), local, suspended=suspended)

    def routes(self, local: datetime, *, suspended: bool) -> list[BaseGeometry | None]:
        """The corridor of each row's permit, None where it has none."""
        permits = [self.permit_of(row.truck, local, suspended=suspended) for row in self.rows]
        return [shapely.from_geojson(one.corridor) if one and one.corridor else None for one in permits]

    def closed_near(self, latitude: float, longitude: float) -> list[list[list[float]]]:
        """Outlines of the nearest places where no limit is tightened, as a command carries them."""
        here = self.places.plane.flat(shapely.Point(longitude, latitude))
        found = [
            (here.distance(self.places.plane.flat(one.outline)), part)
            for one in self.places.places
            if one.kind is PlaceKind.NO_LIMIT
            for part in shapely.get_parts(one.outline)
        ]
        near = sorted((away_m, n) for n, (away_m, _) in enumerate(found) if away_m <= CLOSED_NEAR_M)[:MOST_CLOSED]
        return [_outline(found[n][1]) for _, n in near]

    def forbids_limits(self, latitude: float, longitude: float) -> bool:
        """True in a tunnel, on a bridge, an expressway or a crossing."""
        if self.no_limit.is_empty:
            return False
        east_m, north_m = self.places.plane.metres(np.array([latitude]), np.array([longitude]))
        found: bool = self.no_limit.contains(shapely.Point(float(east_m[0]), float(north_m[0])))
        return found


def _outline(part: Any) -> list[list[float]]:
    """Its corners; one with more than are taken is told a little larger."""
    corners = part.exterior.coords[:-1]
    if len(corners) > MOST_CLOSED:
        corners = part.envelope.exterior.coords[:-1]
    return [[round(north, 6), round(east, 6)] for east, north, *_ in corners]


def city_of(
    register: Register, served: Iterable[str], box: Box | None, forwarded: Collection[str] = frozenset()
) -> City:
    """A city of the register's trucks, and of terminals that gateways serve and no truck has.

    `forwarded` are terminals of another platform: no command reaches them, whatever the register says.
    """
    rows = [
        Row(truck.id, device := truck.device or "", truck.company, truck.view_only or device in forwarded)
        for truck in register.trucks.values()
    ]
    taken = {row.device for row in rows} | {row.truck for row in rows}
    strangers = (device for device in sorted(served) if device not in taken)
    rows += [Row(device, device, view_only=device in forwarded, registered=False) for device in strangers]
    places = [_place(one, register.place_versions.get(one.id, 1)) for one in register.places.values()]
    return City(tuple(rows), register, Places(places, _plane(places, box)))


def _place(one: Place, version: int) -> judged.Place:
    hours = None
    if one.start is not None and one.end is not None:
        hours = judged.Hours(time.fromisoformat(one.start), time.fromisoformat(one.end))
    return judged.Place(
        one.id,
        one.kind,
        shapely.from_geojson(one.outline),
        hours,
        one.limit_kmh,
        one.night_limit_kmh,
        version,
        one.basis,
    )


def _plane(places: Sequence[judged.Place], box: Box | None) -> Plane:
    """Flat around the places, else around the city."""
    if places:
        middle = shapely.GeometryCollection([one.outline for one in places]).centroid
        return Plane(round(middle.y, 2), round(middle.x, 2))
    if box is not None:
        return Plane((box.south + box.north) / 2, (box.west + box.east) / 2)
    return MIDDLE
