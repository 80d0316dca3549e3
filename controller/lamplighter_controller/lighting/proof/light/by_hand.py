"""What levels by hand and shows have made of a night's plan: they belong to what was required of a lamp."""

from collections.abc import Iterable
from dataclasses import dataclass

from lamplighter_controller.lighting.proof.light.curves import Step


@dataclass(frozen=True, slots=True)
class Stretch:
    """A level from an instant until another (civil epoch ms); an emergency is full light, whatever the model has."""

    start_ms: int
    end_ms: int
    level_percent: float
    emergency: bool = False


def overlaid(steps: tuple[Step, ...], stretches: Iterable[Stretch], scale: float, end_ms: int) -> tuple[Step, ...]:
    """A night's steps under stretches that lie within it, the strongest last; `scale`: what of full light it gives."""
    for one in stretches:
        start_ms, until_ms = max(one.start_ms, steps[0][0]), min(one.end_ms, end_ms)
        if start_ms >= until_ms:
            continue
        level_percent = one.level_percent * (1.0 if one.emergency else scale)
        before = [step for step in steps if step[0] < start_ms]
        after = [step for step in steps if step[0] > until_ms]
        back = [(until_ms, [level for time_ms, level in steps if time_ms <= until_ms][-1])] if until_ms < end_ms else []
        steps = (*before, (start_ms, level_percent), *back, *after)
    return steps
