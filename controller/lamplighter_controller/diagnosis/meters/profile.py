"""What a meter showed at the same time of day on days before: all there is where nothing is known of its lamps."""

from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, I64, Arrays, Flags
from lamplighter_controller.diagnosis.meters.blocks import BLOCK_MS
from lamplighter_controller.diagnosis.samples import Times

SLOTS: Final = 96
RATE: Final = 0.3
LEAST_SHARE: Final = 0.012
LEAST_W: Final = 15.0


class Profiles:
    """(cabinets, 4, 96) watts by quarter of an hour; rows are made when a cabinet first needs one."""

    def __init__(self, cabinets: int) -> None:
        """Begin with no day seen."""
        self._at = np.full(cabinets, -1, np.int64)
        self._usual = np.empty((0, 4, SLOTS), np.float32)

    def expect(self, rows: I64, start_ms: Times) -> tuple[F32, F32]:
        """(k, 4) usual watts at that time of day, and sigma; NaN where no day was seen.

        Switching moves by minutes from day to day, so the neighbouring quarters bound what is usual.
        """
        usual = np.full((len(rows), 4), np.nan, np.float32)
        spread = np.full((len(rows), 4), np.nan, np.float32)
        known = np.flatnonzero(self._at[rows] >= 0)
        at = self._at[rows[known]]
        slot = (start_ms[known] // BLOCK_MS) % SLOTS
        near = np.stack([self._usual[at, :, (slot + shift) % SLOTS] for shift in (-1, 0, 1)])
        usual[known] = near[1]
        width = np.abs(near - near[1]).max(axis=0)
        spread[known] = width + np.maximum(LEAST_SHARE * np.abs(near[1]), LEAST_W)
        return usual, spread

    def learn(self, rows: I64, start_ms: Times, power_w: F32, where: Flags) -> None:
        """Move what is usual at that time of day."""
        at, phase = np.nonzero(where & ~np.isnan(power_w))
        if not len(at):
            return
        self._make_room(np.unique(rows[at]))
        mine, slot = self._at[rows[at]], (start_ms[at] // BLOCK_MS) % SLOTS
        former, seen = self._usual[mine, phase, slot], power_w[at, phase]
        self._usual[mine, phase, slot] = np.where(np.isnan(former), seen, former + RATE * (seen - former))

    def _make_room(self, rows: I64) -> None:
        new = rows[self._at[rows] < 0]
        if len(new):
            self._at[new] = len(self._usual) + np.arange(len(new))
            more = np.full((len(new), 4, SLOTS), np.nan, np.float32)
            self._usual = np.concatenate([self._usual, more])

    def export(self) -> Arrays:
        """What was learned, by name."""
        return {"at": self._at, "usual": self._usual}

    def restore(self, arrays: Arrays, source: I64) -> None:
        """Take row i from `source[i]` where that is not negative."""
        former = np.append(arrays["at"], -1)[source].astype(np.int64)  # the last: of cabinets that are new
        mine = np.flatnonzero(former >= 0)
        self._at[:] = -1
        self._at[mine] = np.arange(len(mine))
        self._usual = np.asarray(arrays["usual"], np.float32)[former[mine]]
