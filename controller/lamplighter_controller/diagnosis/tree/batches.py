"""Many luminaires of one model with the same complaint: the model is at fault, not each of them by chance."""

from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.samples import Flags, Rows
from lamplighter_controller.diagnosis.suspicions import LampSuspicions
from lamplighter_controller.diagnosis.topology import NONE, Topology
from lamplighter_controller.diagnosis.tree.causes import Scene
from lamplighter_controller.diagnosis.tree.verdicts import Verdict

FEWEST: Final = 8
SHARE: Final = 0.3  # of the model's lamps that were heard
INSTRUMENTS: Final = ("meter_bad", "clock_bad")
STIRRING: Final = 0.01  # of them, of late, with what firmware does to all alike: the rest may follow
OF_LATE_MS: Final = 4 * 3_600_000
CABINETS: Final = 2  # in one cabinet it may as well be the supply
FAMILY: Final = "model"
HOLD: Final = 2
NOT_YET: Final = 1_000_000  # looks: its lamps wait for the rest of the model meanwhile


def batches(topology: Topology, scene: Scene, now_ms: int) -> list[Verdict]:
    """Verdicts on models; a city of one model has nothing to compare with, and nothing is said of it."""
    lamps = scene.suspicions.lamps
    if len(lamps.row) < FEWEST or len(topology.models) < 2:
        return []
    model = topology.lamp_model[lamps.row]
    first = np.argmax(lamps.probability, axis=1)
    heard = np.bincount(
        topology.lamp_model[scene.leaves.heard & (topology.lamp_model != NONE)], minlength=len(topology.models)
    )
    key = np.where(model == NONE, NONE, model * len(lamps.classes) + first)
    recent = now_ms - lamps.onset_ms < OF_LATE_MS
    found = []
    for one, many in zip(*np.unique(key[key != NONE], return_counts=True), strict=True):
        which, class_row = divmod(int(one), len(lamps.classes))
        mine = key == one
        stirring = mine & recent
        if many >= max(FEWEST, SHARE * heard[which]) and _cabinets(topology, lamps.row[mine]) >= CABINETS:
            found.append(_verdict(topology, lamps, which, mine, int(heard[which]), HOLD))
        elif lamps.classes[class_row] in INSTRUMENTS and stirring.sum() >= max(FEWEST, STIRRING * heard[which]):
            found.append(_verdict(topology, lamps, which, stirring, int(heard[which]), NOT_YET))
    return found


def _cabinets(topology: Topology, rows: Rows) -> int:
    return len(np.unique(topology.lamp_cabinet[rows]))


def _verdict(topology: Topology, lamps: LampSuspicions, model: int, mine: Flags, heard: int, hold: int) -> Verdict:
    element = Element(ElementKind.MODEL, topology.models[model])
    rows = lamps.row[mine]
    line = EvidenceLine("lamps_of_model", len(rows), 0.0, float("nan"), heard, "")
    onset_ms = int(np.median(lamps.onset_ms[mine]))
    probability = lamps.probability[mine].mean(axis=0)
    shares = {name: float(share) for name, share in zip(lamps.classes, probability, strict=True)}
    return Verdict(element, shares, onset_ms, hold, (line,), rows, "one_of_the_model", FAMILY)
