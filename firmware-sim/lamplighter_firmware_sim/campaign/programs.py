"""What lamps are told: nights by program, and what people put above it. Levels are 0 to 1 inside, percent in files."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]
Array = NDArray[np.float64]

DAY_MS: Final = 86_400_000
_HOUR_MS: Final = 3_600_000
_ZONE_MS: Final = 8 * _HOUR_MS  # of the city east of Greenwich
_DUSK_H: Final = 17.4
_DAWN_H: Final = 6.75
# hours after local noon of the first day's evening -> level, between dusk and dawn
_NIGHTS: Final = (
    ((10.5, 0.5), (17.0, 1.0)),
    ((10.0, 0.75), (12.5, 0.4), (17.25, 0.9)),
    ((11.0, 0.6),),
    (),
)
UNDIMMED: Final = 3  # the program of full light all night


@dataclass(frozen=True, slots=True)
class Override:
    """A level that people set for some lamps for a while: a manual override, a scene, a festival, early fog."""

    lamps: Index
    start_ms: int
    end_ms: int
    level: float


@dataclass(frozen=True, slots=True)
class Program:
    """Switching times (epoch ms, rising) and the level that holds from each of them."""

    time_ms: Index
    level: Array

    def at(self, time_ms: Index) -> Array:
        """The level at these times, 0 before the first switching."""
        place = np.searchsorted(self.time_ms, time_ms, side="right")
        return np.concatenate(([0.0], self.level))[place]

    def since(self, time_ms: Index) -> Index:
        """When the level that holds at these times began; 0 before the first switching."""
        place = np.searchsorted(self.time_ms, time_ms, side="right")
        return np.concatenate((np.zeros(1, np.int64), self.time_ms))[place]

    def lit_since(self, time_ms: Index) -> Index:
        """When the lamps were last switched on from dark, for times at which they are lit."""
        rises = self.time_ms[(self.level > 0) & (np.concatenate(([0.0], self.level[:-1])) == 0)]
        return np.concatenate((np.zeros(1, np.int64), rises))[np.searchsorted(rises, time_ms, side="right")]


def night_program(kind: int, first_day_ms: int, days: int, shift_ms: int = 0) -> Program:
    """One of four ways through the nights from local midnight `first_day_ms` on, moved by `shift_ms`."""
    times, levels = [], []
    for day in range(-1, days + 1):
        midnight = first_day_ms + day * DAY_MS + shift_ms
        times += [midnight + round((_DUSK_H - day * 0.012) * _HOUR_MS)]
        levels += [1.0]
        for hour, level in _NIGHTS[kind]:
            times += [midnight + 12 * _HOUR_MS + round(hour * _HOUR_MS)]
            levels += [level]
        times += [midnight + DAY_MS + round((_DAWN_H + day * 0.01) * _HOUR_MS)]
        levels += [0.0]
    return Program(np.array(times, np.int64), np.array(levels))


def local_midnight_ms(time_ms: int) -> int:
    """Local midnight before a civil time."""
    return (time_ms + _ZONE_MS) // DAY_MS * DAY_MS - _ZONE_MS


def overridden(levels: Array, time_ms: Index, overrides: list[Override]) -> Array:
    """Levels of all lamps at their own times, with what people set above the program."""
    told = levels.copy()
    for one in overrides:
        now = time_ms[one.lamps]
        within = one.lamps[(now >= one.start_ms) & (now < one.end_ms)]
        told[within] = one.level
    return told


@dataclass(frozen=True, slots=True)
class Commands:
    """Every level a lamp was told, in order of time."""

    time_ms: Index
    lamp: Index
    level_percent: Array


def commands_of(programs: list[Program], program_of_lamp: Index, overrides: list[Override], start_ms: int) -> Commands:
    """All commands from `start_ms` on, with the level that held then first."""
    times: list[Index] = []
    lamps: list[Index] = []
    levels: list[Array] = []
    for number, program in enumerate(programs):
        members = np.flatnonzero(program_of_lamp == number)
        later = program.time_ms > start_ms
        when = np.concatenate(([start_ms], program.time_ms[later]))
        level = np.concatenate((program.at(np.array([start_ms])), program.level[later]))
        times.append(np.repeat(when, len(members)))
        lamps.append(np.tile(members, len(when)))
        levels.append(np.repeat(level, len(members)))
    time, lamp, level = np.concatenate(times), np.concatenate(lamps), np.concatenate(levels)
    for one in overrides:
        held = np.isin(lamp, one.lamps) & (time >= one.start_ms) & (time < one.end_ms)
        back = np.array([programs[program_of_lamp[i]].at(np.array([one.end_ms]))[0] for i in one.lamps])
        time = np.concatenate((time[~held], np.full(len(one.lamps), one.start_ms), np.full(len(one.lamps), one.end_ms)))
        lamp = np.concatenate((lamp[~held], one.lamps, one.lamps))
        level = np.concatenate((level[~held], np.full(len(one.lamps), one.level), back))
    order = np.argsort(time, kind="stable")
    return Commands(time[order], lamp[order], 100 * level[order])
