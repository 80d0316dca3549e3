"""What the cabinet's phase voltages say by themselves: a dead phase, a lost neutral, a supply too high or too low."""

from collections.abc import Iterator
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.samples import Flags, Floats
from lamplighter_controller.diagnosis.tree.branches import Branches
from lamplighter_controller.diagnosis.tree.causes import phase_element
from lamplighter_controller.diagnosis.tree.verdicts import Verdict
from lamplighter_controller.diagnosis.tree.witness import DEAD_V

HIGH: Final = 1.10
LOW: Final = 0.90
APART: Final = 0.12  # highest against lowest phase when the star point floats
LEAST_HOLD: Final = 2
LONG_MS: Final = 3 * 3_600_000  # sags and taps of a regulator pass by; a wrong supply stays


class Voltages:
    """Looks at every cabinet; remembers since when a voltage has been out of its band."""

    def __init__(self, branches: Branches, nominal_v: float) -> None:
        """Begin with all in band."""
        self._branches, self._nominal_v = branches, nominal_v
        self._high_since = np.zeros(len(branches.topology.cabinets), np.int64)
        self._low_since = np.zeros(len(branches.topology.cabinets), np.int64)

    def look(self, voltage_v: Floats, answered: Flags, now_ms: int) -> list[Verdict]:
        """Verdicts on the cabinets heard in this step; (C, 4) volts, of which the last column is not looked at."""
        phases = voltage_v[:, :3]
        whole = answered & ~np.isnan(phases).any(axis=1)
        dead = whole[:, None] & (phases < DEAD_V)
        highest, lowest = np.where(whole, phases.max(axis=1), np.nan), np.where(whole, phases.min(axis=1), np.nan)
        some_dead: Flags = np.asarray(dead.any(axis=1))
        apart = whole & ~some_dead & self._floating(highest, lowest)
        long_high, long_low = (_lasts(since, now_ms) for since in (self._high_since, self._low_since))
        floats = apart & ~long_high & ~long_low  # of a supply long wrong, a sag makes the same picture
        high = whole & ~floats & ((highest > HIGH * self._nominal_v) | (apart & long_high))
        low = whole & ~floats & ~some_dead & ((lowest < LOW * self._nominal_v) | (apart & long_low))
        self._high_since = _since(self._high_since, high, whole, now_ms)
        self._low_since = _since(self._low_since, low, whole, now_ms)
        return [
            *(
                verdict
                for cabinet in _rows(some_dead)
                for verdict in self._dead(cabinet, dead[cabinet], phases[cabinet], now_ms)
            ),
            *(self._neutral(cabinet, phases[cabinet], now_ms) for cabinet in _rows(floats)),
            *self._lasting("ov", self._high_since, highest, now_ms),
            *self._lasting("uv", self._low_since, lowest, now_ms),
        ]

    def _floating(self, highest: Floats, lowest: Floats) -> Flags:
        """One phase up and another down by much, while lamps between them share what is left."""
        apart: Flags = highest - lowest > APART * self._nominal_v
        return apart & (highest > 1.05 * self._nominal_v) & (lowest < 0.95 * self._nominal_v)

    def _dead(self, cabinet: int, dead: Flags, phases: Floats, now_ms: int) -> Iterator[Verdict]:
        tree = self._branches.topology
        lamps = self._branches.lamps_of(self._branches.feeders_of(cabinet))
        line = EvidenceLine("phase_voltage", float(phases[dead].max()), self._nominal_v, 8.0, int(dead.sum()), "V")
        if dead.all():
            element = Element(ElementKind.CABINET, tree.cabinets[cabinet])
            yield Verdict(element, {"cabinet_off": 0.97, "meter_bad": 0.03}, now_ms, LEAST_HOLD, (line,), lamps)
            return
        for phase in _rows(dead):
            element = phase_element(self._branches, cabinet, phase)
            mine = lamps[tree.feeder_phase[tree.lamp_feeder[lamps]] == phase]
            yield Verdict(element, {"phase_loss": 0.97, "meter_bad": 0.03}, now_ms, LEAST_HOLD, (line,), mine)

    def _neutral(self, cabinet: int, phases: Floats, now_ms: int) -> Verdict:
        lines = tuple(
            EvidenceLine("phase_voltage", float(volts), self._nominal_v, 8.0, 1, "V") for volts in sorted(phases)[::-2]
        )
        element = Element(ElementKind.CABINET, self._branches.topology.cabinets[cabinet])
        lamps = self._branches.lamps_of(self._branches.feeders_of(cabinet))
        return Verdict(element, {"neutral_loss": 0.93, "ov": 0.07}, now_ms, LEAST_HOLD, lines, lamps, family="voltage")

    def _lasting(self, name: str, since: NDArray[np.int64], volts: Floats, now_ms: int) -> list[Verdict]:
        return [
            Verdict(
                Element(ElementKind.CABINET, self._branches.topology.cabinets[cabinet]),
                {name: 0.95, "meter_bad": 0.05},
                int(since[cabinet]),
                LEAST_HOLD,
                (EvidenceLine("phase_voltage", float(volts[cabinet]), self._nominal_v, 8.0, 1, "V"),),
                family=name,
            )
            for cabinet in _rows(_lasts(since, now_ms))
        ]


def _since(since: NDArray[np.int64], out: Flags, told: Flags, now_ms: int) -> NDArray[np.int64]:
    """When it went out of band; a cabinet that was not heard keeps what it had."""
    return np.where(told, np.where(out, np.where(since > 0, since, now_ms), 0), since)


def _lasts(since: NDArray[np.int64], now_ms: int) -> Flags:
    found: Flags = (since > 0) & (now_ms - since >= LONG_MS)
    return found


def _rows(which: Flags) -> list[int]:
    found: list[int] = np.flatnonzero(which).tolist()
    return found
