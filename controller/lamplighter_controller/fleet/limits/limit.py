"""Limits: as they were asked for, and what becomes of each truck's."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class What(StrEnum):
    """What is limited."""

    SPEED = "speed"
    LIFT = "lift"


class AskState(StrEnum):
    """Where an ask stands: it waits for a second person, or each truck's limit is on its way."""

    PENDING = "pending"
    GIVEN = "given"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class LimitState(StrEnum):
    """Where one truck's limit stands. In effect, and over, only by the truck's own status."""

    WAITING = "waiting"  # for the interlock's yes
    SENT = "sent"
    IN_EFFECT = "in_effect"
    NOT_IN_EFFECT = "not_in_effect"  # acknowledged, and the truck does not show it
    RELEASING = "releasing"
    OUTLIVED = "outlived"  # it should be over and is not
    RELEASED = "released"
    FAILED = "failed"
    SUPERSEDED = "superseded"  # a newer one took its place
    FOREIGN = "foreign"  # not ours: shown, never fought


AT_THE_TRUCK: Final = frozenset(
    {
        LimitState.SENT,
        LimitState.IN_EFFECT,
        LimitState.NOT_IN_EFFECT,
        LimitState.RELEASING,
        LimitState.OUTLIVED,
    }
)
OPEN: Final = AT_THE_TRUCK | {LimitState.WAITING, LimitState.FOREIGN}


@dataclass(frozen=True, slots=True)
class Ask:
    """A limit as it was asked for; `until_ms` civil, other times real. `grave`: why it needs a second person.

    `target` in km/h, 0 for a lift limit. `violation` is the evidence, `policy` the rule that asked.
    """

    id: str
    who: str
    trucks: tuple[str, ...]
    what: What
    target: float
    until_ms: int
    reason: str
    created_ms: int
    expires_ms: int
    case_number: str = ""
    violation: str | None = None
    policy: str | None = None
    grave: tuple[str, ...] = ()
    approvals: tuple[str, ...] = ()
    state: AskState = AskState.GIVEN
    key: str | None = None
    content: str = ""


@dataclass(frozen=True, slots=True)
class Limit:
    """One truck's limit; `until_ms` civil, other times real. `request` and `release_request` are its commands'."""

    id: str
    truck: str
    device: str
    what: What
    state: LimitState
    created_ms: int
    ask: str | None = None
    target: float | None = None
    until_ms: int | None = None
    detail: str = ""
    warned_ms: int | None = None
    request: str | None = None
    release_request: str | None = None
    sent_ms: int | None = None
    effective_ms: int | None = None
    ended_ms: int | None = None
