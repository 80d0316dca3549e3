"""Many luminaires of one model with the same complaint: the model is at fault, not each of them by chance."""

from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.suspicions import LampSuspicions
from lamplighter_controller.diagnosis.topology import NONE, Topology
from lamplighter_controller.diagnosis.tree.causes import Scene
from lamplighter_controller.diagnosis.tree.verdicts import Verdict

FEWEST: Final = 8
SHARE: Final = 0.3  # of the model's lamps that were heard
CABINETS: Final = 2  # in one cabinet it may as well be the supply
FAMILY: Final = "model"
HOLD: Final = 2


def batches(topology: Topology, scene: Scene) -> list[Verdict]:
    """Verdicts on models; a city of one model has nothing to compare with, and nothing is said of it."""
    lamps = scene.suspicions.lamps
    if len(lamps.row) < FEWEST or len(topology.models) < 2:
        return []
    model = topology.lamp_model[lamps.row]
    first = np.argmax(lamps.probability, axis=1)
    heard = np.bincount(
        topology.lamp_model[scene.leaves.heard & (topology.lamp_model != NONE)], minlength=len(topology.models)
    )
    key = model * len(lamps.classes) + first
    found = []
    for one, many in zip(*np.unique(key[model != NONE], return_counts=True), strict=True):
        which, class_row = divmod(int(one), len(lamps.classes))
        rows = lamps.row[(key == one) & (model != NONE)]
        spread = len(np.unique(topology.lamp_cabinet[rows]))
        if many >= max(FEWEST, SHARE * heard[which]) and spread >= CABINETS:
            found.append(_verdict(topology, lamps, which, class_row, rows, int(heard[which])))
    return found


def _verdict(
    topology: Topology, lamps: LampSuspicions, model: int, class_row: int, rows: np.ndarray, heard: int
) -> Verdict:
    element = Element(ElementKind.MODEL, topology.models[model])
    line = EvidenceLine("lamps_of_model", len(rows), 0.0, float("nan"), heard, "")
    mine = np.isin(lamps.row, rows)
    onset_ms = int(np.median(lamps.onset_ms[mine]))
    probability = lamps.probability[mine].mean(axis=0)
    shares = {name: float(share) for name, share in zip(lamps.classes, probability, strict=True)}
    assert shares, class_row
    return Verdict(element, shares, onset_ms, HOLD, (line,), rows, "one_of_the_model", FAMILY)
