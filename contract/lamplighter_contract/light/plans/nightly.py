"""Checks of a plan night by night: roads left dark, light by day, periods and steps that come to nothing."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from functools import partial
from typing import Final

from lamplighter_contract.light.plans.problems import Finding, Problem, Severity, gathered
from lamplighter_contract.light.plans.programs import Program, RoadClass, Span
from lamplighter_contract.light.sky.moments import instant_ms
from lamplighter_contract.light.sky.nights import Night
from lamplighter_contract.light.view import Tonight, View

DARK_DEG: Final = -6.0  # below it nobody sees by daylight; every published practice is lit by then
DAYLIGHT_DEG: Final = 6.0

Classes = Sequence[RoadClass | None]


def night_problems(view: View, first_day: date, days: int) -> tuple[Problem, ...]:
    """Problems of the calendars that lamps and circuits use, over so many nights from a date."""
    return gathered(
        finding
        for calendar, classes in _used(view).items()
        for number in range(days)
        for finding in _of_night(view, view.on(calendar, first_day + timedelta(days=number)), classes)
    )


def _used(view: View) -> dict[str, Classes]:
    """Calendars in use, and the classes of road each is for."""
    found: dict[str, dict[RoadClass | None, None]] = {}
    for assignment in view.plan.assignments:
        found.setdefault(assignment.calendar, {})[assignment.road_class] = None
    for circuit in view.plan.circuits:
        if circuit.calendar is not None:
            found.setdefault(circuit.calendar, {}).setdefault(None)
    return {calendar: tuple(classes) for calendar, classes in found.items()}


def _of_night(view: View, tonight: Tonight, classes: Classes) -> Iterator[Finding]:
    program = view.programs[tonight.program]
    yield from _periods(program, tonight)
    yield from _steps(program, tonight)
    for road_class in classes:
        spans = tonight.spans(road_class)
        yield from _dark(program, tonight, spans, road_class)
        yield from _by_day(program, tonight, spans, road_class)


def _periods(program: Program, tonight: Tonight) -> Iterator[Finding]:
    """A begin that does not come before its end, and a lit period shorter than its minimum."""
    if program.begins is None or program.ends is None:
        return
    night = tonight.night
    begin_ms, end_ms = instant_ms(program.begins, night), instant_ms(program.ends, night)
    found = partial(_finding, tonight)
    if begin_ms >= end_ms:
        if not night.darkness(DARK_DEG).never:
            begin, end = _clock(begin_ms, night), _clock(end_ms, night)
            yield found("period", Severity.ERROR, f"off at {end} before on at {begin}, so it is never on")
    elif end_ms - begin_ms < program.minimum_on_min * 60_000:
        minutes = (end_ms - begin_ms) / 60_000
        what = f"on for {minutes:.0f} min only, kept on for {program.minimum_on_min:g} min"
        yield found("minimum", Severity.WARNING, what)


def _steps(program: Program, tonight: Tonight) -> Iterator[Finding]:
    """Steps that do not come to pass, while the program is lit at all."""
    made = {stage.source for stage in tonight.stages}
    if made == {"before"}:
        return
    for number, step in enumerate(program.steps, start=1):
        if f"step {number}" not in made:
            what = f"step {number} ({step.at}) does not come to pass: it is overtaken or outside the lit hours"
            yield _finding(tonight, f"step {number}", Severity.WARNING, what)


def _dark(program: Program, tonight: Tonight, spans: Sequence[Span], road_class: RoadClass | None) -> Iterator[Finding]:
    darkness = tonight.night.darkness(DARK_DEG)
    if program.dark_allowed or darkness.never:
        return
    hole = _first(spans, tonight.night.end_ms, darkness.dusk_ms, darkness.dawn_ms, lit=False)
    if hole is not None:
        from_, until = (_clock(time_ms, tonight.night) for time_ms in hole)
        what = f"{_road(road_class)} dark from {from_} to {until}, the sun is below {DARK_DEG:g}°"
        yield _finding(tonight, f"dark {road_class}", Severity.ERROR, what)


def _by_day(
    program: Program, tonight: Tonight, spans: Sequence[Span], road_class: RoadClass | None
) -> Iterator[Finding]:
    if program.begins is None and program.ends is None:
        return  # meant to be lit by day, as tunnels are
    night = tonight.night
    shade = night.darkness(DAYLIGHT_DEG)
    days = ((night.start_ms, min(shade.dusk_ms, night.end_ms)), (max(shade.dawn_ms, night.start_ms), night.end_ms))
    for from_ms, until_ms in days:
        light = _first(spans, night.end_ms, from_ms, until_ms, lit=True)
        if light is not None:
            from_, until = (_clock(time_ms, night) for time_ms in light)
            what = f"{_road(road_class)} lit by day from {from_} to {until}, the sun is above {DAYLIGHT_DEG:g}°"
            yield _finding(tonight, f"day {road_class}", Severity.WARNING, what)
            return


def _first(spans: Sequence[Span], end_ms: int, from_ms: int, until_ms: int, *, lit: bool) -> tuple[int, int] | None:
    """The first time within bounds that is lit, or is not."""
    ends = [*(span.start_ms for span in spans[1:]), end_ms]
    for span, its_end_ms in zip(spans, ends, strict=True):
        low_ms, high_ms = max(span.start_ms, from_ms), min(its_end_ms, until_ms)
        if low_ms < high_ms and (span.level_percent > 0) is lit:
            return low_ms, high_ms
    return None


def _finding(tonight: Tonight, kind: str, severity: Severity, what: str) -> Finding:
    where = f"calendar {tonight.calendar}, rule {tonight.rule}, program {tonight.program}"
    return Finding((where, kind), Problem(severity, where, what, tonight.night.date))


def _road(road_class: RoadClass | None) -> str:
    return "roads are" if road_class is None else f"{road_class} roads are"


def _clock(time_ms: int, night: Night) -> str:
    return datetime.fromtimestamp(time_ms / 1000, night.place.zone).strftime("%H:%M")
