"""Trips as the load of each truck tells them: loaded at a site, left it, unloaded. Pure."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np

from lamplighter_controller.fleet.judging.fixes import EMPTY, FULL, Codes, Fixes
from lamplighter_controller.fleet.judging.judge import Judge
from lamplighter_controller.fleet.judging.places import PlaceKind
from lamplighter_controller.fleet.live.city import City


@dataclass(frozen=True, slots=True)
class Trip:
    """One load; times civil. `site` and `ground` are places, None where it was at none."""

    truck: str
    loaded_ms: int
    site: str | None = None
    left_ms: int | None = None
    unloaded_ms: int | None = None
    ground: str | None = None


@dataclass(frozen=True, slots=True)
class Moved:
    """A trip that went on, where the truck was then; `told`: a load sensor that is trusted said so."""

    trip: Trip
    latitude: float | None
    longitude: float | None
    told: bool = True


@dataclass(frozen=True, slots=True)
class Day:
    """A truck was heard on a local day, `reports` times; civil ms."""

    truck: str
    day: str
    first_ms: int
    last_ms: int
    reports: int


@dataclass(slots=True)
class TripBook:
    """The trip each truck is on."""

    _open: dict[str, Trip] = field(default_factory=dict)

    def load(self, known: Iterable[Trip]) -> None:
        """Those of the ledger that are not over."""
        self._open = {one.truck: one for one in known}

    def of(self, truck: str) -> Trip | None:
        """The trip a truck is on."""
        return self._open.get(truck)

    def step(self, judge: Judge, fixes: Fixes, before: Codes, city: City) -> list[Moved]:
        """What a step of the judge means for trips; `before` is what was believed of each load before it."""
        after = judge.sensors.loaded[fixes.truck]
        changed = set(np.flatnonzero(before != after).tolist())
        leaving = {
            at
            for at in np.flatnonzero(after == FULL).tolist()
            if (trip := self._open.get(city.rows[int(fixes.truck[at])].truck)) is not None and trip.left_ms is None
        }
        return [
            moved
            for at in sorted(changed | leaving)
            if (moved := self._moved(judge, fixes, at, city, now=int(after[at]))) is not None
        ]

    def _moved(self, judge: Judge, fixes: Fixes, at: int, city: City, *, now: int) -> Moved | None:
        row = int(fixes.truck[at])
        truck, time_ms = city.rows[row].truck, int(fixes.time_ms[at])
        trip = self._open.get(truck)
        site, ground = _place(judge, row, PlaceKind.SITE), _place(judge, row, PlaceKind.GROUND)
        if now == FULL and trip is None:
            trip = Trip(truck, time_ms, site)
        elif now == FULL and trip is not None and trip.left_ms is None and site is None:
            trip = replace(trip, left_ms=time_ms)
        elif now == EMPTY and trip is not None:
            trip = replace(trip, unloaded_ms=time_ms, ground=ground)
        else:
            return None
        if trip.unloaded_ms is None:
            self._open[truck] = trip
        else:
            del self._open[truck]
        told = bool(fixes.load[at] >= 0 and judge.sensors.trusts_load(row))
        return Moved(trip, _known(fixes.latitude[at]), _known(fixes.longitude[at]), told)


def _place(judge: Judge, row: int, kind: PlaceKind) -> str | None:
    for number in np.flatnonzero(judge.inside[row]).tolist():
        place = judge.places.places[number]
        if place.kind is kind:
            return place.id
    return None


def _known(value: float) -> float | None:
    return None if np.isnan(value) else float(value)
