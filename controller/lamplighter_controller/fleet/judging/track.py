"""Whether a position can be believed, and what its failure to be one tells about the tracker."""

from dataclasses import dataclass, field

import numpy as np

from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.judging.fixes import Fixes, Flags, Floats, Times
from lamplighter_controller.fleet.judging.places import Plane
from lamplighter_controller.fleet.judging.violations import Class, Finding

_KMH_PER_M_MS = 3600.0
_CONSISTENT = 3


@dataclass(frozen=True, slots=True)
class Looked:
    """Which positions are believed, how long each truck has stood, and what was found of the trackers."""

    sane: Flags
    standing_s: Floats
    findings: list[Finding]


@dataclass(slots=True)
class Track:
    """The last believed position of every truck, and where it stands."""

    trucks: int
    plane: Plane
    bounds: Bounds
    east_m: Floats = field(init=False)
    north_m: Floats = field(init=False)
    time_ms: Times = field(init=False)
    odometer_km: Floats = field(init=False)
    stand_east_m: Floats = field(init=False)
    stand_north_m: Floats = field(init=False)
    stand_ms: Times = field(init=False)
    stand_odometer_km: Floats = field(init=False)
    strays: Times = field(init=False)
    frozen: Flags = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is known of any truck."""
        for name in ("east_m", "north_m", "odometer_km", "stand_east_m", "stand_north_m", "stand_odometer_km"):
            setattr(self, name, np.full(self.trucks, np.nan))
        self.time_ms = np.zeros(self.trucks, np.int64)
        self.stand_ms = np.zeros(self.trucks, np.int64)
        self.strays = np.zeros(self.trucks, np.int64)
        self.frozen = np.zeros(self.trucks, bool)

    def step(self, fixes: Fixes) -> Looked:
        """Take one report of each of these trucks."""
        row = fixes.truck
        east_m, north_m = self.plane.metres(fixes.latitude, fixes.longitude)
        placed = np.isfinite(east_m + north_m + fixes.speed_kmh) & (fixes.time_ms > self.time_ms[row])
        placed &= fixes.time_ms - fixes.received_ms <= self.bounds.ahead_s * 1000
        moved_m = np.hypot(east_m - self.east_m[row], north_m - self.north_m[row])
        elapsed_ms = np.maximum(fixes.time_ms - self.time_ms[row], 1)
        known = np.isfinite(self.east_m[row])
        stray = placed & known & (moved_m > self.bounds.jump_m)
        stray &= moved_m / elapsed_ms * _KMH_PER_M_MS > self.bounds.fastest_kmh
        settled = stray & (self.strays[row] + 1 >= _CONSISTENT)
        self.strays[row[placed]] = np.where(stray[placed], self.strays[row[placed]] + 1, 0)
        self.strays[row[settled]] = 0
        sane = placed & (~stray | settled)
        gap = sane & known & (elapsed_ms > self.bounds.gap_s * 1000) & (moved_m > self.bounds.gap_m)
        findings = self._jumps(fixes, settled, gap & ~settled, moved_m, elapsed_ms)
        standing_s = self._stand(fixes, sane, east_m, north_m)
        findings += self._still(fixes, sane, east_m, north_m)
        good = row[sane]
        self.east_m[good], self.north_m[good] = east_m[sane], north_m[sane]
        self.time_ms[good] = fixes.time_ms[sane]
        self.odometer_km[good] = fixes.odometer_km[sane]
        return Looked(sane & ~self.frozen[row], standing_s, findings)  # where a frozen one is, nobody knows

    def from_plane(self, before: Plane) -> None:
        """What was filled in was measured in another plane: the trucks stay where they were."""
        if before == self.plane:
            return
        for east, north in (("east_m", "north_m"), ("stand_east_m", "stand_north_m")):
            there = self.plane.metres(*before.degrees(getattr(self, east), getattr(self, north)))
            setattr(self, east, there[0])
            setattr(self, north, there[1])

    def _jumps(self, fixes: Fixes, jumped: Flags, gap: Flags, moved_m: Floats, elapsed_ms: Times) -> list[Finding]:
        return [
            Finding(
                truck=int(fixes.truck[at]),
                kind=kind,
                score=0.9,
                first_ms=int(self.time_ms[fixes.truck[at]]),
                last_ms=int(fixes.time_ms[at]),
                latitude=float(fixes.latitude[at]),
                longitude=float(fixes.longitude[at]),
                evidence={"distance_m": float(moved_m[at]), "elapsed_s": float(elapsed_ms[at]) / 1000},
            )
            for kind, which in ((Class.POSITION_JUMP, jumped), (Class.POSITION_GAP, gap))
            for at in np.flatnonzero(which)
        ]

    def _stand(self, fixes: Fixes, sane: Flags, east_m: Floats, north_m: Floats) -> Floats:
        """How long each has stood near one point; a truck that moves stands nowhere."""
        row = fixes.truck
        away = np.hypot(east_m - self.stand_east_m[row], north_m - self.stand_north_m[row])
        here = sane & (fixes.speed_kmh < self.bounds.standing_kmh) & (away <= self.bounds.stay_m)
        begins = sane & ~here
        self.stand_east_m[row[begins]], self.stand_north_m[row[begins]] = east_m[begins], north_m[begins]
        self.stand_ms[row[begins]] = fixes.time_ms[begins]
        standing = (fixes.time_ms - self.stand_ms[row]) / 1000
        return np.where(here & (self.stand_ms[row] > 0), standing, 0.0)

    def _still(self, fixes: Fixes, sane: Flags, east_m: Floats, north_m: Floats) -> list[Finding]:
        """A position that never moves while the odometer or the speed does is not a position."""
        row = fixes.truck
        same = np.hypot(east_m - self.east_m[row], north_m - self.north_m[row]) <= self.bounds.frozen_m
        moves = sane & ~same
        fresh = moves | (sane & (self.stand_odometer_km[row] != self.stand_odometer_km[row]))
        self.stand_odometer_km[row[fresh]] = fixes.odometer_km[fresh]
        self.frozen[row[moves]] = False
        driven_km = fixes.odometer_km - self.stand_odometer_km[row]
        long = fixes.time_ms - self.stand_ms[row] >= self.bounds.frozen_s * 1000
        found = sane & same & ~self.frozen[row] & (driven_km > self.bounds.frozen_odometer_km)
        found &= long | (fixes.speed_kmh > self.bounds.standing_kmh)
        self.frozen[row[found]] = True
        return [
            Finding(
                int(row[at]),
                Class.POSITION_FROZEN,
                0.8,
                int(self.stand_ms[row[at]]),
                None,
                latitude=float(fixes.latitude[at]),
                longitude=float(fixes.longitude[at]),
                evidence={"driven_km": float(driven_km[at]), "speed_kmh": float(fixes.speed_kmh[at])},
            )
            for at in np.flatnonzero(found)
        ]
