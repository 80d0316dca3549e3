"""Plans of a made-up city over Jinan's box, in which everything occurs that decides about a level."""

import random
from typing import Final

from lamplighter_contract.light.adaptive import Daylight, Fog, Traffic
from lamplighter_contract.light.plans import presets
from lamplighter_contract.light.plans.plan import Assignment, Group, Output, Plan, PlanOverride
from lamplighter_contract.light.plans.programs import Levels, RoadClass
from lamplighter_contract.light.scenes import Cue, Scene
from lamplighter_contract.light.signals import Signal, Signals

ZONE: Final = "Asia/Shanghai"
LATITUDES: Final = (36.0, 37.1)  # the box of Jinan, degrees
LONGITUDES: Final = (116.2, 117.9)
HOUR_MS: Final = 3_600_000
MIDDAY_MS: Final = 1_771_214_400_000  # 2026-02-16 12:00 in Jinan, the eve of the Spring Festival

_CLASSES: Final = tuple(RoadClass)
_OVERRIDDEN: Final = 10  # of so many gateways one has every tenth lamp overridden


def city_plans(gateways: int, lamps: int) -> list[Plan]:
    """One plan for each gateway, each with so many lamps on roads of three classes."""
    draw = random.Random(1)
    return [_plan(number, lamps, draw) for number in range(gateways)]


def signals(now_ms: int) -> Signals:
    """No fog, little traffic, a cloudy sky: every rule has something to say."""
    offered = (("fog", 0.0), ("traffic", "low"), ("lux", 60.0))
    return {name: Signal(name, value, now_ms + HOUR_MS) for name, value in offered}


def _plan(number: int, lamps: int, draw: random.Random) -> Plan:
    names = tuple(f"lamp-{number:05}-{place:03}" for place in range(1, lamps + 1))
    groups = tuple(Group(f"road-{place}", names[place::3]) for place in range(3))
    roads = tuple(group.id for group in groups)
    return Plan(
        gateway=f"gw-{number:05}",
        version=1,
        as_of_seq=0,
        zone=ZONE,
        latitude=round(draw.uniform(*LATITUDES), 4),
        longitude=round(draw.uniform(*LONGITUDES), 4),
        programs=presets.PROGRAMS,
        calendars=presets.CALENDARS,
        groups=groups,
        scenes=_scenes(names),
        adaptive=(
            Fog("fog", "fog", Levels(100), groups=roads),
            Traffic("traffic", "traffic", {"low": Levels(40), "high": Levels(80)}, groups=roads[:1]),
            Daylight("storm", "lux", Levels(100), cloud_lux=100, storm_lux=15, groups=roads),
        ),
        assignments=tuple(
            Assignment(presets.SEASONS.id, _CLASSES[(number + place) % len(_CLASSES)], groups=(group.id,))
            for place, group in enumerate(groups)
        ),
        outputs=(Output(80, 90, devices=names[::10]),),
        overrides=_overrides(number, names),
    )


def _scenes(names: tuple[str, ...]) -> tuple[Scene, ...]:
    starts = MIDDAY_MS + 8 * HOUR_MS
    cues = (Cue(0, 20, devices=names[:1]), Cue(600, 100, 60, devices=names[:1]))
    return (Scene("spring-festival", cues, starts, starts + HOUR_MS),)


def _overrides(number: int, names: tuple[str, ...]) -> tuple[PlanOverride, ...]:
    if number % _OVERRIDDEN:
        return ()
    begun = MIDDAY_MS + 9 * HOUR_MS
    return (PlanOverride(f"override-{number}", number, begun, 30, begun + 2 * HOUR_MS, devices=names[::10]),)
