"""CUSUM limits from a stated number of false alarms."""

from dataclasses import dataclass
from math import exp, log
from typing import Final

STEP_REFERENCE: Final = 1.5
"""Deviations up to this many sigma add nothing to the test for steps."""
DRIFT_REFERENCE: Final = 0.75
HEAVY_TAILS: Final = 2.0
"""Residuals of real lamps have heavier tails than the normal ones the formula is for: its limits are doubled."""
BLOCK_S: Final = 900.0
"""Readings closer together than this hang together: they count in proportion to the time they stand for."""
NIGHT_SHARE: Final = 0.5


@dataclass(frozen=True, slots=True)
class Limits:
    """In sigma: where the tests for steps and for drift raise."""

    step: float
    drift: float


def limits(false_raises_per_1000_lamp_days: float, period_s: float) -> Limits:
    """Limits by which the three tests of a lamp together spend the budget."""
    readings_a_day = 86_400 * NIGHT_SHARE / max(period_s, BLOCK_S)
    between = readings_a_day * 1000 / false_raises_per_1000_lamp_days * 3
    return Limits(HEAVY_TAILS * limit_for(between, STEP_REFERENCE), HEAVY_TAILS * limit_for(between, DRIFT_REFERENCE))


def run_length(limit: float, reference: float) -> float:
    """Readings between two false alarms of a one-sided normal CUSUM (Siegmund's approximation)."""
    b = limit + 1.166
    return (exp(2 * reference * b) - 1 - 2 * reference * b) / (2 * reference**2)


def limit_for(readings: float, reference: float) -> float:
    """The limit that has that run length."""
    low, high = 0.0, log(4 * reference**2 * readings + 10) / reference
    for _ in range(60):
        middle = (low + high) / 2
        if run_length(middle, reference) < readings:
            low = middle
        else:
            high = middle
    return high
