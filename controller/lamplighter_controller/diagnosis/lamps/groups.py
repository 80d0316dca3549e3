"""Lamps that hang on one feeder: what many of them show alike is not held against each."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, I64, U32, Flags
from lamplighter_controller.diagnosis.lamps.columns import LampColumns
from lamplighter_controller.diagnosis.lamps.sequences.triggers import Trigger
from lamplighter_controller.diagnosis.topology import Topology

PART_ROWS: Final = 12_000
FEWEST: Final = 8
"""Feeders of fewer lamps are looked at together with the next of their cabinet."""
TOGETHER: Final = 0.3
"""Where more of a group goes out or comes on at once, the supply did it."""
FEW: Final = 4
SHARED: Final = {
    Trigger.LIT: ("lit", 0.25),
    Trigger.DARK: ("dark", 0.4),
    Trigger.BAD: ("bad", 0.4),
    Trigger.AHEAD: ("ahead", 0.1),
}
"""Share of a group beyond which the supply, the schedule or the gateway's clock did it, not the lamps."""


@dataclass(frozen=True, slots=True)
class Part:
    """Lamps `rows` and the groups that lie in them."""

    rows: slice
    groups: slice


class Groups:
    """The groups of one part of the city, by the first lamp of each."""

    def __init__(self, start: I64, lamps: int) -> None:
        """`start` (groups,), of `lamps` lamps."""
        self.start = start
        self.size = np.diff(np.append(start, lamps))

    def share(self, shown_by: Flags) -> F32:
        """(groups,) share of the lamps."""
        return np.add.reduceat(shown_by.astype(np.float32), self.start) / self.size

    def each(self, of_group: F32) -> F32:
        """(n,) what holds for the group of each lamp."""
        return np.repeat(of_group, self.size)

    def mixed(self, shown_by: Flags) -> bool:
        """Whether in any group it is shown by some lamps and not by others."""
        if not shown_by.any():
            return False
        count = np.add.reduceat(shown_by, self.start, dtype=np.int64)
        return bool(((count > 0) & (count < self.size)).any())

    def few(self, shown_by: Flags) -> Flags:
        """(n,) lamps of groups in which it is not shown by many at once."""
        return self.each((self.share(shown_by) <= TOGETHER) | (self.size < FEW))

    def above(self, value: F32) -> F32:
        """(n,) how far each is above the mean of its group, NaN where it stands alone or was not read."""
        read = ~np.isnan(value)
        if not read.any():
            return value
        count = np.add.reduceat(read.astype(np.float32), self.start)
        mean = np.add.reduceat(np.where(read, value, 0), self.start) / np.maximum(count, 1)
        return np.where(self.each(count) > 1, value - self.each(mean), np.float32(np.nan))

    def without_shared(self, held: LampColumns, bits: U32) -> U32:
        """Bits without what most lamps of the group show alike: that is the supply's doing, or the schedule's.

        Their counts stay at one, so that the last to follow are not taken for faults of their own.
        """
        if not bits.any():
            return bits
        for trigger, (name, most) in SHARED.items():
            if not (bits & np.uint32(trigger)).any():
                continue
            counts = getattr(held, name)
            many = self.each((self.share(counts > 0) > most) & (self.size >= FEW))
            bits = np.where(many, bits & ~np.uint32(trigger), bits)
            np.minimum(counts, 1, out=counts, where=many)
        return bits


def first_lamps(topology: Topology) -> I64:
    """First lamps of groups: feeders, small ones together with the next of their cabinet."""
    starts: list[int] = []
    size, cabinet = 0, -2
    feeder_start, feeder_cabinet = topology.feeder_start.tolist(), topology.feeder_cabinet.tolist()
    for feeder, its_cabinet in enumerate(feeder_cabinet):
        lamps = feeder_start[feeder + 1] - feeder_start[feeder]
        if not lamps:
            continue
        if its_cabinet != cabinet or size >= FEWEST or not starts:
            starts.append(feeder_start[feeder])
            size, cabinet = 0, its_cabinet
        size += lamps
    return np.array(starts, np.int64)


def parts(groups: I64, lamps: int) -> Iterator[Part]:
    """Whole groups, together about as many lamps as fit the cache."""
    first = 0
    while first < len(groups):
        last = int(np.searchsorted(groups, groups[first] + PART_ROWS, side="left"))
        last = max(last, first + 1)
        end = int(groups[last]) if last < len(groups) else lamps
        yield Part(slice(int(groups[first]), end), slice(first, last))
        first = last
