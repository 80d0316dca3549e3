"""Levels and reasons of all lamps at one instant; what `light.level` says of one lamp, said of a million."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Final

import numpy as np
import numpy.typing as npt

from lamplighter_contract.level import Winner
from lamplighter_contract.light.adaptive import Adaptive, Daylight, Fog, Traffic, early_ms, silent
from lamplighter_contract.light.city.columns import CLASSES, Columns, Floats, RuleRows, Schedule
from lamplighter_contract.light.plans.programs import Levels, level_at, span_at
from lamplighter_contract.light.scenes import played
from lamplighter_contract.light.signals import Signals
from lamplighter_contract.light.sky.moments import SunMoment
from lamplighter_contract.light.sky.nights import Night, darkness_of
from lamplighter_contract.light.sky.sun import HORIZON_DEG, elevation_deg, falls
from lamplighter_contract.light.view import View

LADDER: Final = (
    Winner.EMERGENCY,
    Winner.OVERRIDE,
    Winner.SCENE,
    Winner.ADAPTIVE,
    Winner.PROGRAM,
    Winner.DEFAULT,
)
_BIT: Final = {winner: np.uint8(1 << place) for place, winner in enumerate(LADDER)}
_FULL_PERCENT: Final = 100.0


@dataclass(frozen=True, slots=True)
class CityLevels:
    """One row per lamp of the columns. `claims`: a bit for each of `LADDER` that wants something; the lowest has won.

    `until_ms` is 0 where no end is known; `source` counts through `sources`.
    """

    level_percent: Floats
    claims: npt.NDArray[np.uint8]
    until_ms: npt.NDArray[np.int64]
    source: npt.NDArray[np.int32]
    sources: Sequence[str]

    def winner(self, row: int) -> Winner:
        """Who has decided one lamp's level."""
        return self._claimed(row)[0]

    def beat(self, row: int) -> tuple[Winner, ...]:
        """Whom the winner has beaten."""
        return self._claimed(row)[1:]

    def count(self) -> dict[Winner, int]:
        """Lamps by winner."""
        won = self.claims & (~self.claims + np.uint8(1))
        return {winner: int(np.count_nonzero(won == bit)) for winner, bit in _BIT.items()}

    def _claimed(self, row: int) -> tuple[Winner, ...]:
        return tuple(winner for winner in LADDER if self.claims[row] & _BIT[winner])


def levels_at(columns: Columns, now_ms: int, signals: Signals) -> CityLevels:
    """The level of every lamp at a civil time, and who decided it."""
    prepare(columns.views, now_ms)
    sweep = _Sweep(columns, now_ms)
    sweep.programs()
    base = sweep.level.copy()
    for rows in columns.rules:
        if silent(rows.rule, signals, now_ms) is None:
            sweep.adaptive(rows, base, signals)
    sweep.scenes()
    sweep.overrides()
    return sweep.result()


class _Sweep:
    """Writes one layer over the other, from the lowest of the ladder to the highest."""

    def __init__(self, columns: Columns, now_ms: int) -> None:
        count = len(columns.devices)
        self.columns, self.now_ms = columns, now_ms
        self.offset = len(columns.schedules)
        self.level = np.zeros(count)
        self.claims = np.zeros(count, np.uint8)
        self.until = np.zeros(count, np.int64)
        self.source = columns.schedule.copy()
        self.stage_names: list[str] = []

    def programs(self) -> None:
        """What calendars and programs want, once for each schedule."""
        if not self.columns.schedules:
            return
        found = [_of_schedule(schedule, self.now_ms) for schedule in self.columns.schedules]
        level, until, claim, self.stage_names = map(list, zip(*found, strict=True))
        schedule = self.columns.schedule
        self.level = np.array(level, np.float64)[schedule]
        self.until = np.array(until, np.int64)[schedule]
        self.claims = np.array(claim, np.uint8)[schedule]

    def adaptive(self, its: RuleRows, base: Floats, signals: Signals) -> None:
        """One rule, on those of its lamps that no rule before it has changed."""
        signal, program = signals[its.rule.signal], base[its.rows]
        classes = self.columns.road_class[its.rows]
        wanted, applies = _wanted(its.rule, signal.value, program, classes, self._near_lit(its, signal.value))
        applies &= (self.claims[its.rows] & _BIT[Winner.ADAPTIVE]) == 0
        rows = its.rows[applies]
        base_until = self.until[rows]
        until = np.where(base_until == 0, signal.until, np.minimum(base_until, signal.until))
        self._write(Winner.ADAPTIVE, rows, wanted[applies], until, its.name)

    def scenes(self) -> None:
        """Playing scenes, the newest last."""
        for its in self.columns.scenes:
            for cues, rows in its.parts if its.scene.plays(self.now_ms) else ():
                now = played(its.scene, cues, self.now_ms)
                if now is not None:
                    self._write(Winner.SCENE, rows, now.level_percent, now.until_ms, its.name)

    def overrides(self) -> None:
        """Overrides in force, then emergencies, which no light output scales."""
        its = self.columns.overrides
        in_force = self.now_ms < its.until_ms
        chosen = in_force & ~its.emergency
        self._write(
            Winner.OVERRIDE, its.rows[chosen], its.level_percent[chosen], its.until_ms[chosen], its.name[chosen]
        )
        self.level *= self.columns.scale
        chosen = in_force & its.emergency
        self._write(
            Winner.EMERGENCY, its.rows[chosen], its.level_percent[chosen], its.until_ms[chosen], its.name[chosen]
        )

    def result(self) -> CityLevels:
        """What was decided."""
        return CityLevels(self.level, self.claims, self.until, self.source, (*self.stage_names, *self.columns.names))

    def _write(
        self,
        winner: Winner,
        rows: npt.NDArray[np.int64],
        level: npt.ArrayLike,
        until: npt.ArrayLike,
        name: npt.ArrayLike,
    ) -> None:
        self.level[rows] = level
        self.until[rows] = until
        self.source[rows] = np.asarray(name) + self.offset
        self.claims[rows] |= _BIT[winner]

    def _near_lit(self, its: RuleRows, value: object) -> npt.NDArray[np.bool_]:
        around_ms = early_ms(its.rule)
        if not around_ms or not _clouded(its.rule, value):
            return np.zeros(len(its.rows), np.bool_)
        schedules = (self.columns.schedules[index] for index in its.schedules)
        lit = [_lit(schedule, self.now_ms - around_ms, self.now_ms + around_ms) for schedule in schedules]
        return np.array(lit, np.bool_)[its.which]


def _of_schedule(schedule: Schedule, now_ms: int) -> tuple[float, int, int, str]:
    """Level, end, claim and source of one schedule."""
    view = schedule.view
    if schedule.calendar is None:
        down = elevation_deg(now_ms, view.place.latitude, view.place.longitude) < HORIZON_DEG
        return _FULL_PERCENT if down else 0.0, 0, int(_BIT[Winner.DEFAULT]), ""
    tonight = view.tonight(schedule.calendar, now_ms)
    spans = tonight.spans(schedule.road_class)
    index = span_at(spans, now_ms)
    until_ms = spans[index + 1].start_ms if index + 1 < len(spans) else tonight.night.end_ms
    return level_at(spans, now_ms), until_ms, int(_BIT[Winner.PROGRAM]), spans[index].source


def _lit(schedule: Schedule, from_ms: float, until_ms: float) -> bool:
    if schedule.calendar is None:
        return False
    return schedule.view.lit(schedule.calendar, schedule.road_class, from_ms, until_ms)


def _wanted(
    rule: Adaptive, value: object, program: Floats, classes: npt.NDArray[np.int8], near_lit: npt.NDArray[np.bool_]
) -> tuple[Floats, npt.NDArray[np.bool_]]:
    """Levels wanted by a rule, and where it wants them."""
    if isinstance(rule, Traffic):
        return _table(rule.levels[str(value)])[classes], program > 0
    assert isinstance(value, int | float)
    wanted = _table(rule.levels)[classes]
    if isinstance(rule, Fog):
        return wanted, (program > 0) & (program < wanted) & (value > 0)
    dark = near_lit & (value < rule.cloud_lux) | (value < rule.storm_lux)
    return wanted, dark & (program < wanted)


def _clouded(rule: Adaptive, value: object) -> bool:
    """True when it depends on the program's hours whether a lamp has light: not so dark as to have it at once."""
    return isinstance(rule, Daylight) and isinstance(value, int | float) and rule.storm_lux <= value < rule.cloud_lux


def _table(levels: Levels) -> Floats:
    return np.array([levels.of(road_class) for road_class in CLASSES])


def prepare(views: Sequence[View], now_ms: int) -> None:
    """Compute the sun of tonight for all places in one pass; without it each view computes its own when asked."""
    nights: dict[date, list[View]] = {}
    for view in views:
        day = view.date_at(now_ms)
        if not view.night(day).known:
            nights.setdefault(day, []).append(view)
    for day, those in nights.items():
        for below_deg in _elevations(those):
            _prepare([view.night(day) for view in those], below_deg)


def prepare_nights(views: Sequence[View], days: Sequence[date], elevations_deg: Iterable[float]) -> None:
    """Compute the sun of many nights in one pass, once for views of one place; also at these elevations."""
    first = {view.place: view for view in reversed(views)}
    nights = [view.night(day) for view in first.values() for day in days]
    for below_deg in {*_elevations(views), *elevations_deg}:
        _prepare(nights, below_deg)
    for view in views:
        for day in days:
            view.night(day).known.update(first[view.place].night(day).known)


def _prepare(nights: Sequence[Night], below_deg: float) -> None:
    middles = np.array([(night.start_ms + night.end_ms) / 2 for night in nights])
    latitudes = np.array([night.place.latitude for night in nights])
    longitudes = np.array([night.place.longitude for night in nights])
    found = falls(middles, latitudes, longitudes, below_deg, np)
    each = (found.dusk_ms, found.dawn_ms, found.sets, found.rises, found.dark)
    for night, values in zip(nights, zip(*(column.tolist() for column in each), strict=True), strict=True):
        night.known[below_deg] = darkness_of(night, *values)


def _elevations(views: Sequence[View]) -> set[float]:
    found = {HORIZON_DEG}
    for program in {id(p): p for view in views for p in view.plan.programs}.values():
        for moment in (program.begins, program.ends, *(step.at for step in program.steps)):
            if isinstance(moment, SunMoment):
                found.add(moment.elevation_deg)
    return found
