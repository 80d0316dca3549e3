"""Bad joints: a span of cable whose voltage drop grows with its current far more than its neighbours' do.

Regression of the drop between two poles on the current through the span, so that the fixed error of two meters does not
count; where the current hardly ever changes, the drop itself, once no error of meters can explain it. Sums decay: a
joint that goes bad shows within about a night of levels.
"""

from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.samples import Flags, Floats, Rows
from lamplighter_controller.diagnosis.topology import Topology
from lamplighter_controller.diagnosis.tree.causes import Scene
from lamplighter_controller.diagnosis.tree.verdicts import Verdict

DECAY: Final = 1 / 64
ENOUGH: Final = 48  # looks at a span before anything is said of it
EXCESS_OHM: Final = 0.25
EXCESS_V: Final = 3.5
LEVEL_V: Final = 4.5  # two good meters do not differ by as much
SURE: Final = 8.0  # standard errors
LEAST_SPREAD_A2: Final = 0.01
REBOUND: Final = 0.5
LEAST_A: Final = 0.5
FAMILY: Final = "joint"
HOLD: Final = 4
NOMINAL_V: Final = 230.0


class Joints:
    """Running means and products of current and drop for every span; the span before a pole has its lamp's row."""

    def __init__(self, topology: Topology) -> None:
        """Begin with nothing seen."""
        self._topology = topology
        lamps = len(topology.lamps)
        self.looks = np.zeros(lamps, np.float32)
        self.sums = np.zeros((5, lamps), np.float32)  # mean A, mean V, then A*A, A*V, V*V about them
        self._next = self._neighbours()
        self._span = self._next & np.append(False, np.diff(topology.lamp_pole) != 0)[:lamps]
        self._some = bool(self._span.any())

    def _neighbours(self) -> Flags:
        """(N,) the lamp before this row hangs on the same ordered feeder, on the same pole or the one before it."""
        tree = self._topology
        beside = np.zeros(len(tree.lamps), np.bool_)
        if len(beside) > 1:
            beside[1:] = tree.lamp_feeder[1:] == tree.lamp_feeder[:-1]
            beside &= tree.feeder_ordered[tree.lamp_feeder]
        return beside

    def look(self, scene: Scene, now_ms: int) -> list[Verdict]:
        """Verdicts on the spans that stand out of their feeder."""
        if not self._some or "voltage_v" not in scene.samples.lamps.values:
            return []
        self._learn(scene)
        mean_a, mean_v, aa, av, _ = self.sums
        fallen = np.flatnonzero(self._span & (self.looks >= ENOUGH) & (mean_v > LEVEL_V))
        by_level = {row: found for row in fallen.tolist() if (found := self._by_level(row, mean_a, mean_v, now_ms))}
        sure = self._next & (self.looks >= ENOUGH) & (aa > LEAST_SPREAD_A2)
        if not sure.any():
            return list(by_level.values())
        ohm = np.divide(av, aa, out=np.full(len(aa), np.nan, np.float32), where=sure)
        over = np.flatnonzero(sure & self._span & (ohm > EXCESS_OHM))
        error, most_a = self._error(over, ohm), mean_a[over] + 2 * np.sqrt(aa[over])
        over = over[(ohm[over] > SURE * error) & (ohm[over] * most_a > EXCESS_V)]
        by_slope = {row: found for row in over.tolist() if (found := self._judged(row, ohm, aa, mean_a, now_ms))}
        return list((by_level | by_slope).values())

    def _learn(self, scene: Scene) -> None:
        voltage, current = _heard(scene), self._through(scene)
        drop = np.full_like(voltage, np.nan)
        drop[1:] = voltage[:-1] - voltage[1:]
        odd = scene.suspicions.lamps.row  # what a lamp under suspicion says of its voltage may be wrong
        doubtful = np.union1d(odd, odd + 1)
        doubtful = doubtful[doubtful < len(drop)]
        told = self._next & ~np.isnan(drop)
        self.looks[doubtful], told[doubtful] = 0, False
        rate = np.where(told, np.maximum(DECAY, 1 / (self.looks + 1)), 0).astype(np.float32)
        mean_a, mean_v, aa, av, vv = self.sums
        a, v = current - mean_a, np.where(told, drop, 0) - mean_v
        some_a, some_v = rate * a, rate * v
        mean_a += some_a
        mean_v += some_v
        aa += some_a * a
        av += some_a * v
        vv += some_v * v
        self.sums[2:] *= 1 - rate
        self.looks += told

    def _through(self, scene: Scene) -> Floats:
        """(N,) amperes through the span before each lamp: everything from it to the end of its feeder."""
        columns, suspicions = scene.samples.lamps, scene.suspicions
        due_a = np.asarray(suspicions.expected_w, np.float32) / np.float32(NOMINAL_V)
        read_a = np.asarray(columns.column("current_a"), np.float32)
        current = np.where(scene.leaves.heard & ~np.isnan(read_a), read_a, due_a)
        current[scene.leaves.silent | np.isnan(current)] = 0
        total = np.cumsum(current, dtype=np.float64)
        ends = self._topology.feeder_start[1:] - 1
        behind: Floats = (total[ends][self._topology.lamp_feeder] - total + current).astype(np.float32)
        return behind

    def _error(self, rows: Rows, ohm: Floats) -> Floats:
        """Standard errors of the slopes of these spans."""
        _, _, aa, _, vv = self.sums[:, rows]
        rest = np.maximum(vv - ohm[rows] ** 2 * aa, 1e-4)
        error: Floats = np.sqrt(rest / (np.minimum(self.looks[rows], 1 / DECAY) * aa))
        return error

    def _judged(self, row: int, ohm: Floats, aa: Floats, mean_a: Floats, now_ms: int) -> Verdict | None:
        tree = self._topology
        feeder = int(tree.lamp_feeder[row])
        rows = slice(int(tree.feeder_start[feeder]), int(tree.feeder_start[feeder + 1]))
        spans = np.where(self._span[rows], ohm[rows], np.nan)
        others = np.delete(spans, row - rows.start)
        known = others[~np.isnan(others)]
        usual = float(np.median(known)) if len(known) else 0.0
        error, looks = float(self._error(np.array([row]), ohm)[0]), int(min(self.looks[row], 1 / DECAY))
        excess = float(ohm[row]) - max(usual, 0.0)
        most_a = float(mean_a[row] + 2 * np.sqrt(aa[row]))
        if (
            excess < EXCESS_OHM
            or excess < SURE * error
            or excess * most_a < EXCESS_V
            or self._rebounds(row, ohm, excess)
        ):
            return None
        line = EvidenceLine("span_resistance", float(ohm[row]), usual, error, looks, "ohm")
        drop = EvidenceLine("span_drop", float(ohm[row]) * most_a, usual * most_a, 1.0, looks, "V")
        element = Element(ElementKind.POLE, tree.poles[tree.lamp_pole[row]])
        return Verdict(element, {"hi_res": 0.95, "meter_bad": 0.05}, now_ms, HOLD, (line, drop), family=FAMILY)

    def _by_level(self, row: int, mean_a: Floats, mean_v: Floats, now_ms: int) -> Verdict | None:
        """Far more than its feeder's spans lose at such a current, and no lamp beside it has it the other way round."""
        tree, behind = self._topology, row + 1
        rows = np.array(tree.lamps_of_feeder(int(tree.lamp_feeder[row])))
        others = rows[self._span[rows] & (rows != row) & (mean_a[rows] > LEAST_A)]
        if not len(others) or behind >= len(mean_v) or not self._next[behind]:
            return None
        usual = max(float(np.median(mean_v[others] / mean_a[others])), 0.0)
        excess_v = float(mean_v[row]) - usual * float(mean_a[row])
        beside = min(float(mean_v[behind]), float(mean_v[row - 1]) if self._next[row - 1] else 0.0)
        if excess_v < LEVEL_V or mean_a[row] < LEAST_A or beside < -REBOUND * excess_v:
            return None
        drop = EvidenceLine("span_drop", float(mean_v[row]), usual * float(mean_a[row]), 1.0, int(self.looks[row]), "V")
        element = Element(ElementKind.POLE, tree.poles[tree.lamp_pole[row]])
        return Verdict(element, {"hi_res": 0.9, "meter_bad": 0.1}, now_ms, HOLD, (drop,), family=FAMILY)

    def _rebounds(self, row: int, ohm: Floats, excess: float) -> bool:
        """The lamp behind has the voltage back that this one misses: this one does not stand here."""
        behind = row + 1
        return behind < len(ohm) and bool(self._next[behind]) and bool(ohm[behind] < -REBOUND * excess)


def _heard(scene: Scene) -> Floats:
    voltage = np.asarray(scene.samples.lamps.column("voltage_v"), np.float32)
    return np.where(scene.leaves.heard & (voltage > 0.5 * NOMINAL_V), voltage, np.float32(np.nan))
