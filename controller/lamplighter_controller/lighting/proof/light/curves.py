"""Step functions of one night, many at once, and their integrals between any two instants."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Self

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.lighting.proof.light.evidence import Rows
from lamplighter_controller.series.port import Floats, Times

Step = tuple[int, float]  # from an instant (epoch ms) on this value


@dataclass(frozen=True)
class Curves:
    """Step functions over one stretch of time, all on one axis one behind the other.

    Args:
        start_ms: begin of the stretch.
        end_ms: its end; outside it every curve is 0.
        at: (p,) positions on the axis.
        total: (p,) integral of its curve up to there, value times ms.
        value: (p,) value from there on.
        positive_at: (p,) the first position from there on with a value above 0; inf when there is none.
    """

    start_ms: int
    end_ms: int
    at: Floats
    total: Floats
    value: Floats
    positive_at: Floats

    @classmethod
    def of(cls, curves: Sequence[Sequence[Step]], start_ms: int, end_ms: int) -> Self:
        """Curves by number; each is 0 before its first step, whose order is that of time."""
        at: list[float] = []
        total: list[float] = []
        value: list[float] = []
        span = end_ms - start_ms
        for number, steps in enumerate(curves):
            origin, summed, before, level = number * (span + 1), 0.0, 0, 0.0
            inside = [(min(max(time_ms - start_ms, 0), span), each) for time_ms, each in steps]
            for position, each in [(0, 0.0), *inside, (span, 0.0)]:
                summed += level * (position - before)
                before, level = position, each
                at.append(origin + position)
                total.append(summed)
                value.append(level)
        values = np.array(value)
        return cls(start_ms, end_ms, np.array(at), np.array(total), values, _positive_at(np.array(at), values, span))

    def between(self, curve: Rows, from_ms: Times, until_ms: Times) -> Floats:
        """(m,) integral of a curve from one instant until another; 0 where the second is not after the first."""
        if not len(self.at):
            return np.zeros(len(curve))
        low, high = self._position(curve, from_ms), self._position(curve, until_ms)
        upper = np.interp(np.maximum(high, low), self.at, self.total)
        return np.asarray(upper - np.interp(low, self.at, self.total), np.float64)

    def values_at(self, curve: Rows, time_ms: Times) -> Floats:
        """(m,) value of a curve at an instant."""
        position = self._position(curve, time_ms)
        found: Floats = self.value[np.searchsorted(self.at, position, side="right") - 1]
        return found

    def next_positive_ms(self, curve: Rows, time_ms: Times) -> Times:
        """(m,) the first instant from `time_ms` on at which the curve is above 0; `end_ms` when there is none."""
        position = self._position(curve, time_ms)
        index = np.searchsorted(self.at, position, side="right") - 1
        found = np.where(self.value[index] > 0, position, self.positive_at[index])
        inside = np.where(np.isfinite(found), found - curve * (self.end_ms - self.start_ms + 1.0), np.inf)
        clipped: Times = np.minimum(inside, self.end_ms - self.start_ms).astype(np.int64) + self.start_ms
        return clipped

    def totals(self, count: int) -> Floats:
        """(count,) integral of each curve over the whole stretch."""
        numbers = np.arange(count)
        return self.between(numbers, np.full(count, self.start_ms), np.full(count, self.end_ms))

    def _position(self, curve: Rows, time_ms: NDArray[np.int64]) -> Floats:
        inside = np.clip(time_ms, self.start_ms, self.end_ms) - self.start_ms
        return np.asarray(curve * (self.end_ms - self.start_ms + 1.0) + inside, np.float64)


def _positive_at(at: Floats, value: Floats, span: int) -> Floats:
    """For each position the next one, of the same curve, from which the value is above 0."""
    found = np.full(len(at), np.inf)
    following = np.inf
    for index in range(len(at) - 1, -1, -1):
        if index + 1 < len(at) and int(at[index + 1] // (span + 1)) != int(at[index] // (span + 1)):
            following = np.inf
        if value[index] > 0:
            following = at[index]
        found[index] = following
    return found
