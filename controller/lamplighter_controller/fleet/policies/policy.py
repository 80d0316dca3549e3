"""Policies as data: a violation, a word to the driver, a limit, and when it ends. Pure."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Annotated, Any, Final, get_type_hints

import msgspec

from lamplighter_controller.fleet.judging.violations import Class
from lamplighter_controller.fleet.limits.limit import What
from lamplighter_controller.fleet.limits.wish import Wrong
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

    The driver is told `text`; who goes on for `patience_s` is limited to `limit_kmh` for `for_s`, or, where `what` is
    lift, may not raise the body. With `insist` also who has stopped: a load that was dumped is dumped. Nothing counts
    below `least_score`.
    """

    id: Id
    classes: Annotated[tuple[Class, ...], msgspec.Meta(min_length=1, max_length=16)]
    text: Annotated[str, msgspec.Meta(min_length=1, max_length=200)]
    name: Label = ""
    what: What = What.SPEED
    limit_kmh: Annotated[float, msgspec.Meta(ge=10, le=100)] | None = None
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
    """The policy that takes a violation: the one with the lowest limit of speed, else of the lift."""
    fitting = [one for one in policies if concerns(one, violation)]
    return min(fitting, key=lambda one: inf if one.limit_kmh is None else one.limit_kmh, default=None)


def read(values: Mapping[str, Any]) -> Policy | tuple[Wrong, ...]:
    """A policy as a person writes it, or everything that is wrong with it."""
    wrong = tuple(_wrong(values))
    return wrong or msgspec.convert(values, Policy)


def _wrong(values: Mapping[str, Any]) -> Iterator[Wrong]:
    types = get_type_hints(Policy, include_extras=True)
    for name, value in values.items():
        if name not in types:
            yield Wrong(str(name)[:64], f"unknown; expected one of {', '.join(types)}")
            continue
        try:
            msgspec.convert(value, types[name])
        except msgspec.ValidationError as error:
            yield Wrong(name, str(error))
    needed = (field.name for field in msgspec.structs.fields(Policy) if field.required)
    yield from (Wrong(name, "it is needed") for name in needed if name not in values)
    what, limit_kmh = values.get("what", What.SPEED), values.get("limit_kmh")
    if what == What.SPEED and limit_kmh is None:
        yield Wrong("limit_kmh", "it is needed: a limit of speed says how fast")
    if what == What.LIFT and limit_kmh is not None:
        yield Wrong("limit_kmh", "a limit of the lift has no speed")
