"""What lamps and circuits were told: the level that holds at any moment, and since when."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.replay.csv_columns import Table

Index = NDArray[np.int64]
Floats = NDArray[np.float32]

BOUNDS: Final = {"level_percent": (0.0, 100.0)}
KNOWN: Final = BOUNDS.keys()
_SPAN: Final = 1 << 42  # epoch ms up to the year 2109, beside two million devices


@dataclass(frozen=True, slots=True)
class Levels:
    """Commands of n devices, sorted by device and time; a level holds until the next."""

    key: Index
    time_ms: Index
    level_percent: Floats

    def at(self, place: Index, time_ms: Index) -> tuple[Floats, Index]:
        """Level that holds for these devices at these times, NaN before the first; and since when, 0 = nobody knows."""
        if not len(self.key):
            return np.full(len(place), np.nan, np.float32), np.zeros(len(place), np.int64)
        found = np.searchsorted(self.key, place * _SPAN + time_ms, side="right") - 1
        known = (found >= 0) & (self.key[found] // _SPAN == place)
        level = np.where(known, self.level_percent[found], np.float32(np.nan))
        return level, np.where(known, self.time_ms[found], 0)


def levels_of(place: Index, time_ms: Index, level_percent: NDArray[np.float64]) -> Levels:
    """Commands in any order; equal ones in a row are one that goes on."""
    key = place * _SPAN + time_ms
    order = np.argsort(key, kind="stable")
    key, time_ms, level = key[order], time_ms[order], level_percent[order]
    fresh = np.ones(len(key), np.bool_)
    fresh[1:] = (key[1:] // _SPAN != key[:-1] // _SPAN) | (level[1:] != level[:-1])
    return Levels(key[fresh], time_ms[fresh], level[fresh].astype(np.float32))


def levels_in(table: Table, row_of: Mapping[str, int]) -> Levels:
    """The commands of a file for devices of one kind; those of others are left out."""
    place_of = np.array([row_of.get(device, -1) for device in table.devices] or [-1], np.int64)
    place = place_of[table.device] if len(table) else np.empty(0, np.int64)
    level = table.values.get("level_percent", np.full(len(table), np.nan))
    known = (place >= 0) & ~np.isnan(level)
    return levels_of(place[known], table.time_ms[known], level[known])


NO_LEVELS: Final = Levels(np.empty(0, np.int64), np.empty(0, np.int64), np.empty(0, np.float32))
