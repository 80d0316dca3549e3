"""How much of the city overrides make dark, and whether that needs a second person (fail-safe rule L-4)."""

from collections.abc import Iterable, Mapping
from typing import Final

from lamplighter_contract.level import Override, rank
from lamplighter_contract.light.plans.programs import Program, RoadClass
from lamplighter_controller.lighting.inventory import Inventory

DARK_SHARE_PERCENT: Final = 5.0

Floors = Mapping[RoadClass | None, float]


def floors_of(programs: Iterable[Program]) -> Floors:
    """The strictest floor of each class of road among programs; being off is under every floor."""
    known = list(programs)
    return {one: max((program.floors.of(one) for program in known), default=0.0) for one in (None, *RoadClass)}


def is_dark(level_percent: float, road_class: RoadClass | None, floors: Floors) -> bool:
    """True for a lamp that is off, or under the floor of its road."""
    return level_percent == 0 or level_percent < floors.get(road_class, 0.0)


def dark(levels: Mapping[str, float], inventory: Inventory, floors: Floors) -> frozenset[str]:
    """The lamps among these that are dark at those levels."""
    found = set()
    for device, level_percent in levels.items():
        luminaire = inventory.by_device.get(device)
        road = inventory.road_of(luminaire) if luminaire else None
        if is_dark(level_percent, road.road_class if road else None, floors):
            found.add(device)
    return frozenset(found)


def levels_of(records: Iterable[Override]) -> dict[str, float]:
    """What overrides make of each lamp: the newest counts, an emergency before all others."""
    found: dict[str, Override] = {}
    for record in records:
        if record.device not in found or rank(record) > rank(found[record.device]):
            found[record.device] = record
    return {device: record.level_percent for device, record in found.items()}


def grave(now: frozenset[str], asked: frozenset[str], all_lamps: int) -> tuple[str, ...]:
    """Why a second person has to approve, empty when nobody has to: a single lamp may always be put out by one."""
    total = len(now | asked)
    if not asked or total <= max(1, all_lamps * DARK_SHARE_PERCENT / 100):
        return ()
    share = f"{total} of {all_lamps} lamps ({total / all_lamps * 100:.1f} %)"
    return (f"{share} would be off or under their road's floor by override, more than {DARK_SHARE_PERCENT:g} %",)
