"""The level in force where nobody has told it: what the device says, else what most of its neighbours do."""

from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, I64
from lamplighter_controller.diagnosis.lamps.expectation.tables import ModelTables
from lamplighter_controller.diagnosis.samples import Columns, Floats

DRAWING_SHARE: Final = 0.03
LIT_SHARE: Final = 0.6
UNLIT_SHARE: Final = 0.25
FEWEST: Final = 4
MOST_PERCENT: Final = 100.0


def level_in_force(lamps: Columns, model: I64, tables: ModelTables, cabinet: I64) -> Floats:
    """(n,) percent, NaN where it cannot be told."""
    desired = lamps.column("desired_percent")
    if not ((desired >= 0) & (desired <= MOST_PERCENT)).all():
        desired = np.where((desired >= 0) & (desired <= MOST_PERCENT), desired, np.float32(np.nan))
    missing = np.isnan(desired) & lamps.answered
    if not missing.any():
        return desired
    level = np.array(desired, np.float32)
    reported = np.clip(lamps.column("level_percent"), 0, MOST_PERCENT)
    off = lamps.column("switched_on") == 0
    level[missing] = np.where(np.isnan(reported) & off, np.float32(0), reported)[missing]
    rows = np.flatnonzero(np.isnan(level) & lamps.answered)
    if len(rows):
        level[rows] = _as_neighbours(rows, lamps, model, tables, cabinet)
    return level


def _as_neighbours(rows: I64, lamps: Columns, model: I64, tables: ModelTables, cabinet: I64) -> F32:
    """Off where most lamps of the cabinet are off; else the level at which a model draws what its median lamp does."""
    share = (lamps.column("power_w")[rows] / tables.rated_w[model[rows]]).astype(np.float32)
    level = np.full(len(rows), np.nan, np.float32)
    group = cabinet[rows]
    drawing = share > DRAWING_SHARE
    read = ~np.isnan(share)
    of = group + 1
    heard = np.bincount(of[read], minlength=int(of.max()) + 1)
    lit = np.bincount(of[read & drawing], minlength=len(heard)) / np.maximum(heard, 1)
    few = heard < FEWEST
    city = float(drawing[read].mean()) if read.any() else float("nan")
    lit = np.where(few, city if read.sum() >= FEWEST else np.nan, lit)
    level[lit[of] <= UNLIT_SHARE] = 0
    for cabinet_row in np.unique(of[lit[of] >= LIT_SHARE]):
        inside = of == cabinet_row
        for one in np.unique(model[rows[inside]]):
            mine = inside & (model[rows] == one)
            peers = drawing & (mine if (mine & drawing).sum() >= FEWEST else model[rows] == one)
            if peers.sum() >= FEWEST:
                level[mine] = round(tables.level_of(int(one), float(np.median(share[peers]))))
    return level
