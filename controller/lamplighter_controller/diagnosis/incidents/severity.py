"""How urgent an incident is: by its class, and by its neighbours."""

from collections.abc import Iterable, Mapping
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.catalogue.faults import Fault, Trip
from lamplighter_controller.diagnosis.topology import Topology

DARK: Final = frozenset({"lamp_dead", "driver_dead", "relay_open"})
EMERGENCY: Final = 5
USUAL: Final = 2
TOGETHER: Final = 3  # lamps out in a row are an emergency in Beijing's practice
URGENT: Final = 4


def severity_of(class_id: str, faults: Mapping[str, Fault]) -> int:
    """Severity 1 (for information) to 5 (now) of a class by itself."""
    fault = faults.get(class_id)
    return USUAL if fault is None else fault.severity


def trip_of(class_id: str, faults: Mapping[str, Fault]) -> Trip:
    """When a class by itself is worth a trip."""
    fault = faults.get(class_id)
    return Trip.SECOND_NIGHT if fault is None else fault.trip


def in_a_row(topology: Topology, dark: Iterable[str]) -> frozenset[str]:
    """Those of the dark lamps that stand three or more in a row along one feeder, pole by pole."""
    names = frozenset(dark)
    if len(names) < TOGETHER:
        return frozenset()
    row_of = topology.rows_by_name("lamp")
    rows = np.array(sorted(row_of[name] for name in names if name in row_of), np.int64)
    if not len(rows):
        return frozenset()
    # Poles are numbered feeder by feeder: the next pole of the same feeder has the next number.
    poles, feeders = topology.lamp_pole[rows], topology.lamp_feeder[rows]
    breaks = (np.diff(poles) > 1) | (np.diff(feeders) != 0)
    runs = np.split(np.arange(len(rows)), np.flatnonzero(breaks) + 1)
    long = [run for run in runs if len(np.unique(poles[run])) >= TOGETHER]
    return frozenset(topology.lamps[rows[place]] for run in long for place in run.tolist())
