"""Conditions that must last before they count, and be gone for a while before they are over: one episode, one event."""

from dataclasses import dataclass, field

import numpy as np

from lamplighter_controller.fleet.judging.fixes import Flags, Rows, Times

NEVER = np.iinfo(np.int64).min


@dataclass(frozen=True, slots=True)
class Turned:
    """Rows of the fleet at which an episode began now, with when its condition did, and rows at which one ended."""

    began: Rows
    since_ms: Times
    ended: Rows


@dataclass(slots=True)
class Episodes:
    """One condition over all trucks. `lasts_s` until it counts, `gone_s` until it is over."""

    trucks: int
    lasts_s: float
    gone_s: float
    since_ms: Times = field(init=False)
    gone_ms: Times = field(init=False)
    active: Flags = field(init=False)

    def __post_init__(self) -> None:
        """Nothing holds."""
        self.since_ms = np.full(self.trucks, NEVER)
        self.gone_ms = np.full(self.trucks, NEVER)
        self.active = np.zeros(self.trucks, bool)

    def step(self, truck: Rows, holds: Flags, unknown: Flags, time_ms: Times) -> Turned:
        """One step for these trucks; where it is unknown whether the condition holds, nothing changes at all."""
        known = ~unknown
        if not holds.any() and not self.active[truck].any():
            self.since_ms[truck[known]] = NEVER
            return Turned(truck[:0], time_ms[:0], truck[:0])
        self._mark(truck[known & holds], time_ms[known & holds], self.since_ms, self.gone_ms)
        gone = known & ~holds
        self.since_ms[truck[gone & ~self.active[truck]]] = NEVER
        self._mark(truck[gone], time_ms[gone], self.gone_ms, None)
        began = known & holds & ~self.active[truck] & (time_ms - self.since_ms[truck] >= self.lasts_s * 1000)
        over = gone & self.active[truck] & (time_ms - self.gone_ms[truck] >= self.gone_s * 1000)
        self.active[truck[began]] = True
        self.active[truck[over]] = False
        since = self.since_ms[truck[began]].copy()
        self.since_ms[truck[over]] = NEVER
        return Turned(truck[began], since, truck[over])

    @staticmethod
    def _mark(rows: Rows, time_ms: Times, begins: Times, clears: Times | None) -> None:
        fresh = begins[rows] == NEVER
        begins[rows[fresh]] = time_ms[fresh]
        if clears is not None:
            clears[rows] = NEVER
