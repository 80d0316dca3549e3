"""A scene as the library has it, and as one gateway is given it."""

from collections.abc import Iterable, Iterator, Mapping
from typing import Annotated, Final

import msgspec

from lamplighter_contract.light.carrying import Bus, too_slow
from lamplighter_contract.light.plans.plan import Group
from lamplighter_contract.light.plans.problems import Problem, Severity
from lamplighter_contract.light.plans.programs import Percent, RampSeconds
from lamplighter_contract.light.relays import too_often
from lamplighter_contract.light.scenes import Cue as PlayedCue
from lamplighter_contract.light.scenes import Scene as PlayedScene
from lamplighter_controller.lighting.inventory import Id, Inventory, Label
from lamplighter_controller.lighting.whom import Whom, dangling, reached

LONGEST_S: Final = 24 * 3600
GROUP: Final = "scene-"  # how the groups begin that a plan has for scenes only

Seconds = Annotated[float, msgspec.Meta(ge=0, le=LONGEST_S)]


class Cue(Whom, frozen=True, omit_defaults=True, kw_only=True):
    """So long after the start these lamps go to a level, by a straight ramp from their cue before."""

    after_s: Seconds
    level_percent: Percent
    ramp_s: RampSeconds = 0.0


class Scene(msgspec.Struct, frozen=True, omit_defaults=True):
    """Cues in the order of time; after `length_s` every lamp goes back to its plan."""

    id: Id
    cues: Annotated[tuple[Cue, ...], msgspec.Meta(min_length=1, max_length=5_000)]
    length_s: Annotated[float, msgspec.Meta(gt=0, le=LONGEST_S)]
    name: Label = ""


def wrong_with(scene: Scene, inventory: Inventory, devices: frozenset[str]) -> Iterator[Problem]:
    """Whatever keeps a scene from being played at all."""
    last_s = 0.0
    for number, cue in enumerate(scene.cues, start=1):
        where = f"scene {scene.id}, cue {number}"
        if cue.after_s < last_s:
            what = f"after_s is {cue.after_s:g}, expected at least {last_s:g} of the cue before"
            yield Problem(Severity.ERROR, where, what)
        if cue.after_s + cue.ramp_s > scene.length_s:
            what = f"ends after {cue.after_s + cue.ramp_s:g} s, expected at most length_s {scene.length_s:g}"
            yield Problem(Severity.ERROR, where, what)
        last_s = max(last_s, cue.after_s)
        yield from dangling(cue, where, inventory, devices)


def too_fast(
    scene: Scene, inventory: Inventory, lamps: Iterable[str], buses: Iterable[Bus], rate: float
) -> Iterator[Problem]:
    """Cues that a wire or a relay cannot follow, by bus and lamp; `rate`: civil seconds in a real one."""
    cues = _cues(scene, inventory, list(lamps))
    for late in (*too_slow(cues, {}, buses, rate), *too_often(cues, {})):
        yield Problem(Severity.ERROR, f"scene {scene.id}", str(late))


def lowest(scene: Scene, inventory: Inventory, lamps: Iterable[str]) -> dict[str, float]:
    """The lowest level that a scene has for each of these lamps that is in it."""
    found: dict[str, float] = {}
    for cue in _cues(scene, inventory, list(lamps)):
        for lamp in cue.devices:
            found[lamp] = min(cue.level_percent, found.get(lamp, cue.level_percent))
    return found


def stretches(
    scene: Scene, span: tuple[int, int], inventory: Inventory, lamps: Iterable[str]
) -> dict[str, list[tuple[int, int, float]]]:
    """From when until when each lamp has which level, ramps as done; `span`: start and end, civil epoch ms."""
    found: dict[str, list[tuple[int, int, float]]] = {}
    for cue in _cues(scene, inventory, list(lamps)):
        at_ms = span[0] + round(cue.after_s * 1000)
        for lamp in cue.devices if at_ms < span[1] else ():
            mine = found.setdefault(lamp, [])
            if mine:
                mine[-1] = (mine[-1][0], at_ms, mine[-1][2])
            mine.append((at_ms, span[1], cue.level_percent))
    return found


def played(
    scene: Scene, name: str, span: tuple[int, int], inventory: Inventory, lamps: Iterable[str], groups: dict[str, Group]
) -> PlayedScene | None:
    """A scene for the lamps of one gateway under its showing's name; None when none of them is in it.

    `span`: start and end, civil epoch ms. `groups` takes the groups that the plan has to have for it.
    """
    cues = []
    for cue in _cues(scene, inventory, list(lamps)):
        known = _group(cue.devices, groups)
        cues.append(PlayedCue(cue.after_s, cue.level_percent, cue.ramp_s, groups=(known,)))
    return PlayedScene(name, tuple(cues), *span) if cues else None


def _cues(scene: Scene, inventory: Inventory, lamps: list[str]) -> list[PlayedCue]:
    known: dict[Whom, tuple[str, ...]] = {}
    cues = []
    for cue in sorted(scene.cues, key=lambda one: one.after_s):
        whom = Whom(devices=cue.devices, groups=cue.groups, roads=cue.roads, districts=cue.districts, city=cue.city)
        if whom not in known:
            known[whom] = reached(whom, inventory, lamps)
        if known[whom]:
            cues.append(PlayedCue(cue.after_s, cue.level_percent, cue.ramp_s, devices=known[whom]))
    return cues


def _group(devices: tuple[str, ...], groups: dict[str, Group]) -> str:
    known: Mapping[tuple[str, ...], str] = {group.devices: name for name, group in groups.items()}
    name = known.get(devices)
    if name is None:
        name = f"{GROUP}{len(groups) + 1}"
        groups[name] = Group(name, devices)
    return name
