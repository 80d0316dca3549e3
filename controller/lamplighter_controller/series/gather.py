"""Batches as they arrive made into rows a store can take: checked, one set of columns per kind, one row per key."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from itertools import chain, filterfalse
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_contract.ids import is_id
from lamplighter_contract.quantities import Kind, quantity
from lamplighter_controller.series.port import Floats, Readings, Rejection

# Line protocol counts nanoseconds in 64 bits: up to the year 2262.
LATEST_MS: Final = 9_000_000_000_000


def gather(batches: Sequence[Readings], known: AbstractSet[str]) -> tuple[list[Readings], list[Rejection]]:
    """One `Readings` per kind without repeated keys, and what can never be stored; `known` ids need no check."""
    by_kind: dict[Kind, list[Readings]] = {}
    for batch in batches:
        by_kind.setdefault(batch.kind, []).append(batch)
    rejected: list[Rejection] = []
    joined = (_check(_join(kind, of_kind), known, rejected) for kind, of_kind in by_kind.items())
    return [_merge_repeats(readings) for readings in joined if len(readings.device)], rejected


def select(readings: Readings, rows: NDArray[np.bool_]) -> Readings:
    """The rows where the mask is true."""
    if rows.all():
        return readings
    return Readings(
        kind=readings.kind,
        device=[readings.device[row] for row in np.flatnonzero(rows).tolist()],
        time_ms=readings.time_ms[rows],
        values={name: column[rows] for name, column in readings.values.items()},
        quality=readings.quality[rows],
    )


def _join(kind: Kind, batches: list[Readings]) -> Readings:
    if len(batches) == 1:
        return batches[0]
    names = dict.fromkeys(chain.from_iterable(batch.values for batch in batches))
    return Readings(
        kind=kind,
        device=list(chain.from_iterable(batch.device for batch in batches)),
        time_ms=np.concatenate([batch.time_ms for batch in batches]),
        values={name: np.concatenate([_column(batch, name) for batch in batches]) for name in names},
        quality=np.concatenate([batch.quality for batch in batches]),
    )


def _column(batch: Readings, name: str) -> Floats:
    column = batch.values.get(name)
    return np.full(len(batch.device), np.nan) if column is None else column


def _check(readings: Readings, known: AbstractSet[str], rejected: list[Rejection]) -> Readings:
    detail: dict[int, str] = {}
    strange = {device for device in filterfalse(known.__contains__, readings.device) if not is_id(device)}
    if strange:
        detail |= {row: "not a device id" for row, device in enumerate(readings.device) if device in strange}
    outside = (readings.time_ms < 0) | (readings.time_ms > LATEST_MS)
    detail |= dict.fromkeys(np.flatnonzero(outside).tolist(), "time outside the store's range")
    for name, column in readings.values.items():
        if quantity(readings.kind, name) is None:
            unknown = np.flatnonzero(~np.isnan(column)).tolist()
            detail |= dict.fromkeys(unknown, f"{name} is no quantity of a {readings.kind}")
        infinite = np.isinf(column)
        if infinite.any():
            detail |= dict.fromkeys(np.flatnonzero(infinite).tolist(), f"{name} is infinite")
    if not detail:
        return readings
    rejected += [
        Rejection(readings.kind, readings.device[row], int(readings.time_ms[row]), detail[row])
        for row in sorted(detail)
    ]
    good = np.ones(len(readings.device), dtype=np.bool_)
    good[list(detail)] = False
    return select(readings, good)


def _merge_repeats(readings: Readings) -> Readings:
    if len(set(readings.device)) == len(readings.device):
        return readings
    keys = list(zip(readings.device, readings.time_ms.tolist(), strict=True))
    place: dict[tuple[str, int], int] = {}
    row_place = np.fromiter((place.setdefault(key, len(place)) for key in keys), np.intp, len(keys))
    if len(place) == len(keys):
        return readings

    def merged(column: Floats) -> Floats:
        result = np.full(len(place), np.nan)
        read = ~np.isnan(column)
        result[row_place[read]] = column[read]  # of repeated places the last assignment stays
        return result

    quality = np.zeros(len(place), np.uint8)
    quality[row_place] = readings.quality
    return Readings(
        kind=readings.kind,
        device=[device for device, _ in place],
        time_ms=np.array([time_ms for _, time_ms in place], np.int64),
        values={name: merged(column) for name, column in readings.values.items()},
        quality=quality,
    )
