"""Readings of a whole file or campaign, by kind, each row with the time at which it came in."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import QUANTITIES, Kind
from lamplighter_controller.diagnosis.replay.csv_columns import Table
from lamplighter_controller.diagnosis.topology import Topology

Index = NDArray[np.int64]
Floats = NDArray[np.float32]

SHORTEST_S: Final = 1.0
LONGEST_S: Final = 86_400.0
_MOST_BEHIND: Final = 0.2  # share of rows that come late, in a file that was written as readings came in
_NEIGHBOURS: Final = 11
_USUAL_PERIODS_S: Final = (10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0, 1800.0, 3600.0, 7200.0, 86_400.0)
_AS_GOOD_AS: Final = 0.04
KINDS: Final = (Kind.LAMP, Kind.CABINET, Kind.CIRCUIT)
KNOWN: Final = frozenset(name for kind in KINDS for name in QUANTITIES[kind])


@dataclass(frozen=True, slots=True)
class Rows:
    """Readings of one kind: `place` is the row of the topology; NaN = not read; `quality` None = all good."""

    place: Index
    time_ms: Index
    arrived_ms: Index
    values: Mapping[str, Floats]
    quality: NDArray[np.uint8] | None = None

    def __len__(self) -> int:
        """How many there are."""
        return len(self.place)


@dataclass(frozen=True, slots=True)
class Stream:
    """All readings, and the usual time between two of one device."""

    rows: Mapping[Kind, Rows]
    period_s: float


def stream_of(table: Table, topology: Topology, period_s: float) -> tuple[Stream, tuple[str, ...]]:
    """The readings of a file, and devices in it that the topology does not have.

    A file in order of time is taken to be in order of arrival: what stands late came late. Any other is put in order.
    `period_s` is used where no device speaks twice.
    """
    period_s = _period_s(table, period_s)
    arrived_ms = _arrival_ms(table.time_ms, round(period_s * 1000))
    places = {
        Kind.LAMP: topology.row_of_lamp,
        Kind.CABINET: topology.row_of_cabinet,
        Kind.CIRCUIT: topology.row_of_circuit,
    }
    rows = {kind: _rows(table, arrived_ms, kind, places[kind]) for kind in KINDS}
    unknown = tuple(device for device in table.devices if not any(device in names for names in places.values()))
    return Stream(rows, period_s), unknown


def _arrival_ms(time_ms: Index, period_ms: int) -> Index:
    """When each row came in, as well as a file can tell: the latest time so far, clocks that run ahead left aside."""
    if not len(time_ms):
        return time_ms
    padded = np.pad(time_ms, _NEIGHBOURS // 2, mode="symmetric")
    middle = np.median(np.lib.stride_tricks.sliding_window_view(padded, _NEIGHBOURS), axis=1)
    following = np.append(middle[_NEIGHBOURS // 2 :], np.full(_NEIGHBOURS // 2, middle[-1]))[: len(time_ms)]
    present = np.maximum(np.maximum.accumulate(middle), following)
    ahead = time_ms > present + 2 * period_ms
    arrived = np.maximum.accumulate(np.where(ahead, time_ms.min(), time_ms))
    behind = np.mean(time_ms < arrived - period_ms)
    return np.asarray(time_ms if behind > _MOST_BEHIND else arrived)


def _rows(table: Table, arrived_ms: Index, kind: Kind, row_of: Mapping[str, int]) -> Rows:
    place_of = np.array([row_of.get(device, -1) for device in table.devices] or [-1], np.int64)
    place = place_of[table.device] if len(table) else np.empty(0, np.int64)
    own = place >= 0
    values, quality = {}, np.zeros(int(own.sum()), np.uint8)
    for name, quantity in QUANTITIES[kind].items():
        if name not in table.values:
            continue
        column = table.values[name][own]
        outside = (column < quantity.minimum) | (column > quantity.maximum) | np.isinf(column)
        quality |= np.where(outside, np.uint8(Quality.OUT_OF_RANGE), np.uint8(0))
        values[name] = np.where(outside, np.nan, column).astype(np.float32)
    return Rows(place[own], table.time_ms[own], arrived_ms[own], values, quality)


def _period_s(table: Table, usual_s: float) -> float:
    """The middle of the devices' middle times between two readings."""
    order = np.lexsort((table.time_ms, table.device))
    gap = np.diff(table.time_ms[order])
    within = (np.diff(table.device[order]) == 0) & (gap > 0)
    if not within.any():
        return usual_s
    found = float(np.clip(np.median(gap[within]) / 1000, SHORTEST_S, LONGEST_S))
    usual = min(_USUAL_PERIODS_S, key=lambda period: abs(period - found))
    return usual if abs(usual - found) < _AS_GOOD_AS * usual else float(round(found))
