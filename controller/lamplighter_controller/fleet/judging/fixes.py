"""Position reports of one step, as columns; at most one of each truck.

States are small whole numbers. `UNKNOWN` and `FAULT` are values of their own: no rule takes either for a state.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields
from typing import Final

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Times = NDArray[np.int64]
Codes = NDArray[np.int8]
Flags = NDArray[np.bool_]
Rows = NDArray[np.intp]

UNKNOWN: Final = -1
FAULT: Final = -2
NO: Final = 0
YES: Final = 1
FLAT: Final = 0
RAISED: Final = 1
CLOSED: Final = 0
OPEN: Final = 1
EMPTY: Final = 0
HALF: Final = 1
FULL: Final = 2

LIFTS: Final = {"flat": FLAT, "raised": RAISED, "fault": FAULT, "unknown": UNKNOWN}
COVERS: Final = {"closed": CLOSED, "open": OPEN, "fault": FAULT, "unknown": UNKNOWN}
LOADS: Final = {"empty": EMPTY, "half": HALF, "full": FULL, "fault": FAULT, "unknown": UNKNOWN}


@dataclass(frozen=True, slots=True)
class Fixes:
    """k reports: `truck` is the row in the fleet, times in civil epoch ms, degrees WGS-84, NaN = not told."""

    truck: Rows
    time_ms: Times
    received_ms: Times
    latitude: Floats
    longitude: Floats
    speed_kmh: Floats
    odometer_km: Floats
    ignition: Codes
    lift: Codes
    cover: Codes
    load: Codes
    power_cut: Codes
    antenna_fault: Codes

    def __len__(self) -> int:
        """How many."""
        return len(self.truck)

    def at(self, chosen: Rows | Flags) -> "Fixes":
        """Some of them."""
        return Fixes(*(getattr(self, field.name)[chosen] for field in fields(self)))


def in_turn(reports: Fixes) -> Iterator[Fixes]:
    """Any number of reports as steps: by time, at most one of each truck in a step."""
    order = np.lexsort((reports.time_ms, reports.truck))
    truck = reports.truck[order]
    first = np.r_[True, truck[1:] != truck[:-1]] if len(truck) else np.zeros(0, bool)
    begins = np.flatnonzero(first)
    turn = np.arange(len(truck)) - np.repeat(begins, np.diff(np.r_[begins, len(truck)]))
    for number in range(int(turn.max(initial=-1)) + 1):
        yield reports.at(order[turn == number])
