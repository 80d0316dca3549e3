"""What plans are made of: programs, calendars, and who is lit by which calendar."""

from collections.abc import Iterator, Mapping
from typing import Annotated, Final

import msgspec

from lamplighter_contract.light.adaptive import Devices
from lamplighter_contract.light.plans import presets
from lamplighter_contract.light.plans.calendars import Calendar
from lamplighter_contract.light.plans.programs import Name, Program
from lamplighter_controller.lighting.inventory import Id

Ids = Annotated[tuple[Id, ...], msgspec.Meta(max_length=10_000)]


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


Item = Program | Calendar | Assignment
SHELVES: Final[Mapping[str, type[Item]]] = {
    "programs": Program,
    "calendars": Calendar,
    "assignments": Assignment,
}

PRESETS: Final = Library(
    presets.PROGRAMS, presets.CALENDARS, (Assignment("whole-city", presets.SEASONS.id, city=True),)
)


def items(library: Library) -> Iterator[tuple[str, Item]]:
    """Every item with the name of its shelf."""
    for shelf in SHELVES:
        yield from ((shelf, item) for item in getattr(library, shelf))
