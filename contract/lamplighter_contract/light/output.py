"""Constant light output: new luminaires are held below full power and raised as they age, so that light stays equal."""

from collections.abc import Sequence
from itertools import pairwise
from typing import Final

Curve = Sequence[tuple[float, float]]

EXAMPLE: Final[Curve] = ((0.0, 80.0), (20_000.0, 100.0))  # of TALQ 2.7.1; a model's own comes from its maker


def constant_percent(curve: Curve, burning_h: float) -> float:
    """The share of full power after so many hours of burning; (hours, percent) points in order of hours."""
    first_h, first_percent = curve[0]
    if burning_h <= first_h:
        return first_percent
    for (from_h, from_percent), (to_h, to_percent) in pairwise(curve):
        if burning_h < to_h:
            return from_percent + (to_percent - from_percent) * (burning_h - from_h) / (to_h - from_h)
    return curve[-1][1]
