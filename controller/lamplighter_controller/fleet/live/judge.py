"""The judge of the fleet as it stands: carried over a restart, and over a truck or a place that is new."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from shapely.geometry.base import BaseGeometry

from lamplighter_controller.checkpoints import Checkpoint, Checkpoints
from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.judging.fixes import Fixes, in_turn
from lamplighter_controller.fleet.judging.judge import Judge
from lamplighter_controller.fleet.judging.places import Plane
from lamplighter_controller.fleet.judging.violations import Finding
from lamplighter_controller.fleet.live.carrying import State, put_state, state_of
from lamplighter_controller.fleet.live.city import City
from lamplighter_controller.fleet.trips.follow import Moved, TripBook

LONG: Final = 1_000  # reports that are judged beside the loop, as it would wait too long for them
TRUCKS: Final = "fleet.trucks"
PLACES: Final = "fleet.places"
PLANE: Final = "fleet.plane"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What some reports mean."""

    findings: Sequence[Finding] = ()
    moved: Sequence[Moved] = ()


@dataclass(slots=True)
class LiveJudge:
    """The judge over the rows of a city."""

    checkpoints: Checkpoints
    zone: ZoneInfo
    bounds: Bounds
    city: City
    trips: TripBook = field(default_factory=TripBook)
    judge: Judge = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is known of any truck."""
        self.judge = self._new(self.city)

    async def begin(self) -> int | None:
        """Take up what was learned before; the civil time up to which all was judged, None when never."""
        checkpoint = await asyncio.to_thread(self.checkpoints.read)
        if checkpoint is None:
            return None
        state = checkpoint.state
        trucks, places, plane = state.pop(TRUCKS, None), state.pop(PLACES, None), state.pop(PLANE, None)
        if trucks is None or places is None or plane is None:
            return None
        self._fill(state, trucks.tolist(), Plane(*plane.tolist()), same_places=places.tolist() == _ids(self.city))
        return checkpoint.time_ms

    def moved(self, city: City) -> None:
        """The register or the terminals changed: what was seen of each truck goes on."""
        before, trucks, places, plane = state_of(self.judge), _trucks(self.city), _ids(self.city), self._plane
        self.city, self.judge = city, self._new(city)
        self._fill(before, trucks, plane, same_places=places == _ids(city))

    def set_routes(self, routes: Sequence[BaseGeometry | None]) -> None:
        """The corridor of each row as permits have it now."""
        self.judge.driving.set_routes(routes)

    async def step(self, fixes: Fixes) -> Outcome:
        """Judge reports; many of them beside the loop."""
        if len(fixes) > LONG:
            return await asyncio.to_thread(self._step, fixes)
        return self._step(fixes)

    def unseen(self, fixes: Fixes) -> Fixes:
        """Those of them that are newer than what was judged of each truck."""
        return fixes.at(fixes.time_ms > self.judge.track.time_ms[fixes.truck])

    async def keep(self, time_ms: int) -> None:
        """Write the checkpoint: everything stored before `time_ms` (civil) has been judged."""
        state = state_of(self.judge)
        state[TRUCKS], state[PLACES] = np.array(_trucks(self.city), "U64"), np.array(_ids(self.city), "U80")
        state[PLANE] = np.array([self._plane.latitude, self._plane.longitude])
        await asyncio.to_thread(self.checkpoints.write, Checkpoint(time_ms, state))

    def _step(self, fixes: Fixes) -> Outcome:
        findings: list[Finding] = []
        moved: list[Moved] = []
        for one in in_turn(fixes):
            before = self.judge.sensors.loaded[one.truck].copy()
            findings += self.judge.step(one)
            moved += self.trips.step(self.judge, one, before, self.city)
        return Outcome(findings, moved)

    def _new(self, city: City) -> Judge:
        return Judge(len(city.rows), city.places, self.zone, self.bounds)

    @property
    def _plane(self) -> Plane:
        return self.city.places.plane

    def _fill(self, state: State, trucks: list[str], plane: Plane, *, same_places: bool) -> None:
        if not same_places:
            state.pop("inside", None)
        row_before = {name: row for row, name in enumerate(trucks)}
        rows = np.array([row_before.get(name, -1) for name in _trucks(self.city)], np.intp)
        put_state(self.judge, state, rows)
        self.judge.track.from_plane(plane)


def _trucks(city: City) -> list[str]:
    return [row.truck for row in city.rows]


def _ids(city: City) -> list[str]:
    return [f"{place.id}/{place.version}" for place in city.places.places]
