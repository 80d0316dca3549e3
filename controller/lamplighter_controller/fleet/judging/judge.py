"""The judge of a fleet: takes reports, gives findings; the same for live trucks, a week gone by, and campaigns."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
from shapely.geometry.base import BaseGeometry

from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.judging.driving import Driving
from lamplighter_controller.fleet.judging.dumping import Dumping
from lamplighter_controller.fleet.judging.fixes import Fixes, Flags, Times, in_turn
from lamplighter_controller.fleet.judging.health import TrackerHealth
from lamplighter_controller.fleet.judging.places import PlaceKind, Places
from lamplighter_controller.fleet.judging.sensors import Sensors
from lamplighter_controller.fleet.judging.track import Track
from lamplighter_controller.fleet.judging.trips import Trips
from lamplighter_controller.fleet.judging.view import View
from lamplighter_controller.fleet.judging.violations import Class, Finding

_DAY_MIN = 1440


@dataclass(slots=True)
class Judge:
    """State of all trucks; rows of the fleet are the caller's."""

    trucks: int
    places: Places
    zone: ZoneInfo
    bounds: Bounds = field(default_factory=Bounds)
    routes: Sequence[BaseGeometry | None] = ()
    track: Track = field(init=False)
    sensors: Sensors = field(init=False)
    driving: Driving = field(init=False)
    dumping: Dumping = field(init=False)
    health: TrackerHealth = field(init=False)
    trips: Trips = field(init=False)
    inside: Flags = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is known of any truck."""
        plane = self.places.plane
        self.track = Track(self.trucks, plane, self.bounds)
        self.sensors = Sensors(self.trucks, self.bounds)
        self.driving = Driving(self.trucks, self.bounds, plane, self.routes)
        self.dumping = Dumping(self.trucks, self.bounds)
        self.health = TrackerHealth(self.trucks, self.bounds)
        self.trips = Trips(self.trucks, self.bounds)
        self.inside = np.zeros((self.trucks, len(self.places.places)), bool)

    def judge(self, reports: Fixes) -> list[Finding]:
        """Any number of reports, in any order; what began or ended with them."""
        return [finding for fixes in in_turn(reports) for finding in self.step(fixes)]

    def step(self, fixes: Fixes) -> list[Finding]:
        """At most one report of each truck."""
        looked = self.track.step(fixes)
        inside = self._inside(fixes, looked.sane)
        at_site = np.any(inside[:, self.places.of(PlaceKind.SITE)], axis=1)
        trusted = self.sensors.step(fixes, looked.sane, at_site, looked.standing_s)
        view = View(
            fixes,
            looked.sane,
            inside,
            self.places,
            self._minutes(fixes.time_ms),
            trusted.lift,
            trusted.cover,
            trusted.load,
            trusted.loaded,
            looked.standing_s,
            trusted.cover_doubted,
        )
        dumps = self.dumping.step(view, self.sensors)
        missing = self.trips.step(view, [finding.truck for finding in dumps if finding.kind is Class.DUMP_OUTSIDE])
        return [
            *looked.findings,
            *trusted.findings,
            *self.driving.step(view),
            *dumps,
            *missing,
            *self.health.step(fixes),
        ]

    def _inside(self, fixes: Fixes, sane: Flags) -> Flags:
        believed = np.where(sane, fixes.latitude, np.nan)
        inside = self.places.inside(believed, fixes.longitude, self.inside[fixes.truck])
        self.inside[fixes.truck] = inside
        return inside

    def _minutes(self, time_ms: Times) -> Times:
        """Minutes of the local day."""
        if not len(time_ms):
            return time_ms
        offset = datetime.fromtimestamp(int(time_ms[0]) / 1000, self.zone).utcoffset()
        assert offset is not None
        return (time_ms // 60_000 + round(offset.total_seconds() / 60)) % _DAY_MIN
