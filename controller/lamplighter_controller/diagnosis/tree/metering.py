"""What a cabinet's meter misses, or has too much of, beyond what its lamps account for."""

from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.samples import Flags, Floats
from lamplighter_controller.diagnosis.suspicions import MeterSuspicions
from lamplighter_controller.diagnosis.tree.branches import Branches, count_up
from lamplighter_controller.diagnosis.tree.causes import Scene, phase_element
from lamplighter_controller.diagnosis.tree.verdicts import Verdict
from lamplighter_controller.diagnosis.tree.witness import ALL

SURPLUS_W: Final = 200.0
SURPLUS_SHARE: Final = 0.02
UNEXPLAINED: Final = 0.5  # of what is missing; lamps that are heard count by what they draw, silent ones explain it
LEAST_W: Final = 40.0
WHOLE: Final = 0.85
LIT: Final = 0.25  # of the most it ever drew
MOSTLY: Final = 0.9
HOLD: Final = 1  # a block of a quarter of an hour has been held already
LONG_HOLD: Final = 8  # a load that nobody has listed is no matter of minutes
DAY_MS: Final = 24 * 3_600_000  # where lamps that are heard contradict the meter, one night says little
NOT_YET: Final = 1_000_000
FAMILY: Final = "metering"


class Metering:
    """Compares blocks of the meter with lamps; knows the most each phase has ever drawn."""

    def __init__(self, branches: Branches) -> None:
        """Begin with no peak."""
        self._branches = branches
        self.peak_w: Floats = np.zeros((len(branches.topology.cabinets), 4))
        tree = branches.topology
        controlled = branches.by_feeder(tree.controlled)
        self._controlled = count_up(tree.feeder_cabinet, controlled, len(tree.cabinets))
        self._muted: Flags = np.zeros(len(branches.topology.cabinets), np.bool_)

    def look(self, scene: Scene, covered: Flags, now_ms: int) -> list[Verdict]:
        """Verdicts on phases, or on whole cabinets where phases are not metered or are concerned together.

        A cabinet of which something is known already (`covered` lamps) is not looked at until its meter has calmed
        down.
        """
        meters = scene.suspicions.meters
        self.peak_w = np.fmax(self.peak_w, meters.power_w)
        raised = meters.raised_low | meters.raised_high
        concerned = np.asarray(raised.any(axis=1))
        tree, cabinets = self._branches.topology, len(self._branches.topology.cabinets)
        known = count_up(tree.feeder_cabinet, self._branches.by_feeder(covered), cabinets) > 0
        self._muted = (self._muted & concerned) | known
        concerned = concerned & ~self._muted
        if not concerned.any():
            return []
        silent_w = self._branches.metered(np.where(scene.leaves.silent, scene.suspicions.expected_w, np.nan))
        doubt_w = self._branches.metered(_doubtful_w(scene))
        heard = count_up(tree.feeder_cabinet, self._branches.by_feeder(scene.leaves.heard), cabinets)
        can_tell = self._controlled >= MOSTLY * np.maximum(self._branches.cabinet_lamps, 1)
        concerned &= ~can_tell | (heard >= MOSTLY * self._controlled)  # half of the lamps explain nothing
        found = []
        for cabinet in np.flatnonzero(concerned).tolist():
            for column in _columns(raised[cabinet]):
                rest_w = abs(float(meters.missing_w[cabinet, column])) - float(doubt_w[cabinet, column])
                if meters.raised_low[cabinet, column]:
                    rest_w -= float(silent_w[cabinet, column])
                    found += (
                        self._contradicted(meters, cabinet, column, rest_w, now_ms)
                        if can_tell[cabinet]
                        else self._lacking(meters, cabinet, column, rest_w)
                    )
                else:
                    found += self._surplus(meters, cabinet, column, rest_w, lit_unseen=not can_tell[cabinet])
        return found

    def _lacking(self, meters: MeterSuspicions, cabinet: int, column: int, rest_w: float) -> list[Verdict]:
        missing_w = float(meters.missing_w[cabinet, column])
        if rest_w < max(UNEXPLAINED * missing_w, LEAST_W):
            return []
        load_w, peak_w = float(meters.expected_w[cabinet, column]), float(self.peak_w[cabinet, column])
        if not load_w >= LIT * peak_w:  # off by now; what is missing was missing of a load
            load_w = peak_w
        share = missing_w / max(load_w, 1.0)
        if share >= WHOLE:
            probability = {"feeder_trip": 0.8, "schedule_dev": 0.2}
        elif share >= 0.25:
            probability = {"feeder_trip": 0.45, "cable_cut": 0.35, "lamp_dead": 0.2}
        else:
            probability = {"lamp_dead": 0.8, "led_partial": 0.1, "cable_cut": 0.1}
        return [self._verdict(meters, cabinet, column, probability, HOLD)]

    def _contradicted(
        self, meters: MeterSuspicions, cabinet: int, column: int, rest_w: float, now_ms: int
    ) -> list[Verdict]:
        """All of its lamps say that they draw what the meter misses."""
        if rest_w < max(UNEXPLAINED * float(meters.missing_w[cabinet, column]), LEAST_W):
            return []
        hold = LONG_HOLD if now_ms - int(meters.onset_ms[cabinet, column]) >= DAY_MS else NOT_YET
        return [self._verdict(meters, cabinet, column, {"meter_bad": 0.9, "lamp_dead": 0.1}, hold)]

    def _surplus(
        self, meters: MeterSuspicions, cabinet: int, column: int, surplus_w: float, *, lit_unseen: bool
    ) -> list[Verdict]:
        """A load that nobody listed; where lamps cannot say that they are dark, it may be they."""
        expected_w = float(meters.expected_w[cabinet, column])
        if surplus_w < max(SURPLUS_W, SURPLUS_SHARE * expected_w):
            return []
        peak_w = float(self.peak_w[cabinet, column])
        if lit_unseen and expected_w < 0.05 * peak_w and surplus_w > 0.25 * peak_w:
            probability = {"contactor_stuck_on": 0.7, "schedule_dev": 0.2, "energy_theft": 0.1}
            return [self._verdict(meters, cabinet, column, probability, HOLD)]
        probability = {"energy_theft": 0.85, "relay_stuck_on": 0.1, "meter_bad": 0.05}
        return [self._verdict(meters, cabinet, column, probability, LONG_HOLD)]

    def _verdict(
        self, meters: MeterSuspicions, cabinet: int, column: int, probability: dict[str, float], hold: int
    ) -> Verdict:
        element = (
            Element(ElementKind.CABINET, self._branches.topology.cabinets[cabinet])
            if column == ALL
            else phase_element(self._branches, cabinet, column)
        )
        line = EvidenceLine(
            "cabinet_power",
            float(meters.power_w[cabinet, column]),
            float(meters.expected_w[cabinet, column]),
            float(meters.sigma_w[cabinet, column]),
            int(meters.blocks[cabinet, column] if meters.blocks.ndim > 1 else meters.blocks[cabinet]),
            "W",
        )
        onset_ms = int(meters.onset_ms[cabinet, column])
        return Verdict(element, probability, onset_ms, hold, (line,), settle="circuit_by_circuit", family=FAMILY)


def _columns(raised: np.ndarray) -> list[int]:
    """The phases concerned; all together when they are two or more, or when only the sum is metered."""
    phases: list[int] = np.flatnonzero(raised[:ALL]).tolist()
    return phases if len(phases) == 1 else [ALL] if raised[ALL] else phases


def _doubtful_w(scene: Scene) -> Floats:
    """(N,) what lamps under suspicion should draw, NaN for all others: what they say they draw may be wrong."""
    found: Floats = np.full(len(scene.leaves.heard), np.nan)
    rows = scene.suspicions.lamps.row
    found[rows] = scene.suspicions.expected_w[rows]
    return found
