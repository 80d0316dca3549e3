"""Single lamps that are silent while their neighbours are heard: a node without radio, or a lamp without power."""

from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine, Finding
from lamplighter_controller.diagnosis.samples import Flags
from lamplighter_controller.diagnosis.topology import NONE
from lamplighter_controller.diagnosis.tree.branches import Branches
from lamplighter_controller.diagnosis.tree.causes import Scene

REPORTS: Final = 6  # missed in a row; with 2 % of loss six are missed by chance once in 10**10 reports
PERIODS: Final = 12  # radios lose reports in bursts: silence has to outlast them
STORM: Final = 0.12  # of a gateway's lamps: the weather's business, not the lamp's
BLOCKS: Final = 2  # of the meter, after which a missing lamp would show
CLASSES: Final = ("", "node_comm", "lamp_dead")


class Silences:
    """Counts reports missed in calm weather, lamp by lamp."""

    def __init__(self, branches: Branches, period_s: float) -> None:
        """Begin with all heard; a lamp reports each `period_s` or so."""
        self._branches = branches
        self._least_s = round(PERIODS * period_s)
        self.missed: NDArray[np.uint8] = np.zeros(len(branches.topology.lamps), np.uint8)
        self.since_s: NDArray[np.uint32] = np.zeros(len(branches.topology.lamps), np.uint32)
        self.told: NDArray[np.uint8] = np.zeros(len(branches.topology.lamps), np.uint8)  # place in CLASSES

    def look(self, scene: Scene, covered: Flags, now_ms: int) -> list[Finding]:
        """Lamps silent for long enough and not `covered`, and those heard again."""
        silent, now_s = scene.leaves.silent & ~covered, now_ms // 1000
        calm = silent & ~self._storm(scene)
        self.missed[calm] += self.missed[calm] < 255
        self.missed[scene.leaves.heard | covered] = 0
        self.since_s[silent & (self.since_s == 0)] = now_s
        self.since_s[~silent] = 0  # heard, or dead by plan, which is no silence
        long = silent & (now_s - self.since_s.astype(np.int64) >= self._least_s)
        due = np.flatnonzero(long & (self.missed >= REPORTS))
        back = np.flatnonzero((self.told > 0) & scene.leaves.heard)
        findings = [finding for row in due.tolist() for finding in self._silent(scene, row)]
        findings += [self._over(row) for row in back.tolist()]
        return findings

    def _storm(self, scene: Scene) -> Flags:
        """(N,) much of what hangs on the same gateway, or cabinet where gateways are not known, is silent at once."""
        tree = self._branches.topology
        node, nodes = tree.lamp_gateway, len(tree.gateways)
        if not nodes:
            node, nodes = tree.lamp_cabinet, len(tree.cabinets)
        if not nodes:
            return np.zeros(len(tree.lamps), np.bool_)
        known = node != NONE
        silent = np.bincount(node[known & scene.leaves.silent], minlength=nodes)
        heard = np.bincount(node[known & scene.leaves.heard], minlength=nodes)
        stormy: Flags = (silent > STORM * (silent + heard)) & (silent > 2)
        return np.append(stormy, False)[node]

    def _silent(self, scene: Scene, row: int) -> list[Finding]:
        """Nothing when the same has been told; the meter's word may come later and turn it."""
        dead, lines = self._dead(scene, row)
        likely = sorted((("node_comm", 1 - dead), ("lamp_dead", dead)), key=lambda one: -one[1])
        place = CLASSES.index(likely[0][0])
        if self.told[row] == place:
            return []
        before = [self._over(row)] if self.told[row] else []
        self.told[row] = place
        since_ms, missed = int(scene.suspicions.silent_since_ms[row]), int(self.missed[row])
        settle = "" if likely[0][1] >= 0.9 else "cabinet_meter"
        count = EvidenceLine("reports_missed", missed, 0.0, float("nan"), missed, "")
        element = Element(ElementKind.LAMP, self._branches.topology.lamps[row])
        return [*before, Finding(element, tuple(likely), since_ms, since_ms, (count, *lines), settle=settle)]

    def _dead(self, scene: Scene, row: int) -> tuple[float, list[EvidenceLine]]:
        """How likely its power is gone with its voice, by what the meter of its phase misses."""
        column = int(self._branches.lamp_meter_column[row])
        meters, due_w = scene.suspicions.meters, float(scene.suspicions.expected_w[row])
        if column == NONE or np.isnan(due_w) or due_w < 5:
            return 0.2, []
        cabinet, phase = divmod(column, 4)
        sigma_w, missing_w = float(meters.sigma_w[cabinet, phase]), float(meters.missing_w[cabinet, phase])
        if np.isnan(sigma_w) or np.isnan(float(meters.power_w[cabinet, phase])):
            return 0.2, []
        line = EvidenceLine("cabinet_missing", missing_w, due_w, sigma_w, BLOCKS, "W")
        if meters.raised_low[cabinet, phase] and abs(missing_w - due_w) < 0.5 * due_w:
            return 0.85, [line]
        if sigma_w < due_w / 3 and missing_w < 0.4 * due_w:
            return 0.04, [line]
        return 0.2, []

    def _over(self, row: int) -> Finding:
        element = Element(ElementKind.LAMP, self._branches.topology.lamps[row])
        told, self.told[row] = CLASSES[self.told[row]], 0
        return Finding(element, ((told, 1.0),), 0, 0, open=False)
