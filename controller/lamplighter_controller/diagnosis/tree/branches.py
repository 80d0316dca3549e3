"""Nodes of the tree above the feeders, and how lamps are counted up to them."""

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.diagnosis.samples import Flags, Floats, Rows
from lamplighter_controller.diagnosis.topology import NONE, Index, Phase, Topology

Counts = NDArray[np.int64]


@dataclass(frozen=True)
class Branches:
    """Which feeder hangs on which phase of which cabinet; counting is by feeder first, and by number from there."""

    topology: Topology

    @cached_property
    def feeder_phase_node(self) -> Index:
        """(F,) cabinet * 3 + phase, -1 where either is not known or the feeder has all three."""
        tree = self.topology
        known = (tree.feeder_cabinet != NONE) & (tree.feeder_phase >= Phase.A) & (tree.feeder_phase <= Phase.C)
        return np.where(known, tree.feeder_cabinet * 3 + tree.feeder_phase, NONE).astype(np.int32)

    @cached_property
    def lamp_meter_column(self) -> Index:
        """(N,) cabinet * 4 + column of its meter (3 = all phases together), -1 without a cabinet."""
        tree = self.topology
        phase = np.where(tree.feeder_phase == Phase.UNKNOWN, int(Phase.ABC), tree.feeder_phase)
        node = np.where(tree.feeder_cabinet == NONE, NONE, tree.feeder_cabinet * 4 + phase)
        return node[tree.lamp_feeder].astype(np.int32)

    @cached_property
    def cabinet_lamps(self) -> Counts:
        """(C,) lamps of each cabinet."""
        return count_up(self.topology.feeder_cabinet, np.diff(self.topology.feeder_start), len(self.topology.cabinets))

    @cached_property
    def _cabinet_feeders(self) -> dict[int, tuple[int, int]]:
        """First feeder of each cabinet and how many there are: they stand together."""
        found = np.unique(self.topology.feeder_cabinet, return_index=True, return_counts=True)
        return {
            cabinet: (first, feeders)
            for cabinet, first, feeders in zip(*(column.tolist() for column in found), strict=True)
        }

    def feeders_of(self, cabinet: int) -> Rows:
        """The feeders of a cabinet; of -1, those without one."""
        first, feeders = self._cabinet_feeders.get(cabinet, (0, 0))
        return np.arange(first, first + feeders, dtype=np.int64)

    def by_feeder(self, lamps: Flags) -> Counts:
        """(F,) how many of each feeder's lamps."""
        starts = self.topology.feeder_start[:-1]
        if not len(starts):
            return np.zeros(0, np.int64)
        return np.add.reduceat(lamps, starts, dtype=np.int64)

    def metered(self, lamp_w: Floats) -> Floats:
        """(C, 4) watts of lamps under each phase; column 3 is all of the cabinet. NaN counts nothing."""
        columns = len(self.topology.cabinets) * 4
        drawn_w = np.where(np.isnan(lamp_w), 0, lamp_w)
        summed: Floats = np.bincount(self.lamp_meter_column % (columns + 1), drawn_w, columns + 1).astype(np.float64)
        by_column = summed[:columns].reshape(-1, 4)  # what no meter sees is in the last one
        by_column[:, 3] = by_column.sum(axis=1)
        return by_column

    def lamps_of(self, feeders: Rows) -> Rows:
        """Rows of all lamps of these feeders."""
        starts = self.topology.feeder_start
        parts = [np.arange(starts[feeder], starts[feeder + 1], dtype=np.int64) for feeder in feeders.tolist()]
        return np.concatenate(parts) if parts else np.empty(0, np.int64)


def count_up(node: Index, of_feeder: NDArray[np.generic], nodes: int) -> Counts:
    """Sums of whole numbers of feeders by the node they hang on; -1 hangs on none."""
    known = node != NONE
    return np.bincount(node[known], of_feeder[known], nodes).astype(np.int64)
