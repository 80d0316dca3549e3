"""Readings that missed their moment: they tell when something began, whether it is over, and what nobody saw.

They move nothing that is held of the present: a lamp is judged by them reading by reading, without its history.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, U32, Flags
from lamplighter_controller.diagnosis.lamps.columns import BANDS
from lamplighter_controller.diagnosis.lamps.expectation.expected import HIGH_PERCENT, LEAST_EXPECTED_W, MIDDLE_PERCENT
from lamplighter_controller.diagnosis.lamps.sequences.limits import BLOCK_S
from lamplighter_controller.diagnosis.lamps.sequences.triggers import Trigger
from lamplighter_controller.diagnosis.lamps.signs.showing import DARK_SHARE, LIT_SEEN, LIT_W, STUCK_SHARE
from lamplighter_controller.diagnosis.lamps.suspects.cases import Cases
from lamplighter_controller.diagnosis.lamps.watch import LampWatch
from lamplighter_controller.diagnosis.samples import Floats, Rows, Samples

IN_A_ROW: Final = 3
LASTING_S: Final = 1_800
"""Commands may be taken late, and discharge lamps cool: so many readings, over so long, until anything is opened."""
MOST_TOGETHER: Final = 0.4
FEWEST: Final = 4
"""Where more of the late lamps of a cabinet are odd alike, something above them was; a lamp shows it again itself."""


@dataclass(frozen=True, slots=True)
class Looks:
    """Late readings of lamps, each judged by itself; all (k,)."""

    row: Rows
    time_s: U32
    level_percent: F32
    power_w: F32
    expected_w: F32
    dark: Flags
    lit: Flags
    off_level: Flags
    on: Flags
    off: Flags


def look(rows: Rows, samples: Samples, watch: LampWatch, level_percent: Floats) -> Looks:
    """What these rows' readings show."""
    level = level_percent[rows].astype(np.float32)
    power_w = samples.lamps.column("power_w")[rows].astype(np.float32)
    lit_level = np.nan_to_num(level)
    band = (lit_level >= MIDDLE_PERCENT).astype(np.int64) + (lit_level >= HIGH_PERCENT)
    model = watch.model[rows]
    gain = watch.held.gain[rows, np.minimum(band, BANDS - 1)]
    expected_w = watch.tables.rated_w[model] * watch.tables.share(model, lit_level) * gain
    on = (level >= 1) & (expected_w > LEAST_EXPECTED_W) & ~np.isnan(power_w)
    off = (level < 1) & ~np.isnan(power_w)
    share = power_w / np.maximum(expected_w, 1)
    return Looks(
        row=rows,
        time_s=(samples.lamps.time_ms[rows] // 1000).astype(np.uint32),
        level_percent=level,
        power_w=power_w,
        expected_w=expected_w,
        dark=on & (share < DARK_SHARE),
        lit=off & (power_w > LIT_W),
        off_level=on & (np.abs(share - 1) > STUCK_SHARE),
        on=on,
        off=off,
    )


def correct(cases: Cases, looks: Looks, period_s: float) -> None:
    """Move the onset back to an odd reading or forward past a healthy one; health since the last oddness counts."""
    at = np.searchsorted(cases.row, looks.row)
    known = np.flatnonzero((at < len(cases)) & (cases.row[np.minimum(at, len(cases) - 1)] == looks.row))
    at, time_s = at[known], looks.time_s[known]
    dark_case, lit_case = (cases.bits[at] & np.uint32(one) != 0 for one in (Trigger.DARK, Trigger.LIT))
    dark, lit, off_level = (column[known] for column in (looks.dark, looks.lit, looks.off_level))
    odd = np.where(dark_case, dark, np.where(lit_case, lit, off_level))
    healthy = ~odd & np.where(lit_case, looks.off[known], looks.on[known])
    before = time_s < cases.first[at]
    earlier = odd & before
    cases.first[at[earlier]] = time_s[earlier]
    cases.onset[at[earlier]] = np.minimum(cases.onset[at[earlier]], time_s[earlier])
    later = healthy & (time_s > cases.onset[at]) & before
    cases.onset[at[later]] = time_s[later]
    again = odd & (time_s > cases.contrary[at])
    cases.contrary[at[again]] = time_s[again]
    cases.well[at[again]] = 0
    since = healthy & (dark_case | lit_case) & (time_s > cases.contrary[at])
    cases.well[at[since]] += np.float32(min(period_s / BLOCK_S, 1.0))


@dataclass(slots=True)
class _Row:
    """Odd readings in a row of one lamp, all of them late."""

    trigger: Trigger
    level_percent: float
    first_s: int
    last_s: int
    readings: int = 1


@dataclass(frozen=True, slots=True)
class Opened:
    """Lamps that late readings show broken, with what they show it by; all (k,)."""

    row: Rows
    bits: U32
    onset: U32
    readings: F32


class Backlog:
    """Remembers what late readings show of lamps that nobody suspects, while they come in."""

    def __init__(self) -> None:
        self._rows: dict[int, _Row] = {}

    def take(self, looks: Looks, suspect: Flags, watch: LampWatch) -> Opened:
        """Lamps dark or lit against the command for long enough, which no reading since has shown healthy."""
        odd = (looks.dark | looks.lit) & ~self._together(looks, watch)
        for place in np.flatnonzero((looks.on | looks.off) & ~odd).tolist():
            self._rows.pop(int(looks.row[place]), None)
        ripe = [row for place in np.flatnonzero(odd).tolist() if (row := self._seen(looks, place)) is not None]
        found = [row for row in ripe if not suspect[row] and not self._recovered(row, watch)]
        rows = [self._rows.pop(row) for row in ripe]
        kept = [one for row, one in zip(ripe, rows, strict=True) if row in set(found)]
        order = np.argsort(found, kind="stable") if found else np.empty(0, np.int64)
        return Opened(
            np.array(found, np.int64)[order],
            np.array([one.trigger for one in kept], np.uint32)[order],
            np.array([one.first_s for one in kept], np.uint32)[order],
            np.array([one.readings for one in kept], np.float32)[order],
        )

    def _seen(self, looks: Looks, place: int) -> int | None:
        """The lamp, once it has been odd for long enough."""
        row, time_s = int(looks.row[place]), int(looks.time_s[place])
        trigger = Trigger.DARK if looks.dark[place] else Trigger.LIT
        level = float(looks.level_percent[place])
        known = self._rows.get(row)
        if known is None or known.trigger is not trigger or known.level_percent != level or time_s < known.first_s:
            self._rows[row] = _Row(trigger, level, time_s, time_s)
            return None
        known.readings, known.last_s = known.readings + 1, max(known.last_s, time_s)
        return row if known.readings >= IN_A_ROW and known.last_s - known.first_s >= LASTING_S else None

    def _recovered(self, row: int, watch: LampWatch) -> bool:
        """A reading of the present has shown it as commanded."""
        held = watch.held
        if self._rows[row].trigger is Trigger.DARK:
            return bool(held.lit_before[row] == LIT_SEEN)
        return bool(held.desired_percent[row] < 1 and held.power_w[row] < LIT_W)

    @staticmethod
    def _together(looks: Looks, watch: LampWatch) -> Flags:
        """(k,) lamps of cabinets of which many are odd alike."""
        if not len(looks.row):
            return looks.dark
        cabinet = watch.topology.lamp_cabinet[looks.row] + 1
        heard = np.bincount(cabinet)
        alike = [np.bincount(cabinet, one, len(heard)) for one in (looks.dark, looks.lit)]
        many = [(count >= FEWEST) & (count > MOST_TOGETHER * heard) for count in alike]
        return (looks.dark & many[0][cabinet]) | (looks.lit & many[1][cabinet])
