"""Where along a feeder the silence begins: the split that best parts heard poles from silent ones."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.samples import Floats, Rows
from lamplighter_controller.diagnosis.topology import Topology
from lamplighter_controller.diagnosis.tree.leaves import Leaves

CONTRADICTED_NATS: Final = 3.5  # a lamp heard behind a break: its place in the inventory would be wrong (3 %)


@dataclass(frozen=True, slots=True)
class Split:
    """The best split of one feeder; `first` is the row of the first lamp that is out, `nats` what it explains."""

    first: int
    nats: float


def best_split(topology: Topology, leaves: Leaves, feeder: int, noise: float) -> Split:
    """What the silence of everything from some pole outwards explains best; the whole feeder is a split too.

    `noise` is the cost in nats of one silent lamp that nothing explains.
    """
    rows = topology.lamps_of_feeder(feeder)
    part = slice(rows.start, rows.stop)
    weight: Floats = leaves.silent[part] * noise - leaves.heard[part] * CONTRADICTED_NATS
    behind = np.cumsum(weight[::-1])[::-1]
    if not topology.feeder_ordered[feeder]:
        return Split(rows.start, float(behind[0]))
    poles = topology.lamp_pole[part]
    begins = np.r_[True, poles[1:] != poles[:-1]]
    best = int(np.argmax(np.where(begins, behind, -np.inf)))
    return Split(rows.start + best, float(behind[best]))


def tail(topology: Topology, feeder: int, first: int) -> Rows:
    """Rows of the lamps from `first` to the end of the feeder."""
    return np.arange(first, topology.feeder_start[feeder + 1], dtype=np.int64)
