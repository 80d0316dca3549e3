"""Blocks of 15 minutes: residuals of single minutes hang together, their medians do not."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, I64, Arrays, Flags
from lamplighter_controller.diagnosis.samples import Times

BLOCK_MS: Final = 900_000
MOST: Final = 16
"""Readings kept of one block; of more, the newest replace the oldest."""
WHOLE_S: Final = 600.0
"""A reading that stands for this long is a block of its own."""
STEADY: Final = 0.04
"""A block in which the expectation moves by more is no measurement of anything."""


@dataclass(frozen=True, slots=True)
class Blocks:
    """Blocks that became complete: `rows` of cabinets, (k, 4) medians, time of their first reading."""

    rows: I64
    power_w: F32
    expected_w: F32
    steady: Flags
    start_ms: Times


class BlockGatherer:
    """Gathers readings of cabinets, phases a, b, c and all together, into blocks."""

    def __init__(self, cabinets: int, period_s: float) -> None:
        """Begin with empty blocks."""
        self._whole = period_s >= WHOLE_S
        self.power = np.full((cabinets, 4, MOST), np.nan, np.float32)
        self.expected = np.full((cabinets, 4, MOST), np.nan, np.float32)
        self.count = np.zeros(cabinets, np.int32)
        self.block = np.zeros(cabinets, np.int64)
        self.start_ms = np.zeros(cabinets, np.int64)

    def take(self, heard: Flags, time_ms: Times, power_w: F32, expected_w: F32) -> list[Blocks]:
        """Add a reading of each cabinet heard; returns blocks that are complete now."""
        block = time_ms // BLOCK_MS
        newer = heard & (block >= self.block)
        due = np.flatnonzero(newer & (block > self.block) & (self.count > 0))
        complete = [self._complete(due)] if len(due) else []
        rows = np.flatnonzero(newer)
        at = self.count[rows] % MOST
        self.power[rows, :, at] = power_w[rows]
        self.expected[rows, :, at] = expected_w[rows]
        first = self.count[rows] == 0
        self.start_ms[rows] = np.where(first, time_ms[rows], self.start_ms[rows])
        self.count[rows] += 1
        self.block[rows] = block[rows]
        if self._whole and len(rows):
            complete.append(self._complete(rows))
        return complete

    def _complete(self, rows: I64) -> Blocks:
        power, expected = self.power[rows], self.expected[rows]
        blank = np.isnan(expected)
        low = np.where(blank, np.inf, expected).min(axis=2)
        high = np.where(blank, -np.inf, expected).max(axis=2)
        steady = ~(high - low > STEADY * np.abs(high) + 5)
        blocks = Blocks(rows, _median(power), _median(expected), steady, self.start_ms[rows])
        self.power[rows] = self.expected[rows] = np.nan
        self.count[rows] = 0
        return blocks

    def export(self) -> Arrays:
        """What is gathered, by name."""
        return {name: getattr(self, name) for name in _NAMES}

    def restore(self, arrays: Arrays, source: I64) -> None:
        """Take row i from `source[i]` where that is not negative."""
        mine = np.flatnonzero(source >= 0)
        for name in _NAMES:
            getattr(self, name)[mine] = arrays[name][source[mine]]


_NAMES: Final = ("power", "expected", "count", "block", "start_ms")


def _median(values: F32) -> F32:
    """Over the last axis, NaN left out and NaN where nothing is left."""
    ordered = np.sort(values, axis=-1)
    count = (~np.isnan(ordered)).sum(axis=-1)
    last = np.maximum(count - 1, 0)
    low = np.take_along_axis(ordered, (last // 2)[..., None], -1)[..., 0]
    high = np.take_along_axis(ordered, ((last + 1) // 2)[..., None], -1)[..., 0]
    return np.where(count > 0, (low + high) / 2, np.nan).astype(np.float32)
