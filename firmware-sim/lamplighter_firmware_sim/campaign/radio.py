"""The way of readings to the centre: lost, late, twice, out of order."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

Index = NDArray[np.int64]
Array = NDArray[np.float64]
Mask = NDArray[np.bool_]

_FADES: Final = 0.0025  # chance per report that a good radio turns bad
_RECOVERS: Final = 0.45
_LOSS_WHEN_BAD: Final = 0.75
_LOSS_WHEN_GOOD: Final = 0.008
_LATE, _TWICE = 0.003, 0.001


@dataclass(frozen=True, slots=True)
class Burst:
    """A gateway keeps its readings to itself for a while and sends them all at the end."""

    cabinet: int
    start_ms: int
    end_ms: int


class Channel:
    """Gilbert-Elliott loss per lamp, and delays."""

    def __init__(self, random: np.random.Generator, lamps: int, bursts: list[Burst]) -> None:
        """All radios good."""
        self._random = random
        self._bad = np.zeros(lamps, np.bool_)
        self._bursts = bursts

    def lost(self, storm: float) -> Mask:
        """Which reports of this step never arrive; `storm` is the added loss."""
        draw = self._random.random(len(self._bad))
        self._bad = np.where(self._bad, draw > _RECOVERS, draw < _FADES)
        chance = np.where(self._bad, _LOSS_WHEN_BAD, _LOSS_WHEN_GOOD) + storm
        return self._random.random(len(self._bad)) < chance

    def arrival_ms(self, time_ms: Index, cabinet: Index) -> Index:
        """When readings of these times and cabinets come in."""
        arrival = time_ms + self._random.integers(500, 8_000, len(time_ms))
        late = self._random.random(len(time_ms)) < _LATE
        arrival = np.where(late, arrival + self._random.integers(300_000, 3_600_000, len(time_ms)), arrival)
        for burst in self._bursts:
            held = (cabinet == burst.cabinet) & (time_ms >= burst.start_ms) & (time_ms < burst.end_ms)
            arrival = np.where(held, burst.end_ms + self._random.integers(0, 60_000, len(time_ms)), arrival)
        return arrival

    def again(self, count: int) -> Index:
        """Which of `count` readings come twice."""
        return np.flatnonzero(self._random.random(count) < _TWICE)
