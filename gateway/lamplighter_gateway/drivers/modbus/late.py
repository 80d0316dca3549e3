"""Late answers on a serial line: an RTU answer does not say which question it belongs to.

After a read timed out, its answer may still come and would be taken for the next one's. Units answer in order, so the
next question is a guard of another length: once the guard's own answer is there, nothing older can follow. A unit that
left every guard unanswered is not asked before the oldest of them is forgotten.
Pure: times are monotonic seconds handed in.
"""

from collections.abc import Mapping
from typing import Final

FORGOTTEN_AFTER_S: Final = 10.0  # no controller answers later than this
_GUARDS: Final = range(1, 9)


class LateAnswers:
    """What each unit of one line may still answer."""

    def __init__(self) -> None:
        self._asked_s: dict[int, dict[int, float]] = {}

    def owes(self, unit: int, count: int, now_s: float) -> None:
        """A read of `count` registers got no answer in time."""
        self._asked_s.setdefault(unit, {})[count] = now_s

    def guard(self, unit: int, now_s: float) -> int | None:
        """How many registers to ask for first, a number that no late answer can have; None if nothing is owed."""
        owed = self._owed(unit, now_s)
        return next((count for count in _GUARDS if count not in owed), None) if owed else None

    def spent(self, unit: int, now_s: float) -> bool:
        """True while every guard may still be answered late: whatever is asked now, its answer would prove nothing."""
        return self._owed(unit, now_s).keys() >= set(_GUARDS)

    def settled(self, unit: int) -> None:
        """The guard was answered: nothing older can come."""
        self._asked_s.pop(unit, None)

    def _owed(self, unit: int, now_s: float) -> Mapping[int, float]:
        """Lengths of answers that may still come, and when they were asked for."""
        asked = self._asked_s.get(unit, {})
        owed = {count: at_s for count, at_s in asked.items() if now_s - at_s <= FORGOTTEN_AFTER_S}
        if asked:
            self._asked_s[unit] = owed
        return owed
