"""Something counted over the last day, and what a day comes to while a whole one has not passed. Pure."""

from collections import deque
from typing import Final

_HOUR_S: Final = 3600.0
_DAY_HOURS: Final = 24


class Daily:
    """Amounts by hour, the last 24 of them; times are monotonic seconds handed in."""

    def __init__(self) -> None:
        """Nothing was counted."""
        self._hours: deque[tuple[int, float]] = deque(maxlen=_DAY_HOURS + 1)
        self._first_s: float | None = None
        self._level: float | None = None

    def add(self, amount: float, now_s: float) -> None:
        """Count."""
        if self._first_s is None:
            self._first_s = now_s
        hour = int(now_s // _HOUR_S)
        if self._hours and self._hours[-1][0] == hour:
            amount += self._hours.pop()[1]
        self._hours.append((hour, amount))

    def reaches(self, level: float, now_s: float) -> None:
        """A counter that only rises stands at `level`: count what came since the last look."""
        self.add(level - self._level if self._level is not None and level >= self._level else 0.0, now_s)
        self._level = level

    def per_day(self, now_s: float) -> float:
        """The amount of the last 24 h, or at the pace since the first count where less time has passed."""
        if self._first_s is None:
            return 0.0
        oldest = int(now_s // _HOUR_S) - _DAY_HOURS
        total = sum(amount for hour, amount in self._hours if hour > oldest)
        begun_s = max(self._first_s, (oldest + 1) * _HOUR_S)
        return total * _DAY_HOURS * _HOUR_S / max(now_s - begun_s, 1.0)
