"""Dusk and dawn of many places over many nights."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from math import ceil
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt

from lamplighter_contract.light.sky.nights import Place, night
from lamplighter_contract.light.sky.sun import falls

Floats = npt.NDArray[np.float64]
Seconds = npt.NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class SwitchTimes:
    """Places by nights: seconds from the middle of the night (epoch ms).

    Where the sun stays above, both are NaN; where it is already below at the begin, dusk is -inf, and where it still
    is at the end, dawn is inf.
    """

    middle_ms: Floats
    dusk_s: Seconds
    dawn_s: Seconds


def middles_ms(days: Sequence[date], zone: ZoneInfo) -> Floats:
    """The middle of each night, which lasts from noon of a date to the next noon."""
    somewhere = Place(0.0, 0.0, zone)
    nights = (night(day, somewhere) for day in days)
    return np.array([(one.start_ms + one.end_ms) / 2 for one in nights])


def switch_times(
    latitude: Floats, longitude: Floats, middle_ms: Floats, dusk_deg: float, dawn_deg: float
) -> SwitchTimes:
    """Exact for every place; dusk at one elevation, dawn at the other."""
    where = middle_ms[None, :], latitude[:, None], longitude[:, None]
    evening = falls(*where, dusk_deg, np)
    morning = evening if dawn_deg == dusk_deg else falls(*where, dawn_deg, np)
    dusk_s = np.where(evening.sets, (evening.dusk_ms - middle_ms) / 1000, -np.inf)
    dawn_s = np.where(morning.rises, (morning.dawn_ms - middle_ms) / 1000, np.inf)
    return SwitchTimes(
        middle_ms,
        np.where(evening.dark, dusk_s, np.nan).astype(np.float32),
        np.where(morning.dark, dawn_s, np.nan).astype(np.float32),
    )


def switch_times_by_grid(
    latitude: Floats,
    longitude: Floats,
    middle_ms: Floats,
    dusk_deg: float,
    dawn_deg: float,
    step_deg: float = 0.5,
) -> SwitchTimes:
    """Exact at the corners of a grid and bilinear between them; good to 0.2 s in Jinan at the default step.

    Where the sun does not cross at some corner every place is computed exactly.
    """
    rows, row_weights = _axis(latitude, step_deg)
    columns, column_weights = _axis(longitude, step_deg)
    corner_latitude, corner_longitude = (each.ravel() for each in np.meshgrid(rows, columns, indexing="ij"))
    corners = switch_times(corner_latitude, corner_longitude, middle_ms, dusk_deg, dawn_deg)
    if not (np.isfinite(corners.dusk_s).all() and np.isfinite(corners.dawn_s).all()):
        return switch_times(latitude, longitude, middle_ms, dusk_deg, dawn_deg)
    weights = (row_weights[:, :, None] * column_weights[:, None, :]).reshape(len(latitude), -1)
    dusk_s, dawn_s = (np.matmul(weights, seconds, dtype=np.float32) for seconds in (corners.dusk_s, corners.dawn_s))
    return SwitchTimes(middle_ms, dusk_s, dawn_s)


def _axis(degrees: Floats, step_deg: float) -> tuple[Floats, Seconds]:
    """Corners along one axis, and how much of each corner a place has."""
    low, high = float(degrees.min()), float(degrees.max())
    parts = max(ceil((high - low) / step_deg), 1)
    corners = np.linspace(low, max(high, low + 1e-6), parts + 1)
    position = (degrees - corners[0]) / (corners[1] - corners[0])
    weights = np.maximum(0, 1 - np.abs(position[:, None] - np.arange(parts + 1)))
    return corners, weights.astype(np.float32)
