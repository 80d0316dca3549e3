"""Days of trucks made by hand: a journey is told step by step, reports come every ten seconds."""

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
from shapely.geometry import box

from lamplighter_controller.fleet.judging import fixes as told
from lamplighter_controller.fleet.judging.fixes import Fixes
from lamplighter_controller.fleet.judging.judge import Judge
from lamplighter_controller.fleet.judging.places import METRES_PER_DEGREE, Place, PlaceKind, Places, Plane

MORNING_MS = round(datetime(2026, 11, 20, 2, tzinfo=UTC).timestamp()) * 1000
PLANE = Plane(36.65, 117.12)
EVERY_S = 10


def square(east_m, north_m, side_m=200.0):
    """A square around a point, in degrees."""
    width = METRES_PER_DEGREE * np.cos(np.radians(PLANE.latitude))
    east, north = PLANE.longitude + east_m / width, PLANE.latitude + north_m / METRES_PER_DEGREE
    half_east, half_north = side_m / 2 / width, side_m / 2 / METRES_PER_DEGREE
    return box(east - half_east, north - half_north, east + half_east, north + half_north)


PLACES = (
    Place("site", PlaceKind.SITE, square(0, 0)),
    Place("ground", PlaceKind.GROUND, square(10_000, 0)),
    Place("wash", PlaceKind.WASH, square(1_000, 2_000)),
    Place("old-town", PlaceKind.NO_GO, square(5_000, 3_000)),
    Place("school", PlaceKind.SPEED, square(5_000, 0, 1_000), limit_kmh=30.0),
)


def judge(trucks=1, **more):
    return Judge(trucks, Places(PLACES, PLANE), ZoneInfo("Asia/Shanghai"), **more)


@dataclass
class Day:
    """One truck's day; `now` are its sensors, `rows` what it reported."""

    truck: int = 0
    east_m: float = 0.0
    north_m: float = 0.0
    time_ms: int = MORNING_MS
    now: dict[str, int] = field(default_factory=lambda: {"lift": 0, "cover": 0, "load": 0, "ignition": 1})
    rows: list[tuple[Any, ...]] = field(default_factory=list)
    odometer_km: float = 1000.0

    def report(self, speed_kmh, **changes):
        self.now |= changes
        width = METRES_PER_DEGREE * np.cos(np.radians(PLANE.latitude))
        latitude, longitude = PLANE.latitude + self.north_m / METRES_PER_DEGREE, PLANE.longitude + self.east_m / width
        self.rows.append((self.truck, self.time_ms, latitude, longitude, speed_kmh, self.odometer_km, dict(self.now)))
        self.time_ms += EVERY_S * 1000
        return self

    def stand(self, seconds, **changes):
        for _ in range(seconds // EVERY_S):
            self.report(0.0, **changes)
        return self

    def drive(self, east_m, north_m, speed_kmh=50.0, **changes):
        """Straight to a point."""
        self.now |= changes
        while (left_m := np.hypot(east_m - self.east_m, north_m - self.north_m)) > 1:
            step_m = min(left_m, speed_kmh / 3.6 * EVERY_S)
            self.east_m += (east_m - self.east_m) * step_m / left_m
            self.north_m += (north_m - self.north_m) * step_m / left_m
            self.odometer_km += step_m / 1000
            self.report(speed_kmh)
        return self

    def away(self, seconds):
        """Say nothing."""
        self.time_ms += seconds * 1000
        return self


def fixes(*days):
    rows = [row for day in days for row in day.rows]

    def codes(name):
        return np.array([row[6].get(name, told.UNKNOWN) for row in rows], np.int8)

    def floats(at):
        return np.array([row[at] for row in rows], float)

    return Fixes(
        np.array([row[0] for row in rows], np.intp),
        np.array([row[1] for row in rows], np.int64),
        np.array([row[1] for row in rows], np.int64),
        floats(2),
        floats(3),
        floats(4),
        floats(5),
        *(codes(name) for name in ("ignition", "lift", "cover", "load", "power_cut", "antenna_fault")),
    )


def found(judged):
    """Kinds of findings that began, in order."""
    return [str(finding.kind) for finding in judged if finding.first_ms]
