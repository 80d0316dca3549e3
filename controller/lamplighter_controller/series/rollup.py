"""Downsampling: which windows there are and what they keep.

Days are UTC days. In Jinan they run from 08:00 to 08:00, so that one day holds one whole night, they have no daylight
saving, and they are the days InfluxQL and the port's epoch-aligned windows mean. What the city calls a day is summed up
from quarter hours.
"""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.series.port import Aggregate, Times
from lamplighter_controller.series.settings import Retention

QUARTER_HOUR_MS: Final = 15 * 60 * 1000
DAY_MS: Final = 24 * 3600 * 1000
# A window is summarised this long after its end; what comes later makes it due again.
SETTLE_MS: Final = 2 * 60 * 1000


@dataclass(frozen=True, slots=True)
class Horizons:
    """Times before which readings, quarter hours and days are retired; all at the start of a day."""

    raw_ms: int
    quarter_hour_ms: int
    day_ms: int


def horizons(now_ms: int, retention: Retention) -> Horizons:
    """What `retention` means at `now_ms`."""
    today_ms = floor(now_ms, DAY_MS)
    return Horizons(
        raw_ms=today_ms - retention.raw_days * DAY_MS,
        quarter_hour_ms=today_ms - retention.quarter_hour_days * DAY_MS,
        day_ms=today_ms - retention.day_days * DAY_MS,
    )


def settled_ms(now_ms: int) -> int:
    """End of the newest quarter hour that is complete."""
    return floor(now_ms - SETTLE_MS, QUARTER_HOUR_MS)


def floor(time_ms: int, step_ms: int) -> int:
    """Start of the window a time is in."""
    return time_ms - time_ms % step_ms


def late_windows(time_ms: Times, rolled_ms: int) -> list[int]:
    """Starts of the quarter hours among `time_ms` that were summarised already."""
    late: NDArray[np.int64] = time_ms[time_ms < rolled_ms]
    return [int(start) for start in np.unique(late - late % QUARTER_HOUR_MS)] if len(late) else []


def summary(quantity: str, statistic: Aggregate) -> str:
    """Column of a summary; quantities have no dot in their names."""
    return f"{quantity}.{statistic}"
