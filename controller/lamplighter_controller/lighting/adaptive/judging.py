"""From what sensors and counters say to a signal: medians, classes of traffic, and which sensor is broken."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from statistics import median
from typing import Final

from lamplighter_controller.lighting.adaptive.rules import FEWEST_SENSORS, WINDOW_S, Class, Count, Lux

WINDOW_MS: Final = WINDOW_S * 1000
CALM_WINDOWS: Final = 4  # so many quarters of an hour in a row before a calmer class counts
APART: Final = math.log10(3)  # daylight differs by place and shade, not threefold: that is a sensor
DARK_LUX: Final = 1.0  # below it, sensors tell noise from noise


@dataclass(frozen=True, slots=True)
class Said:
    """What a sensor said last, and when (civil epoch ms)."""

    value: float
    time_ms: int


@dataclass(frozen=True, slots=True)
class Light:
    """The median of the sensors that count; None: too few do. `broken`: sensor -> what is wrong with it."""

    lux: float | None
    broken: Mapping[str, str]
    newest_ms: int = 0


def light(source: Lux, said: Mapping[str, Said], now_ms: int) -> Light:
    """The median over all sensors with a fresh value; one that is far from it is named, and moves it little."""
    broken: dict[str, str] = {}
    fresh: dict[str, Said] = {}
    for sensor in source.sensors:
        one = said.get(sensor)
        if one is None:
            broken[sensor] = "has said nothing"
        elif now_ms - one.time_ms > source.valid_s * 1000:
            broken[sensor] = f"has said nothing for {(now_ms - one.time_ms) / 60_000:.0f} min"
        else:
            fresh[sensor] = one
    if len(fresh) < FEWEST_SENSORS:
        return Light(None, broken)
    middle = median(one.value for one in fresh.values())
    for sensor, one in fresh.items():
        if abs(_decades(one.value) - _decades(middle)) > APART:
            broken[sensor] = f"says {one.value:g} lux, the median is {middle:g}"
    return Light(middle, broken, min(one.time_ms for one in fresh.values()))


@dataclass(frozen=True, slots=True)
class Traffic:
    """Vehicles in the running quarter of an hour, the class in force, and the classes of the last whole ones."""

    window_ms: int = 0
    count: int = 0
    now: int | None = None
    past: tuple[int, ...] = ()
    newest_ms: int = 0


def counted(source: Count, state: Traffic, vehicles: int, time_ms: int) -> Traffic:
    """Vehicles since the last report. A busier class counts at once, a calmer one after four whole windows."""
    state = passed(source, state, time_ms)
    if time_ms < state.window_ms:
        return state  # too late for its window
    state = replace(state, count=state.count + vehicles, newest_ms=max(state.newest_ms, time_ms))
    busy = class_of(source.classes, state.count)
    return replace(state, now=busy) if state.now is None or busy > state.now else state


def passed(source: Count, state: Traffic, now_ms: int) -> Traffic:
    """Let windows end; one in which no counter said anything is unknown and ends the run of calm ones."""
    window_ms = now_ms - now_ms % WINDOW_MS
    if window_ms <= state.window_ms:
        return state
    if state.newest_ms < state.window_ms or state.window_ms == 0:
        return replace(state, window_ms=window_ms, count=0, past=())
    past = (*state.past, class_of(source.classes, state.count))[-CALM_WINDOWS:]
    if window_ms - state.window_ms > WINDOW_MS:
        past = ()
    now = state.now
    if now is not None and len(past) == CALM_WINDOWS and max(past) < now:
        now = max(past)
    return Traffic(window_ms, 0, now, past, state.newest_ms)


def class_of(classes: Sequence[Class], vehicles: int) -> int:
    """Number of the busiest class that so many vehicles in a window reach."""
    return max(number for number, one in enumerate(classes) if one.at_least <= vehicles)


def _decades(lux: float) -> float:
    return math.log10(max(lux, DARK_LUX))
