"""One lamp's night ahead: every change that is known of today, and why."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date

from lamplighter_contract.level import Level, Override
from lamplighter_contract.light.adaptive import early_ms
from lamplighter_contract.light.level import level
from lamplighter_contract.light.signals import Signals
from lamplighter_contract.light.sky.nights import Night
from lamplighter_contract.light.sky.sun import HORIZON_DEG
from lamplighter_contract.light.view import Member, View


@dataclass(frozen=True, slots=True)
class Change:
    """From an instant on this level, for this reason."""

    start_ms: int
    level: Level


def preview(
    view: View, device: str, day: date, signals: Signals, overrides: Iterable[Override] | None = None
) -> tuple[Change, ...]:
    """A lamp's night from noon of a date to the next noon; a ramp shows as its begin and its end."""
    member, night = view.member(device), view.night(day)
    records = member.overrides if overrides is None else tuple(one for one in overrides if one.device == device)
    changes: list[Change] = []
    for time_ms in sorted({night.start_ms, *_instants(view, member, night, signals, records)}):
        if night.start_ms <= time_ms < night.end_ms:
            decided = level(view, device, time_ms, signals, records)
            if not changes or decided != changes[-1].level:
                changes.append(Change(time_ms, decided))
    return tuple(changes)


def _instants(view: View, member: Member, night: Night, signals: Signals, records: Iterable[Override]) -> Iterator[int]:
    """Whenever anything may change."""
    yield from (record.until_ms for record in records)
    for scene, cues in member.scenes:
        if scene.starts is not None and scene.ends is not None:
            yield scene.ends
            yield from (scene.starts + round((cue.after_s + s) * 1000) for cue in cues for s in (0, cue.ramp_s))
    around = {0.0}
    for rule in member.adaptive:
        around.add(early_ms(rule))
        if rule.signal in signals:
            yield signals[rule.signal].until
    for time_ms in _switchings(view, member, night):
        yield from (round(time_ms + sign * early) for early in around for sign in (-1, 1))


def _switchings(view: View, member: Member, night: Night) -> Iterator[float]:
    if member.assignment is None:
        darkness = night.darkness(HORIZON_DEG)
        yield from (darkness.dusk_ms, darkness.dawn_ms)
        return
    for span in view.on(member.assignment.calendar, night.date).spans(member.assignment.road_class):
        yield from (span.start_ms, span.start_ms + span.ramp_ms)
