"""Companies, trucks, places and permits of the sample city, from a seed; equal orders make equal fleets. Pure."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import numpy as np

from lamplighter_firmware_sim.city.inventory import Position
from lamplighter_firmware_sim.city.roads import position
from lamplighter_firmware_sim.scenario.model import Name, Place
from lamplighter_firmware_sim.trucks.roads import Point, Roads, nearest, place_of

ASIDE_M: Final = 130.0  # from a crossing to the middle of a place beside it
_FAMILIES: Final = (
    ("远程土石方", "Farway Earthworks"),
    ("恒力渣土运输", "Hengli Muck Haulage"),
    ("清泉市政运输", "Clearspring Municipal Haulage"),
    ("东岭机械化施工", "Eastridge Plant"),
    ("安达环保运输", "Anda Green Haulage"),
    ("金石建设", "Goldstone Construction"),
    ("通衢物流", "Thoroughfare Logistics"),
    ("众诚渣土", "Zhongcheng Muck"),
    ("绿野清运", "Greenfield Clearance"),
    ("长河运输", "Longriver Transport"),
)
_SITES: Final = (
    ("云杉广场", "Spruce Plaza"),
    ("望湖新居", "Lakeview Homes"),
    ("三号线柳荫站", "Line 3 Willow Station"),
)
_GROUNDS: Final = (("东山消纳场", "East Hill disposal ground"), ("北洼消纳场", "North Hollow disposal ground"))


class PlaceKind(StrEnum):
    """What a place is to trucks."""

    SITE = "site"
    GROUND = "ground"
    WASH = "wash"
    PARKING = "parking"
    NO_GO = "no_go"
    SPEED = "speed"


class Tracker(StrEnum):
    """What a truck's terminal is, by the profile that reads it."""

    MUCK_2013 = "zt-8f 2013"
    MUCK_2019 = "zt-8f 2019"
    STANDARD = "jt808-std 2013"
    MQTT = "truck-mqtt"
    RELAY = "truck-relay"

    @property
    def profile(self) -> str:
        """The gateway's device profile."""
        return self.value.split(" ", maxsplit=1)[0]

    @property
    def limits(self) -> bool:
        """Whether it can limit at all."""
        return self not in (Tracker.STANDARD, Tracker.RELAY)


@dataclass(frozen=True, slots=True)
class Company:
    """A haulage company."""

    id: str
    name: Name


@dataclass(frozen=True, slots=True)
class Spot:
    """A square place; `point` is its middle. `limit_kmh` holds in a speed zone."""

    id: str
    kind: PlaceKind
    name: Name
    point: Point
    side_m: float
    limit_kmh: float | None = None

    def holds(self, point: Point) -> bool:
        """Whether a point lies in it."""
        return max(abs(a - b) for a, b in zip(point, self.point, strict=True)) <= self.side_m / 2


@dataclass(frozen=True, slots=True)
class Truck:
    """One truck with its work: it carries from `site` to `ground`, by a permit; `parking` is where it rests."""

    id: str
    plate: str
    company: str
    phone: str
    tracker: Tracker
    capacity_m3: float
    site: str
    ground: str
    parking: str


@dataclass(frozen=True, slots=True)
class Fleet:
    """All of it. Lists are in id order."""

    place: Place
    seed: int
    companies: tuple[Company, ...]
    trucks: tuple[Truck, ...]
    spots: tuple[Spot, ...]

    def spot(self, name: str) -> Spot:
        """A place by its id."""
        return next(spot for spot in self.spots if spot.id == name)

    def of(self, kind: PlaceKind) -> tuple[Spot, ...]:
        """Places of a kind."""
        return tuple(spot for spot in self.spots if spot.kind is kind)

    def where(self, point: Point) -> Position:
        """A point in degrees."""
        return position(self.place, point)

    def roads(self) -> Roads:
        """The road graph; honest drivers go round what is closed to them."""
        return Roads(frozenset(nearest(spot.point) for spot in self.of(PlaceKind.NO_GO)))


def build_fleet(place: Place, seed: int, trucks: int = 124, companies: int = 8) -> Fleet:
    """A fleet of so many trucks."""
    rng = np.random.default_rng((seed, trucks, companies))
    names = [_FAMILIES[n % len(_FAMILIES)] for n in range(companies)]
    firms = tuple(Company(f"company-{n + 1:02}", Name(*name)) for n, name in enumerate(names))
    spots = _spots()
    sites = [spot.id for spot in spots if spot.kind is PlaceKind.SITE]
    grounds = [spot.id for spot in spots if spot.kind is PlaceKind.GROUND]
    yards = [spot.id for spot in spots if spot.kind is PlaceKind.PARKING]
    fleet = []
    for number in range(trucks):
        company = number * companies // trucks
        fleet.append(
            Truck(
                id=f"truck-{number + 1:03}",
                plate=f"鲁A{10_000 + number * 37 % 90_000:05}",
                company=firms[company].id,
                phone=f"1396400{number + 1:04}",
                tracker=_tracker(number),
                capacity_m3=float(rng.choice([8.0, 10.0, 12.0])),
                site=sites[int(rng.integers(len(sites)))],
                ground=grounds[int(rng.integers(len(grounds)))],
                parking=yards[company % len(yards)],
            )
        )
    return Fleet(place, seed, firms, tuple(fleet), spots)


def _tracker(number: int) -> Tracker:
    """Of ten trucks five have an old muck terminal, two a new one, two MQTT, one knows the standard alone.

    Every twentieth is forwarded by its vendor's platform.
    """
    if number % 20 == 19:
        return Tracker.RELAY
    return (*(Tracker.MUCK_2013,) * 5, *(Tracker.MUCK_2019,) * 2, *(Tracker.MQTT,) * 2, Tracker.STANDARD)[number % 10]


def _spots() -> tuple[Spot, ...]:
    crossings = {
        PlaceKind.SITE: ((-2, 1), (3, -2), (0, 5), (-5, -4), (5, 5), (-1, -6)),
        PlaceKind.GROUND: ((11, 2), (-3, 11), (-11, -8)),
        PlaceKind.WASH: ((10, 1), (-4, 10)),
        PlaceKind.PARKING: ((-8, 3), (8, -7), (2, 9), (-6, -10)),
    }
    found = [_beside(kind, n, node) for kind, nodes in crossings.items() for n, node in enumerate(nodes)]
    old_town = Spot("no-go-1", PlaceKind.NO_GO, Name("老城区", "Old town"), place_of((1, 1)), 500.0)
    school = Spot(
        "speed-1", PlaceKind.SPEED, Name("书院街学校", "Academy Street School"), place_of((4, 1)), 700.0, 30.0
    )
    return (*found, old_town, school)


def _beside(kind: PlaceKind, number: int, node: tuple[int, int]) -> Spot:
    east, north = place_of(node)
    words = {
        PlaceKind.SITE: (*_SITES[number % len(_SITES)], ""),
        PlaceKind.GROUND: (*_GROUNDS[number % len(_GROUNDS)], ""),
        PlaceKind.WASH: ("洗车点", "Wash", ""),
        PlaceKind.PARKING: ("停车场", "Yard", ""),
    }[kind]
    name = Name(f"{words[0]}{number + 1}号", f"{words[1]} {number + 1}")
    side_m = 240.0 if kind is PlaceKind.GROUND else 180.0
    return Spot(f"{kind}-{number + 1}", kind, name, (east + ASIDE_M, north + ASIDE_M), side_m)
