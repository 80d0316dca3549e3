"""How the loop may move a lamp: relays rest between switchings, groups come on one after the other, ramps go in steps.

No clock, no I/O; times in monotonic seconds.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final

from lamplighter_contract.level import Level, Winner
from lamplighter_gateway.light.reconcile import Shown
from lamplighter_gateway.uplink.pace import Pace

# Below what an eye sees, and a ramp over the whole range is at most fifty writes to a lamp however long it lasts:
# a bound in time instead would hold back the last word of a ramp and every switch point that follows it closely.
STEP_PERCENT: Final = 2.0
MANUAL: Final = frozenset({Winner.EMERGENCY, Winner.OVERRIDE})


@dataclass(frozen=True, slots=True)
class Switching:
    """How long a relay rests, how often it switches in `day_s`, how many come on per bus and second; real seconds.

    `ons_per_s` 0: as many as there are.
    """

    dwell_s: float = 60.0
    ons_per_s: float = 0.0
    most_a_day: int = 20
    day_s: float = 86_400.0


class Relays:
    """Which switchings may happen now."""

    def __init__(self, limits: Switching) -> None:
        """Every bus may begin at once."""
        self._limits = limits
        self._paces: dict[str, Pace] = {}

    def may(self, bus: str, wanted: Level, shown: Shown, switched_s: Sequence[float], now_s: float) -> bool:
        """False when a write has to wait: it would switch a relay again too soon or too often, or too many at a time.

        `switched_s`: when we switched it, the newest last. What a lamp did by itself, as after a power cut, is mended
        at once, and one that has switched too often in a day stays lit.
        """
        if wanted.level_percent is None or shown.level_percent is None:
            return True
        on = wanted.level_percent > 0
        if on == (shown.level_percent > 0):
            return True
        spared = not self._rested(switched_s, now_s) or (not on and self._worn(switched_s, now_s))
        if spared and wanted.why.winner not in MANUAL:
            return False
        return not on or self.comes_on(bus, now_s)

    def comes_on(self, bus: str, now_s: float) -> bool:
        """Let one more come on, whoever wants it; False while too many on the bus have of late."""
        return not self._limits.ons_per_s or self._pace(bus).take(now_s)

    @property
    def pause_s(self) -> float:
        """How long to wait until more may come on: as the loop, by the second, so that results do not come singly."""
        return max(1.0, 1 / self._limits.ons_per_s) if self._limits.ons_per_s else 0.0

    def _rested(self, switched_s: Sequence[float], now_s: float) -> bool:
        return not switched_s or now_s >= switched_s[-1] + self._limits.dwell_s

    def _worn(self, switched_s: Sequence[float], now_s: float) -> bool:
        return sum(now_s < at_s + self._limits.day_s for at_s in switched_s) >= self._limits.most_a_day

    def _pace(self, bus: str) -> Pace:
        if bus not in self._paces:
            self._paces[bus] = Pace(self._limits.ons_per_s, max(1.0, self._limits.ons_per_s))
        return self._paces[bus]


@dataclass(slots=True)
class _Course:
    target: float
    asked: float
    why: tuple[Winner, str]


class Steps:
    """Levels on the move become steps; where a level rests, it is kept to exactly."""

    def __init__(self) -> None:
        """Nothing moves."""
        self._courses: dict[str, _Course] = {}

    def step(self, device: str, wanted: Level) -> Level:
        """The level to keep when this one is wanted now; call it once per look."""
        percent, why = wanted.level_percent, (wanted.why.winner, wanted.why.source)
        if percent is None:
            self._courses.pop(device, None)
            return wanted
        course = self._courses.get(device)
        if course is None or course.why != why:
            self._courses[device] = _Course(percent, percent, why)
            return wanted
        switches = (percent > 0) != (course.target > 0)
        if switches or percent == course.asked or abs(percent - course.target) >= STEP_PERCENT:
            course.target = percent
        course.asked = percent
        return wanted if course.target == percent else replace(wanted, level_percent=course.target)
