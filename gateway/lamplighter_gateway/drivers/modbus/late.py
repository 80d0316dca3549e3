"""Late answers on a serial line: an RTU answer does not say which question it belongs to.

After a read timed out, its answer may still come and would be taken for the next one's. Units answer in order, so the
next question is a guard of another length: once the guard's own answer is there, nothing older can follow.
Pure: times are monotonic seconds handed in.
"""

from dataclasses import dataclass, field
from typing import Final

FORGOTTEN_AFTER_S: Final = 10.0  # no controller answers later than this
_GUARDS: Final = range(1, 9)


@dataclass(slots=True)
class _Debt:
    counts: list[int] = field(default_factory=list)
    since_s: float = 0.0


class LateAnswers:
    """What each unit of one line may still answer."""

    def __init__(self) -> None:
        self._debts: dict[int, _Debt] = {}

    def owes(self, unit: int, count: int, now_s: float) -> None:
        """A read of `count` registers got no answer in time."""
        debt = self._debts.setdefault(unit, _Debt())
        debt.counts = [*debt.counts[1 - len(_GUARDS) :], count]
        debt.since_s = now_s

    def guard(self, unit: int, now_s: float) -> int | None:
        """How many registers to ask for first, a number that no late answer can have; None if nothing is owed."""
        debt = self._debts.get(unit)
        if debt is None:
            return None
        if now_s - debt.since_s > FORGOTTEN_AFTER_S:
            del self._debts[unit]
            return None
        return next(count for count in _GUARDS if count not in debt.counts)

    def settled(self, unit: int) -> None:
        """The guard was answered: nothing older can come."""
        self._debts.pop(unit, None)
