"""Programs: what a lamp does through one night, by moments, for each class of road."""

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from lamplighter_contract.light.sky.moments import Minutes, Moment, instant_ms
from lamplighter_contract.light.sky.nights import Night

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Percent = Annotated[float, msgspec.Meta(ge=0, le=100)]
RampSeconds = Annotated[float, msgspec.Meta(ge=0, le=3600)]


class RoadClass(StrEnum):
    """Classes of road as cities plan their light by (CJJ 45)."""

    EXPRESSWAY = "expressway"
    MAIN = "main"
    SECONDARY = "secondary"
    BRANCH = "branch"
    ALLEY = "alley"


class Levels(msgspec.Struct, frozen=True, omit_defaults=True):
    """A level for all classes of road, and those of classes that differ."""

    level_percent: Percent
    by_class: dict[RoadClass, Percent] = {}

    def of(self, road_class: RoadClass | None) -> float:
        """The level on a road of that class."""
        return self.level_percent if road_class is None else self.by_class.get(road_class, self.level_percent)


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """From a moment on other levels, reached by a straight ramp."""

    at: Moment
    levels: Levels
    ramp_s: RampSeconds = 0.0


class Program(msgspec.Struct, frozen=True, omit_defaults=True):
    """From `begins` (None: noon) until `ends` (None: the next noon) lit at `levels`, changed by `steps`; off outside.

    Steps stand in the order of the night: one that a later one has overtaken in a short night does not happen. A lit
    period lasts at least `minimum_on_min`. `floors` are the lowest levels but off that the road class allows, and
    `dark_allowed` says that being off in the dark is meant: both for the check of a plan, nothing is raised to them.
    """

    id: Name
    levels: Levels
    begins: Moment | None = None
    ends: Moment | None = None
    steps: Annotated[tuple[Step, ...], msgspec.Meta(max_length=48)] = ()
    ramp_s: RampSeconds = 0.0
    minimum_on_min: Minutes = 0.0
    floors: Levels = Levels(0.0)
    dark_allowed: bool = False


OFF: Final = Levels(0.0)


@dataclass(frozen=True, slots=True)
class Stage:
    """From an instant on these levels; `source` is `before`, `begin`, `step 1` … or `after`."""

    start_ms: int
    levels: Levels
    source: str
    ramp_ms: float = 0.0


@dataclass(frozen=True, slots=True)
class Span:
    """From an instant until the next span: one level, reached by a straight ramp from the one before."""

    start_ms: int
    level_percent: float
    source: str
    ramp_ms: float = 0.0


def stages(program: Program, night: Night) -> tuple[Stage, ...]:
    """The program's night: stages in order, the first at noon, together noon to noon exactly once."""
    begin_ms = night.start_ms if program.begins is None else instant_ms(program.begins, night)
    end_ms = night.end_ms if program.ends is None else instant_ms(program.ends, night)
    if begin_ms >= end_ms:
        return (Stage(night.start_ms, OFF, "before"),)
    end_ms = night.within(max(end_ms, begin_ms + program.minimum_on_min * 60_000))
    found = [Stage(night.start_ms, OFF, "before")] if begin_ms > night.start_ms else []
    found.extend(_lit(program, night, begin_ms, end_ms))
    if end_ms < night.end_ms:
        found.append(Stage(end_ms, OFF, "after"))
    return tuple(found)


def timeline(program: Program, night: Night, road_class: RoadClass | None = None) -> tuple[Span, ...]:
    """The night of a lamp on a road of that class: spans in order that cover noon to noon exactly once."""
    return on_road(stages(program, night), road_class)


def on_road(found: Sequence[Stage], road_class: RoadClass | None) -> tuple[Span, ...]:
    """The stages as one class of road sees them."""
    return tuple(Span(stage.start_ms, stage.levels.of(road_class), stage.source, stage.ramp_ms) for stage in found)


def _lit(program: Program, night: Night, begin_ms: int, end_ms: int) -> Iterator[Stage]:
    """Stages of the lit period; what was due before it begins is there when it begins."""
    current = Stage(begin_ms, program.levels, "begin", program.ramp_s * 1000)
    times = [instant_ms(step.at, night) for step in program.steps]
    for number, (step, time_ms) in enumerate(zip(program.steps, times, strict=True), start=1):
        overtaken = any(later_ms <= time_ms for later_ms in times[number:])
        if overtaken or time_ms >= end_ms:
            continue
        following = Stage(max(time_ms, begin_ms), step.levels, f"step {number}", step.ramp_s * 1000)
        if following.start_ms > current.start_ms:
            yield current
        current = following
    yield current


def span_at(spans: Sequence[Span], time_ms: int) -> int:
    """Index of the span an instant lies in."""
    return max(bisect_right(spans, time_ms, key=_start_ms) - 1, 0)


def level_at(spans: Sequence[Span], time_ms: int) -> float:
    """The level at an instant of the night, on the way of a ramp too."""
    index = span_at(spans, time_ms)
    level_percent = spans[0].level_percent
    for number in range(1, index + 1):
        until_ms = spans[number + 1].start_ms if number < index else time_ms
        level_percent = _on_ramp(level_percent, spans[number], until_ms)
    return level_percent


def _on_ramp(from_percent: float, span: Span, time_ms: int) -> float:
    elapsed_ms = time_ms - span.start_ms
    if elapsed_ms >= span.ramp_ms:
        return span.level_percent
    return from_percent + (span.level_percent - from_percent) * elapsed_ms / span.ramp_ms


def _start_ms(span: Span) -> int:
    return span.start_ms
