"""Policies as data: a violation, a word to the driver, a limit, and when it ends. Pure."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from lamplighter_controller.fleet.judging.violations import Class
from lamplighter_controller.fleet.register.things import Id, Label
from lamplighter_controller.fleet.violations.violation import State, Violation

SHELF: Final = "policies"
LONGEST_S: Final = 72 * 3600


class Release(StrEnum):
    """When a policy's limit ends before its time."""

    EPISODE_OVER = "episode_over"  # the violation has stopped
    TIME = "time"  # only its time ends it


class Policy(msgspec.Struct, frozen=True):
    """What follows violations of some classes; all times in the city's seconds.

    The driver is told `text`; who goes on for `patience_s` is limited to `limit_kmh` for `for_s`. With `insist` also
    who has stopped: a load that was dumped is dumped. Nothing counts below `least_score`.
    """

    id: Id
    classes: Annotated[tuple[Class, ...], msgspec.Meta(min_length=1, max_length=16)]
    limit_kmh: Annotated[float, msgspec.Meta(ge=10, le=100)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    name: Label = ""
    least_score: Annotated[float, msgspec.Meta(ge=0, le=1)] = 0.9
    patience_s: Annotated[int, msgspec.Meta(ge=0, le=3600)] = 30
    for_s: Annotated[int, msgspec.Meta(ge=60, le=LONGEST_S)] = 3600
    release: Release = Release.EPISODE_OVER
    insist: bool = False
    companies: Annotated[tuple[Id, ...], msgspec.Meta(max_length=200)] = ()


class Stage(StrEnum):
    """How far a policy has gone with one violation."""

    WARNED = "warned"
    LIMITED = "limited"
    OVER = "over"


@dataclass(frozen=True, slots=True)
class Course:
    """One violation in the hands of one policy; times civil."""

    id: str
    policy: str
    policy_version: int
    truck: str
    violation: str
    stage: Stage
    began_ms: int
    changed_ms: int
    ask: str | None = None


@dataclass(frozen=True, slots=True)
class Trial:
    """What a policy would have done over a time: `limits` by truck, in order of time (civil ms)."""

    warnings: int
    limits: tuple[tuple[str, int], ...]

    @property
    def times(self) -> int:
        """How often it would have limited."""
        return len(self.limits)

    @property
    def trucks(self) -> int:
        """How many trucks it would have limited."""
        return len({truck for truck, _ in self.limits})


def concerns(policy: Policy, violation: Violation) -> bool:
    """True when a policy follows from a violation. What came late, or was judged to be none, limits nobody."""
    return (
        violation.kind in policy.classes
        and violation.score >= policy.least_score
        and not violation.late
        and violation.state is not State.INVALID
        and (not policy.companies or violation.company in policy.companies)
    )


def tried(policy: Policy, violations: Iterable[Violation], now_ms: int) -> Trial:
    """What the policy would have done with these violations; a truck that is limited is not limited again."""
    warnings = 0
    limits: list[tuple[str, int]] = []
    until_ms: dict[str, int] = {}
    for one in sorted(violations, key=lambda one: one.first_ms):
        if not concerns(policy, one) or one.first_ms < until_ms.get(one.truck, 0):
            continue
        warnings += 1
        at_ms = one.first_ms + policy.patience_s * 1000
        last_ms = now_ms if one.last_ms is None else one.last_ms
        if not policy.insist and last_ms < at_ms:
            continue
        limits.append((one.truck, at_ms))
        end_ms = at_ms + policy.for_s * 1000
        until_ms[one.truck] = max(at_ms, min(last_ms, end_ms)) if policy.release is Release.EPISODE_OVER else end_ms
    return Trial(warnings, tuple(limits))


def first_for(policies: Sequence[Policy], violation: Violation) -> Policy | None:
    """The policy that takes a violation: the one with the lowest limit."""
    fitting = [one for one in policies if concerns(one, violation)]
    return min(fitting, key=lambda one: one.limit_kmh, default=None)
