"""From a library and the inventory to one gateway's plan."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import msgspec

from lamplighter_contract.light.city.levels import prepare_nights
from lamplighter_contract.light.plans.nightly import DARK_DEG, DAYLIGHT_DEG
from lamplighter_contract.light.plans.plan import Assignment as Planned
from lamplighter_contract.light.plans.plan import Circuit as PlannedCircuit
from lamplighter_contract.light.plans.plan import Group, Plan, broken
from lamplighter_contract.light.plans.problems import Problem, Severity
from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_contract.light.plans.validation import A_YEAR, validate, validated
from lamplighter_contract.light.sky.almanac import strays
from lamplighter_contract.light.sky.nights import Place
from lamplighter_contract.light.view import View
from lamplighter_controller.lighting import outputs, whom
from lamplighter_controller.lighting.adaptive import rules
from lamplighter_controller.lighting.inventory import Inventory, Luminaire, in_group
from lamplighter_controller.lighting.library import Assignment, Library

UNASSIGNED: Final = "unassigned"
DEGREES_DECIMALS: Final = 4  # 11 m: a second of dusk is 400 m
NEAR_DECIMALS: Final = 1  # validity of a night does not change within 11 km
YEARS_AT_ONCE: Final = 50  # plans whose nights are in memory together

_OF_A_GATEWAY: Final = frozenset({"plan", "assignments"})

_Schedule = tuple[str, RoadClass | None]


@dataclass(frozen=True, slots=True)
class Site:
    """A gateway as a plan is made for it: its lamps and contactors, and where they stand (None: nobody knows)."""

    gateway: str
    lamps: tuple[str, ...]
    contactors: frozenset[str] = frozenset()
    latitude: float | None = None
    longitude: float | None = None


def middle(positions: Sequence[tuple[float, float]]) -> tuple[float | None, float | None]:
    """The mean of positions, None when there are none; a gateway's lamps stand near each other."""
    if not positions:
        return None, None
    latitudes, longitudes = zip(*positions, strict=True)
    return (
        round(sum(latitudes) / len(latitudes), DEGREES_DECIMALS),
        round(sum(longitudes) / len(longitudes), DEGREES_DECIMALS),
    )


def compiled(library: Library, inventory: Inventory, site: Site, zone: str, version: int) -> Plan | Problem:
    """The plan of one gateway, or why there is none; lamps that nobody assigned stand in a group of their own."""
    if site.latitude is None or site.longitude is None:
        what = "no position of any of its lamps is known, so there is no dusk; import luminaires with positions"
        return Problem(Severity.ERROR, f"gateway {site.gateway}", what)
    chosen = _Choice(library.assignments, inventory)
    by_schedule: dict[_Schedule | None, list[str]] = {}
    for lamp in site.lamps:
        by_schedule.setdefault(chosen.schedule(lamp), []).append(lamp)
    groups, assignments = [], []
    for number, (schedule, lamps) in enumerate(by_schedule.items(), start=1):
        name = UNASSIGNED if schedule is None else f"lamps-{number}"
        groups.append(Group(name, tuple(lamps)))
        if schedule is not None:
            assignments.append(Planned(*schedule, groups=(name,)))
    return Plan(
        gateway=site.gateway,
        version=version,
        as_of_seq=0,  # manual levels live on; what is in force is put in when it is given
        zone=zone,
        latitude=site.latitude,
        longitude=site.longitude,
        programs=library.programs,
        calendars=library.calendars,
        circuits=_circuits(inventory, chosen.luminaires, site),
        groups=tuple(groups),
        adaptive=rules.planned(library.adaptive, inventory, site.lamps),
        assignments=tuple(assignments),
        outputs=outputs.planned(inventory, site.lamps),
    )


def problems_of(plans: Iterable[Plan], first_day: date) -> tuple[Problem, ...]:
    """All that is wrong with plans. A year of nights is looked at once for gateways that stand near each other."""
    found: dict[Problem, None] = {}
    first: dict[object, Plan] = {}
    for plan in plans:
        schedules = frozenset((one.calendar, one.road_class) for one in plan.assignments)
        circuits = frozenset((one.calendar, bool(one.lamps)) for one in plan.circuits)
        near = (round(plan.latitude, NEAR_DECIMALS), round(plan.longitude, NEAR_DECIMALS))
        known = first.setdefault((schedules, circuits, near), plan) is not plan
        problems = validate(plan, first_day, 1) if known or next(broken(plan), None) else ()
        found.update(dict.fromkeys(_named(problem, plan.gateway) for problem in problems))
    for plan, problem in _over_a_year(list(first.values()), first_day):
        found[_named(problem, plan.gateway)] = None
    return tuple(found)


def _over_a_year(plans: Sequence[Plan], first_day: date) -> Iterator[tuple[Plan, Problem]]:
    """Problems of every night of a year; the sun is computed for some plans together, at one place for near ones."""
    days = [first_day + timedelta(days=number) for number in range(A_YEAR)]
    whole = [plan for plan in plans if next(broken(plan), None) is None]
    whole.sort(key=lambda plan: (round(plan.latitude, NEAR_DECIMALS), round(plan.longitude, NEAR_DECIMALS)))
    for start in range(0, len(whole), YEARS_AT_ONCE):
        some = whole[start : start + YEARS_AT_ONCE]
        views = [View(_at_middle(plan)) for plan in some]
        prepare_nights(views, days, (DARK_DEG, DAYLIGHT_DEG))
        for plan, view in zip(some, views, strict=True):
            yield from ((plan, problem) for problem in validated(view, first_day))


def _at_middle(plan: Plan) -> Plan:
    """A plan moved to the middle of all places that are near each other."""
    latitude, longitude = round(plan.latitude, NEAR_DECIMALS), round(plan.longitude, NEAR_DECIMALS)
    return msgspec.structs.replace(plan, latitude=latitude, longitude=longitude)


def astray(library: Library, plans: Iterable[Plan], year: int) -> tuple[Problem, ...]:
    """Gateways whose sun is not that of the local table, if the library has one: their position or zone is wrong."""
    found: dict[tuple[float, float], tuple[Problem, ...]] = {}
    for plan in plans:
        near = (round(plan.latitude, NEAR_DECIMALS), round(plan.longitude, NEAR_DECIMALS))
        if near not in found:
            place = Place(plan.latitude, plan.longitude, ZoneInfo(plan.zone))
            found[near] = tuple(
                Problem(Severity.ERROR, f"{plan.gateway}, almanac {almanac.id}", str(one), one.day)
                for almanac in library.almanacs
                for one in strays(almanac, place, year)
            )
    return tuple(problem for some in found.values() for problem in some)


def _named(problem: Problem, gateway: str) -> Problem:
    """What concerns one gateway's plan names it; what concerns a program or calendar is told once."""
    return replace(problem, where=f"{gateway}, {problem.where}") if problem.where in _OF_A_GATEWAY else problem


def dangling(library: Library, inventory: Inventory, devices: frozenset[str]) -> tuple[Problem, ...]:
    """Assignments and adaptive rules that name what the inventory does not know."""
    named = [(f"assignment {one.id}", _whom(one)) for one in library.assignments]
    named += [(f"adaptive rule {rule.id}", rules.whom(rule)) for rule in library.adaptive]
    return tuple(problem for where, them in named for problem in whom.dangling(them, where, inventory, devices))


def _whom(one: Assignment) -> whom.Whom:
    return whom.Whom(devices=one.devices, groups=one.groups, roads=one.roads, districts=one.districts, city=one.city)


class _Choice:
    """Who is lit by which calendar; the first assignment counts among equals."""

    def __init__(self, assignments: Sequence[Assignment], inventory: Inventory) -> None:
        self.luminaires: Mapping[str, Luminaire] = inventory.by_device
        self._inventory = inventory
        self._city = next((one for one in assignments if one.city), None)
        self._by_device = _first((name, one) for one in assignments for name in one.devices)
        self._by_group = [
            (inventory.groups[name], one) for one in assignments for name in one.groups if name in inventory.groups
        ]
        self._by_road = _first((name, one) for one in assignments for name in one.roads)
        self._by_district = _first((name, one) for one in assignments for name in one.districts)

    def schedule(self, device: str) -> _Schedule | None:
        luminaire = self.luminaires.get(device)
        road = self._inventory.road_of(luminaire) if luminaire else None
        found = self._by_device.get(device)
        if found is None and luminaire is not None:
            found = next((one for group, one in self._by_group if in_group(group, luminaire, road)), None)
        if found is None and road is not None:
            found = self._by_road.get(road.id) or self._by_district.get(road.district or "")
        found = found or self._city
        return None if found is None else (found.calendar, road.road_class if road else None)


def _first(pairs: Iterable[tuple[str, Assignment]]) -> dict[str, Assignment]:
    found: dict[str, Assignment] = {}
    for name, assignment in pairs:
        found.setdefault(name, assignment)
    return found


def _circuits(inventory: Inventory, luminaires: Mapping[str, Luminaire], site: Site) -> tuple[PlannedCircuit, ...]:
    """The contactors that stand in the inventory; what is not in it is left as it is."""
    lamps: dict[str, list[str]] = {}
    for lamp in site.lamps:
        circuit = luminaires[lamp].circuit if lamp in luminaires else None
        if circuit is not None:
            lamps.setdefault(circuit, []).append(lamp)
    return tuple(
        PlannedCircuit(one.id, one.calendar, one.lead_min, one.lag_min, tuple(lamps.get(one.id, ())))
        for one in (inventory.circuits[name] for name in sorted(site.contactors & inventory.circuits.keys()))
    )
