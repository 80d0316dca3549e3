"""Readings as they are stored, gathered into the columns of one step."""

from collections.abc import Iterable, Mapping
from enum import Enum
from itertools import repeat
from typing import Final

import numpy as np

from lamplighter_contract.quality import Quality
from lamplighter_contract.quantities import Kind
from lamplighter_controller.diagnosis.samples import Columns, Flags, Samples, Times
from lamplighter_controller.diagnosis.topology import NONE, Topology
from lamplighter_controller.series.port import Floats, Readings

OVERDUE_S: Final = 1_830.0  # two heartbeats of a gateway's report by exception
WISH: Final = "desired_percent"  # what the gateway wants, not what the device said


class Sight(Enum):
    """What may be concluded of a gateway's devices that say nothing."""

    HEARD = "heard"  # it would tell
    GONE = "gone"  # it is not there, and ought to be
    UNSEEN = "unseen"  # our own eyes are shut


class _Gathering:
    """One kind of device: the newest reading of each since the last step."""

    def __init__(self, row_of: Mapping[str, int], rows: int) -> None:
        self._row_of, self._rows = row_of, rows
        self.heard_s = np.full(rows, np.nan)
        self.stale = np.zeros(rows, np.bool_)
        self._begin()

    def _begin(self) -> None:
        self.answered = np.zeros(self._rows, np.bool_)
        self.time_ms: Times = np.zeros(self._rows, np.int64)
        self.quality = np.zeros(self._rows, np.uint8)
        self.values: dict[str, Floats] = {}

    def take(self, readings: Readings, now_s: float) -> None:
        rows = np.fromiter(map(self._row_of.get, readings.device, repeat(NONE)), np.int64, len(readings.device))
        silent = (readings.quality & Quality.STALE) != 0
        for name, column in readings.values.items():
            if name != WISH:
                silent &= np.isnan(column)
        self.stale[rows[(rows >= 0) & silent]] = True
        place = np.flatnonzero((rows >= 0) & ~silent & (readings.time_ms >= self.time_ms[rows]))
        place = place[np.argsort(readings.time_ms[place], kind="stable")]  # the newest of a device is assigned last
        rows = rows[place]
        self.answered[rows], self.stale[rows], self.heard_s[rows] = True, False, now_s
        self.time_ms[rows], self.quality[rows] = readings.time_ms[place], readings.quality[place]
        for name, column in readings.values.items():
            if name not in self.values:
                self.values[name] = np.full(self._rows, np.nan)
            self.values[name][rows] = column[place]

    def expect(self, devices: Iterable[str], now_s: float) -> None:
        rows = [row for device in devices if (row := self._row_of.get(device)) is not None]
        self.heard_s[rows] = now_s

    def drain(self, now_s: float, gone: Flags, unseen: Flags) -> Columns:
        overdue = now_s - self.heard_s > OVERDUE_S
        missing = (self.stale | overdue | (gone & ~np.isnan(self.heard_s))) & ~unseen
        columns = Columns(self.answered | missing, self.answered, self.time_ms, self.values, self.quality)
        self._begin()
        return columns


class Collector:
    """All devices of a topology. Readings of devices that it does not know are left out."""

    def __init__(self, topology: Topology) -> None:
        """Begin with nothing heard."""
        self._topology = topology
        self._kinds = {
            Kind.LAMP: _Gathering(topology.row_of_lamp, len(topology.lamps)),
            Kind.CABINET: _Gathering(topology.row_of_cabinet, len(topology.cabinets)),
            Kind.CIRCUIT: _Gathering(topology.row_of_circuit, len(topology.circuits)),
        }
        self._circuit_open = np.zeros(len(topology.circuits), np.bool_)

    @property
    def kinds(self) -> Iterable[Kind]:
        """Kinds of device that are looked at."""
        return self._kinds

    def take(self, readings: Readings, now_s: float) -> None:
        """Readings that are stored; `now_s` is monotonic."""
        gathering = self._kinds.get(readings.kind)
        if gathering is not None:
            gathering.take(readings, now_s)

    def expect(self, kind: Kind, devices: Iterable[str], now_s: float) -> None:
        """Devices that were heard some time before: their silence counts from now."""
        gathering = self._kinds.get(kind)
        if gathering is not None:
            gathering.expect(devices, now_s)

    def drain(self, now_s: float, sight: Mapping[str, Sight], excused: Flags | None = None) -> Samples:
        """The columns of everything since the last drain; a gateway of which nothing is known would tell."""
        tree = self._topology
        states = [sight.get(name, Sight.HEARD) for name in tree.gateways]
        gone, unseen = (np.array([*(one is what for one in states), False]) for what in (Sight.GONE, Sight.UNSEEN))
        lamps, cabinets, circuits = (
            self._kinds[kind].drain(now_s, gone[of], unseen[of])
            for kind, of in (
                (Kind.LAMP, tree.lamp_gateway),
                (Kind.CABINET, tree.cabinet_gateway),
                (Kind.CIRCUIT, tree.circuit_gateway),
            )
        )
        return Samples(self._without_dead_by_plan(lamps, circuits), cabinets, circuits, excused)

    def _without_dead_by_plan(self, lamps: Columns, circuits: Columns) -> Columns:
        """A lamp behind an open contactor is off, not silent."""
        closed = circuits.column("contactor_closed")
        told = circuits.answered & ~np.isnan(closed)
        self._circuit_open = np.where(told, closed == 0, self._circuit_open)
        tree = self._topology
        dark = np.append(self._circuit_open, False)[tree.feeder_circuit[tree.lamp_feeder]]  # the last: of no circuit
        asked = lamps.answered | (lamps.asked & ~dark)
        return Columns(asked, lamps.answered, lamps.time_ms, lamps.values, lamps.quality)
