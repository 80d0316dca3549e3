"""Adaptive rules and the signals they listen to, as the library has them."""

from collections.abc import Sequence
from typing import Annotated, Any, Final

import msgspec

from lamplighter_contract.light import adaptive as contract
from lamplighter_contract.light.plans.programs import Name
from lamplighter_controller.lighting.inventory import Inventory
from lamplighter_controller.lighting.whom import Ids, Whom, reached

WINDOW_S: Final = 900  # counts are judged by the quarter of an hour
FEWEST_SENSORS: Final = 3

Sensor = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Valid = Annotated[float, msgspec.Meta(ge=60, le=12 * 3600)]


class Daylight(contract.Daylight, frozen=True, tag_field="by", tag="lux", omit_defaults=True):
    """Light when daylight fails; `groups` are those of the inventory."""

    roads: Ids = ()
    districts: Ids = ()
    city: bool = False


class Fog(contract.Fog, frozen=True, tag_field="by", tag="fog", omit_defaults=True):
    """No dimming in fog; `groups` are those of the inventory."""

    roads: Ids = ()
    districts: Ids = ()
    city: bool = False


class Traffic(contract.Traffic, frozen=True, tag_field="by", tag="traffic", omit_defaults=True):
    """Levels by traffic; `groups` are those of the inventory."""

    roads: Ids = ()
    districts: Ids = ()
    city: bool = False


Rule = Daylight | Fog | Traffic
_BEFORE: Final[Sequence[tuple[type[Rule], type[Any]]]] = (
    (Fog, contract.Fog),
    (Daylight, contract.Daylight),
    (Traffic, contract.Traffic),
)


class Lux(msgspec.Struct, frozen=True, tag_field="of", tag="lux", omit_defaults=True):
    """The median of sensors; a value counts for `valid_s`. A sensor that is a device with `lux` is read by itself."""

    id: Name
    sensors: Annotated[tuple[Sensor, ...], msgspec.Meta(min_length=FEWEST_SENSORS, max_length=64)]
    valid_s: Valid = 900.0


class Class(msgspec.Struct, frozen=True):
    """A class of traffic from so many vehicles in a quarter of an hour on."""

    name: Name
    at_least: Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]


class Count(msgspec.Struct, frozen=True, tag_field="of", tag="traffic", omit_defaults=True):
    """Vehicles of all counters together; classes from the calmest, which begins at 0, to the busiest."""

    id: Name
    counters: Annotated[tuple[Sensor, ...], msgspec.Meta(min_length=1, max_length=64)]
    classes: Annotated[tuple[Class, ...], msgspec.Meta(min_length=2, max_length=16)]
    valid_s: Valid = 1800.0

    def __post_init__(self) -> None:
        """Refuse classes that leave a count without one."""
        numbers = [one.at_least for one in self.classes]
        if numbers[0] != 0 or numbers != sorted(set(numbers)):
            raise ValueError(f"signal {self.id}: classes rise from at_least 0, each above the one before")


class Weather(msgspec.Struct, frozen=True, tag_field="of", tag="fog", omit_defaults=True):
    """A flag that somebody or a weather service sets, and which ends by itself."""

    id: Name
    valid_s: Valid = 7200.0


Source = Lux | Count | Weather


def whom(rule: Rule) -> Whom:
    """Whom a rule is for."""
    return Whom(devices=rule.devices, groups=rule.groups, roads=rule.roads, districts=rule.districts, city=rule.city)


def planned(rules: Sequence[Rule], inventory: Inventory, lamps: Sequence[str]) -> tuple[contract.Adaptive, ...]:
    """Rules for the lamps of one gateway: fog speaks before daylight, daylight before traffic."""
    found: list[contract.Adaptive] = []
    for kind, plain in _BEFORE:
        for rule in rules:
            devices = reached(whom(rule), inventory, lamps) if isinstance(rule, kind) else ()
            if devices:
                values = {name: getattr(rule, name) for name in plain.__struct_fields__}
                found.append(plain(**values | {"groups": (), "devices": devices}))
    return tuple(found)
