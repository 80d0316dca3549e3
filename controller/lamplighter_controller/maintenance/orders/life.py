"""What may follow what in the life of an order: one table, and one function that applies it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final

import msgspec

from lamplighter_controller.maintenance.orders.order import (
    NEVER,
    NO_REPAIR,
    RUNNING,
    UNFINISHED,
    WAITING,
    Order,
    ProofKind,
    State,
)
from lamplighter_controller.maintenance.refused import Refused, not_now

MOST_TEXT: Final = 500
LATE_MS: Final = 7 * 24 * 3_600_000  # a phone without a signal tells within a week
AHEAD_MS: Final = 5 * 60_000  # clocks of phones


class Action(StrEnum):
    """What somebody does with an order."""

    ASSIGN = "assign"
    TAKE = "take"
    DEPART = "depart"
    ARRIVE = "arrive"
    FINISH = "finish"
    WAIT_PARTS = "wait-parts"
    WAIT_UTILITY = "wait-utility"
    WAIT_POLICE = "wait-police"
    RESUME = "resume"
    NOT_OURS = "not-ours"
    DUPLICATE = "duplicate"
    CLEARED = "cleared"
    REOPEN = "reopen"
    PROVE = "prove"
    SEND_BACK = "return"
    CLOSE = "close"


@dataclass(frozen=True, slots=True)
class Rule:
    """From which states an action leads where, and what has to be told with it."""

    after: frozenset[State]
    to: State
    needs: tuple[str, ...] = ()
    allows: tuple[str, ...] = ()


_WITH_A_CREW: Final = frozenset({State.ASSIGNED, State.ON_THE_WAY, State.ON_SITE, State.RETURNED})
_BEFORE_ARRIVAL: Final = frozenset({State.NEW, State.ASSIGNED, State.ON_THE_WAY}) | WAITING

RULES: Final[Mapping[Action, Rule]] = {
    Action.ASSIGN: Rule(frozenset({State.NEW, State.ASSIGNED, State.RETURNED}), State.ASSIGNED, ("crew",)),
    Action.TAKE: Rule(frozenset({State.NEW, State.ASSIGNED, State.RETURNED}), State.ASSIGNED, ("crew",)),
    Action.DEPART: Rule(frozenset({State.ASSIGNED}), State.ON_THE_WAY),
    Action.ARRIVE: Rule(
        frozenset({State.ASSIGNED, State.ON_THE_WAY}), State.ON_SITE, ("latitude", "longitude"), ("accuracy_m",)
    ),
    Action.FINISH: Rule(frozenset({State.ON_SITE}), State.DONE, ("done",)),
    Action.WAIT_PARTS: Rule(_WITH_A_CREW, State.WAITING_PARTS),
    Action.WAIT_UTILITY: Rule(_WITH_A_CREW, State.WAITING_UTILITY),
    Action.WAIT_POLICE: Rule(_WITH_A_CREW, State.WAITING_POLICE),
    Action.RESUME: Rule(WAITING, State.ASSIGNED),
    Action.NOT_OURS: Rule(UNFINISHED, State.NOT_OURS, (), ("whose",)),
    Action.DUPLICATE: Rule(UNFINISHED, State.DUPLICATE, ("of",)),
    Action.CLEARED: Rule(_BEFORE_ARRIVAL, State.CLEARED),
    Action.REOPEN: Rule(NO_REPAIR, State.NEW),
    Action.PROVE: Rule(frozenset({State.DONE}), State.PROVED, ("kind", "text")),
    Action.SEND_BACK: Rule(frozenset({State.DONE, State.PROVED}), State.RETURNED, ("text",)),
    Action.CLOSE: Rule(frozenset({State.PROVED}) | NO_REPAIR, State.CLOSED),
}
_WHEN: Final[Mapping[Action, str]] = {
    Action.DEPART: "departed_ms",
    Action.ARRIVE: "arrived_ms",
    Action.FINISH: "done_ms",
    Action.PROVE: "proved_ms",
    Action.CLOSE: "closed_ms",
}


@dataclass(frozen=True, slots=True)
class Wish:
    """Somebody wants to take a step; `at_ms` civil is when it was taken, which a phone may tell later."""

    action: Action
    who: str
    at_ms: int
    reason: str = ""
    detail: Mapping[str, Any] = field(default_factory=dict)


def taken(order: Order, wish: Wish, now_ms: int) -> Order | Refused:
    """The order after the step; a step that was taken already is not taken again."""
    rule = RULES[wish.action]
    wrong = _wrong(rule, wish) or _when_wrong(order, wish, now_ms)
    if wrong is not None:
        return wrong
    if order.state not in rule.after:
        before = ", ".join(sorted(rule.after))
        return not_now(f"{wish.action} follows {before}; this order is {order.state}")
    changed = {"state": rule.to, "changed_ms": wish.at_ms, **_clock(order, rule.to, wish.at_ms), **_told(order, wish)}
    return msgspec.structs.replace(order, **changed)


def _told(order: Order, wish: Wish) -> dict[str, Any]:
    """What the step itself writes into the order."""
    found: dict[str, Any] = {_WHEN[wish.action]: wish.at_ms} if wish.action in _WHEN else {}
    match wish.action:
        case Action.ASSIGN:
            found |= {"crew": wish.detail["crew"], "accepted_ms": NEVER}
        case Action.TAKE:
            found |= {"crew": wish.detail["crew"], "accepted_ms": wish.at_ms, "escalated_ms": NEVER}
        case Action.ARRIVE:  # the first arrival is what counts
            found |= {"arrived_ms": order.arrived_ms or wish.at_ms}
        case Action.FINISH:
            found |= {"done_by": wish.who}
        case Action.NOT_OURS | Action.CLEARED:
            found |= {"outcome": RULES[wish.action].to.value}
        case Action.DUPLICATE:
            found |= {"outcome": State.DUPLICATE.value, "duplicate_of": wish.detail["of"]}
        case Action.REOPEN:
            found |= {"outcome": "", "duplicate_of": "", "accepted_ms": NEVER, "crew": ""}
        case Action.PROVE:
            kind = ProofKind(wish.detail["kind"])
            found |= {"outcome": State.PROVED.value, "proof": kind, "proof_text": wish.detail["text"]}
        case Action.SEND_BACK:
            again = {"returned": order.returned + 1, "proof_text": wish.detail["text"], "outcome": ""}
            found |= again | {"done_ms": NEVER, "proved_ms": NEVER, "accepted_ms": NEVER}
    return found


def _clock(order: Order, to: State, at_ms: int) -> dict[str, int]:
    """The clock stands while somebody else has to act and while proof is awaited; the due time moves on by it."""
    if order.state in RUNNING and to not in RUNNING:
        return {"paused_since_ms": at_ms}
    if order.state not in RUNNING and to in RUNNING:
        stood_ms = at_ms - order.paused_since_ms
        return {
            "paused_since_ms": NEVER,
            "paused_ms": order.paused_ms + stood_ms,
            "due_ms": order.due_ms + stood_ms if order.due_ms else NEVER,
        }
    return {}


def _when_wrong(order: Order, wish: Wish, now_ms: int) -> Refused | None:
    if wish.at_ms > now_ms + AHEAD_MS:
        return Refused("body.at_ms", "not-in-the-future", f"at_ms is {wish.at_ms}, and it is {now_ms} now")
    if wish.at_ms < now_ms - LATE_MS:
        return Refused("body.at_ms", "too-long-ago", "at_ms is more than 7 days ago")
    if wish.at_ms < order.changed_ms:
        detail = f"at_ms is {wish.at_ms}, before the order's last step at {order.changed_ms}"
        return Refused("body.at_ms", "in-order", detail)
    return None


def _wrong(rule: Rule, wish: Wish) -> Refused | None:
    if len(wish.reason) > MOST_TEXT:
        return Refused("body.reason", "length", f"reason has at most {MOST_TEXT} characters")
    if RULES[wish.action].to in WAITING | NO_REPAIR | {State.RETURNED} and not wish.reason.strip():
        return Refused("body.reason", "needed", f"{wish.action} needs a reason: it is what the clock stands for")
    for name in rule.needs:
        if wish.detail.get(name) in (None, ""):
            return Refused(f"body.{name}", "needed", f"{wish.action} needs {name}")
    for name, value in wish.detail.items():
        if name not in (*rule.needs, *rule.allows):
            return Refused(f"body.{name}", "unknown", f"{wish.action} takes no {name}")
        expected = _expected(name, value)
        if expected is not None:
            return Refused(f"body.{name}", "out-of-bounds", f"{name} is {str(value)[:60]!r}: expected {expected}")
    return None


_NUMBERS: Final[Mapping[str, tuple[float, float]]] = {
    "latitude": (-90, 90),
    "longitude": (-180, 180),
    "accuracy_m": (0, 100_000),
}


def _expected(name: str, value: object) -> str | None:
    """What is expected instead of a value, None when it will do."""
    if name in _NUMBERS:
        least, most = _NUMBERS[name]
        fits = isinstance(value, int | float) and not isinstance(value, bool) and least <= value <= most
        return None if fits else f"a number from {least:g} to {most:g}"
    if name == "kind":
        return None if value in set(ProofKind) else f"one of {', '.join(ProofKind)}"
    fits = isinstance(value, str) and 0 < len(value) <= 4 * MOST_TEXT
    return None if fits else f"text of at most {4 * MOST_TEXT} characters"
