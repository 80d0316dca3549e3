"""Tracks of trucks from the series store, and the whole fleet over a time."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_controller.fleet.judging.fixes import Floats, Rows, Times
from lamplighter_controller.fleet.live.history import between
from lamplighter_controller.series.port import Readings, Series

TRACK: Final = ("latitude", "longitude", "speed_kmh", "heading_deg", "lift", "cover", "load", "speed_limited")
REPLAYED: Final = ("latitude", "longitude", "speed_kmh")
MOST_POINTS: Final = 20_000


@dataclass(frozen=True, slots=True)
class Frames:
    """Positions of many trucks, ordered by time; `truck` is the row in the list that was asked for."""

    truck: Rows
    time_ms: Times
    values: dict[str, Floats]
    thinned: bool


async def track(series: Series, device: str, start_ms: int, end_ms: int) -> Readings:
    """What one terminal told over a time.

    Raises:
        SeriesUnavailable: the store does not answer.
    """
    return await series.range(Kind.TRUCK, [device], TRACK, start_ms, end_ms, MOST_POINTS)


async def replay(series: Series, devices: Sequence[str], span: tuple[int, int], step_ms: int, most: int) -> Frames:
    """At most one position of each terminal in each step, and at most `most` in all.

    Raises:
        SeriesUnavailable: the store does not answer.
    """
    found = await between(series, devices, *span, REPLAYED)
    row_of = {device: row for row, device in enumerate(devices)}
    truck = np.array([row_of[name] for readings in found for name in readings.device], np.intp)
    time_ms = np.concatenate([np.zeros(0, np.int64), *(readings.time_ms for readings in found)])
    values = {
        name: np.concatenate([np.zeros(0), *(one.values.get(name, np.full(len(one.device), np.nan)) for one in found)])
        for name in REPLAYED
    }
    placed = np.isfinite(values["latitude"])
    step = (time_ms - span[0]) // step_ms
    order = np.lexsort((time_ms, step, truck))
    order = order[placed[order]]
    first = np.ones(len(order), bool)
    first[1:] = (truck[order][1:] != truck[order][:-1]) | (step[order][1:] != step[order][:-1])
    chosen = order[first]
    chosen = chosen[np.argsort(time_ms[chosen], kind="stable")]
    kept = chosen[:most]
    return Frames(
        truck[kept], time_ms[kept], {name: column[kept] for name, column in values.items()}, len(chosen) > most
    )
