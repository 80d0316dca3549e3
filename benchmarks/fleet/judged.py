"""A simulated week before the judge: its reports in the order they came, and what was found in them."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from shapely.geometry import box

from lamplighter_controller.fleet.judging.fixes import UNKNOWN, Fixes
from lamplighter_controller.fleet.judging.judge import Judge
from lamplighter_controller.fleet.judging.places import Place, PlaceKind, Places, Plane
from lamplighter_controller.fleet.judging.violations import Finding
from lamplighter_firmware_sim.trucks.weeks.chart import Chart
from lamplighter_firmware_sim.trucks.weeks.week import Week

MONDAY_MS: Final = round(datetime(2026, 11, 15, 16, tzinfo=UTC).timestamp()) * 1000  # midnight at Jinan
LATITUDE: Final = 36.65
LONGITUDE: Final = 117.12
APART_M: Final = 60_000.0
_M_PER_DEGREE: Final = 111_195.0
_EAST_M: Final = _M_PER_DEGREE * np.cos(np.radians(LATITUDE))


@dataclass(frozen=True, slots=True)
class Found:
    """What the judge says of a truck: from when on, in seconds of the week, and how sure it is."""

    truck: int
    kind: str
    first_s: float
    score: float
    told_s: float


def judged(weeks: Sequence[Week]) -> list[list[Found]]:
    """All findings that began, week by week; the fleets are judged beside each other, each in a town of its own."""
    first = np.cumsum([0, *(week.trucks for week in weeks)])
    everywhere = [place for number, week in enumerate(weeks) for place in places(week.chart, number)]
    judge = Judge(int(first[-1]), Places(everywhere, Plane(LATITUDE, LONGITUDE)), ZoneInfo("Asia/Shanghai"))
    found: list[list[Found]] = [[] for _ in weeks]
    for step in steps(weeks):
        for finding in judge.step(step):
            number = int(np.searchsorted(first, finding.truck, side="right")) - 1
            one = _found(finding, step, int(first[number]))
            if one is not None:
                found[number].append(one)
    return found


def _found(finding: Finding, step: Fixes, first: int) -> Found | None:
    if not finding.first_ms:
        return None
    [at] = np.flatnonzero(step.truck == finding.truck)
    told_s = (int(step.received_ms[at]) - MONDAY_MS) / 1000
    first_s = (finding.first_ms - MONDAY_MS) / 1000
    return Found(finding.truck - first, str(finding.kind), first_s, finding.score, told_s)


def steps(weeks: Sequence[Week]) -> Iterator[Fixes]:
    """The n-th report of every truck together, as they came."""
    fixes = _joined([_fixes(week, number) for number, week in enumerate(weeks)], [week.trucks for week in weeks])
    by_truck = np.argsort(fixes.truck, kind="stable")
    truck = fixes.truck[by_truck]
    begins = np.flatnonzero(np.r_[True, truck[1:] != truck[:-1]])
    turn = np.empty(len(truck), np.intp)
    turn[by_truck] = np.arange(len(truck)) - np.repeat(begins, np.diff(np.r_[begins, len(truck)]))
    order = np.argsort(turn, kind="stable")
    fixes = fixes.at(order)
    for rows in np.split(np.arange(len(order)), np.flatnonzero(np.diff(turn[order])) + 1):
        yield fixes.at(rows)


def _joined(parts: Sequence[Fixes], trucks: Sequence[int]) -> Fixes:
    first = np.cumsum([0, *trucks[:-1]])
    moved = [replace(part, truck=part.truck + start) for part, start in zip(parts, first, strict=True)]
    return Fixes(*(np.concatenate([getattr(part, field.name) for part in moved]) for field in fields(Fixes)))


def _fixes(week: Week, number: int) -> Fixes:
    shown = week.shown
    unknown = np.full(len(week.truck), UNKNOWN, np.int8)
    return Fixes(
        week.truck,
        MONDAY_MS + (shown.time_s * 1000).astype(np.int64),
        MONDAY_MS + (shown.received_s * 1000).astype(np.int64),
        LATITUDE + shown.north_m / _M_PER_DEGREE,
        LONGITUDE + (shown.east_m + number * APART_M) / _EAST_M,
        shown.speed_kmh,
        shown.odometer_km,
        shown.ignition,
        shown.lift,
        shown.cover,
        shown.load,
        unknown,
        unknown,
    )


def places(chart: Chart, number: int = 0) -> list[Place]:
    """A town as the register holds it; towns lie in a row."""
    found = []
    for at, square in enumerate(chart.squares):
        half_m = square.side_m / 2
        east = LONGITUDE + (square.east_m + number * APART_M) / _EAST_M
        north = LATITUDE + square.north_m / _M_PER_DEGREE
        wide, high = half_m / _EAST_M, half_m / _M_PER_DEGREE
        outline = box(east - wide, north - high, east + wide, north + high)
        found.append(Place(f"{square.kind}-{number}-{at}", PlaceKind(square.kind), outline))
    return found
