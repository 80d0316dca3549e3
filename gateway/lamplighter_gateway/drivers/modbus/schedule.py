"""When each poll is due on one bus: deadlines in a heap, spread over the period, stretched fairly when there are many.

Pure: times are monotonic seconds handed in. A poll whose period is 0 is due again as soon as it was done.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from heapq import heappop, heappush
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)


@dataclass(frozen=True, slots=True)
class Due(Generic[Key]):
    """A poll to be made now; `missed` says that it comes more than half a period late."""

    key: Key
    missed: bool


class Schedule(Generic[Key]):
    """Deadlines of the polls of one bus. What was taken must be given back with `done` or `postpone`."""

    def __init__(self, polls: Iterable[tuple[Key, float]], now_s: float) -> None:
        """Spread the first polls (key, period in s) evenly over their periods."""
        periods: dict[Key, float] = dict(polls)
        self._periods = periods
        self._heap: list[tuple[float, int, Key]] = []
        self._order = 0
        self._taken: dict[Key, float] = {}
        self._ahead: dict[Key, float] = {}  # of those made early: when they are due all the same
        same: dict[float, list[Key]] = {}
        for key, period_s in periods.items():
            same.setdefault(period_s, []).append(key)
        for period_s, keys in same.items():
            for place, key in enumerate(keys):
                self._push(now_s + period_s * place / len(keys), key)

    def take(self, now_s: float) -> Due[Key] | None:
        """The poll that has waited longest, or None when none is due."""
        if not self._heap or self._heap[0][0] > now_s:
            return None
        due_s, _, key = heappop(self._heap)
        self._taken[key] = due_s
        period_s = self._periods[key]
        return Due(key, 0 < period_s < 2 * (now_s - due_s))

    def next_s(self) -> float | None:
        """When the next poll is due, or None when all are taken."""
        return self._heap[0][0] if self._heap else None

    def hasten(self, now_s: float) -> None:
        """Everybody is due now, in the same order, and once more when they would have been."""
        waiting = sorted(self._heap)
        self._ahead |= {key: due_s for due_s, _, key in waiting if due_s > now_s}
        self._heap = []
        for due_s, _, key in waiting:
            self._push(min(due_s, now_s), key)

    def done(self, key: Key, now_s: float) -> None:
        """Due again one period after it was due; never in the past, so that nobody is served twice in a row."""
        due_s = self._taken.pop(key) + self._periods[key]
        self._push(max(self._ahead.pop(key, due_s), now_s), key)

    def postpone(self, key: Key, now_s: float, wait_s: float, at_least_s: float) -> None:
        """Due again `wait_s` from now or a period from now, whichever is less: it was not made this time."""
        self._taken.pop(key)
        self._ahead.pop(key, None)
        self._push(now_s + max(min(wait_s, self._periods[key]), at_least_s), key)

    def _push(self, due_s: float, key: Key) -> None:
        self._order += 1
        heappush(self._heap, (due_s, self._order, key))
