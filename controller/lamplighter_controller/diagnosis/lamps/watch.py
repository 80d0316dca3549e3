"""The watch over all lamps: one step through the columns, part by part so that each part stays in the cache."""

from dataclasses import replace
from functools import cached_property

import numpy as np

from lamplighter_controller.diagnosis.arrays import I64, Arrays, Flags
from lamplighter_controller.diagnosis.lamps.columns import LampColumns, blank
from lamplighter_controller.diagnosis.lamps.expectation.tables import Lessons, ModelTables, teachers
from lamplighter_controller.diagnosis.lamps.groups import first_lamps, parts
from lamplighter_controller.diagnosis.lamps.part import (
    FROZEN_S,
    LATE_PERIODS,
    MOST_LATE_S,
    MOST_REPEATS,
    STILL_SHARE,
    PartStep,
)
from lamplighter_controller.diagnosis.lamps.seen import Seen, nothing_seen
from lamplighter_controller.diagnosis.lamps.sequences.limits import Limits, limits
from lamplighter_controller.diagnosis.samples import Floats, Samples
from lamplighter_controller.diagnosis.settings import Settings
from lamplighter_controller.diagnosis.topology import Topology


class LampWatch:
    """Holds the columns of all lamps and the tables of their models."""

    def __init__(self, topology: Topology, tables: ModelTables, settings: Settings) -> None:
        """Begin with nothing known of any lamp."""
        self.topology = topology
        self.tables = tables
        self.settings = settings
        self.limits: Limits = limits(settings.false_raises_per_1000_lamp_days, settings.period_s)
        self.frozen_after = round(min(FROZEN_S / settings.period_s, 200))
        self.late_s = round(min(LATE_PERIODS * settings.period_s, MOST_LATE_S))
        self.held: LampColumns = blank(len(topology.lamps))
        self._model = (topology.lamp_model % len(tables.rated_w)).astype(np.int64)
        self.kin: I64 = (topology.lamp_cabinet * len(tables.rated_w) + self._model).astype(np.int32)
        self.teachers = teachers(self._model)
        self._groups = first_lamps(topology)
        self._parts = list(parts(self._groups, len(topology.lamps)))

    def step(self, samples: Samples, level_percent: Floats, suspect: Flags, now_ms: int) -> Seen:
        """Take one step; `level_percent` (n,) is the level in force, `suspect` (n,) marks lamps under suspicion."""
        seen = nothing_seen(len(self.topology.lamps), len(self._groups))
        still = np.count_nonzero(self.held.frozen >= MOST_REPEATS) > STILL_SHARE * len(self.held.frozen)
        lessons = Lessons()
        stale = []
        for part in self._parts:
            step = PartStep(self, samples, level_percent, suspect, now_ms, part, still=bool(still))
            stale.append(step.run(seen, lessons))
        lessons.teach(self.tables)
        stale_rows = np.concatenate(stale) if stale else np.empty(0, np.int64)
        return replace(seen, common=seen.common[self._group_of_feeder], stale=stale_rows)

    @cached_property
    def _group_of_feeder(self) -> I64:
        first = np.minimum(self.topology.feeder_start[:-1], max(len(self.topology.lamps) - 1, 0))
        return np.searchsorted(self._groups, first, side="right") - 1

    @property
    def model(self) -> I64:
        """(n,) row of each lamp's model in the tables."""
        return self._model

    @property
    def groups(self) -> I64:
        """First lamp of each group that is told what it has in common."""
        return self._groups

    def export(self) -> Arrays:
        """Everything held of the lamps."""
        return self.held.export()
