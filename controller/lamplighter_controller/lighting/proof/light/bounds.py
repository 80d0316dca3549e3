"""What the meter of a supply point proves of lamps that say nothing themselves.

At each instant of a check the metered power, less what lamps that speak draw, is what the silent ones use. So many of
the weakest could use it at most, so many of the strongest must: the number of lit lamps lies between. Which ones they
are is proven only where all are lit or all are dark; else the numbers count for groups that hold all silent lamps of
the supply point.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from lamplighter_controller.series.port import Floats

Flags = NDArray[np.bool_]


@dataclass(frozen=True, slots=True)
class Tolerances:
    """What may differ with nothing wrong: meters of class 2, the mean of many lamps, deadbands of reports, drivers."""

    meter: float = 0.02
    lamp: float = 0.05
    slack_w: float = 60.0
    slack_lamp_w: float = 2.0


@dataclass(frozen=True, slots=True)
class Supply:
    """One supply point at k instants, with its m silent lamps.

    Args:
        metered_w: (k,) power; NaN where the meter says nothing.
        spoken_w: (k,) what its other lamps draw by their own word.
        lamps: how many lamps it feeds in all.
        silent: (m, k) lamps that are required and proven neither lit nor dark.
        least_w: (m,) what each draws at least when lit as planned.
        most_w: (m,) what each draws at full power.
        stray_w: (k,) what silent lamps that are not required could draw none the less.
    """

    metered_w: Floats
    spoken_w: Floats
    lamps: int
    silent: Flags
    least_w: Floats
    most_w: Floats
    stray_w: Floats


@dataclass(frozen=True, slots=True)
class Bound:
    """What the meter proves, in lamps times instants.

    Args:
        all_lit: (m,) instants at which every silent lamp was lit.
        all_dark: (m,) instants at which every silent lamp was dark.
        some_lit: lamps that must have been lit at other instants, nobody knows which.
        some_dark: lamps that must have been dark then.
        silent: (m,) instants at which the lamp was silent.
    """

    all_lit: Floats
    all_dark: Floats
    some_lit: float
    some_dark: float
    silent: Floats


def bound(supply: Supply, tolerances: Tolerances | None = None) -> Bound:
    """The fewest and the most silent lamps that can have been lit, instant by instant."""
    tolerance = tolerances or Tolerances()
    silent, count = supply.silent, supply.silent.sum(axis=0)
    slack = tolerance.slack_w + tolerance.slack_lamp_w * supply.lamps
    low_w = supply.metered_w * (1 - tolerance.meter) - supply.spoken_w - supply.stray_w - slack
    high_w = supply.metered_w * (1 + tolerance.meter) - supply.spoken_w + slack
    strongest = _summed(-np.where(silent, supply.most_w[:, None], 0.0)) * -(1 + tolerance.lamp)
    weakest = _summed(np.where(silent, supply.least_w[:, None], np.inf)) * (1 - tolerance.lamp)
    must = (strongest < low_w - 1e-9).sum(axis=0) + (low_w > 1e-9)
    may = (weakest <= high_w).sum(axis=0)
    usable = ~np.isnan(supply.metered_w) & (count > 0) & (must <= count) & (must <= may)
    lit, dark = np.where(usable, must, 0), np.where(usable, count - may, 0)
    all_lit, all_dark = usable & (lit == count), usable & (dark == count)
    rest = usable & ~all_lit & ~all_dark
    return Bound(
        (silent & all_lit).sum(axis=1).astype(np.float64),
        (silent & all_dark).sum(axis=1).astype(np.float64),
        float(lit[rest].sum()),
        float(dark[rest].sum()),
        silent.sum(axis=1).astype(np.float64),
    )


def _summed(power_w: Floats) -> Floats:
    """Sums of the smallest 1, 2, 3 … at each instant."""
    found: Floats = np.cumsum(np.sort(power_w, axis=0), axis=0)
    return found
