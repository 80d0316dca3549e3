"""Lamps that are lit or dark together against the command: a contactor that sticks, a schedule that is off."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.samples import Flags, Rows
from lamplighter_controller.diagnosis.tree.branches import Branches, Counts, count_up
from lamplighter_controller.diagnosis.tree.causes import Scene
from lamplighter_controller.diagnosis.tree.verdicts import Verdict

FEWEST: Final = 3
TOGETHER: Final = 0.6  # of the lamps that were heard
LATE_MS: Final = 15 * 60_000  # a plan, a photocell and a fade may differ by less
STUCK_MS: Final = 45 * 60_000  # no schedule is off by more without the clock being told
AGAIN_MS: Final = 36 * 3_600_000  # what stuck in the night before sticks again
FAMILY: Final = "switching"
HOLD: Final = 2
NOT_YET: Final = 1_000_000  # looks: its lamps wait for the verdict meanwhile


class Switching:
    """Since when most lamps of each cabinet and circuit have been lit, or dark, against the command."""

    def __init__(self, branches: Branches) -> None:
        """Begin with all as commanded."""
        self._branches = branches
        tree = branches.topology
        self._lit_since = np.zeros(len(tree.cabinets), np.int64)
        self._dark_since = np.zeros(len(tree.cabinets), np.int64)
        self._circuit_since = np.zeros(len(tree.circuits), np.int64)
        self._astray_since = np.zeros(len(tree.cabinets), np.int64)
        self._stuck_ms = np.zeros(len(tree.cabinets), np.int64)

    def look(self, scene: Scene, now_ms: int) -> list[Verdict]:
        """Verdicts on cabinets, and on single circuits of cabinets that are otherwise as commanded."""
        tree = self._branches.topology
        leaves = scene.leaves
        heard, lit, dark, astray = (
            self._branches.by_feeder(which) for which in (leaves.heard, leaves.lit, leaves.dark, leaves.astray)
        )
        cabinets, circuits = len(tree.cabinets), len(tree.circuits)
        of_cabinet = count_up(tree.feeder_cabinet, heard, cabinets)
        of_circuit = count_up(tree.feeder_circuit, heard, circuits)
        self._lit_since = _since(self._lit_since, count_up(tree.feeder_cabinet, lit, cabinets), of_cabinet, now_ms)
        self._dark_since = _since(self._dark_since, count_up(tree.feeder_cabinet, dark, cabinets), of_cabinet, now_ms)
        of_astray = count_up(tree.feeder_cabinet, astray, cabinets)
        self._astray_since = _since(self._astray_since, of_astray, of_cabinet, now_ms)
        self._circuit_since = _since(
            self._circuit_since, count_up(tree.feeder_circuit, lit, circuits), of_circuit, now_ms
        )
        off_time = self._astray_since > 0
        whole = np.append((self._lit_since > 0) | off_time, False)  # the last: circuits without a cabinet
        single = (self._circuit_since > 0) & ~whole[tree.circuit_cabinet]
        return [
            *(self._astray(scene, cabinet, now_ms) for cabinet in _rows(off_time)),
            *(self._lit(scene, cabinet, now_ms) for cabinet in _rows((self._lit_since > 0) & ~off_time)),
            *(self._dark(scene, cabinet, now_ms) for cabinet in _rows((self._dark_since > 0) & ~off_time)),
            *(self._circuit(scene, circuit, now_ms) for circuit in _rows(single)),
        ]

    def _astray(self, scene: Scene, cabinet: int, now_ms: int) -> Verdict:
        """Lamps that say themselves that they follow other times: a contactor that sticks tells them nothing."""
        since_ms = int(self._astray_since[cabinet])
        lamps = self._branches.lamps_of(self._branches.feeders_of(cabinet))
        line = _count("other_level_lamps", scene.leaves.astray, scene.leaves.heard, lamps)
        element = Element(ElementKind.CABINET, self._branches.topology.cabinets[cabinet])
        probability = {"schedule_dev": 0.95, "meter_bad": 0.05}
        hold = _hold(since_ms, now_ms)
        return Verdict(element, probability, since_ms, hold, (line,), lamps, "contactor_state", FAMILY)

    def _lit(self, scene: Scene, cabinet: int, now_ms: int) -> Verdict:
        since_ms = int(self._lit_since[cabinet])
        sticks = now_ms - since_ms >= STUCK_MS
        if sticks:
            self._stuck_ms[cabinet] = now_ms
        stuck = 0.85 if sticks or now_ms - self._stuck_ms[cabinet] < AGAIN_MS else 0.4
        tree = self._branches.topology
        lamps = self._branches.lamps_of(self._branches.feeders_of(cabinet))
        lines = [_count("lit_lamps", scene.leaves.lit, scene.leaves.heard, lamps)]
        contacts = scene.samples.circuits.column("contactor_closed")[tree.circuit_cabinet == cabinet]
        if len(contacts) and not np.isnan(contacts).all():
            lines.append(EvidenceLine("contactor_closed", float(np.nanmax(contacts)), 0.0, float("nan"), 1, ""))
            stuck = 0.95 if np.nanmax(contacts) == 0 else stuck  # open by its own word, and yet there is light
        element = Element(ElementKind.CABINET, tree.cabinets[cabinet])
        probability = {"contactor_stuck_on": stuck, "schedule_dev": 1 - stuck}
        return Verdict(
            element, probability, since_ms, _hold(since_ms, now_ms), tuple(lines), lamps, "contactor_state", FAMILY
        )

    def _dark(self, scene: Scene, cabinet: int, now_ms: int) -> Verdict:
        since_ms = int(self._dark_since[cabinet])
        lamps = self._branches.lamps_of(self._branches.feeders_of(cabinet))
        line = _count("dark_lamps", scene.leaves.dark, scene.leaves.heard, lamps)
        element = Element(ElementKind.CABINET, self._branches.topology.cabinets[cabinet])
        probability = {"schedule_dev": 0.85, "feeder_trip": 0.15}
        hold = _hold(since_ms, now_ms)
        return Verdict(element, probability, since_ms, hold, (line,), lamps, "contactor_state", FAMILY)

    def _circuit(self, scene: Scene, circuit: int, now_ms: int) -> Verdict:
        since_ms = int(self._circuit_since[circuit])
        tree = self._branches.topology
        lamps = self._branches.lamps_of(np.flatnonzero(tree.feeder_circuit == circuit))
        line = _count("lit_lamps", scene.leaves.lit, scene.leaves.heard, lamps)
        element = Element(ElementKind.CIRCUIT, tree.circuits[circuit])
        probability = {"contactor_stuck_on": 0.9, "schedule_dev": 0.1}
        return Verdict(element, probability, since_ms, _hold(since_ms, now_ms), (line,), lamps, family=FAMILY)


def _since(since: NDArray[np.int64], which: Counts, heard: Counts, now_ms: int) -> NDArray[np.int64]:
    """When most of them began to be so; who was not heard keeps what was."""
    together = (which >= FEWEST) & (which >= TOGETHER * heard)
    return np.where(heard > 0, np.where(together, np.where(since > 0, since, now_ms), 0), since)


def _hold(since_ms: int, now_ms: int) -> int:
    return HOLD if now_ms - since_ms >= LATE_MS else NOT_YET


def _count(name: str, which: Flags, heard: Flags, lamps: Rows) -> EvidenceLine:
    return EvidenceLine(name, float(which[lamps].sum()), 0.0, float("nan"), int(heard[lamps].sum()), "")


def _rows(which: Flags) -> list[int]:
    found: list[int] = np.flatnonzero(which).tolist()
    return found
