"""Contacts of a cabinet that speak for themselves: an open door."""

from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.findings import Element, ElementKind, EvidenceLine
from lamplighter_controller.diagnosis.samples import Columns
from lamplighter_controller.diagnosis.topology import Topology
from lamplighter_controller.diagnosis.tree.verdicts import Verdict

HOLD: Final = 2
FAMILY: Final = "door"


def open_doors(topology: Topology, cabinets: Columns) -> list[Verdict]:
    """Verdicts on cabinets whose door is open; who works there has a window or a work order."""
    rows = np.flatnonzero(cabinets.answered & np.greater(cabinets.column("door_open"), 0))
    line = EvidenceLine("door_open", 1.0, 0.0, float("nan"), 1, "")
    return [
        Verdict(
            Element(ElementKind.CABINET, topology.cabinets[row]),
            {"door": 1.0},
            int(cabinets.time_ms[row]),
            HOLD,
            (line,),
            family=FAMILY,
        )
        for row in rows.tolist()
    ]
