"""The lamps of many plans as columns: made once when plans change, asked for any instant."""

from collections.abc import Sequence
from dataclasses import dataclass, field

import msgspec
import numpy as np
import numpy.typing as npt

from lamplighter_contract.level import Override, rank
from lamplighter_contract.light.adaptive import Adaptive
from lamplighter_contract.light.plans.programs import RoadClass
from lamplighter_contract.light.scenes import Cue, Scene
from lamplighter_contract.light.view import Member, View

Rows = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int32]

CLASSES: tuple[RoadClass | None, ...] = (*RoadClass, None)


@dataclass(frozen=True, slots=True)
class Schedule:
    """Lamps of one view with the same calendar and class of road have the same level by program."""

    view: View
    calendar: str | None
    road_class: RoadClass | None


@dataclass(frozen=True, slots=True)
class RuleRows:
    """The lamps an adaptive rule is for, in whatever plans, their schedules each once, and which of those each has."""

    rule: Adaptive
    rows: Rows
    schedules: Rows
    which: Rows
    name: int


@dataclass(frozen=True, slots=True)
class SceneRows:
    """The lamps of a scene, those with the same cues together."""

    scene: Scene
    parts: tuple[tuple[tuple[Cue, ...], Rows], ...]
    name: int


@dataclass(frozen=True, slots=True)
class OverrideRows:
    """Overrides by precedence, lowest first: so the last one written to a row is the one that counts."""

    rows: Rows
    level_percent: Floats
    until_ms: Rows
    emergency: npt.NDArray[np.bool_]
    name: Codes


@dataclass(frozen=True, slots=True)
class Columns:
    """One row per lamp; `names` are the ids that `source` codes of levels count through, after the schedules."""

    devices: tuple[str, ...]
    schedule: Codes
    road_class: npt.NDArray[np.int8]
    scale: Floats
    schedules: tuple[Schedule, ...]
    rules: tuple[RuleRows, ...]
    scenes: tuple[SceneRows, ...]
    overrides: OverrideRows
    names: tuple[str, ...]

    @property
    def views(self) -> tuple[View, ...]:
        """The views of the lamps, each once."""
        return tuple(dict.fromkeys(schedule.view for schedule in self.schedules))


def columns_of(views: Sequence[View]) -> Columns:
    """The lamps that these plans know, in the plans' order; contactors are left out."""
    building = _Building()
    for number, view in enumerate(views):
        building.known.update({(number, rule.id): _alike(place, rule) for place, rule in enumerate(view.plan.adaptive)})
        for device, member in view.members.items():
            if device not in view.circuits:
                building.add(number, view, device, member)
    return building.columns()


_Named = tuple[int, str]  # number of the view, id within it
_Alike = tuple[int, bytes]  # place in its plan, content but for whom it addresses
_Parts = dict[tuple[int, ...], tuple[tuple[Cue, ...], list[int]]]


@dataclass(slots=True)
class _Building:
    devices: list[str] = field(default_factory=list)
    schedule: list[int] = field(default_factory=list)
    scale: list[float] = field(default_factory=list)
    schedules: dict[Schedule, int] = field(default_factory=dict)
    known: dict[_Named, _Alike] = field(default_factory=dict)
    rules: dict[_Alike, tuple[Adaptive, list[int]]] = field(default_factory=dict)
    scenes: dict[_Named, tuple[Scene, _Parts]] = field(default_factory=dict)
    overrides: list[tuple[Override, int]] = field(default_factory=list)

    def add(self, number: int, view: View, device: str, member: Member) -> None:
        row = len(self.devices)
        self.devices.append(device)
        its, output = member.assignment, member.output
        key = Schedule(view, its.calendar if its else None, its.road_class if its else None)
        self.schedule.append(self.schedules.setdefault(key, len(self.schedules)))
        self.scale.append((output.virtual_percent / 100) * (output.constant_percent / 100) if output else 1.0)
        for rule in member.adaptive:
            self.rules.setdefault(self.known[number, rule.id], (rule, []))[1].append(row)
        for scene, cues in member.scenes:
            parts = self.scenes.setdefault((number, scene.id), (scene, {}))[1]
            parts.setdefault(tuple(map(id, cues)), (cues, []))[1].append(row)
        self.overrides.extend((record, row) for record in member.overrides)

    def columns(self) -> Columns:
        names: list[str] = []
        schedule = np.array(self.schedule, np.int32)
        schedules = tuple(self.schedules)
        of_schedule = np.array([CLASSES.index(one.road_class) for one in schedules], np.int8)
        return Columns(
            tuple(self.devices),
            schedule,
            of_schedule[schedule] if schedules else np.zeros(0, np.int8),
            np.array(self.scale, np.float64),
            schedules,
            self._rules(schedule, names),
            self._scenes(names),
            self._overrides(names),
            tuple(names),
        )

    def _rules(self, schedule: Codes, names: list[str]) -> tuple[RuleRows, ...]:
        """By precedence; rules of different plans share no lamp, so that equal ones are one."""
        found = []
        for key in sorted(self.rules):
            rule, lamps = self.rules[key]
            rows = np.array(lamps, np.int64)
            unique, which = np.unique(schedule[rows], return_inverse=True)
            found.append(RuleRows(rule, rows, unique.astype(np.int64), which, _name(names, rule.id)))
        return tuple(found)

    def _scenes(self, names: list[str]) -> tuple[SceneRows, ...]:
        """Lowest precedence first: the scene that starts last is written last."""
        newest_first = sorted(self.scenes.values(), key=lambda one: (-(one[0].starts or 0), one[0].id))
        return tuple(
            SceneRows(
                scene,
                tuple((cues, np.array(rows, np.int64)) for cues, rows in parts.values()),
                _name(names, scene.id),
            )
            for scene, parts in reversed(newest_first)
        )

    def _overrides(self, names: list[str]) -> OverrideRows:
        records = sorted(self.overrides, key=lambda pair: rank(pair[0]))
        codes = {name: _name(names, name) for name in dict.fromkeys(record.id for record, _ in records)}
        return OverrideRows(
            np.array([row for _, row in records], np.int64),
            np.array([record.level_percent for record, _ in records], np.float64),
            np.array([record.until_ms for record, _ in records], np.int64),
            np.array([record.emergency for record, _ in records], np.bool_),
            np.array([codes[record.id] for record, _ in records], np.int32),
        )


def _alike(place: int, rule: Adaptive) -> _Alike:
    return place, msgspec.json.encode(msgspec.structs.replace(rule, groups=(), devices=()), order="deterministic")


def _name(names: list[str], name: str) -> int:
    names.append(name)
    return len(names) - 1
