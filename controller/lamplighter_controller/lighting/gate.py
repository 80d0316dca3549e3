"""The gate before a plan goes out: draft, validated, approved where it takes light away, published."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from lamplighter_controller.lighting.effect import Effect

DARK_LAMPS: Final = 50
FALL_PERCENT: Final = 5.0


class PlanState(StrEnum):
    """Where a plan stands."""

    DRAFT = "draft"
    VALIDATED = "validated"
    PUBLISHED = "published"


@dataclass(frozen=True, slots=True)
class Case:
    """A plan before the gate: who made it, who else has approved it, and what it would change.

    `tried`: it goes to canaries, or one of several gateways runs it already by its own word.
    """

    state: PlanState
    author: str
    approvals: tuple[str, ...]
    effect: Effect
    tried: bool = True


def grave(effect: Effect) -> tuple[str, ...]:
    """Why a second person has to approve, empty when nobody has to."""
    found = [f"{effect.structures.get(road, 'road')} {road} goes dark as a whole" for road in effect.dark_roads]
    if effect.adjacent > DARK_LAMPS:
        what = "lamps next to each other go off or under their floor at a time they are above it now"
        found.append(f"{effect.adjacent} {what}, more than {DARK_LAMPS}")
    for what, before, after in (
        ("energy", effect.energy_before_kwh, effect.energy_after_kwh),
        ("light", effect.light_before_h, effect.light_after_h),
    ):
        if before > 0 and (before - after) / before * 100 > FALL_PERCENT:
            fall = (before - after) / before * 100
            found.append(f"the night's {what} falls by {fall:.1f} %, more than {FALL_PERCENT:g} %")
    return tuple(found)


def missing(case: Case) -> tuple[str, ...]:
    """What a plan lacks before it may go out, empty when it may."""
    if case.state is PlanState.DRAFT:
        return ("it was not validated",)
    reasons = grave(case.effect)
    if reasons and not set(case.approvals) - {case.author}:
        return (f"a second person has to approve it: {'; '.join(reasons)}",)
    if reasons and not case.tried:
        return ("it takes light away: give it to a few gateways first, and to all when one of them runs it",)
    return ()
