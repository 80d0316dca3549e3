"""Checks a plan before it is published: everything wrong is listed, with the rule and the date it shows at."""

from collections.abc import Iterable, Iterator
from datetime import date
from typing import Final

from lamplighter_contract.light.adaptive import Adaptive, Traffic
from lamplighter_contract.light.level import FULL_PERCENT
from lamplighter_contract.light.overrides import devices_of, members_of
from lamplighter_contract.light.plans.calendars import Calendar
from lamplighter_contract.light.plans.nightly import night_problems
from lamplighter_contract.light.plans.plan import Plan, broken, encode_plan
from lamplighter_contract.light.plans.problems import Problem, Severity
from lamplighter_contract.light.plans.programs import Levels, Program, RoadClass
from lamplighter_contract.light.sky.moments import Moment
from lamplighter_contract.light.view import View
from lamplighter_contract.wire.limits import MAX_DOCUMENT_BYTES

A_YEAR: Final = 366


def validate(plan: Plan, first_day: date, days: int = A_YEAR) -> tuple[Problem, ...]:
    """All that is wrong with a plan over the nights from a date; the shortest and the longest are among a year's.

    A plan with loose ends gets no further: its nights cannot be told.
    """
    loose = tuple(Problem(Severity.ERROR, "plan", what) for what in broken(plan))
    if loose:
        return loose
    return validated(View(plan), first_day, days)


def validated(view: View, first_day: date, days: int = A_YEAR) -> tuple[Problem, ...]:
    """All that is wrong with a plan whose names resolve, made ready to be asked."""
    return (*_size(view.plan), *_standing(view), *night_problems(view, first_day, days))


def acceptable(problems: Iterable[Problem]) -> bool:
    """True when nothing among them is an error."""
    return all(problem.severity is not Severity.ERROR for problem in problems)


def _standing(view: View) -> Iterator[Problem]:
    """What is wrong whatever the date."""
    for program in view.plan.programs:
        yield from _pairs(program)
        yield from _under_floor(program)
    for calendar in view.plan.calendars:
        yield from _shadowed(calendar)
    for rule in view.plan.adaptive:
        yield from _adaptive_floor(view, rule)
    yield from _assigned_twice(view.plan)
    yield from _dim_emergencies(view.plan)
    yield from _without_calendar(view)


def _size(plan: Plan) -> Iterator[Problem]:
    size = len(encode_plan(plan))
    if size > MAX_DOCUMENT_BYTES:
        yield Problem(Severity.ERROR, "plan", f"{size} bytes, at most {MAX_DOCUMENT_BYTES} are taken")


def _pairs(program: Program) -> Iterator[Problem]:
    """On without off, off without on, and steps at one moment."""
    where = f"program {program.id}"
    if (program.begins is None) != (program.ends is None):
        on, off = ("on", "off") if program.ends is None else ("off", "on")
        yield Problem(Severity.ERROR, where, f"has a moment for {on} but none for {off}")
    seen: dict[Moment, int] = {}
    for number, step in enumerate(program.steps, start=1):
        first = seen.setdefault(step.at, number)
        if first != number:
            yield Problem(Severity.ERROR, where, f"steps {first} and {number} stand at one moment ({step.at})")


def _under_floor(program: Program) -> Iterator[Problem]:
    named = [("begin", program.levels)]
    named += [(f"step {number} ({step.at})", step.levels) for number, step in enumerate(program.steps, start=1)]
    for stage, levels in named:
        yield from _below(f"program {program.id}, {stage}", levels, program.floors, (None, *RoadClass))


def _below(where: str, levels: Levels, floors: Levels, classes: Iterable[RoadClass | None]) -> Iterator[Problem]:
    """Levels under the floor of a class of road; being off is a matter of its own."""
    for road_class in classes:
        level, floor = levels.of(road_class), floors.of(road_class)
        if 0 < level < floor:
            who = "roads of no class" if road_class is None else f"{road_class} roads"
            yield Problem(Severity.ERROR, where, f"{level:g} % on {who} is under their floor of {floor:g} %")


def _adaptive_floor(view: View, rule: Adaptive) -> Iterator[Problem]:
    """Only traffic takes light away."""
    if not isinstance(rule, Traffic):
        return
    members = [view.member(device) for device in devices_of(members_of(view.plan), rule.groups, rule.devices)]
    assigned = {(one.assignment.calendar, one.assignment.road_class) for one in members if one.assignment}
    found: dict[Problem, None] = {}
    for calendar, road_class in sorted(assigned, key=str):
        for program in view.programs_of(calendar):
            for word, levels in rule.levels.items():
                where = f"adaptive rule {rule.id}, {word}, over program {program.id}"
                found.update(dict.fromkeys(_below(where, levels, program.floors, (road_class,))))
    yield from found


def _shadowed(calendar: Calendar) -> Iterator[Problem]:
    """Rules that never come to their turn: one before them has the same conditions, or none."""
    seen: dict[object, str] = {}
    for rule in calendar.rules:
        conditions = (rule.start, rule.end, rule.weekdays, rule.occurrences, rule.dates, rule.holidays)
        before = seen.get(conditions) or seen.get(_NO_CONDITIONS)
        if before is not None:
            what = f"never comes to its turn: rule {before} stands before it and matches all its dates"
            yield Problem(Severity.ERROR, f"calendar {calendar.id}, rule {rule.id}", what)
        seen.setdefault(conditions, rule.id)


_NO_CONDITIONS: Final = (None, None, frozenset[int](), frozenset[int](), frozenset[str](), frozenset[str]())


def _assigned_twice(plan: Plan) -> Iterator[Problem]:
    """A device named by two assignments, or brought by two through groups while no one names it."""
    named: dict[str, int] = {}
    for number, assignment in enumerate(plan.assignments, start=1):
        for device in assignment.devices:
            if named.setdefault(device, number) != number:
                what = f"{device} is named by assignment {named[device]} already"
                yield Problem(Severity.ERROR, f"assignment {number}", what)
    grouped: dict[str, int] = {}
    members = members_of(plan)
    for number, assignment in enumerate(plan.assignments, start=1):
        for device in devices_of(members, assignment.groups, ()):
            if device not in named and grouped.setdefault(device, number) != number:
                what = f"{device} is brought by assignment {grouped[device]} already"
                yield Problem(Severity.ERROR, f"assignment {number}", what)


def _dim_emergencies(plan: Plan) -> Iterator[Problem]:
    for one in plan.overrides:
        if one.emergency and one.level_percent < FULL_PERCENT:
            yield Problem(
                Severity.ERROR, f"override {one.id}", f"an emergency is full light, not {one.level_percent:g} %"
            )


def _without_calendar(view: View) -> Iterator[Problem]:
    """Lamps in groups for which there is no program: they get the default."""
    known = dict.fromkeys(device for group in view.plan.groups for device in group.devices)
    lamps = [device for device in known if view.member(device).assignment is None]
    if lamps:
        shown = ", ".join(lamps[:5]) + (f" and {len(lamps) - 5} more" if len(lamps) > 5 else "")
        yield Problem(Severity.WARNING, "assignments", f"no calendar for {shown}: lit at 100 % while the sun is down")
