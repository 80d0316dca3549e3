"""Figures of each company over a time. Pure: from rows of the ledger to shares and counts."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from lamplighter_controller.fleet.limits.limit import Limit
from lamplighter_controller.fleet.register.things import Truck
from lamplighter_controller.fleet.trips.follow import Day
from lamplighter_controller.fleet.violations.violation import State, Violation
from lamplighter_controller.fleet.waybills.closure import Closure

REPEATS: Final = 3  # from so many violations of a time on, a truck is a repeat offender
HOUR_MS: Final = 3_600_000


@dataclass(frozen=True, slots=True)
class Over:
    """A time in civil ms and how many local days it touches; `offset_ms` brings real times to civil ones."""

    start_ms: int
    end_ms: int
    days: int
    offset_ms: int = 0


@dataclass(frozen=True, slots=True)
class Figures:
    """One company; None where there is nothing to divide by.

    `online_rate`: truck-days on which one was heard, of all. `acted_rate`: violations that led to a word, a limit or a
    person's step.
    """

    company: str
    trucks: int
    online_rate: float | None
    violations: int
    per_truck_day: float | None
    acted_rate: float | None
    invalid_rate: float | None
    limited_h: float
    waybills: int
    closure_rate: float | None
    repeat_offenders: tuple[tuple[str, int], ...]


def figures(
    trucks: Mapping[str, Truck],
    heard: Iterable[Day],
    violations: Sequence[Violation],
    limits: Sequence[Limit],
    closure: Iterable[Closure],
    over: Over,
) -> list[Figures]:
    """Figures of every company that has a truck, by id."""
    loops = {one.name: (one.waybills, one.closed) for one in closure}
    days = list(heard)
    names = sorted({truck.company for truck in trucks.values()})
    return [_one(name, trucks, days, violations, limits, loops.get(name, (0, 0)), over) for name in names]


def _one(
    company: str,
    trucks: Mapping[str, Truck],
    heard: Sequence[Day],
    violations: Sequence[Violation],
    limits: Sequence[Limit],
    loop: tuple[int, int],
    over: Over,
) -> Figures:
    mine = {truck.id for truck in trucks.values() if truck.company == company}
    told = [one for one in violations if one.truck in mine]
    truck_days = len(mine) * over.days
    reviewed = [one for one in told if one.state is not State.CANDIDATE]
    counted = Counter(one.truck for one in told if one.state is not State.INVALID)
    return Figures(
        company,
        len(mine),
        _share(sum(day.truck in mine for day in heard), truck_days),
        len(told),
        _share(len(told), truck_days),
        _share(sum(one.acted or one.state is not State.CANDIDATE for one in told), len(told)),
        _share(sum(one.state is State.INVALID for one in reviewed), len(reviewed)),
        round(sum(_limited_ms(one, over) for one in limits if one.truck in mine) / HOUR_MS, 3),
        loop[0],
        _share(loop[1], loop[0]),
        tuple((truck, times) for truck, times in counted.most_common() if times >= REPEATS),
    )


def _limited_ms(limit: Limit, over: Over) -> int:
    """How long a limit of ours was in effect within the time."""
    if limit.ask is None or limit.effective_ms is None:
        return 0
    start_ms = max(limit.effective_ms + over.offset_ms, over.start_ms)
    end_ms = over.end_ms if limit.ended_ms is None else min(limit.ended_ms + over.offset_ms, over.end_ms)
    return max(end_ms - start_ms, 0)


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
