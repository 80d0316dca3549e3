"""What may go, and when. Pure. Nothing goes that is held or in process."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from lamplighter_controller.fleet.violations.violation import State

DAY_MS: Final = 86_400_000


@dataclass(frozen=True, slots=True)
class Policy:
    """Days after the last step of a violation, or after a load.

    `candidate_days`: files of what nobody reviewed. `invalid_days`: of what was found invalid. `closed_days`: of cases
    with an outcome. `driver_days`: who drove, on waybills.
    """

    candidate_days: int = 90
    invalid_days: int = 180
    closed_days: int = 1_825
    driver_days: int = 365


@dataclass(frozen=True, slots=True)
class Kept:
    """A violation that has files; `changed_ms` real."""

    violation: str
    state: State
    changed_ms: int


def due(policy: Policy, kept: Iterable[Kept], held: frozenset[str], now_ms: int) -> list[str]:
    """The violations whose files go now."""
    days = {
        State.CANDIDATE: policy.candidate_days,
        State.INVALID: policy.invalid_days,
        State.OUTCOME: policy.closed_days,
    }
    return [
        one.violation
        for one in kept
        if one.violation not in held and one.state in days and now_ms - one.changed_ms > days[one.state] * DAY_MS
    ]
