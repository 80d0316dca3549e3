"""What stands in the streets, from the district down to the luminaire. Positions are WGS-84."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from functools import cached_property
from itertools import pairwise
from typing import Annotated, Final

import msgspec

from lamplighter_contract.light.plans.programs import Name, RoadClass
from lamplighter_contract.light.sky.moments import Minutes

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Label = Annotated[str, msgspec.Meta(max_length=120)]
Latitude = Annotated[float, msgspec.Meta(ge=-90, le=90)]
Longitude = Annotated[float, msgspec.Meta(ge=-180, le=180)]
Watts = Annotated[float, msgspec.Meta(gt=0, le=5_000)]
Order = Annotated[int, msgspec.Meta(ge=0, le=10_000)]
Day = Annotated[str, msgspec.Meta(pattern=r"^\d{4}-\d\d-\d\d$")]
Percent = Annotated[float, msgspec.Meta(ge=1, le=100)]
Point = Annotated[str, msgspec.Meta(pattern=r"^\d{1,3}(\.\d+)?:\d{1,4}(\.\d+)?$")]
Aging = Annotated[str, msgspec.Meta(pattern=r"^\d{1,6}:(100|[1-9]?\d)(\.\d+)?$")]


class Phase(StrEnum):
    """The phase a luminaire or a contactor is on; `abc` switches all three."""

    A = "a"
    B = "b"
    C = "c"
    ABC = "abc"


class Source(StrEnum):
    """What makes the light."""

    LED = "led"
    HPS = "hps"
    LPS = "lps"
    METAL_HALIDE = "metal-halide"
    OTHER = "other"


class Structure(StrEnum):
    """What a road is built as; tunnels and junctions are never dark as a whole by one person's word."""

    NONE = "none"
    TUNNEL = "tunnel"
    JUNCTION = "junction"
    BRIDGE = "bridge"


class District(msgspec.Struct, frozen=True):
    """A district of the city."""

    id: Id
    name: Label = ""


class Road(msgspec.Struct, frozen=True):
    """A road with the class its light is planned by; a tunnel or a junction is entered as a road of its own."""

    id: Id
    road_class: RoadClass
    name: Label = ""
    district: Id | None = None
    structure: Structure = Structure.NONE


class Cabinet(msgspec.Struct, frozen=True):
    """A supply point: its electricity account and tariff, and where it stands."""

    id: Id
    name: Label = ""
    account: Label = ""
    tariff: Label = ""
    component_code: Label = ""
    grid_cell: Label = ""
    latitude: Latitude | None = None
    longitude: Longitude | None = None


class Circuit(msgspec.Struct, frozen=True):
    """A contactor; its id is its device's. Without a calendar it is closed while its lamps are to be lit."""

    id: Id
    cabinet: Id
    phase: Phase = Phase.ABC
    calendar: Name | None = None
    lead_min: Minutes = 15.0
    lag_min: Minutes = 15.0


class Model(msgspec.Struct, frozen=True):
    """A luminaire model; `curve` has points `level percent:watts`, straight lines between them.

    `clo` (constant light output): points `hours of burning:percent of full power` as its maker gives them; none: full
    power all its life. `virtual_percent`: what of full power the lighting design needs of it.
    """

    id: Id
    rated_w: Watts
    source: Source = Source.LED
    curve: Annotated[tuple[Point, ...], msgspec.Meta(max_length=32)] = ()
    clo: Annotated[tuple[Aging, ...], msgspec.Meta(max_length=32)] = ()
    virtual_percent: Percent = 100.0


class Luminaire(msgspec.Struct, frozen=True):
    """A luminaire; `device` is its controller, none when only its circuit is switched."""

    id: Id
    latitude: Latitude
    longitude: Longitude
    device: Id | None = None
    road: Id | None = None
    cabinet: Id | None = None
    circuit: Id | None = None
    phase: Phase | None = None
    feeder: Label = ""
    pole: Label = ""
    pole_order: Order | None = None
    model: Id | None = None
    component_code: Label = ""
    grid_cell: Label = ""
    in_service: Day | None = None


class Group(msgspec.Struct, frozen=True):
    """Luminaires under one name: those listed, and those that meet every condition given."""

    id: Id
    name: Label = ""
    luminaires: Annotated[tuple[Id, ...], msgspec.Meta(max_length=10_000)] = ()
    road_classes: tuple[RoadClass, ...] = ()
    districts: tuple[Id, ...] = ()
    roads: tuple[Id, ...] = ()


Thing = District | Road | Cabinet | Circuit | Model | Luminaire | Group
KINDS: Final[Mapping[str, type[Thing]]] = {
    "districts": District,
    "roads": Road,
    "cabinets": Cabinet,
    "circuits": Circuit,
    "luminaire-models": Model,
    "luminaires": Luminaire,
    "groups": Group,
}
REFERENCES: Final[Mapping[type[Thing], Mapping[str, str]]] = {
    District: {},
    Road: {"district": "districts"},
    Cabinet: {},
    Circuit: {"cabinet": "cabinets"},
    Model: {},
    Luminaire: {"road": "roads", "cabinet": "cabinets", "circuit": "circuits", "model": "luminaire-models"},
    Group: {"luminaires": "luminaires", "districts": "districts", "roads": "roads"},
}
PLACED: Final = frozenset({"cabinets", "luminaires"})


@dataclass(frozen=True, slots=True)
class Burned:
    """Hours known of a lamp: all of its life by its own counter or since a part was replaced, else since `since_ms`."""

    hours: float
    since_ms: int
    whole_life: bool


@dataclass(frozen=True)
class Inventory:
    """All of it, as plans are made from it; `burned` by device."""

    roads: Mapping[str, Road] = field(default_factory=dict)
    circuits: Mapping[str, Circuit] = field(default_factory=dict)
    models: Mapping[str, Model] = field(default_factory=dict)
    groups: Mapping[str, Group] = field(default_factory=dict)
    luminaires: Mapping[str, Luminaire] = field(default_factory=dict)
    burned: Mapping[str, Burned] = field(default_factory=dict)

    def road_of(self, luminaire: Luminaire) -> Road | None:
        """The road it stands on, if that is known."""
        return self.roads.get(luminaire.road or "")

    @cached_property
    def by_device(self) -> Mapping[str, Luminaire]:
        """Luminaires by the device that controls them; made once."""
        return {one.device: one for one in self.luminaires.values() if one.device is not None}


def in_group(group: Group, luminaire: Luminaire, road: Road | None) -> bool:
    """True when it is listed, or when there are conditions and it meets them all."""
    if luminaire.id in group.luminaires:
        return True
    conditions = (
        (group.road_classes, road and road.road_class),
        (group.districts, road and road.district),
        (group.roads, luminaire.road),
    )
    given = [(wanted, found) for wanted, found in conditions if wanted]
    return bool(given) and all(found in wanted for wanted, found in given)


def power_w(model: Model, level_percent: float) -> float:
    """What a luminaire of that model draws at a level; without a curve, in proportion to it."""
    points = sorted((float(level), float(watts)) for level, _, watts in (one.partition(":") for one in model.curve))
    if not points:
        return model.rated_w * level_percent / 100
    if points[0][0] > 0:
        points.insert(0, (0.0, 0.0))
    for (from_level, from_w), (to_level, to_w) in pairwise(points):
        if level_percent < to_level:
            return from_w + (to_w - from_w) * (level_percent - from_level) / (to_level - from_level)
    return points[-1][1]
