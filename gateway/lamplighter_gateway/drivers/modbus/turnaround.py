"""How long each unit of a serial line thinks before it answers, learned from its answers.

A unit is waited for twice as long as it ever took lately, and not longer than the line is configured for. One that said
nothing has the whole time again until it answers: it may have become slower. Pure: seconds are handed in.
"""

from collections.abc import Hashable
from typing import Final, Generic, TypeVar

Unit = TypeVar("Unit", bound=Hashable)

MARGIN_S: Final = 0.05  # adapters hand bytes over in bunches, and this program is not always on time
TIMES_THE_SLOWEST: Final = 2.0
_FORGETS: Final = 0.95  # of the slowest answer, with each answer


class Turnarounds(Generic[Unit]):
    """What the units of one line need."""

    def __init__(self) -> None:
        """Nobody has answered yet."""
        self._slowest_s: dict[Unit, float] = {}
        self._doubtful: set[Unit] = set()

    def answered(self, unit: Unit, took_s: float) -> None:
        """Note an answer that began `took_s` after the question's end, in time or late."""
        self._doubtful.discard(unit)
        self._slowest_s[unit] = max(took_s, 0.0, self._slowest_s.get(unit, 0.0) * _FORGETS)

    def silent(self, unit: Unit) -> None:
        """Note that nothing came in time."""
        self._doubtful.add(unit)

    def patience_s(self, unit: Unit, most_s: float) -> float:
        """How long to wait for the unit, wire time not counted."""
        slowest_s = self._slowest_s.get(unit)
        if slowest_s is None or unit in self._doubtful:
            return most_s
        return min(most_s, TIMES_THE_SLOWEST * slowest_s + MARGIN_S)

    @property
    def slowest_s(self) -> float:
        """What the slowest unit took lately, 0 if nobody has answered."""
        return max(self._slowest_s.values(), default=0.0)
