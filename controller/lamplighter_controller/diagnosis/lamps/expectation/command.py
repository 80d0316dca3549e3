"""The level in force at a reading, since when, and whether the lamp has had time to follow it."""

from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_controller.diagnosis.arrays import F32, U32, Flags
from lamplighter_controller.diagnosis.lamps.columns import LampColumns
from lamplighter_controller.diagnosis.lamps.signs.reading import Reading

SAME_PERCENT: Final = 1.0
FOLLOWED_PERCENT: Final = 2.5
OFF_PERCENT: Final = 0.5


@dataclass(frozen=True, slots=True)
class Command:
    """One part of the city in one step; all (n,).

    Args:
        level_percent: the level in force, 0 where unknown.
        known: somebody knows the level.
        on: it is to be lit.
        settled: at this level for as long as the lamp needs.
        followed: the device does not say that it is at another level.
        changed: this is the first reading under this level.
        age_s: for how long the level is in force.
    """

    level_percent: F32
    known: Flags
    on: Flags
    settled: Flags
    followed: Flags
    changed: Flags
    age_s: U32


def follow(
    held: LampColumns, reading: Reading, now_s: int, since_s: U32 | None, settle_s: U32, strikes: Flags
) -> Command:
    """Compare the level in force with that of the reading before, and keep it.

    Args:
        held: what is held of these lamps.
        reading: their readings.
        now_s: civil time, at which silent lamps are asked about.
        since_s: when the level began to hold, where the caller knows (0 = not).
        settle_s: how long each lamp needs to follow.
        strikes: lamps that warm up again after any loss of supply, which silence may have been.
    """
    level = reading.desired_percent
    known = ~np.isnan(level)
    heard = reading.fresh
    changed = heard & known & ~(np.abs(level - held.desired_percent) < SAME_PERCENT)
    struck = heard & strikes & ((held.missed > 0) | (held.reported_v < 100))
    begun = (
        reading.time_s
        if since_s is None
        else np.where(since_s > 0, np.minimum(since_s, reading.time_s), reading.time_s)
    )
    np.copyto(held.since, begun, where=changed)
    np.copyto(held.since, reading.time_s, where=struck & ~changed)
    np.copyto(held.desired_percent, level, where=heard & known)
    time_s = np.where(heard, reading.time_s, np.uint32(now_s))
    age_s = time_s - np.minimum(held.since, time_s)
    followed = ~(np.abs(reading.reported_percent - level) > FOLLOWED_PERCENT)
    level = np.where(known, level, np.float32(0))
    return Command(level, known, known & (level >= OFF_PERCENT), known & (age_s >= settle_s), followed, changed, age_s)
