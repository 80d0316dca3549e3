"""Which sensors of a truck can be trusted, and what is believed of its load. Sensors break after months; rules know."""

from dataclasses import dataclass, field
from typing import Final

import numpy as np

from lamplighter_controller.fleet.judging.bounds import Bounds
from lamplighter_controller.fleet.judging.episodes import Episodes
from lamplighter_controller.fleet.judging.fixes import (
    CLOSED,
    EMPTY,
    FAULT,
    FLAT,
    FULL,
    HALF,
    OPEN,
    RAISED,
    UNKNOWN,
    Codes,
    Fixes,
    Flags,
    Floats,
    Rows,
    Times,
)
from lamplighter_controller.fleet.judging.violations import Class, Finding

CONTRADICTIONS: Final = 2  # so often a sensor must be silent where it should have spoken
UNPROVEN: Final = 1  # loadings through which a cover sensor has not changed; so it begins


@dataclass(frozen=True, slots=True)
class Trusted:
    """What the sensors say as far as they are believed, and what is believed of the load."""

    lift: Codes
    cover: Codes
    load: Codes
    loaded: Codes
    cover_doubted: Flags
    findings: list[Finding]


@dataclass(slots=True)
class Sensors:
    """What is known of every truck's sensors."""

    trucks: int
    bounds: Bounds
    stuck: Episodes = field(init=False)
    lift_stuck: Flags = field(init=False)
    cover_before: Codes = field(init=False)
    cover_same: Codes = field(init=False)
    cover_doubted: Flags = field(init=False)
    before_kmh: Floats = field(init=False)
    before_ms: Times = field(init=False)
    missed: Codes = field(init=False)
    lifts_missed: Codes = field(init=False)
    loaded: Codes = field(init=False)
    before: Codes = field(init=False)
    loading_seen: Flags = field(init=False)

    def __post_init__(self) -> None:
        """All are trusted, nothing is believed."""
        self.stuck = Episodes(self.trucks, self.bounds.lift_stuck_s, self.bounds.gone_s)
        self.lift_stuck = np.zeros(self.trucks, bool)
        self.cover_before = np.full(self.trucks, UNKNOWN, np.int8)
        self.cover_same = np.full(self.trucks, UNPROVEN, np.int8)
        self.cover_doubted = np.zeros(self.trucks, bool)
        self.before_kmh = np.full(self.trucks, np.nan)
        self.before_ms = np.zeros(self.trucks, np.int64)
        self.missed = np.zeros(self.trucks, np.int8)
        self.lifts_missed = np.zeros(self.trucks, np.int8)
        self.loaded = np.full(self.trucks, UNKNOWN, np.int8)
        self.before = np.full(self.trucks, UNKNOWN, np.int8)
        self.loading_seen = np.zeros(self.trucks, bool)

    def step(self, fixes: Fixes, sane: Flags, at_site: Flags, standing_s: Floats) -> Trusted:
        """Take one report of each of these trucks."""
        row = fixes.truck
        fast = fixes.speed_kmh > self.bounds.lift_stuck_kmh
        turned = self.stuck.step(row, (fixes.lift == RAISED) & fast, ~sane | (fixes.lift < 0), fixes.time_ms)
        self.lift_stuck[turned.began] = True
        self.lift_stuck[row[fixes.lift == FLAT]] = False
        lift = np.where(self.lift_stuck[row], np.int8(FAULT), fixes.lift).astype(np.int8)
        self._doubt(fixes)
        cover = self._cover(fixes, at_site & ~self.loading_seen[row] & (standing_s >= self.bounds.loading_s))
        load = np.where(self.missed[row] >= CONTRADICTIONS, np.int8(FAULT), fixes.load).astype(np.int8)
        load[load == HALF] = FULL
        self._learn(fixes, at_site, standing_s)
        self._believe(row, load, sane & at_site & (standing_s >= self.bounds.loading_s))
        findings = [
            Finding(
                int(truck),
                Class.SENSOR_CONTRADICTION,
                0.9,
                int(since_ms),
                evidence={"sensor": "lift", "says": "raised", "while": "driving"},
            )
            for truck, since_ms in zip(turned.began, turned.since_ms, strict=True)
        ]
        return Trusted(lift, cover, load, self.loaded[row].copy(), self.cover_doubted[row].copy(), findings)

    def dumped(self, row: Rows, *, load_spoke: Flags, lift_spoke: Flags) -> None:
        """These trucks have dumped; a sensor that did not notice loses trust, one that did is trusted again."""
        self.loaded[row] = EMPTY
        self.loading_seen[row] = False
        self.missed[row] = np.where(load_spoke, 0, np.minimum(self.missed[row] + 1, 100))
        self.lifts_missed[row] = np.where(lift_spoke, 0, np.minimum(self.lifts_missed[row] + 1, 100))

    def lift_dead(self, row: Rows, lift: Codes) -> Flags:
        """Whose lift sensor says nothing, or said nothing when it should have."""
        return (lift < 0) | (self.lifts_missed[row] >= CONTRADICTIONS)

    def trusts_load(self, row: int) -> bool:
        """True while a truck's load sensor has not been silent too often."""
        return bool(self.missed[row] < CONTRADICTIONS)

    def _doubt(self, fixes: Fixes) -> None:
        """Covers are opened standing; one that opens between two reports at speed may as well be a cable that broke."""
        row, bounds = fixes.truck, self.bounds
        close = fixes.time_ms - self.before_ms[row] <= bounds.cover_seen_s * 1000
        fast = (fixes.speed_kmh > bounds.cover_kmh) & (self.before_kmh[row] > bounds.cover_kmh)
        opens = (fixes.cover == OPEN) & (self.cover_before[row] == CLOSED)
        self.cover_doubted[row[opens]] = (close & fast)[opens]
        self.cover_doubted[row[fixes.cover == CLOSED]] = False
        self.before_kmh[row], self.before_ms[row] = fixes.speed_kmh, fixes.time_ms

    def _cover(self, fixes: Fixes, loads: Flags) -> Codes:
        """A cover that stays as it is from one loading to the next is no cover: it must open to be filled."""
        row, raw = fixes.truck, fixes.cover
        moved = (raw >= 0) & (self.cover_before[row] >= 0) & (raw != self.cover_before[row])
        self.cover_before[row] = np.where(raw >= 0, raw, self.cover_before[row])
        self.cover_same[row[loads]] = np.minimum(self.cover_same[row[loads]] + 1, UNPROVEN)
        self.cover_same[row[moved]] = 0
        return np.where(self.cover_same[row] >= UNPROVEN, np.int8(FAULT), raw).astype(np.int8)

    def _learn(self, fixes: Fixes, at_site: Flags, standing_s: Floats) -> None:
        row, raw = fixes.truck, fixes.load
        spoke = (raw >= 0) & (self.before[row] >= 0) & (raw != self.before[row])
        self.missed[row[spoke]] = 0
        leaves = ~at_site & self.loading_seen[row]
        silent = leaves & (raw == EMPTY) & (self.loaded[row] != FULL)
        self.missed[row[silent]] = np.minimum(self.missed[row[silent]] + 1, 100)
        self.loading_seen[row[leaves]] = False
        self.loading_seen[row[at_site & (standing_s >= self.bounds.loading_s)]] = True
        self.before[row] = np.where(raw >= 0, raw, self.before[row])

    def _believe(self, row: Rows, load: Codes, loads: Flags) -> None:
        """The sensor where it is trusted; else what a truck did: long enough at a site, it is full."""
        told = load >= 0
        self.loaded[row[told]] = load[told]
        guessed = ~told & loads
        self.loaded[row[guessed]] = FULL
