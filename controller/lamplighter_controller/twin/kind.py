"""The latest state of all devices of one kind, as columns that grow."""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Final, TypeVar

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.port import Floats, Readings, Times

Rows = NDArray[np.int64]
NOBODY: Final = -1
FIRST_ROWS: Final = 64
MOST_COLUMNS: Final = 256  # a sensor names its own quantities
WISHES: Final = frozenset({"desired_percent", "desired_by"})  # what the gateway wants, not what was measured
N = TypeVar("N", bound=np.generic)


@dataclass(frozen=True, slots=True)
class Snapshot:
    """Columns of one kind as they stand, all of length n; views of the twin, to be read before the next await.

    Args:
        kind: what the rows are.
        ids: (n,) device ids.
        gateway: (n,) index into `gateways`, -1 = served by none.
        gateways: gateway ids.
        time_ms: (n,) civil epoch ms of the newest reading, 0 = never read.
        received_s: (n,) monotonic seconds when it arrived, NaN = not since this start.
        quality: (n,) uint8 bits of that reading.
        values: quantity -> (n,) float64, NaN = unknown.
    """

    kind: Kind
    ids: Sequence[str]
    gateway: NDArray[np.int32]
    gateways: Sequence[str]
    time_ms: Times
    received_s: Floats
    quality: NDArray[np.uint8]
    values: dict[str, Floats]


class KindColumns:
    """One row per device: one no longer served keeps its row, which belongs to nobody, until a new device needs one.

    So there are never more rows than devices that were served at one time. `reused` counts rows that changed hands:
    row numbers found before it rose may mean other devices now.
    """

    def __init__(self, kind: Kind) -> None:
        """Begin with no device."""
        self.kind = kind
        self.ids: list[str] = []
        self.row_of: dict[str, int] = {}
        self.gateway = np.full(FIRST_ROWS, NOBODY, np.int32)
        self.time_ms = np.zeros(FIRST_ROWS, np.int64)
        self.received_s = np.full(FIRST_ROWS, np.nan)
        self.quality = np.zeros(FIRST_ROWS, np.uint8)
        self.version = np.zeros(FIRST_ROWS, np.int64)
        self.values: dict[str, Floats] = {}
        self.reused = 0
        self._free: dict[int, None] = {}  # in the order in which they were given up

    def row(self, device: str) -> int:
        """The device's row, a new one when it has none; its caller says at once who serves it."""
        row = self.row_of.get(device)
        if row is None:
            row = self.row_of[device] = self._cleared() if self._free else self._appended()
            self.ids[row] = device
        self._free.pop(row, None)
        return row

    def release(self, device: str, version: int) -> None:
        """Nobody serves the device any more; what is known of it stays for as long as its row is not needed."""
        row = self.row_of[device]
        self.gateway[row] = NOBODY
        self.version[row] = version
        self._free[row] = None

    def rows(self, devices: Sequence[str]) -> Rows:
        """Rows of devices, -1 where there is none."""
        return np.fromiter(map(self.row_of.get, devices, repeat(NOBODY)), np.int64, len(devices))

    def apply(self, readings: Readings, received_s: float, version: int, rows: Rows) -> None:
        """Take what is not older than what is known, device by device; from the record (`received_s` NaN), only newer.

        A value that was not read leaves the one before standing: the row has one time, that of its newest reading. A
        device's quantities are read together, so their ages differ by one report at most. A device that was asked and
        did not answer becomes stale and keeps the age of what it said last. A wish is different: a reading that comes
        without one says that nothing is wanted any more.
        """
        not_older = np.greater if np.isnan(received_s) else np.greater_equal  # what is on record adds nothing to itself
        taken = (rows >= 0) & not_older(readings.time_ms, self.time_ms[rows])
        silent = taken & ((readings.quality & Quality.STALE) != 0)
        if silent.any():
            for column in readings.values.values():
                silent &= np.isnan(column)
            self.quality[rows[silent]] |= np.uint8(Quality.STALE)
            self.version[rows[silent]] = version
            taken &= ~silent
        if not taken.any():
            return
        order = _in_order_of_time(readings.time_ms, taken)
        rows = rows[order]
        self.time_ms[rows] = readings.time_ms[order]
        self.quality[rows] = readings.quality[order]
        self.received_s[rows] = received_s
        self.version[rows] = version
        for name in WISHES & self.values.keys() - readings.values.keys():
            self.values[name][rows] = np.nan
        for name, column in readings.values.items():
            kept, values = self._column(name), column[order]
            if kept is None:
                continue
            gaps = np.isnan(values)
            if name not in WISHES and gaps.any():
                kept[rows[~gaps]] = values[~gaps]
            else:
                kept[rows] = values

    def snapshot(self, gateways: Sequence[str]) -> Snapshot:
        """The columns as they stand."""
        n = len(self.ids)
        values = {name: column[:n] for name, column in self.values.items()}
        return Snapshot(
            self.kind,
            self.ids,
            self.gateway[:n],
            gateways,
            self.time_ms[:n],
            self.received_s[:n],
            self.quality[:n],
            values,
        )

    def _column(self, name: str) -> Floats | None:
        """The values of a quantity, None for one too many."""
        column = self.values.get(name)
        if column is None and len(self.values) < MOST_COLUMNS:
            column = self.values[name] = np.full(len(self.time_ms), np.nan)
        return column

    def _appended(self) -> int:
        row = len(self.ids)
        self.ids.append("")
        if row == len(self.time_ms):
            self._grow()
        return row

    def _cleared(self) -> int:
        """The row that was given up first, as if it were new."""
        row = next(iter(self._free))
        del self.row_of[self.ids[row]]
        self.time_ms[row], self.received_s[row], self.quality[row] = 0, np.nan, 0
        for column in self.values.values():
            column[row] = np.nan
        self.reused += 1
        return row

    def _grow(self) -> None:
        rows = len(self.time_ms) * 2
        self.gateway = _longer(self.gateway, rows, NOBODY)
        self.time_ms = _longer(self.time_ms, rows, 0)
        self.received_s = _longer(self.received_s, rows, np.nan)
        self.quality = _longer(self.quality, rows, 0)
        self.version = _longer(self.version, rows, 0)
        self.values = {name: _longer(column, rows, np.nan) for name, column in self.values.items()}


def _in_order_of_time(time_ms: Times, taken: NDArray[np.bool_]) -> Rows | slice:
    """Which readings to assign, the newest last: where a row occurs twice, numpy keeps the last assigned."""
    if taken.all() and (time_ms[1:] >= time_ms[:-1]).all():
        return slice(None)
    order = np.flatnonzero(taken)
    return order[np.argsort(time_ms[order], kind="stable")]


def _longer(column: NDArray[N], rows: int, fill: float) -> NDArray[N]:
    longer = np.full(rows, fill, column.dtype)
    longer[: len(column)] = column
    return longer
