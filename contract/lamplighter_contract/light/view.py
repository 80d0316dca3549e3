"""A plan made ready to be asked: who is addressed by what, and the nights of its calendars."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from lamplighter_contract.level import Override
from lamplighter_contract.light.adaptive import Adaptive
from lamplighter_contract.light.overrides import devices_of, listed, members_of
from lamplighter_contract.light.plans.calendars import rule_of
from lamplighter_contract.light.plans.plan import Assignment, Circuit, Output, Plan
from lamplighter_contract.light.plans.programs import Program, RoadClass, Span, Stage, on_road, stages
from lamplighter_contract.light.scenes import Cue, Scene
from lamplighter_contract.light.sky.nights import Night, Place, date_of_night, night

_NIGHTS_KEPT: Final = 512

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Member:
    """All that the plan has for one device; rules by precedence."""

    assignment: Assignment | None = None
    adaptive: tuple[Adaptive, ...] = ()
    scenes: tuple[tuple[Scene, tuple[Cue, ...]], ...] = ()
    output: Output | None = None
    overrides: tuple[Override, ...] = ()


@dataclass(frozen=True, slots=True)
class Tonight:
    """One calendar's night: the rule that chose its program, and the stages."""

    night: Night
    calendar: str
    rule: str
    program: str
    stages: tuple[Stage, ...]
    known: dict[RoadClass | None, tuple[Span, ...]] = field(default_factory=dict, compare=False, repr=False)

    def spans(self, road_class: RoadClass | None) -> tuple[Span, ...]:
        """The night on a road of that class; made once."""
        found = self.known.get(road_class)
        if found is None:
            found = self.known[road_class] = on_road(self.stages, road_class)
        return found


NOBODY: Final = Member()
DEFAULT_RULE: Final = "default"


class View:
    """Answers what a plan says of a device and of a night; nights are computed once."""

    def __init__(self, plan: Plan) -> None:
        """Take a plan whose names all resolve."""
        self.plan = plan
        self.place = Place(plan.latitude, plan.longitude, ZoneInfo(plan.zone))
        self.circuits: Mapping[str, Circuit] = {circuit.id: circuit for circuit in plan.circuits}
        self.members = _members(plan)
        self.programs: Mapping[str, Program] = {program.id: program for program in plan.programs}
        self._calendars = {calendar.id: calendar for calendar in plan.calendars}
        self._latest: Night | None = None
        self._nights: dict[date, Night] = {}
        self._tonight: dict[tuple[str, date], Tonight] = {}

    def member(self, device: str) -> Member:
        """What the plan has for a device, nothing when it does not know it."""
        return self.members.get(device, NOBODY)

    def night(self, day: date) -> Night:
        """The night that begins at noon of a date."""
        if day not in self._nights:
            _make_room(self._nights)
            self._nights[day] = night(day, self.place)
        return self._nights[day]

    def tonight(self, calendar: str, time_ms: int) -> Tonight:
        """A calendar's night around an instant."""
        return self.on(calendar, self.date_at(time_ms))

    def date_at(self, time_ms: int) -> date:
        """The date of the night around an instant; most questions are about one and the same night."""
        if self._latest is None or not self._latest.start_ms <= time_ms < self._latest.end_ms:
            self._latest = self.night(date_of_night(time_ms, self.place.zone))
        return self._latest.date

    def on(self, calendar: str, day: date) -> Tonight:
        """A calendar's night of a date."""
        if (calendar, day) not in self._tonight:
            _make_room(self._tonight)
            self._tonight[calendar, day] = self._made(calendar, day)
        return self._tonight[calendar, day]

    def lit(self, calendar: str, road_class: RoadClass | None, from_ms: float, until_ms: float) -> bool:
        """True when the calendar has light at some instant of a time, both ends included."""
        day = self.date_at(round(from_ms))
        while True:
            tonight = self.on(calendar, day)
            if _lit(tonight.spans(road_class), tonight.night.end_ms, from_ms, until_ms):
                return True
            if tonight.night.end_ms > until_ms:
                return False
            day += timedelta(days=1)

    def programs_of(self, calendar: str) -> tuple[Program, ...]:
        """The programs a calendar may choose, each once."""
        its = self._calendars[calendar]
        names = dict.fromkeys([*(rule.program for rule in its.rules), its.default_program])
        return tuple(self.programs[name] for name in names)

    def _made(self, calendar: str, day: date) -> Tonight:
        its = self._calendars[calendar]
        rule = rule_of(its, day)
        program = its.default_program if rule is None else rule.program
        this = self.night(day)
        name = DEFAULT_RULE if rule is None else rule.id
        return Tonight(this, calendar, name, program, stages(self.programs[program], this))


def _make_room(kept: dict[Any, Any]) -> None:
    if len(kept) >= _NIGHTS_KEPT:
        kept.clear()


def _lit(spans: tuple[Span, ...], end_ms: int, from_ms: float, until_ms: float) -> bool:
    ends = [*((span.start_ms + span.ramp_ms) for span in spans[1:]), end_ms]
    return any(
        span.level_percent > 0 and span.start_ms <= until_ms and from_ms < its_end_ms
        for span, its_end_ms in zip(spans, ends, strict=True)
    )


def _members(plan: Plan) -> Mapping[str, Member]:
    groups = members_of(plan)

    def reached(thing: Assignment | Adaptive | Output | Cue) -> tuple[str, ...]:
        return devices_of(groups, thing.groups, thing.devices)

    assignments: dict[str, Assignment] = {}
    for assignment in plan.assignments:
        for device in assignment.devices:
            assignments.setdefault(device, assignment)
    for assignment in plan.assignments:
        for device in reached(assignment):
            assignments.setdefault(device, assignment)
    outputs = _first((device, output) for output in plan.outputs for device in reached(output))
    rules = _gathered((device, rule) for rule in plan.adaptive for device in reached(rule))
    overrides = _gathered((record.device, record) for record in listed(plan))
    cues = _gathered((device, (scene, cue)) for scene in plan.scenes for cue in scene.cues for device in reached(cue))
    known = {*assignments, *outputs, *rules, *overrides, *cues}
    return {
        device: Member(
            assignments.get(device),
            tuple(rules.get(device, ())),
            _by_scene(cues.get(device, ())),
            outputs.get(device),
            tuple(overrides.get(device, ())),
        )
        for device in known
    }


def _first(pairs: Iterable[tuple[str, T]]) -> dict[str, T]:
    found: dict[str, T] = {}
    for device, thing in pairs:
        found.setdefault(device, thing)
    return found


def _gathered(pairs: Iterable[tuple[str, T]]) -> dict[str, list[T]]:
    found: dict[str, list[T]] = {}
    for device, thing in pairs:
        found.setdefault(device, []).append(thing)
    return found


def _by_scene(pairs: Iterable[tuple[Scene, Cue]]) -> tuple[tuple[Scene, tuple[Cue, ...]], ...]:
    """A device's cues scene by scene, the scene that starts last first."""
    found: dict[str, tuple[Scene, list[Cue]]] = {}
    for scene, cue in pairs:
        found.setdefault(scene.id, (scene, []))[1].append(cue)
    newest_first = sorted(found.values(), key=lambda pair: (-(pair[0].starts or 0), pair[0].id))
    return tuple((scene, tuple(cues)) for scene, cues in newest_first)
