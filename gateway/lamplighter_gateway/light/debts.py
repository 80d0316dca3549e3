"""Lamps that owe a level and do not answer: who is asked next, so that one that is back gets it within seconds. Pure.

A bus asks a silent unit once a minute at most, which is often enough to know of it and too seldom for a dark street.
Times in monotonic seconds.
"""

from collections.abc import Mapping, Sequence
from typing import Final

from lamplighter_gateway.light.reconcile import Shown, Tried

EVERY_S: Final = 5.0  # of one bus: a time-out of half a second then costs it a tenth of its time at most


class Debts:
    """Whose turn it is on each bus; one that is back has the others of its bus found by the driver."""

    def __init__(self) -> None:
        """Nobody was asked."""
        self._busy_s: dict[str, float] = {}
        self._asked_s: dict[str, float] = {}

    def due(
        self, bus: str, lamps: Sequence[str], shown: Mapping[str, Shown], tried: Mapping[str, Tried], now_s: float
    ) -> str | None:
        """The lamp of a bus to be asked now, the one that was asked longest ago; None: nobody, or it is too early."""
        if now_s < self._busy_s.setdefault(bus, now_s) + EVERY_S:  # at the start the driver asks everybody anyway
            return None
        owing = [lamp for lamp in lamps if _owes(shown.get(lamp), tried.get(lamp))]
        if not owing:
            return None
        found = min(owing, key=lambda lamp: self._asked_s.get(lamp, float("-inf")))
        self._busy_s[bus] = self._asked_s[found] = now_s
        return found


def _owes(shown: Shown | None, tried: Tried | None) -> bool:
    """It never spoke, or not since a write to it was in vain."""
    return shown is None or (tried is not None and tried.failures > 0 and shown.at_s <= tried.at_s)
