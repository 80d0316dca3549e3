"""One part of the city in one step: from readings to what was seen, with all that is held of its lamps."""

from dataclasses import replace
from typing import Final, Protocol

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, I64, U32, Flags
from lamplighter_controller.diagnosis.lamps.columns import LampColumns
from lamplighter_controller.diagnosis.lamps.expectation.command import Command, follow
from lamplighter_controller.diagnosis.lamps.expectation.expected import Expectation, common_mode, expect, warming
from lamplighter_controller.diagnosis.lamps.expectation.tables import Lessons, ModelTables
from lamplighter_controller.diagnosis.lamps.groups import Groups, Part
from lamplighter_controller.diagnosis.lamps.seen import Seen
from lamplighter_controller.diagnosis.lamps.sequences.limits import Limits
from lamplighter_controller.diagnosis.lamps.sequences.sequential import GROSS as GROSS_EARLY
from lamplighter_controller.diagnosis.lamps.sequences.sequential import (
    MATURE,
    TRUSTED,
    Steady,
    accumulate,
    by_voltage,
    follow_voltage,
    jumps,
    learn,
    leave_to_peers,
    settle_voltage,
    spread,
    unlike_model,
    weigh,
)
from lamplighter_controller.diagnosis.lamps.sequences.triggers import Trigger, odd, triggers
from lamplighter_controller.diagnosis.lamps.signs import showing as shown
from lamplighter_controller.diagnosis.lamps.signs.reading import AHEAD_S, Reading, judge, remember
from lamplighter_controller.diagnosis.samples import Floats, Samples
from lamplighter_controller.diagnosis.settings import Settings

APART: Final = 0.06
"""Of nominal voltage: a lamp that far from its feeder's mean has a voltage of its own."""
GROSS: Final = 0.5
FAR_SHARE: Final = 0.1
GROSS_TAUGHT: Final = 0.8
LATE_PERIODS: Final = 1.8
MOST_LATE_S: Final = 1_800.0
"""A command may reach its lamp that much later than it was to hold."""
FROZEN_S: Final = 7_200
"""Readings that do not change by a digit for so long were not measured."""
MOST_REPEATS: Final = 3
"""A reading that has come so often in a row is not believed any more; sooner than it is held against the meter."""
ANY_REPEATS: Final = 251
STILL_SHARE: Final = 0.6
"""Where more of all lamps than this repeat themselves, the network or the file is that still."""


class Watched(Protocol):
    """What a part needs of the watch it belongs to."""

    tables: ModelTables
    settings: Settings
    limits: Limits
    held: LampColumns
    frozen_after: int
    late_s: int
    kin: I64
    """(n,) the same number for lamps of one model in one cabinet."""
    teachers: Flags
    """(n,) lamps whose readings correct the curve of their model."""

    @property
    def model(self) -> I64:
        """(n,) row of each lamp's model in the tables."""

    @property
    def groups(self) -> I64:
        """First lamp of each group that is told what it has in common."""


class PartStep:
    """One part of the city in one step."""

    def __init__(
        self,
        watch: Watched,
        samples: Samples,
        level_percent: Floats,
        suspect: Flags,
        now_ms: int,
        part: Part,
        *,
        still: bool,
    ) -> None:
        self.watch = watch
        self.part = part
        self.still = still
        self.held = watch.held.part(part.rows)
        self.model = watch.model[part.rows]
        self.discharge = watch.tables.discharge.take(self.model)
        self.suspect = suspect[part.rows]
        self.samples = samples
        self.lamps = samples.lamps
        self.reading = self._reading(level_percent, now_ms)
        self.now_s = now_ms // 1000
        self.missed = self.lamps.silent[part.rows]
        self.asked = self.lamps.asked[part.rows]
        self.groups = Groups(watch.groups[part.groups] - part.rows.start, len(self.model))

    def run(self, seen: Seen, lessons: Lessons) -> I64:
        """Judge the part and write what was seen; returns rows with readings older than one had before."""
        held, reading, tables, rows = self.held, self.reading, self.watch.tables, self.part.rows
        rated_w = tables.rated_w.take(self.model)
        quality = None if self.lamps.quality is None else self.lamps.quality[rows]
        usable = judge(held, reading, rated_w, quality, ANY_REPEATS if self.still else MOST_REPEATS)
        reading = replace(reading, usable=usable)
        since = self.lamps.desired_since_ms
        before_s = held.heard.copy()
        command = follow(
            held,
            reading,
            self.now_s,
            None if since is None else (since[rows] // 1000).astype(np.uint32),
            tables.settle_s.take(self.model) + np.uint32(self.watch.late_s),
            self.discharge,
        )
        voltage = reading.voltage_v / np.float32(self.watch.settings.nominal_voltage_v)
        expectation = expect(held, self.model, tables, command, voltage, self.watch.settings.nominal_voltage_v)
        self._age(expectation)
        showing = shown.lit_or_dark(held, reading, command, expectation, rated_w)
        steady, common = self._steady(reading, expectation, showing, before_s, lessons)
        self._count(reading, command, expectation, showing, steady, before_s)
        self._learn(reading, command, expectation, steady)
        self._write(seen, command, expectation, showing, steady, common, reading)
        stale = self.lamps.answered[rows] & ~reading.fresh & ~reading.ahead
        stale &= reading.time_s < held.heard
        self._hear(reading)
        odd(held, reading.time_s)
        bits = triggers(held, self.watch.limits, self.discharge, self.watch.frozen_after)
        if self.still:
            bits &= ~np.uint32(Trigger.FROZEN)
        seen.bits[rows] = np.where(reading.excused, 0, self.groups.without_shared(held, bits))
        return np.flatnonzero(stale) + rows.start

    def _reading(self, level_percent: Floats, now_ms: int) -> Reading:
        rows = self.part.rows
        time_s = (self.lamps.time_ms[rows] // 1000).astype(np.uint32)
        answered = self.lamps.answered[rows]
        ahead = answered & (time_s > np.uint32(now_ms // 1000 + AHEAD_S))
        fresh = answered & ~ahead & (time_s > self.held.heard)
        none = np.zeros(len(time_s), np.bool_)
        excused = none if self.samples.excused is None else self.samples.excused[rows]
        return Reading(
            time_s=time_s,
            fresh=fresh,
            ahead=ahead,
            usable=none,
            excused=excused,
            power_w=self._column("power_w"),
            voltage_v=self._column("voltage_v"),
            current_a=self._column("current_a"),
            factor=self._column("power_factor"),
            desired_percent=_narrow(level_percent[rows]),
            reported_percent=self._column("level_percent"),
        )

    def _column(self, name: str) -> F32:
        return _narrow(self.lamps.column(name)[self.part.rows])

    def _age(self, expectation: Expectation) -> None:
        """Lower what is expected to what constant light output takes at the lamp's age, for models that say so."""
        burning_h = self._column("burning_h")
        for row, points in self.watch.tables.clo.items():
            hours, percents = zip(*points, strict=True)
            mine = (self.model == row) & ~np.isnan(burning_h)
            share = np.interp(burning_h[mine], hours, percents) / 100
            expectation.full_w[mine] *= share
            expectation.expected_w[mine] *= share

    def _steady(
        self,
        reading: Reading,
        expectation: Expectation,
        showing: shown.Showing,
        before_s: U32,
        lessons: Lessons,
    ) -> tuple[Steady, F32]:
        """Residuals of steady readings, common mode removed; the lamps' models learn from them."""
        tables = self.watch.tables
        raw = reading.power_w / np.maximum(expectation.expected_w, np.float32(1)) - np.float32(1)
        counts = showing.judged & ~showing.dark & np.isfinite(raw)
        believed = tables.believed(expectation.cell)
        deviation, unlike = self._deviation(reading), unlike_model(self.held)
        sigma = spread(self.held, expectation, deviation, self.discharge, unlike)
        like = ~self.suspect & ~unlike
        voters = counts & believed & like & (expectation.certain > 0) & (np.abs(raw) < GROSS)
        common, in_sigma = self._common(raw, sigma, voters)
        residual = raw - common
        weight = weigh(reading.time_s, before_s)
        taught = counts & like & (np.abs(raw) < GROSS_TAUGHT) & self.watch.teachers[self.part.rows]
        rows = np.flatnonzero(taught)
        lessons.add(expectation.cell[rows], raw[rows], reading.factor[rows])
        self._learn_exponent(deviation, voters, raw)
        sagging = by_voltage(self.held, residual, deviation)
        return Steady(counts & believed, residual, sigma, weight, sagging), in_sigma

    def _common(self, raw: F32, sigma: F32, voters: Flags) -> tuple[F32, F32]:
        """(n,) what each lamp's group has in common, and (groups,) in sigma; discharge lamps follow the voltage."""
        if not self.watch.settings.common_mode:
            return np.zeros_like(raw), np.full(len(self.groups.start), np.nan, np.float32)
        discharge = self.discharge
        if not self.groups.mixed(discharge):
            common, in_sigma = common_mode(raw, sigma, voters, self.groups.start)
            return self.groups.each(common), in_sigma
        one, one_sigma = common_mode(raw, sigma, voters & discharge, self.groups.start)
        other, other_sigma = common_mode(raw, sigma, voters & ~discharge, self.groups.start)
        common = np.where(discharge, self.groups.each(one), self.groups.each(other))
        return common, np.where(np.isnan(other_sigma), one_sigma, other_sigma)

    def _deviation(self, reading: Reading) -> F32:
        """(n,) from the lamp's usual voltage, NaN where that is not known."""
        return reading.voltage_v / self.held.voltage_v - np.float32(1)

    def _learn_exponent(self, deviation: F32, voters: Flags, raw: F32) -> None:
        far = np.abs(deviation)
        rows = np.flatnonzero(voters & (far > 0.01) & (far < 0.15) & (np.abs(raw) < 0.2))
        if len(rows):
            self.watch.tables.learn_exponent(self.model[rows], deviation[rows], raw[rows])

    def _count(
        self,
        reading: Reading,
        command: Command,
        expectation: Expectation,
        showing: shown.Showing,
        steady: Steady,
        before_s: U32,
    ) -> None:
        held, tables = self.held, self.watch.tables
        most_w = tables.most_w(self.model) * expectation.gain
        telling = steady.telling(self._moving())
        off = shown.Off(np.where(telling.counts, steady.residual, 0), steady.sigma, most_w)
        shown.wrong_level(held, reading, command, showing, expectation, off)
        share = expectation.expected_w / np.maximum(most_w, np.float32(1))
        usual = tables.usual_factor(expectation.cell)
        shown.idle_current(held, reading, showing, off.residual, usual, share)
        fresh = reading.fresh & ~reading.excused
        shown.other_times(held, fresh, command, self.watch.settings.period_s)
        temperature_c = self._column("temperature_c")
        shown.surroundings(held, fresh, temperature_c, self.groups.above, command)
        shown.leaning(held, fresh, self._column("tilt_deg"))
        voltage = reading.voltage_v / np.float32(self.watch.settings.nominal_voltage_v)
        shown.voltages(
            held, fresh, voltage, lambda odd: self.groups.few(odd) & ~(np.abs(self.groups.above(voltage)) <= APART)
        )
        gap_h = np.where(before_s > 0, reading.time_s - np.minimum(before_s, reading.time_s), 0) / np.float32(3600)
        hours = np.where(reading.fresh, np.minimum(gap_h, 24), 0).astype(np.float32)
        shown.edges(held, showing, command, self._column("starts"), hours, self._alone(showing))

    def _moving(self) -> Flags:
        """(n,) lamps whose meters have not repeated themselves; where the whole network is that still, all of them."""
        return (self.held.frozen < shown.REPEATS) | self.still

    def _alone(self, showing: shown.Showing) -> Flags:
        """Lamps of groups that are not going out or coming on together."""
        turned = showing.dark & (self.held.lit_before == shown.LIT_SEEN)
        turned |= showing.judged & ~showing.dark & (self.held.lit_before == shown.DARK_SEEN)
        return self.groups.few(turned)

    def _learn(self, reading: Reading, command: Command, expectation: Expectation, steady: Steady) -> None:
        held = self.held
        seen = held.most_seen()
        large = np.abs(steady.residual) > GROSS_EARLY
        known = (seen >= MATURE) | ((seen >= TRUSTED) & large) | (not self.watch.settings.learned_gain)
        other = self._other_curve(reading, command, expectation, steady)
        tested = steady.telling(known & ~other & self._moving())
        accumulate(held, tested, reading.time_s)
        leave_to_peers(held, tested, self.watch.kin[self.part.rows], self.watch.limits)
        jumps(held, tested)
        frozen = self.suspect | (not self.watch.settings.learned_gain)
        learn(held, steady.telling(~frozen), expectation, seen, other, self.watch.limits)
        follow_voltage(held, steady, frozen, seen, self._deviation(reading))
        healthy = steady.counts & (np.abs(steady.residual) < shown.STUCK_SHARE)
        shown.hold_level(held, healthy, command.level_percent, reading.power_w)
        settle_voltage(held, reading.voltage_v, seen, reading.usable & command.on & (reading.voltage_v > 100))

    def _other_curve(self, reading: Reading, command: Command, expectation: Expectation, steady: Steady) -> Flags:
        """First readings at a level, far off, and not what was drawn before: its curve is not its model's."""
        held = self.held
        far = steady.counts & (expectation.certain == 0) & (np.abs(steady.residual) > FAR_SHARE)
        if not far.any():
            return far
        as_before = np.abs(reading.power_w - held.held_w) < shown.HELD_SHARE * np.abs(held.held_w)
        as_before &= np.abs(command.level_percent - held.held_percent) > 5
        return far & (~as_before | unlike_model(held))

    def _write(
        self,
        seen: Seen,
        command: Command,
        expectation: Expectation,
        showing: shown.Showing,
        steady: Steady,
        common: F32,
        reading: Reading,
    ) -> None:
        rows = self.part.rows
        expected_w = np.where(command.on, expectation.expected_w * warming(command.age_s, self.discharge), 0)
        seen.expected_w[rows] = np.where(command.known, expected_w, np.nan)
        seen.residual[rows] = np.where(steady.counts, steady.residual, np.nan)
        seen.sigma[rows] = steady.sigma
        seen.usual_factor[rows] = self.watch.tables.usual_factor(expectation.cell)
        seen.dark[rows], seen.lit[rows], seen.judged[rows] = showing.dark, showing.lit, showing.judged
        seen.usable[rows], seen.fresh[rows] = reading.usable, reading.fresh
        seen.common[self.part.groups] = common
        seen.blocks[rows] = np.where(reading.fresh, steady.weight, 0)

    def _hear(self, reading: Reading) -> None:
        held = self.held
        remember(held, reading)
        heard = self.lamps.answered[self.part.rows]
        if not self.samples.late:
            more = np.minimum(held.missed, 60_000) + self.missed.astype(np.uint16)
            held.missed[:] = np.where(heard, 0, more)


def _narrow(values: Floats) -> F32:
    return values.astype(np.float32, copy=False)
