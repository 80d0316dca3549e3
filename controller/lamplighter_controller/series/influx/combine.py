"""Aggregates of one window that come from two sources (readings, and summaries before them) made into one."""

from collections.abc import Sequence

import numpy as np

from lamplighter_controller.series.influx.influxql import Table, times
from lamplighter_controller.series.port import Aggregate, Floats, Windows

NEEDED = {aggregate: (aggregate,) for aggregate in Aggregate} | {Aggregate.MEAN: (Aggregate.MEAN, Aggregate.COUNT)}


def combine(sources: Sequence[Sequence[Table]], aggregate: Aggregate) -> Windows:
    """One value per device and window, ordered by device, then time; sources come oldest first."""
    tables = [table for source in sources for table in source]
    if not tables:
        return Windows((), np.empty(0, np.int64), np.empty(0))
    device = np.repeat([table.device for table in tables], [len(table.rows) for table in tables])
    numbers = [table.numbers() for table in tables]
    start_ms = times(np.concatenate([each["time"] for each in numbers]))
    columns = {each: np.concatenate([of[each] for of in numbers]) for each in NEEDED[aggregate]}
    order = np.lexsort((start_ms, device))
    device, start_ms = device[order], start_ms[order]
    new = np.ones(len(order), np.bool_)
    new[1:] = (device[1:] != device[:-1]) | (start_ms[1:] != start_ms[:-1])
    first = np.flatnonzero(new)
    value = _reduce({each: column[order] for each, column in columns.items()}, first, aggregate)
    return Windows(device[first].tolist(), start_ms[first], value)


def _reduce(
    columns: dict[Aggregate, Floats], first: np.ndarray[tuple[int], np.dtype[np.intp]], aggregate: Aggregate
) -> Floats:
    column = columns[aggregate]
    value: Floats
    match aggregate:
        case Aggregate.MEAN:
            count = columns[Aggregate.COUNT]
            value = np.add.reduceat(column * count, first) / np.add.reduceat(count, first)
        case Aggregate.MINIMUM:
            value = np.minimum.reduceat(column, first)
        case Aggregate.MAXIMUM:
            value = np.maximum.reduceat(column, first)
        case Aggregate.COUNT:
            value = np.add.reduceat(column, first)
        case Aggregate.LAST:
            value = column[np.append(first[1:], len(column)) - 1]
    return value
