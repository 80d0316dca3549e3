"""Readings that missed their moment: they tell when something began, and move nothing else."""

import numpy as np

from lamplighter_controller.diagnosis.arrays import U32, Flags
from lamplighter_controller.diagnosis.lamps.columns import BANDS
from lamplighter_controller.diagnosis.lamps.expectation.expected import HIGH_PERCENT, LEAST_EXPECTED_W, MIDDLE_PERCENT
from lamplighter_controller.diagnosis.lamps.sequences.triggers import Trigger
from lamplighter_controller.diagnosis.lamps.signs.showing import DARK_SHARE, LIT_W, STUCK_SHARE
from lamplighter_controller.diagnosis.lamps.suspects.cases import Cases
from lamplighter_controller.diagnosis.lamps.watch import LampWatch
from lamplighter_controller.diagnosis.samples import Floats, Rows, Samples


def correct(cases: Cases, stale: Rows, samples: Samples, watch: LampWatch, level_percent: Floats) -> None:
    """Move the onset of cases by readings older than the newest: back to an odd one, forward past a healthy one."""
    if not len(stale) or not len(cases):
        return
    at = np.searchsorted(cases.row, stale)
    known = (at < len(cases)) & (cases.row[np.minimum(at, len(cases) - 1)] == stale)
    at, rows = at[known], stale[known]
    if not len(rows):
        return
    time_s = (samples.lamps.time_ms[rows] // 1000).astype(np.uint32)
    odd, healthy = _looks(cases.bits[at], rows, samples, watch, level_percent)
    before = time_s < cases.first[at]
    earlier = odd & before
    cases.first[at[earlier]] = time_s[earlier]
    cases.onset[at[earlier]] = np.minimum(cases.onset[at[earlier]], time_s[earlier])
    later = healthy & (time_s > cases.onset[at]) & before
    cases.onset[at[later]] = time_s[later]


def _looks(bits: U32, rows: Rows, samples: Samples, watch: LampWatch, level_percent: Floats) -> tuple[Flags, Flags]:
    """(odd in the case's own way, healthy) of readings that are judged by themselves."""
    level = level_percent[rows].astype(np.float32)
    power_w = samples.lamps.column("power_w")[rows]
    lit_level = np.nan_to_num(level)
    band = (lit_level >= MIDDLE_PERCENT).astype(np.int64) + (lit_level >= HIGH_PERCENT)
    model = watch.model[rows]
    gain = watch.held.gain[rows, np.minimum(band, BANDS - 1)]
    expected_w = watch.tables.rated_w[model] * watch.tables.share(model, lit_level) * gain
    on = (level >= 1) & (expected_w > LEAST_EXPECTED_W) & ~np.isnan(power_w)
    share = power_w / np.maximum(expected_w, 1)
    dark = on & (share < DARK_SHARE)
    off_level = on & (np.abs(share - 1) > STUCK_SHARE)
    lit = (level < 1) & (power_w > LIT_W)
    dark_case = (bits & np.uint32(Trigger.DARK)) != 0
    lit_case = (bits & np.uint32(Trigger.LIT)) != 0
    odd = np.where(dark_case, dark, np.where(lit_case, lit, off_level))
    return odd, ~odd & np.where(lit_case, level < 1, on)
