"""What plans are made of: programs, calendars, and who is lit by which calendar."""

from collections.abc import Iterator, Mapping
from typing import Any, Final, Union, get_args

import msgspec

from lamplighter_contract.light.adaptive import Devices
from lamplighter_contract.light.plans import presets
from lamplighter_contract.light.plans.calendars import Calendar
from lamplighter_contract.light.plans.programs import Name, Program
from lamplighter_contract.light.sky.almanac import Almanac
from lamplighter_controller.lighting.adaptive.rules import Rule, Source
from lamplighter_controller.lighting.inventory import Id
from lamplighter_controller.lighting.scenes.scene import Scene
from lamplighter_controller.lighting.whom import Ids


class Assignment(msgspec.Struct, frozen=True, omit_defaults=True):
    """A calendar for whom it names. One for a device goes before groups, then roads, districts, the whole city."""

    id: Id
    calendar: Name
    devices: Devices = ()
    groups: Ids = ()
    roads: Ids = ()
    districts: Ids = ()
    city: bool = False


class Library(msgspec.Struct, frozen=True):
    """Everything a plan is made from; a plan keeps its own copy."""

    programs: tuple[Program, ...] = ()
    calendars: tuple[Calendar, ...] = ()
    assignments: tuple[Assignment, ...] = ()
    adaptive: tuple[Rule, ...] = ()
    almanacs: tuple[Almanac, ...] = ()


Item = Program | Calendar | Assignment | Rule | Almanac | Source | Scene
SHELVES: Final[Mapping[str, tuple[type[Item], ...]]] = {
    "programs": (Program,),
    "calendars": (Calendar,),
    "assignments": (Assignment,),
    "adaptive": get_args(Rule),
    "almanacs": (Almanac,),
    "signals": get_args(Source),  # what rules listen to, and scenes: both stand beside the plans
    "scenes": (Scene,),
}

PRESETS: Final = Library(
    presets.PROGRAMS, presets.CALENDARS, (Assignment("whole-city", presets.SEASONS.id, city=True),)
)


def kind_of(shelf: str) -> Any:
    """What an item of a shelf is decoded as."""
    return Union[SHELVES[shelf]]  # noqa: UP007 - made from a tuple, which the bar cannot


def items(library: Library) -> Iterator[tuple[str, Item]]:
    """Every item with the name of its shelf."""
    for shelf in library.__struct_fields__:
        yield from ((shelf, item) for item in getattr(library, shelf))
