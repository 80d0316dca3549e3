"""Several units that fall silent together: a breaker or a contactor, most likely, and worth knowing within one poll.

Each of them would cost three full time-outs. Once a few have said nothing shortly after one another, the next ones are
given no longer than a unit of this bus ever takes, several times over, and are asked again at once.
Pure: times are monotonic seconds handed in.
"""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

Unit = TypeVar("Unit", bound=Hashable)

TOGETHER: Final = 4
WITHIN_S: Final = 30.0
LEAST_PATIENCE_S: Final = 0.05
TIMES_THE_SLOWEST: Final = 4.0
_FORGETS: Final = 0.95  # of the slowest answer, with each answer


class Crowd(Generic[Unit]):
    """Who of one bus has fallen silent lately, and how long its units take to answer."""

    def __init__(self) -> None:
        self._silent_s: dict[Unit, float] = {}
        self._slowest_s = 0.0

    def answered(self, unit: Unit, took_s: float) -> None:
        """Note an answer."""
        self._silent_s.pop(unit, None)
        self._slowest_s = max(took_s, self._slowest_s * _FORGETS)

    def silent(self, unit: Unit, now_s: float) -> None:
        """Note that a unit said nothing."""
        self._silent_s.setdefault(unit, now_s)

    def gathers(self, now_s: float) -> bool:
        """True while several units have fallen silent shortly after one another."""
        self._silent_s = {unit: since_s for unit, since_s in self._silent_s.items() if now_s - since_s <= WITHIN_S}
        return len(self._silent_s) >= TOGETHER

    def patience_s(self, usual_s: float, now_s: float) -> float:
        """How long to wait for an answer."""
        if not self._slowest_s or not self.gathers(now_s):
            return usual_s
        return min(usual_s, max(LEAST_PATIENCE_S, TIMES_THE_SLOWEST * self._slowest_s))
