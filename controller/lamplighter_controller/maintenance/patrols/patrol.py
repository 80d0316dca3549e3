"""Patrol plans, rounds, check lists, routes and samples. Pure; times civil epoch ms, 0 = not yet."""

import hashlib
import math
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from lamplighter_controller.diagnosis.findings import Element, ElementKind
from lamplighter_controller.maintenance.refused import Refused

DAY_MS: Final = 24 * 3_600_000
LEAD_MS: Final = DAY_MS  # a round can be walked a day before it is due
MOST_TARGETS: Final = 2_000

Id = Annotated[str, msgspec.Meta(pattern=r"^[a-z0-9][a-z0-9-]{0,63}$")]
Name = Annotated[str, msgspec.Meta(max_length=120)]
Ids = Annotated[tuple[Id, ...], msgspec.Meta(max_length=500)]


class Kind(StrEnum):
    """What a patrol looks at."""

    EQUIPMENT = "equipment"  # cabinets and poles, by day
    NIGHT = "night"  # a sample of lamps, lit or dark


class Check(StrEnum):
    """One line of a check list."""

    LEAKAGE = "leakage"  # measured, in mA
    PROTECTOR = "protector"  # its test button trips it
    GROUNDING = "grounding"  # measured, in ohm
    DOOR = "door"
    TILT = "tilt"
    LIT = "lit"


LISTS: Final[Mapping[tuple[Kind, ElementKind], tuple[Check, ...]]] = {
    (Kind.EQUIPMENT, ElementKind.CABINET): (Check.LEAKAGE, Check.PROTECTOR, Check.GROUNDING, Check.DOOR),
    (Kind.EQUIPMENT, ElementKind.POLE): (Check.LEAKAGE, Check.GROUNDING, Check.DOOR, Check.TILT),
    (Kind.NIGHT, ElementKind.LAMP): (Check.LIT,),
}
CLASS_OF: Final[Mapping[Check, tuple[str, int]]] = {  # class and severity of what a check finds
    Check.LEAKAGE: ("leak", 5),
    Check.PROTECTOR: ("protector_bad", 4),
    Check.GROUNDING: ("grounding", 4),
    Check.DOOR: ("door", 3),
    Check.TILT: ("tilt", 5),
    Check.LIT: ("lamp_dead", 3),
}
LIMITS: Final[Mapping[Check, float]] = {Check.LEAKAGE: 30.0, Check.GROUNDING: 10.0}  # mA, ohm


class Plan(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which roads and cabinets are looked at how often, by whom. `sample`: lamps of each road a night patrol sees."""

    id: Id
    kind: Kind
    name: Name = ""
    crew: Annotated[str, msgspec.Meta(max_length=64)] = ""
    roads: Ids = ()
    cabinets: Ids = ()
    every_days: Annotated[float, msgspec.Meta(gt=0, le=3_660)] = 30.0
    sample: Annotated[int, msgspec.Meta(ge=1, le=500)] = 20
    from_ms: int = 0


class Target(msgspec.Struct, frozen=True, omit_defaults=True):
    """One thing to be looked at, in the order of the route, with its list."""

    element_kind: ElementKind
    element: str
    checks: tuple[Check, ...]
    road: str = ""
    latitude: float | None = None
    longitude: float | None = None

    @property
    def on(self) -> Element:
        """The element it is."""
        return Element(self.element_kind, self.element)


class Round(msgspec.Struct, frozen=True, omit_defaults=True):
    """One walk of a plan."""

    id: str
    plan: str
    kind: Kind
    crew: str
    due_ms: int
    targets: tuple[Target, ...]
    made_ms: int = 0
    done_ms: int = 0
    done_by: str = ""

    def is_overdue(self, now_ms: int) -> bool:
        """It should have been walked."""
        return not self.done_ms and now_ms > self.due_ms


class Result(msgspec.Struct, frozen=True, omit_defaults=True):
    """What somebody found at one target; `value` in the check's unit where it measures."""

    element_kind: ElementKind
    element: str
    check: Check
    passed: bool
    at_ms: int
    who: str = ""
    value: float | None = None
    note: str = ""


def next_due_ms(plan: Plan, last: Round | None) -> int:
    """When the next round is due: so long after the last was walked, or was due while nobody walked it."""
    if last is None:
        return plan.from_ms
    return max(last.done_ms, last.due_ms) + round(plan.every_days * DAY_MS)


def is_wanted(plan: Plan, last: Round | None, now_ms: int) -> bool:
    """Whether the next round has to be there now; an open one, however late, is the one to be walked."""
    if last is not None and not last.done_ms:
        return False
    return now_ms >= next_due_ms(plan, last) - LEAD_MS


def routed(targets: Sequence[Target]) -> tuple[Target, ...]:
    """From the first, always on to the nearest one; those without a position last."""
    left = [one for one in targets if one.latitude is not None and one.longitude is not None]
    unplaced = [one for one in targets if one.latitude is None or one.longitude is None]
    if not left:
        return tuple(unplaced)
    here = left.pop(0)
    route = [here]
    while left:
        nearest = min(range(len(left)), key=lambda place: _apart(here, left[place]))
        here = left.pop(nearest)
        route.append(here)
    return (*route, *unplaced)


def sampled(names: Iterable[str], count: int, salt: str) -> list[str]:
    """So many of these, others for each `salt`; nobody chooses them, and anybody can draw them again."""
    drawn = sorted(names, key=lambda name: hashlib.sha256(f"{salt}/{name}".encode()).digest())
    return sorted(drawn[:count])


def unfit(walk: Round, results: Sequence[Result]) -> Refused | None:
    """Why these results do not belong to this round, None when they do."""
    wanted = {(one.element_kind, one.element): one.checks for one in walk.targets}
    for place, result in enumerate(results):
        checks = wanted.get((result.element_kind, result.element))
        where = f"body.results.{place}"
        if checks is None:
            return Refused(f"{where}.element", "known", f"{result.element[:64]} is not part of this round")
        if result.check not in checks:
            return Refused(f"{where}.check", "listed", f"{result.check} is not checked at {result.element[:64]}")
        limit = LIMITS.get(result.check)
        if limit is not None and result.value is not None and result.passed != (result.value <= limit):
            detail = f"{result.value:g} against a limit of {limit:g} is not {'passed' if result.passed else 'failed'}"
            return Refused(f"{where}.passed", "as-measured", detail)
    return None


def left(walk: Round, results: Iterable[Result]) -> list[Target]:
    """Targets with checks that nobody has made yet, each with those."""
    made = {(one.element_kind, one.element, one.check) for one in results}
    found = []
    for target in walk.targets:
        open_checks = tuple(
            check for check in target.checks if (target.element_kind, target.element, check) not in made
        )
        if open_checks:
            found.append(msgspec.structs.replace(target, checks=open_checks))
    return found


def _apart(one: Target, other: Target) -> float:
    assert one.latitude is not None
    assert one.longitude is not None
    assert other.latitude is not None
    assert other.longitude is not None
    east = (other.longitude - one.longitude) * math.cos(math.radians(one.latitude))
    return (other.latitude - one.latitude) ** 2 + east**2
