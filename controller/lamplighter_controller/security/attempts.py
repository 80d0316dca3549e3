"""Attempts that were refused: each stands in the audit trail, alone or with equal ones that came close after it. Pure.

Whoever tries a thousand times a second must not fill the trail, and nothing of it may go unseen: the first of a kind is
recorded at once, the ones after it are counted and recorded once the minute is over.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lamplighter_controller.security.audit import Entry

ACTION: Final = "refused"
GATHERED_S: Final = 60.0
MOST_KINDS: Final = 1_000
MANY: Final = "many others"


@dataclass(frozen=True, slots=True)
class Attempt:
    """What was tried: by whom, from where, at which route, and the rule that refused it."""

    who: str
    address: str
    what: str
    rule: str
    status: int


@dataclass(slots=True)
class _Gathered:
    since_s: float
    first_ms: int
    more: int = 0


@dataclass(slots=True)
class Attempts:
    """Attempts of the last minute, by kind; bounded."""

    _kinds: dict[Attempt, _Gathered] = field(default_factory=dict)

    def note(self, attempt: Attempt, now_s: float, wall_ms: int) -> Entry | None:
        """The entry to record now; None when an equal attempt was recorded a moment ago, and this one is counted."""
        if attempt not in self._kinds and len(self._kinds) >= MOST_KINDS:
            attempt = Attempt(MANY, MANY, MANY, MANY, 0)
        known = self._kinds.get(attempt)
        if known is not None:
            known.more += 1
            return None
        self._kinds[attempt] = _Gathered(now_s, wall_ms)
        return _entry(attempt, wall_ms, 1)

    def due(self, now_s: float, wall_ms: int) -> Sequence[Entry]:
        """Entries for what was counted in minutes that are over."""
        over = [(kind, one) for kind, one in self._kinds.items() if now_s - one.since_s >= GATHERED_S]
        for kind, _ in over:
            del self._kinds[kind]
        return [_entry(kind, wall_ms, one.more, one.first_ms) for kind, one in over if one.more]


def _entry(attempt: Attempt, wall_ms: int, count: int, since_ms: int | None = None) -> Entry:
    detail = {"address": attempt.address, "status": attempt.status, "count": count}
    if since_ms is not None:
        detail["since_ms"] = since_ms
    return Entry(attempt.who, ACTION, attempt.what, attempt.rule, "refused", wall_ms, detail)
