"""What stands in the register of the fleet, as people import it; positions are WGS-84 by then."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from lamplighter_controller.fleet.judging.places import PlaceKind

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9_.-]{0,63}$")]
Number = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z0-9][A-Za-z0-9_.:-]{0,63}$")]
Moment = Annotated[datetime, msgspec.Meta(tz=True)]
Label = Annotated[str, msgspec.Meta(max_length=200)]
Text = Annotated[str, msgspec.Meta(max_length=1_000)]
Shape = Annotated[str, msgspec.Meta(max_length=400_000)]
Hour = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Speed = Annotated[float, msgspec.Meta(ge=5, le=150)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Volume = Annotated[float, msgspec.Meta(gt=0, le=1e9)]


def within(clock: str, start: str | None, end: str | None) -> bool | None:
    """Whether a time of day lies within hours, over midnight when the end comes first; None = there are none."""
    if start is None or end is None:
        return None
    return start <= clock < end if start <= end else clock >= start or clock < end


class Weekday(StrEnum):
    """A day on which a permit holds."""

    MON = "mon"
    TUE = "tue"
    WED = "wed"
    THU = "thu"
    FRI = "fri"
    SAT = "sat"
    SUN = "sun"


class ObjectKind(StrEnum):
    """A watched object is where muck comes from or where it goes."""

    SITE = "site"
    GROUND = "ground"


class PermitKind(StrEnum):
    """Of what is allowed: dumping from a site (disposal) or driving on the road (transport)."""

    DISPOSAL = "disposal"
    TRANSPORT = "transport"


class Company(msgspec.Struct, frozen=True):
    """A haulier."""

    id: Id
    name: Label
    contact: Label = ""
    phone: Label = ""


class Driver(msgspec.Struct, frozen=True):
    """Somebody who drives for a company."""

    id: Id
    name: Label
    company: Id
    licence: Label = ""
    licence_until: Day | None = None
    phone: Label = ""


class Truck(msgspec.Struct, frozen=True):
    """A truck; `device` is its terminal's. `view_only`: another platform forwards it, it cannot be commanded."""

    id: Id
    plate: Label
    company: Id
    device: Id | None = None
    profile: Label = ""
    capacity_m3: Volume | None = None
    driver: Id | None = None
    view_only: bool = False
    installation: Text = ""
    calibration: Text = ""


class Place(msgspec.Struct, frozen=True):
    """A polygon of the city and what it is to a truck; `outline` is GeoJSON, `crs` the system it came in.

    `start` and `end` are the hours in which a night zone is closed. `basis`: the decree that it stands on.
    """

    id: Id
    kind: PlaceKind
    outline: Shape
    name: Label = ""
    start: Hour | None = None
    end: Hour | None = None
    limit_kmh: Speed | None = None
    night_limit_kmh: Speed | None = None
    basis: Text = ""
    crs: Label = ""


class WatchedObject(msgspec.Struct, frozen=True):
    """A construction site or a disposal ground: its place, gate, wash, hours, what it takes, sensors at it."""

    id: Id
    kind: ObjectKind
    name: Label
    place: Id | None = None
    wash: Id | None = None
    start: Hour | None = None
    end: Hour | None = None
    intake_m3: Volume | None = None
    sensors: tuple[Id, ...] = ()
    gate_latitude: Latitude | None = None
    gate_longitude: Longitude | None = None

    def is_open(self, clock: str) -> bool | None:
        """Whether its hours hold at a time of day, HH:MM; None = it has none."""
        return within(clock, self.start, self.end)


class Permit(msgspec.Struct, frozen=True):
    """Which truck may carry from where to where, on which days and hours, until when; `corridor` is a GeoJSON line."""

    id: Id
    truck: Id
    site: Id
    ground: Id
    issued: Day
    expires: Day
    kind: PermitKind = PermitKind.TRANSPORT
    corridor: Shape = ""
    days: tuple[Weekday, ...] = ()
    start: Hour | None = None
    end: Hour | None = None
    suspended: bool = False
    crs: Label = ""


class DeclaredWaybill(msgspec.Struct, frozen=True):
    """A waybill as a person or another system declares it; times ISO 8601 with their offset. It has no versions."""

    id: Number
    truck: Id
    site: Id
    ground: Id
    loaded: Moment
    unloaded: Moment | None = None
    number: Label = ""
    permit: Id | None = None
    driver: Id | None = None
    volume_m3: Volume | None = None


Thing = Company | Driver | Truck | Place | WatchedObject | Permit | DeclaredWaybill

SHELVES: Final[Mapping[str, type[Thing]]] = {
    "companies": Company,
    "drivers": Driver,
    "trucks": Truck,
    "places": Place,
    "objects": WatchedObject,
    "permits": Permit,
}
REFERENCES: Final[Mapping[type[Thing], Mapping[str, str]]] = {
    Company: {},
    Driver: {"company": "companies"},
    Truck: {"company": "companies", "driver": "drivers"},
    Place: {},
    WatchedObject: {"place": "places", "wash": "places"},
    Permit: {"truck": "trucks", "site": "objects", "ground": "objects"},
    DeclaredWaybill: {
        "truck": "trucks",
        "site": "objects",
        "ground": "objects",
        "permit": "permits",
        "driver": "drivers",
    },
}
ONCE: Final[Mapping[type[Thing], tuple[str, ...]]] = {Truck: ("plate", "device")}
SHAPES: Final[Mapping[type[Thing], str]] = {Place: "outline", Permit: "corridor"}
FORMS: Final[Mapping[type[Thing], tuple[str, ...]]] = {Place: ("Polygon", "MultiPolygon"), Permit: ("LineString",)}


@dataclass(frozen=True, slots=True)
class Known:
    """What new things may name: ids of each shelf; and who holds what only one may hold, by name and value."""

    ids: Mapping[str, frozenset[str]]
    holders: Mapping[tuple[str, str], str]
