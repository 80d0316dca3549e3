"""Whether a truck has dumped, and where it should not have.

A dump is a body raised long enough while the truck hardly moves, together with a load that goes. With one of the two
sensors dead the other one and what the truck did before must do; what is lifted empty, to wash or to repair, is none.
"""

from dataclasses import dataclass, field

import numpy as np

from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.judging.fixes import EMPTY, FULL, RAISED, Codes, Flags, Floats, Times
from lamplighter_controller.fleet.judging.places import PlaceKind
from lamplighter_controller.fleet.judging.sensors import Sensors
from lamplighter_controller.fleet.judging.view import View
from lamplighter_controller.fleet.judging.violations import Class, Finding

_BOTH, _LIFT_ONLY, _LOAD_ONLY = 0.99, 0.92, 0.90


@dataclass(slots=True)
class Dumping:
    """What every truck's body has been doing."""

    trucks: int
    bounds: Bounds
    raised_ms: Times = field(init=False)
    raised_s: Floats = field(init=False)
    was_loaded: Codes = field(init=False)
    stood_s: Floats = field(init=False)
    since_load: Flags = field(init=False)
    told: Flags = field(init=False)

    def __post_init__(self) -> None:
        """All bodies are down."""
        self.raised_ms = np.zeros(self.trucks, np.int64)
        self.raised_s = np.zeros(self.trucks)
        self.was_loaded = np.full(self.trucks, -1, np.int8)
        self.stood_s = np.zeros(self.trucks)
        self.since_load = np.zeros(self.trucks, bool)
        self.told = np.zeros(self.trucks, bool)

    def step(self, view: View, sensors: Sensors) -> list[Finding]:
        """Dumps that were completed by these reports, those outside every ground as findings."""
        row = view.truck
        slow = view.sane & (view.fixes.speed_kmh <= self.bounds.dumping_kmh)
        raised = (view.lift == RAISED) & slow
        begins = raised & (self.raised_ms[row] == 0)
        self.raised_ms[row[begins]] = view.time_ms[begins]
        self.was_loaded[row[begins]] = view.loaded[begins]
        self.raised_s[row[raised]] = (view.time_ms[raised] - self.raised_ms[row[raised]]) / 1000
        score = self._score(view, sensors, slow)
        findings = self._tell(view, sensors, score)
        lowered = (view.lift != RAISED) & (view.lift >= 0)
        self.raised_ms[row[lowered]] = 0
        self.raised_s[row[lowered]] = 0.0
        self.told[row[lowered & ~slow]] = False
        resting = ~raised
        self.was_loaded[row[resting]] = view.loaded[resting]
        return findings

    def _score(self, view: View, sensors: Sensors, slow: Flags) -> Floats:
        """How sure it is that each truck has just dumped, 0 where it has not."""
        row = view.truck
        long = self.raised_s[row] >= self.bounds.raised_s
        full_before = self.was_loaded[row] == FULL
        dropped = full_before & (view.load == EMPTY)
        dead_lift = sensors.lift_dead(row, view.lift)
        dead_load = view.load < 0
        both = long & dropped
        lift_only = long & dead_load & full_before
        load_only = dead_lift & dropped & slow & (view.standing_s >= self.bounds.unload_s)
        score = np.where(both, _BOTH, np.where(lift_only, _LIFT_ONLY, np.where(load_only, _LOAD_ONLY, 0.0)))
        return np.where(self.told[row], 0.0, score)

    def _tell(self, view: View, sensors: Sensors, score: Floats) -> list[Finding]:
        done = score >= self.bounds.sure
        row = view.truck[done]
        self.told[row] = True
        findings = [
            self._finding(view, at, float(score[at]))
            for at in np.flatnonzero(done & ~view.within(PlaceKind.GROUND)).tolist()
        ]
        sensors.dumped(row, load_spoke=view.load[done] == EMPTY, lift_spoke=view.lift[done] == RAISED)
        return findings

    def _finding(self, view: View, at: int, score: float) -> Finding:
        truck = int(view.truck[at])
        return Finding(
            truck,
            Class.DUMP_OUTSIDE,
            score,
            int(self.raised_ms[truck] or view.time_ms[at]),
            last_ms=int(view.time_ms[at]),
            place=view.place_of(at, PlaceKind.SITE, PlaceKind.WASH, PlaceKind.SERVICE, PlaceKind.PARKING),
            latitude=float(view.fixes.latitude[at]),
            longitude=float(view.fixes.longitude[at]),
            evidence={
                "raised_s": float(self.raised_s[truck]),
                "load_before": "full" if self.was_loaded[truck] == FULL else "unknown",
                "load_after": "empty" if view.load[at] == EMPTY else "unknown",
                "speed_kmh": float(view.fixes.speed_kmh[at]),
                "standing_s": float(view.standing_s[at]),
            },
        )
