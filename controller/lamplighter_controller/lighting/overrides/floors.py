"""The lowest level that each lamp's road allows it, by the plan its gateway was given."""

from collections.abc import Iterable, Mapping

from lamplighter_contract.light.plans.plan import Plan
from lamplighter_contract.light.plans.programs import Program, RoadClass
from lamplighter_contract.light.view import View
from lamplighter_controller.lighting.inventory import Inventory


def floors_of(
    lamps: frozenset[str], plans: Iterable[Plan], programs: Iterable[Program], inventory: Inventory
) -> dict[str, float]:
    """The strictest floor among the programs that a lamp's calendar may choose, for the class of its road.

    Lamps that no plan has an assignment for are held to the strictest floor of their road's class among `programs`.
    """
    found: dict[str, float] = {}
    for plan in plans:
        found |= _planned(View(plan), lamps)
    known = list(programs)
    strictest = {one: max((program.floors.of(one) for program in known), default=0.0) for one in (None, *RoadClass)}
    for lamp in lamps:
        if lamp not in found:
            found[lamp] = strictest[_road_class(lamp, inventory)]
    return found


def _planned(view: View, lamps: frozenset[str]) -> Mapping[str, float]:
    known: dict[tuple[str, RoadClass | None], float] = {}
    found: dict[str, float] = {}
    for lamp in view.members.keys() & lamps:
        its = view.member(lamp).assignment
        if its is None:
            continue
        key = its.calendar, its.road_class
        if key not in known:
            known[key] = max(program.floors.of(its.road_class) for program in view.programs_of(its.calendar))
        found[lamp] = known[key]
    return found


def _road_class(lamp: str, inventory: Inventory) -> RoadClass | None:
    luminaire = inventory.by_device.get(lamp)
    road = inventory.road_of(luminaire) if luminaire else None
    return road.road_class if road else None
