"""Leakage of lamps, circuits and cabinets, each told once: by the smallest element that accounts for it.

Limits: 30 mA where people touch, 300 mA for a feeder (IEC 60364-4-41 and -42).
"""

from math import isnan
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.findings import Element, ElementKind, Finding
from lamplighter_controller.diagnosis.leakage.residual import ResidualWatch, State
from lamplighter_controller.diagnosis.samples import Columns, Flags, Floats, Samples
from lamplighter_controller.diagnosis.topology import Topology

DRIES_MS: Final = 6 * 3_600_000
EXPLAINED: Final = 0.5  # of a circuit's excess, by lamps of it


class Leakage:
    """Judges every residual current at once, without waiting for the supply tree: people may touch the pole."""

    def __init__(self, topology: Topology) -> None:
        """Begin with no baseline."""
        self._topology = topology
        self._rained_ms = 0
        self._cabinets = ResidualWatch(ElementKind.CABINET, topology.cabinets, 300.0, 30.0)
        self._circuits = ResidualWatch(ElementKind.CIRCUIT, topology.circuits, 300.0, 30.0)
        self._lamps = ResidualWatch(ElementKind.LAMP, topology.lamps, 30.0, 8.0)

    def step(self, samples: Samples, now_ms: int) -> tuple[Finding, ...]:
        """Findings that are new or closed; readings that come late are not looked at."""
        if samples.late:
            return ()
        found: list[Finding] = []
        wet = self._wet(samples.rain_mm_h, now_ms)
        for watch, columns, energised in (
            (self._lamps, samples.lamps, _lamps_energised(samples.lamps)),
            (self._circuits, samples.circuits, _circuits_energised(samples.circuits)),
            (self._cabinets, samples.cabinets, _cabinets_energised(samples.cabinets)),
        ):
            if "leakage_ma" not in columns.values:
                continue
            raised, cleared = watch.look(columns, energised, wet=wet, now_ms=now_ms)
            if watch is not self._lamps:
                taken_back = self._leave_to_smaller_ones(watch)
                raised, cleared = raised & ~taken_back, cleared | (taken_back & ~raised)
            found += [
                watch.finding(
                    row, columns, energised=bool(energised[row]), rain_mm_h=samples.rain_mm_h, is_open=bool(raised[row])
                )
                for row in np.flatnonzero(raised | cleared).tolist()
            ]
        return tuple(found)

    def _wet(self, rain_mm_h: float, now_ms: int) -> bool | None:
        """Whether poles and soil are wet; None where nobody measures rain."""
        if isnan(rain_mm_h):
            return None
        if rain_mm_h > 0:
            self._rained_ms = now_ms
        return now_ms - self._rained_ms < DRIES_MS

    def _leave_to_smaller_ones(self, watch: ResidualWatch) -> Flags:
        """Those open until now of which a smaller element tells: it speaks for them; they are looked at again."""
        taken_back = np.zeros(len(watch.open), np.bool_)
        for row in np.flatnonzero(watch.open).tolist():
            taken_back[row] = self._told_by_a_smaller_one(watch, row)
        watch.open &= ~taken_back
        return taken_back

    def _told_by_a_smaller_one(self, watch: ResidualWatch, row: int) -> bool:
        """A lamp or circuit below it leaks, and accounts for at least half of what this one sees."""
        tree = self._topology
        at = tree.feeder_circuit if watch is self._circuits else tree.feeder_cabinet
        below = [(self._lamps, np.flatnonzero(at[tree.lamp_feeder] == row))]
        if watch is self._cabinets:
            below.append((self._circuits, np.flatnonzero(tree.circuit_cabinet == row)))
        found = [float(np.nansum(lower.excess_ma[rows[lower.open[rows]]])) for lower, rows in below]
        return max(found) > 0 and bool(max(found) >= EXPLAINED * watch.excess_ma[row])

    def forget(self, element: Element) -> None:
        """Somebody has closed what was told of it."""
        for watch in (self._cabinets, self._circuits, self._lamps):
            if watch.kind is element.kind:
                watch.forget(element.id)

    def export(self) -> State:
        """Everything learned and standing."""
        rained = {"leakage_rained_ms": np.array(self._rained_ms)}
        return rained | {
            f"leakage_{watch.kind.value}_{name}": column
            for watch in (self._lamps, self._circuits, self._cabinets)
            for name, column in watch.export().items()
        }

    def restore(self, state: State) -> None:
        """Take up where `export` left off."""
        self._rained_ms = int(state["leakage_rained_ms"])
        for watch in (self._lamps, self._circuits, self._cabinets):
            prefix = f"leakage_{watch.kind.value}_"
            watch.restore({name.removeprefix(prefix): state[name] for name in state if name.startswith(prefix)})


def _lamps_energised(lamps: Columns) -> Flags:
    return np.greater(lamps.column("power_w"), 2) | np.greater(lamps.column("switched_on"), 0)


def _circuits_energised(circuits: Columns) -> Flags:
    closed = circuits.column("contactor_closed")
    return np.where(np.isnan(closed), np.greater(circuits.column("circuit_current_a"), 0.05), np.greater(closed, 0))


def _cabinets_energised(cabinets: Columns) -> Flags:
    drawn = [np.nan_to_num(cabinets.column(name)) for name in ("power_w", "power_a_w", "power_b_w", "power_c_w")]
    total: Floats = np.sum(drawn, axis=0)
    return np.greater(total, 50)
