"""Who decides a lamp's level: emergency, manual override, scene, adaptive rule, program, default; and why."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from lamplighter_contract.level import Level, Override, Why, Winner, rank
from lamplighter_contract.light.adaptive import early_ms, silent
from lamplighter_contract.light.plans.plan import Circuit
from lamplighter_contract.light.plans.programs import RoadClass, level_at, span_at
from lamplighter_contract.light.scenes import played
from lamplighter_contract.light.signals import Signals
from lamplighter_contract.light.sky.sun import HORIZON_DEG, elevation_deg
from lamplighter_contract.light.view import Member, View

FULL_PERCENT: Final = 100.0
OPEN_PERCENT: Final = 0.0


@dataclass(frozen=True, slots=True)
class Claim:
    """A level that someone entitled to wants, from whom and until when."""

    winner: Winner
    level_percent: float
    source: str
    until_ms: int | None


def level(view: View, device: str, now_ms: int, signals: Signals, overrides: Iterable[Override] | None = None) -> Level:
    """The level of one lamp at a civil time, and why; isolation and lock stand outside.

    `overrides` are those in force for the device where they are kept apart from the plan; None: the plan's.
    """
    member = view.member(device)
    base, why = _base(view, member, now_ms)
    adaptive, unused = _adaptive(view, member, base, now_ms, signals)
    records = member.overrides if overrides is None else (one for one in overrides if one.device == device)
    claims = [*_manual(records, now_ms), *_scene(member, now_ms), *adaptive, base]
    first, beaten = claims[0], tuple(claim.winner for claim in claims[1:])
    why = replace(
        why, winner=first.winner, source=first.source, until_ms=first.until_ms, beat=beaten, unused=tuple(unused)
    )
    return _scaled(first, member, why)


def _base(view: View, member: Member, now_ms: int) -> tuple[Claim, Why]:
    """What the program wants; without one, light while the sun is down."""
    if member.assignment is None:
        down = elevation_deg(now_ms, view.place.latitude, view.place.longitude) < HORIZON_DEG
        return Claim(Winner.DEFAULT, FULL_PERCENT if down else 0.0, "", None), Why(Winner.DEFAULT)
    tonight = view.tonight(member.assignment.calendar, now_ms)
    spans = tonight.spans(member.assignment.road_class)
    index = span_at(spans, now_ms)
    until_ms = spans[index + 1].start_ms if index + 1 < len(spans) else tonight.night.end_ms
    claim = Claim(Winner.PROGRAM, level_at(spans, now_ms), spans[index].source, until_ms)
    why = Why(
        Winner.PROGRAM,
        calendar=tonight.calendar,
        rule=tonight.rule,
        program=tonight.program,
        program_percent=claim.level_percent,
    )
    return claim, why


def _adaptive(view: View, member: Member, base: Claim, now_ms: int, signals: Signals) -> tuple[list[Claim], list[str]]:
    """The first rule that changes the program's level, and the rules before it that could not speak."""
    unused: list[str] = []
    for rule in member.adaptive:
        cause = silent(rule, signals, now_ms)
        if cause is not None:
            unused.append(cause)
            continue
        signal = signals[rule.signal]
        near_lit = _near_lit(view, member, now_ms, early_ms(rule))
        wanted = rule.level(signal.value, base.level_percent, road_class(member), near_lit)
        if wanted is not None:
            until_ms = signal.until if base.until_ms is None else min(signal.until, base.until_ms)
            return [Claim(Winner.ADAPTIVE, wanted, rule.id, until_ms)], unused
    return [], unused


def road_class(member: Member) -> RoadClass | None:
    """The class of the road a device stands on, as assigned."""
    return None if member.assignment is None else member.assignment.road_class


def _near_lit(view: View, member: Member, now_ms: int, around_ms: float) -> bool:
    if not around_ms or member.assignment is None:
        return False
    its = member.assignment
    return view.lit(its.calendar, its.road_class, now_ms - around_ms, now_ms + around_ms)


def _scene(member: Member, now_ms: int) -> list[Claim]:
    """The scene that started last and has had a cue for the lamp."""
    for scene, cues in member.scenes:
        now = played(scene, cues, now_ms) if scene.plays(now_ms) else None
        if now is not None:
            return [Claim(Winner.SCENE, now.level_percent, scene.id, now.until_ms)]
    return []


def _manual(records: Iterable[Override], now_ms: int) -> list[Claim]:
    """The newest emergency and the newest override in force, in this order."""
    in_force = sorted((one for one in records if now_ms < one.until_ms), key=rank)
    found: dict[Winner, Claim] = {}
    for one in reversed(in_force):
        winner = Winner.EMERGENCY if one.emergency else Winner.OVERRIDE
        found.setdefault(winner, Claim(winner, one.level_percent, one.id, one.until_ms))
    return list(found.values())


def _scaled(claim: Claim, member: Member, why: Why) -> Level:
    """Virtual output, then constant light output, last; an emergency has all the light there is."""
    output = member.output
    if output is None or claim.winner is Winner.EMERGENCY:
        return Level(claim.level_percent, why)
    scaled = claim.level_percent * (output.virtual_percent / 100) * (output.constant_percent / 100)
    stated = replace(
        why,
        asked_percent=claim.level_percent,
        virtual_percent=output.virtual_percent,
        constant_percent=output.constant_percent,
    )
    return Level(scaled, stated)


def circuit_level(
    view: View,
    circuit: Circuit,
    now_ms: int,
    lamps: Mapping[str, Level],
    overrides: Iterable[Override] | None = None,
) -> Level:
    """100 for a contactor to be closed, 0 for open. `lamps`: what the lamps on it are to have now.

    An override of the circuit itself decides first; then a lamp that is to be lit; then the plan, early and late
    enough. A circuit nobody planned stays closed.
    """
    records = view.member(circuit.id).overrides if overrides is None else overrides
    manual = _manual((one for one in records if one.device == circuit.id), now_ms)
    if manual:
        return Level(manual[0].level_percent, Why(manual[0].winner, manual[0].source, manual[0].until_ms))
    for lamp in circuit.lamps:
        wanted = lamps.get(lamp)
        if wanted is not None and wanted.level_percent != 0:
            return Level(FULL_PERCENT, Why(wanted.why.winner, lamp, wanted.why.until_ms))
    return _planned(view, circuit, now_ms)


def _planned(view: View, circuit: Circuit, now_ms: int) -> Level:
    schedules = _schedules(view, circuit)
    if not schedules:
        return Level(FULL_PERCENT, Why(Winner.DEFAULT))
    from_ms, until_ms = now_ms - circuit.lag_min * 60_000, now_ms + circuit.lead_min * 60_000
    for calendar, its_class in schedules:
        if view.lit(calendar, its_class, from_ms, until_ms):
            return Level(FULL_PERCENT, Why(Winner.PROGRAM, "lit", calendar=calendar))
    return Level(OPEN_PERCENT, Why(Winner.PROGRAM, "dead by plan", calendar=schedules[0][0]))


def _schedules(view: View, circuit: Circuit) -> list[tuple[str, RoadClass | None]]:
    if circuit.calendar is not None:
        return [(circuit.calendar, road_class(view.member(circuit.id)))]
    found = (view.member(lamp).assignment for lamp in circuit.lamps)
    return list(dict.fromkeys((one.calendar, one.road_class) for one in found if one is not None))
