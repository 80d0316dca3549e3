"""Who on a bus is worth asking: a unit that does not answer must not cost the others their time.

Pure: times are monotonic seconds handed in. A breaker belongs to one unit of one bus. After a few failures in a row it
opens; an open one lets a probe through at least once a minute. All probes of a bus together take a small share of its
time, and a larger one where only that finds every unit within the minute; where even that is not enough (a whole branch
is dark), the wait grows with the number of silent units.
"""

from collections.abc import Hashable, Iterable
from dataclasses import dataclass
from typing import Final, Generic, TypeVar

Unit = TypeVar("Unit", bound=Hashable)

OPENS_AFTER: Final = 3
FIRST_DELAY_S: Final = 5.0
LONGEST_DELAY_S: Final = 60.0
PROBE_SHARE: Final = 0.01  # of the time that the answering units need
MOST_SHARE: Final = 0.1  # of all time, when many are silent


@dataclass(slots=True)
class _State:
    failures: int = 0
    delay_s: float = FIRST_DELAY_S
    retry_s: float = 0.0


class Breakers(Generic[Unit]):
    """The breakers of one bus."""

    def __init__(self, units: Iterable[Unit]) -> None:
        self._states = {unit: _State() for unit in units}
        self._open: set[Unit] = set()
        self._next_probe_s = float("-inf")

    @property
    def silent(self) -> frozenset[Unit]:
        """Units that do not answer."""
        return frozenset(self._open)

    @property
    def answering(self) -> int:
        """How many units answer."""
        return len(self._states) - len(self._open)

    def is_silent(self, unit: Unit) -> bool:
        """True while the unit does not answer."""
        return unit in self._open

    def allows(self, unit: Unit, now_s: float) -> bool:
        """True if the unit answers as a rule, or is due for its probe."""
        if unit not in self._open:
            return True
        return now_s >= self.due_s(unit)

    def due_s(self, unit: Unit) -> float:
        """When a silent unit may be probed; never later than told, earlier when another one answers again."""
        return max(self._next_probe_s, self._states[unit].retry_s)

    def succeeded(self, unit: Unit) -> bool:
        """Note an answer; True if the unit was silent until now.

        Units are often lost and found together (a branch, a contactor), so the other silent ones are due at once.
        """
        state = self._states[unit]
        state.failures = 0
        if unit not in self._open:
            return False
        self._open.discard(unit)
        state.delay_s = FIRST_DELAY_S
        self._next_probe_s = float("-inf")
        for other in self._open:
            self._states[other].retry_s = float("-inf")
        return True

    def failed(self, unit: Unit, now_s: float, cost_s: float) -> bool:
        """Note `cost_s` seconds spent without an answer; True if the breaker opened now."""
        state = self._states[unit]
        state.failures += 1
        if state.failures < OPENS_AFTER:
            return False
        opened = unit not in self._open
        self._open.add(unit)
        state.delay_s = FIRST_DELAY_S if opened else min(2 * state.delay_s, LONGEST_DELAY_S)
        state.retry_s = now_s + state.delay_s
        self._next_probe_s = now_s + self._pause_s(cost_s)
        return opened

    def _pause_s(self, cost_s: float) -> float:
        """How long the bus is spared after a probe that cost so much."""
        answering = 1 - len(self._open) / len(self._states)
        soon_enough = LONGEST_DELAY_S / len(self._open)
        return min(cost_s * answering / PROBE_SHARE, max(soon_enough, cost_s / MOST_SHARE))
