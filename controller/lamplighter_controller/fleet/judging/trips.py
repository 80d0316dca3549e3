"""What each truck is doing: on its way empty or loaded, loading, waiting, dumping, parked, in service."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum

import numpy as np

from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.judging.fixes import FULL, RAISED, Codes, Flags
from lamplighter_controller.fleet.judging.places import PlaceKind
from lamplighter_controller.fleet.judging.view import View
from lamplighter_controller.fleet.judging.violations import Class, Finding


class TripState(IntEnum):
    """A truck's work now."""

    UNKNOWN = -1
    EMPTY_RUN = 0
    LOADING = 1
    LOADED_RUN = 2
    QUEUE = 3
    DUMP = 4
    PARK = 5
    SERVICE = 6


@dataclass(slots=True)
class Trips:
    """The work of every truck, and whether what it loaded has been seen to go."""

    trucks: int
    bounds: Bounds
    state: Codes = field(init=False)
    owes: Flags = field(init=False)
    left_site: Flags = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is known."""
        self.state = np.full(self.trucks, int(TripState.UNKNOWN), np.int8)
        self.owes = np.zeros(self.trucks, bool)
        self.left_site = np.zeros(self.trucks, bool)

    def step(self, view: View, dumped_outside: Sequence[int]) -> list[Finding]:
        """Take one report of each of these trucks; those that load again without having dumped are findings."""
        row = view.truck
        at_site, at_ground = view.within(PlaceKind.SITE), view.within(PlaceKind.GROUND)
        self.state[row] = np.where(view.sane, self._states(view, at_site, at_ground), self.state[row])
        self.owes[row[at_ground & view.sane]] = False
        self.owes[list(dumped_outside)] = False
        self.left_site[row[view.sane & ~at_site & (view.loaded == FULL)]] = True
        loads = view.sane & at_site & (view.standing_s >= self.bounds.loading_s)
        again = loads & self.owes[row] & self.left_site[row]
        found = [
            Finding(
                int(row[at]),
                Class.MISSING_DUMP,
                0.7,
                int(view.time_ms[at]),
                last_ms=int(view.time_ms[at]),
                place=view.place_of(int(at), PlaceKind.SITE),
                latitude=float(view.fixes.latitude[at]),
                longitude=float(view.fixes.longitude[at]),
            )
            for at in np.flatnonzero(again)
        ]
        self.left_site[row[loads]] = False
        self.owes[row[loads]] = True
        return found

    def _states(self, view: View, at_site: Flags, at_ground: Flags) -> Codes:
        slow = view.fixes.speed_kmh < self.bounds.standing_kmh
        still = view.standing_s >= self.bounds.loading_s
        full = view.loaded == FULL
        cases: list[tuple[Flags, TripState]] = [
            ((view.lift == RAISED) & (view.fixes.speed_kmh <= self.bounds.dumping_kmh) & full, TripState.DUMP),
            (view.within(PlaceKind.SERVICE, PlaceKind.WASH) & slow, TripState.SERVICE),
            (at_site & slow & ~full, TripState.LOADING),
            ((at_site | at_ground) & slow, TripState.QUEUE),
            (still & slow, TripState.PARK),
            (full, TripState.LOADED_RUN),
            (view.loaded >= 0, TripState.EMPTY_RUN),
        ]
        found = np.full(len(view.fixes), int(TripState.UNKNOWN), np.int8)
        for holds, state in reversed(cases):
            found[holds] = int(state)
        return found
