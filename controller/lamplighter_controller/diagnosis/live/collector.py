"""Readings as they are stored, gathered into the columns of one step."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
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
        self.seen_ms: Times = np.zeros(rows + 1, np.int64)  # the last: of devices that nobody placed
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
        newer = (rows >= 0) & (readings.time_ms > self.seen_ms[rows])  # a repeat is no second witness
        self.stale[rows[newer & silent]] = True
        place = np.flatnonzero(newer & ~silent)
        place = place[np.argsort(readings.time_ms[place], kind="stable")]  # the newest of a device is assigned last
        rows = rows[place]
        self.answered[rows], self.stale[rows], self.heard_s[rows] = True, False, now_s
        self.time_ms[rows] = self.seen_ms[rows] = readings.time_ms[place]
        self.quality[rows] = readings.quality[place]
        for name, column in readings.values.items():
            if name not in self.values:
                self.values[name] = np.full(self._rows, np.nan)
            self.values[name][rows] = column[place]

    def expect(self, devices: Iterable[str], now_s: float) -> None:
        rows = [row for device in devices if (row := self._row_of.get(device)) is not None]
        self.heard_s[rows] = now_s

    def drain(self, now_s: float, now_ms: int, gone: Flags, unseen: Flags) -> Columns:  # noqa: ARG002 - see _Holding
        overdue = now_s - self.heard_s > OVERDUE_S
        known = ~np.isnan(self.heard_s)
        missing = (self.stale | overdue | (gone & known)) & ~unseen
        present = known & ~missing & ~unseen & ~self.answered
        asked = self.answered | missing
        columns = Columns(asked, self.answered, self.time_ms, self.values, self.quality, present=present)
        self._begin()
        return columns


class _Holding(_Gathering):
    """Meters and contactors: what they said last is so until they say otherwise, and is taken as said again."""

    def __init__(self, row_of: Mapping[str, int], rows: int) -> None:
        super().__init__(row_of, rows)
        self._last: dict[str, Floats] = {}
        self._spoken = np.zeros(rows, np.bool_)

    def drain(self, now_s: float, now_ms: int, gone: Flags, unseen: Flags) -> Columns:
        columns = super().drain(now_s, now_ms, gone, unseen)
        held = columns.present
        assert held is not None
        for name, last in self._last.items():
            fresh = columns.column(name)
            self._last[name] = np.where(np.isnan(fresh), last, fresh).astype(np.float64)
        for name in columns.values.keys() - self._last.keys():
            self._last[name] = columns.column(name).astype(np.float64)
        self._spoken |= columns.answered
        answered = columns.answered | (held & self._spoken)
        values = {name: np.where(answered, last, np.nan) for name, last in self._last.items()}
        time_ms = np.where(columns.answered, columns.time_ms, np.where(answered, now_ms, 0))
        return Columns(answered | columns.asked, answered, time_ms, values, columns.quality)


class Collector:
    """All devices of a topology. Readings of devices that it does not know are left out."""

    def __init__(self, topology: Topology) -> None:
        """Begin with nothing heard."""
        self._topology = topology
        self._kinds = {
            Kind.LAMP: _Gathering(topology.row_of_lamp, len(topology.lamps)),
            Kind.CABINET: _Holding(topology.row_of_cabinet, len(topology.cabinets)),
            Kind.CIRCUIT: _Holding(topology.row_of_circuit, len(topology.circuits)),
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

    def still_silent(self, lamps: Flags) -> None:
        """Lamps that had been silent before: their gateway told so once, and tells again when they are back.

        Where a whole gateway was, nothing is known of its lamps.
        """
        gateway = self._topology.lamp_gateway
        of_gateway = np.bincount(gateway + 1, minlength=1)
        all_of_them = np.bincount(gateway + 1, lamps, len(of_gateway)) == of_gateway
        self._kinds[Kind.LAMP].stale |= lamps & ~all_of_them[gateway + 1]

    def drain(self, now_s: float, now_ms: int, sight: Mapping[str, Sight], excused: Flags | None = None) -> Samples:
        """The columns of everything since the last drain; a gateway of which nothing is known would tell."""
        tree = self._topology
        states = [sight.get(name, Sight.HEARD) for name in tree.gateways]
        gone, unseen = (np.array([*(one is what for one in states), False]) for what in (Sight.GONE, Sight.UNSEEN))
        lamps, cabinets, circuits = (
            self._kinds[kind].drain(now_s, now_ms, gone[of], unseen[of])
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
        return replace(lamps, asked=asked)
