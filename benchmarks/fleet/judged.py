"""A simulated week before the judge: its reports in the order they came, and what was found in them."""

from collections.abc import Iterator
from dataclasses import dataclass
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


def judged(week: Week) -> list[Found]:
    """All findings that began in the week."""
    judge = Judge(week.trucks, places(week.chart), ZoneInfo("Asia/Shanghai"))
    return [
        found for step in steps(week) for finding in judge.step(step) if (found := _found(finding, step)) is not None
    ]


def _found(finding: Finding, step: Fixes) -> Found | None:
    if not finding.first_ms:
        return None
    [at] = np.flatnonzero(step.truck == finding.truck)
    told_s = (int(step.received_ms[at]) - MONDAY_MS) / 1000
    first_s = (finding.first_ms - MONDAY_MS) / 1000
    return Found(finding.truck, str(finding.kind), first_s, finding.score, told_s)


def steps(week: Week) -> Iterator[Fixes]:
    """The n-th report of every truck together, as they came."""
    turn = np.empty(len(week.truck), np.intp)
    for truck in range(week.trucks):
        rows = np.flatnonzero(week.truck == truck)
        turn[rows] = np.arange(len(rows))
    order = np.argsort(turn, kind="stable")
    fixes = _fixes(week).at(order)
    for rows in np.split(np.arange(len(order)), np.flatnonzero(np.diff(turn[order])) + 1):
        yield fixes.at(rows)


def _fixes(week: Week) -> Fixes:
    shown = week.shown
    unknown = np.full(len(week.truck), UNKNOWN, np.int8)
    return Fixes(
        week.truck,
        MONDAY_MS + (shown.time_s * 1000).astype(np.int64),
        MONDAY_MS + (shown.received_s * 1000).astype(np.int64),
        LATITUDE + shown.north_m / _M_PER_DEGREE,
        LONGITUDE + shown.east_m / _EAST_M,
        shown.speed_kmh,
        shown.odometer_km,
        shown.ignition,
        shown.lift,
        shown.cover,
        shown.load,
        unknown,
        unknown,
    )


def places(chart: Chart) -> Places:
    """A town as the register holds it."""
    found = []
    for number, square in enumerate(chart.squares):
        half_m = square.side_m / 2
        east, north = LONGITUDE + square.east_m / _EAST_M, LATITUDE + square.north_m / _M_PER_DEGREE
        wide, high = half_m / _EAST_M, half_m / _M_PER_DEGREE
        outline = box(east - wide, north - high, east + wide, north + high)
        found.append(Place(f"{square.kind}-{number}", PlaceKind(square.kind), outline))
    return Places(found, Plane(LATITUDE, LONGITUDE))
