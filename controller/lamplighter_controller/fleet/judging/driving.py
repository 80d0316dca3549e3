"""How a truck is driven: too fast, open, raised, where and when it may not be, away from its route."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely
from shapely.geometry.base import BaseGeometry

from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.judging.episodes import Episodes
from lamplighter_controller.fleet.judging.fixes import FULL, OPEN, RAISED, UNKNOWN, Flags, Floats
from lamplighter_controller.fleet.judging.places import PlaceKind, Plane
from lamplighter_controller.fleet.judging.view import View
from lamplighter_controller.fleet.judging.violations import Class, Finding

NIGHT_FROM = 22 * 60
NIGHT_TO = 6 * 60
_DOUBTED = 0.85


@dataclass(frozen=True, slots=True)
class Condition:
    """Whether a rule's condition holds in each report, where that is unknown, and the number that shows it."""

    kind: Class
    holds: Flags
    unknown: Flags
    shown: Mapping[str, Floats]
    places: tuple[PlaceKind, ...] = ()
    score: Floats | None = None  # 1 where none is told


@dataclass(slots=True)
class Driving:
    """The episodes of every rule about driving."""

    trucks: int
    bounds: Bounds
    plane: Plane
    routes: Sequence[BaseGeometry | None] = ()
    episodes: dict[Class, Episodes] = field(init=False)
    off: Flags = field(init=False)

    def __post_init__(self) -> None:
        """Nobody does anything wrong yet; routes are kept in metres."""
        lasts = {
            Class.OVERSPEED: self.bounds.overspeed_s,
            Class.COVER_OPEN: self.bounds.cover_s,
            Class.LIFT_IN_MOTION: self.bounds.lift_moving_s,
            Class.NO_GO: self.bounds.banned_s,
            Class.BANNED_HOURS: self.bounds.banned_s,
            Class.OFF_ROUTE: self.bounds.off_route_s,
        }
        self.episodes = {kind: Episodes(self.trucks, lasts_s, self.bounds.gone_s) for kind, lasts_s in lasts.items()}
        self.off = np.zeros(self.trucks, bool)
        self.set_routes(self.routes)

    def set_routes(self, routes: Sequence[BaseGeometry | None]) -> None:
        """The corridor's middle of each truck in WGS-84, None where its permit names none."""
        flat = [None if route is None else self.plane.flat(route) for route in routes]
        self.routes = [*flat, *[None] * (self.trucks - len(flat))]

    def step(self, view: View) -> list[Finding]:
        """What began or ended with these reports."""
        return [finding for condition in self._conditions(view) for finding in self._judge(view, condition)]

    def _conditions(self, view: View) -> tuple[Condition, ...]:
        speed_kmh, unknown = view.fixes.speed_kmh, ~view.sane
        limit_kmh = self._limits(view)
        loaded_unknown = unknown | (view.loaded == UNKNOWN)
        distance_m = self._distance(view)
        return (
            Condition(
                Class.OVERSPEED,
                speed_kmh > limit_kmh + self.bounds.overspeed_kmh,
                unknown,
                {"speed_kmh": speed_kmh, "limit_kmh": limit_kmh},
                (PlaceKind.SPEED,),
            ),
            Condition(
                Class.COVER_OPEN,
                (view.cover == OPEN) & (view.loaded == FULL) & (speed_kmh > self.bounds.cover_kmh),
                loaded_unknown | (view.cover < 0),
                {"speed_kmh": speed_kmh, "opened_at_speed": view.cover_doubted.astype(np.float64)},
                score=np.where(view.cover_doubted, _DOUBTED, 1.0),
            ),
            Condition(
                Class.LIFT_IN_MOTION,
                (view.lift == RAISED) & (speed_kmh > self.bounds.lift_moving_kmh),
                unknown | (view.lift < 0),
                {"speed_kmh": speed_kmh},
            ),
            Condition(Class.NO_GO, view.within(PlaceKind.NO_GO), unknown, {}, (PlaceKind.NO_GO,)),
            Condition(Class.BANNED_HOURS, self._closed(view), unknown, {}, (PlaceKind.NIGHT,)),
            Condition(
                Class.OFF_ROUTE,
                self._strays(view, distance_m),
                loaded_unknown | ~np.isfinite(distance_m),
                {"distance_m": distance_m},
            ),
        )

    def _judge(self, view: View, condition: Condition) -> list[Finding]:
        turned = self.episodes[condition.kind].step(view.truck, condition.holds, condition.unknown, view.time_ms)
        if not len(turned.began) and not len(turned.ended):
            return []
        where = {int(truck): at for at, truck in enumerate(view.truck)}
        found = []
        for truck, since_ms in zip(turned.began, turned.since_ms, strict=True):
            at = where[int(truck)]
            found.append(
                Finding(
                    int(truck),
                    condition.kind,
                    1.0 if condition.score is None else float(condition.score[at]),
                    int(since_ms),
                    place=view.place_of(at, *condition.places),
                    latitude=float(view.fixes.latitude[at]),
                    longitude=float(view.fixes.longitude[at]),
                    evidence={name: float(values[at]) for name, values in condition.shown.items()},
                )
            )
        for truck in turned.ended:
            at = where[int(truck)]
            found.append(Finding(int(truck), condition.kind, 1.0, 0, last_ms=int(view.time_ms[at])))
        return found

    def _limits(self, view: View) -> Floats:
        """The lowest limit of the zones a truck is in, else the city's."""
        night = (view.minute >= NIGHT_FROM) | (view.minute < NIGHT_TO)
        lowest = np.full(len(view.fixes), np.inf)
        for number in np.flatnonzero(view.places.of(PlaceKind.SPEED)).tolist():
            place = view.places.places[number]
            day_kmh = self.bounds.city_limit_kmh if place.limit_kmh is None else place.limit_kmh
            night_kmh = day_kmh if place.night_limit_kmh is None else place.night_limit_kmh
            there = view.inside[:, number]
            lowest[there] = np.minimum(lowest[there], np.where(night[there], night_kmh, day_kmh))
        return np.where(np.isfinite(lowest), lowest, self.bounds.city_limit_kmh)

    def _closed(self, view: View) -> Flags:
        """Who drives where it is closed at this hour."""
        found = np.zeros(len(view.fixes), bool)
        for number in np.flatnonzero(view.places.of(PlaceKind.NIGHT)).tolist():
            hours = view.places.places[number].hours
            closed = np.ones(len(found), bool) if hours is None else hours.hold(view.minute)
            found |= view.inside[:, number] & closed
        return found & (view.fixes.speed_kmh > self.bounds.standing_kmh)

    def _distance(self, view: View) -> Floats:
        """Metres to the route of each truck that has one, NaN where it has none."""
        lines = [self.routes[truck] for truck in view.truck]
        has = np.array([line is not None for line in lines], bool)
        found = np.full(len(lines), np.nan)
        if has.any():
            east_m, north_m = self.plane.metres(view.fixes.latitude[has], view.fixes.longitude[has])
            found[has] = shapely.distance(shapely.points(east_m, north_m), [line for line in lines if line is not None])
        return found

    def _strays(self, view: View, distance_m: Floats) -> Flags:
        """Off beyond the corridor, back within a little less; places of work are off every route."""
        row = view.truck
        off = np.where(self.off[row], distance_m > self.bounds.back_m, distance_m > self.bounds.corridor_m)
        self.off[row] = off
        at_work = view.within(PlaceKind.SITE, PlaceKind.GROUND, PlaceKind.WASH, PlaceKind.SERVICE, PlaceKind.PARKING)
        strays: Flags = off & (view.loaded == FULL) & ~at_work
        return strays
