"""Whether a truck has dumped, and where it should not have.

A dump is a body raised long enough while the truck hardly moves, together with a load that goes, be it a report late.
With one of the two sensors dead the other one and what the truck did before must do; what is lifted empty, to wash or
to repair, is none. Where it happened is where the truck was in any report meanwhile: between houses a position strays.
"""

from dataclasses import dataclass, field

import numpy as np

from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.judging.fixes import EMPTY, FULL, RAISED, UNKNOWN, Codes, Flags, Floats, Times
from lamplighter_controller.fleet.judging.places import PlaceKind
from lamplighter_controller.fleet.judging.sensors import Sensors
from lamplighter_controller.fleet.judging.view import View
from lamplighter_controller.fleet.judging.violations import Class, Finding

_BOTH, _LIFT_ONLY, _LOAD_ONLY = 0.99, 0.85, 0.90  # by the lift alone a body mended at the roadside looks the same
_WORKSHOPS = (PlaceKind.WASH, PlaceKind.SERVICE, PlaceKind.PARKING)
_WORKSHOP = 0.6  # bodies are raised there for other reasons
_PROVEN = 2  # reports of a load in turn: one may be a flicker


@dataclass(slots=True)
class Dumping:
    """What every truck's body and load have been doing since it last drove. Times 0: not at all."""

    trucks: int
    bounds: Bounds
    raised_ms: Times = field(init=False)
    raised_s: Floats = field(init=False)
    lowered_ms: Times = field(init=False)
    dropped_ms: Times = field(init=False)
    was_loaded: Codes = field(init=False)
    seen_full: Codes = field(init=False)
    in_ground: Flags = field(init=False)
    in_workshop: Flags = field(init=False)
    told: Flags = field(init=False)

    def __post_init__(self) -> None:
        """All bodies are down."""
        for name in ("raised_ms", "lowered_ms", "dropped_ms"):
            setattr(self, name, np.zeros(self.trucks, np.int64))
        self.raised_s = np.zeros(self.trucks)
        self.was_loaded = np.full(self.trucks, UNKNOWN, np.int8)
        self.seen_full = np.zeros(self.trucks, np.int8)
        self.in_ground = np.zeros(self.trucks, bool)
        self.in_workshop = np.zeros(self.trucks, bool)
        self.told = np.zeros(self.trucks, bool)

    def step(self, view: View, sensors: Sensors) -> list[Finding]:
        """Dumps that were completed by these reports, those outside every ground as findings."""
        slow = view.sane & (view.fixes.speed_kmh <= self.bounds.dumping_kmh)
        self._lift(view, slow)
        self._load(view, slow)
        self.in_ground[view.truck] |= slow & view.within(PlaceKind.GROUND)
        self.in_workshop[view.truck] |= slow & view.within(*_WORKSHOPS)
        settled = self._settled(view, slow)
        score = self._score(view, sensors, settled)
        findings = self._tell(view, sensors, score)
        self._doubt(view, sensors, settled)
        self._forget(view, slow)
        return findings

    def _lift(self, view: View, slow: Flags) -> None:
        row = view.truck
        raised = (view.lift == RAISED) & slow
        begins = raised & (self.raised_ms[row] == 0)
        self.raised_ms[row[begins]] = view.time_ms[begins]
        up = row[raised]
        self.raised_s[up] = (view.time_ms[raised] - self.raised_ms[up]) / 1000
        self.lowered_ms[up] = 0
        down = (view.lift != RAISED) & (view.lift >= 0) & (self.raised_ms[row] > 0) & (self.lowered_ms[row] == 0)
        self.lowered_ms[row[down]] = view.time_ms[down]

    def _load(self, view: View, slow: Flags) -> None:
        """When the load went; one that comes back at once was never gone."""
        row = view.truck
        drops = slow & (view.load == EMPTY) & (self.was_loaded[row] == FULL) & (self.dropped_ms[row] == 0)
        self.dropped_ms[row[drops]] = view.time_ms[drops]
        back = (view.load == FULL) & (self.dropped_ms[row] > 0)
        self.dropped_ms[row[back]] = 0
        full = view.loaded == FULL
        self.seen_full[row] = np.where(full, np.minimum(self.seen_full[row] + 1, _PROVEN), 0)
        calm = (~full | (self.seen_full[row] >= _PROVEN)) & (self.raised_ms[row] == 0) & (self.dropped_ms[row] == 0)
        self.was_loaded[row[calm]] = view.loaded[calm]

    def _settled(self, view: View, slow: Flags) -> Flags:
        """Who drives again, or has had the body down for a while: nothing more is to come of it."""
        lowered_ms = self.lowered_ms[view.truck]
        return view.sane & (~slow | ((lowered_ms > 0) & (view.time_ms - lowered_ms >= self.bounds.settle_s * 1000)))

    def _score(self, view: View, sensors: Sensors, settled: Flags) -> Floats:
        """How sure it is that each truck has just dumped, 0 where it has not."""
        row = view.truck
        lasted_s = self.raised_s[row]
        long = lasted_s >= self.bounds.raised_s
        dropped = (self.dropped_ms[row] > 0) & (self.was_loaded[row] == FULL)
        dead_lift = sensors.lift_dead(row, view.lift)
        stood = view.standing_s >= self.bounds.unload_s
        for_a_while = view.time_ms - self.dropped_ms[row] >= self.bounds.raised_s * 1000
        both = (self.raised_ms[row] > 0) & dropped & (long | settled)
        cycle = long & (lasted_s <= self.bounds.lift_cycle_s)
        lift_only = cycle & (view.load < 0) & (self.was_loaded[row] == FULL) & settled
        load_only = dead_lift & dropped & for_a_while & (stood | settled)
        single = np.where(lift_only, _LIFT_ONLY, np.where(load_only, _LOAD_ONLY, 0.0))
        score = np.where(both, _BOTH, np.where(self.in_workshop[row], np.minimum(single, _WORKSHOP), single))
        return np.where(self.told[row], 0.0, score)

    def _tell(self, view: View, sensors: Sensors, score: Floats) -> list[Finding]:
        """Where nobody knows a ground, nobody knows what lies outside of one."""
        done = score >= self.bounds.told
        row = view.truck[done]
        self.told[row] = True
        outside = done & ~self.in_ground[view.truck] & view.places.of(PlaceKind.GROUND).any()
        findings = [self._finding(view, int(at), float(score[at])) for at in np.flatnonzero(outside)]
        sensors.dumped(row, load_spoke=self.dropped_ms[row] > 0, lift_spoke=self.raised_ms[row] > 0)
        return findings

    def _doubt(self, view: View, sensors: Sensors, settled: Flags) -> None:
        """At a ground, whoever raised a full body or lost a load has dumped, whatever the other sensor says."""
        row = view.truck
        there = settled & self.in_ground[row] & ~self.told[row]
        silent_load = there & (self.raised_s[row] >= self.bounds.raised_s) & (self.dropped_ms[row] == 0)
        silent_lift = there & (self.raised_ms[row] == 0) & (self.dropped_ms[row] > 0)
        doubted = silent_load | silent_lift
        self.told[row[doubted]] = True
        sensors.dumped(row[doubted], load_spoke=silent_lift[doubted], lift_spoke=silent_load[doubted])

    def _forget(self, view: View, slow: Flags) -> None:
        """A new episode begins once the truck drives."""
        drives = view.sane & ~slow
        away = view.truck[drives]
        flicker = (view.loaded[drives] == FULL) & (self.seen_full[away] < _PROVEN)
        self.was_loaded[away] = np.where(flicker, EMPTY, view.loaded[drives])
        for times in (self.raised_ms, self.lowered_ms, self.dropped_ms):
            times[away] = 0
        self.raised_s[away] = 0.0
        self.in_ground[away] = False
        self.in_workshop[away] = False
        self.told[away] = False

    def _finding(self, view: View, at: int, score: float) -> Finding:
        truck = int(view.truck[at])
        return Finding(
            truck,
            Class.DUMP_OUTSIDE,
            score,
            int(self.raised_ms[truck] or self.dropped_ms[truck] or view.time_ms[at]),
            last_ms=int(view.time_ms[at]),
            place=view.place_of(at, PlaceKind.SITE, PlaceKind.WASH, PlaceKind.SERVICE, PlaceKind.PARKING),
            latitude=float(view.fixes.latitude[at]),
            longitude=float(view.fixes.longitude[at]),
            evidence={
                "raised_s": float(self.raised_s[truck]),
                "load_before": "full" if self.was_loaded[truck] == FULL else "unknown",
                "load_after": "empty" if self.dropped_ms[truck] else "unknown",
                "speed_kmh": float(view.fixes.speed_kmh[at]),
                "standing_s": float(view.standing_s[at]),
            },
        )
