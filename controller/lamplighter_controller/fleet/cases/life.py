"""What may follow what in the life of a violation. Pure.

candidate → reviewed (valid or invalid) → company notified → appeal → handed over → case number → outcome. Nothing is
handed over that its company was not told of; an appeal that is upheld makes the violation invalid.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

from lamplighter_contract.errors import Reason, Refusal
from lamplighter_controller.fleet.violations.violation import State, Step

MOST_TEXT: Final = 500
MOST_YUAN: Final = 10_000_000


class Act(StrEnum):
    """What somebody does with a violation."""

    FIND_VALID = "valid"
    FIND_INVALID = "invalid"
    NOTIFY = "notify"
    APPEAL = "appeal"
    HAND_OVER = "hand-over"
    NUMBER = "number"
    CONCLUDE = "conclude"


class Outcome(StrEnum):
    """How a case ended."""

    PENALTY = "penalty"
    WARNING = "warning"
    DISMISSED = "dismissed"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class Rule:
    """From which states an act leads to which; what has to be told of it, and what may be."""

    after: frozenset[State]
    to: State
    needs: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()


RULES: Final[Mapping[Act, Rule]] = {
    Act.FIND_VALID: Rule(frozenset({State.CANDIDATE, State.INVALID}), State.VALID),
    Act.FIND_INVALID: Rule(frozenset({State.CANDIDATE, State.VALID, State.NOTIFIED, State.APPEAL}), State.INVALID),
    Act.NOTIFY: Rule(frozenset({State.VALID}), State.NOTIFIED, ("to",), ("way",)),
    Act.APPEAL: Rule(frozenset({State.NOTIFIED}), State.APPEAL, ("by", "text")),
    Act.HAND_OVER: Rule(frozenset({State.NOTIFIED, State.APPEAL}), State.HANDED_OVER, ("to",), ("package",)),
    Act.NUMBER: Rule(frozenset({State.HANDED_OVER}), State.CASE, ("case_number",), ("reference",)),
    Act.CONCLUDE: Rule(frozenset({State.CASE}), State.OUTCOME, ("outcome",), ("amount_yuan", "reference")),
}
JUDGED_VALID: Final = frozenset(State) - {State.CANDIDATE, State.INVALID}
CLOSED: Final = frozenset({State.INVALID, State.OUTCOME})


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants to take a step; the reason is for the audit trail and for whoever reads the case later."""

    act: Act
    who: str
    reason: str
    detail: Mapping[str, Any] = field(default_factory=dict)


def taken(life: Sequence[Step], wish: Wish, time_ms: int) -> Step | Refusal | None:
    """The step that follows, None when it was taken already just so; `life` is what happened so far, real epoch ms."""
    rule, now = RULES[wish.act], life[-1]
    wrong = _detail_refusal(rule, wish)
    if wrong is not None:
        return wrong
    if now.state is rule.to and dict(now.detail) == dict(wish.detail):
        return None
    if now.state not in rule.after:
        before = ", ".join(sorted(rule.after))
        return Refusal(Reason.ARGUMENT, f"{wish.act} follows {before}; this one is {now.state}")
    return Step(rule.to, time_ms, wish.who, wish.reason, dict(wish.detail))


def last_detail(life: Sequence[Step], state: State) -> Mapping[str, Any] | None:
    """What was told when it last came into a state, None when it never did since it was last found invalid."""
    for step in reversed(life):
        if step.state is state:
            return step.detail
        if step.state is State.INVALID:
            return None
    return None


def _detail_refusal(rule: Rule, wish: Wish) -> Refusal | None:
    if not 0 < len(wish.reason.strip()) <= MOST_TEXT:
        return Refusal(Reason.ARGUMENT, f"reason: 1 to {MOST_TEXT} characters")
    for name in rule.needs:
        if wish.detail.get(name) in (None, ""):
            return Refusal(Reason.ARGUMENT, f"{wish.act} needs {name}")
    for name, value in wish.detail.items():
        expected = _expected(name, value) if name in (*rule.needs, *rule.allows) else "not told with this step"
        if expected is not None:
            return Refusal(Reason.ARGUMENT, f"{name} is {str(value)[:60]!r}: {expected}")
    return None


def _expected(name: str, value: object) -> str | None:
    """What is expected instead of a value, None when it will do."""
    if name == "outcome":
        return None if value in set(Outcome) else f"one of {', '.join(Outcome)}"
    if name == "amount_yuan":
        fits = isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MOST_YUAN
        return None if fits else f"a number from 0 to {MOST_YUAN}"
    return None if isinstance(value, str) and 0 < len(value) <= MOST_TEXT else f"text of at most {MOST_TEXT} characters"
