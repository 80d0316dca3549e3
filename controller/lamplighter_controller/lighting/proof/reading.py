"""Readings of a night out of the series store, in parts that neither it nor our memory finds large."""

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Final

import numpy as np

from lamplighter_contract.quantities import Kind
from lamplighter_controller.series.port import Aggregate, Readings, Series

LAMPS_AT_ONCE: Final = 2_000
CABINETS_AT_ONCE: Final = 200
MOST_ROWS: Final = 3_000_000
DAY_MS: Final = 24 * 3_600_000
LOOK_BACK_MS: Final = 92 * DAY_MS  # a meter that was silent for longer begins anew

LAMP_QUANTITIES: Final = ("power_w", "burning_h", "starts")
CABINET_QUANTITIES: Final = ("power_w", "power_a_w", "power_b_w", "power_c_w", "energy_kwh")


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which devices of a kind, what of them, and from when until when (civil epoch ms)."""

    kind: Kind
    quantities: Sequence[str]
    start_ms: int
    end_ms: int


async def all_readings(
    series: Series, devices: Sequence[str], wanted: Wanted
) -> AsyncIterator[tuple[Sequence[str], Readings]]:
    """All readings, part by part with the devices they are of.

    Raises:
        SeriesUnavailable: the store does not answer.
    """
    size = LAMPS_AT_ONCE if wanted.kind is Kind.LAMP else CABINETS_AT_ONCE
    waiting = [devices[start : start + size] for start in range(0, len(devices), size)]
    while waiting:
        those = waiting.pop()
        found = await series.range(wanted.kind, those, wanted.quantities, wanted.start_ms, wanted.end_ms, MOST_ROWS + 1)
        if len(found.time_ms) > MOST_ROWS and len(those) > 1:
            middle = len(those) // 2
            waiting.extend((those[:middle], those[middle:]))
        else:
            yield those, found


def by_device(readings: Readings) -> Iterator[tuple[str, Readings]]:
    """The rows of each device, which stand together in a store's answer."""
    names = np.array(readings.device, np.str_)
    edges = [0, *(np.flatnonzero(names[1:] != names[:-1]) + 1).tolist(), len(names)]
    for first, last in pairwise(edges if len(names) else []):
        values = {name: column[first:last] for name, column in readings.values.items()}
        device, rows = readings.device[first:last], slice(first, last)
        yield device[0], Readings(readings.kind, device, readings.time_ms[rows], values, readings.quality[rows])


def not_read_before(readings: Readings, time_ms: int) -> list[str]:
    """Devices among these whose register was not read before an instant."""
    register = readings.values.get("energy_kwh")
    if register is None:
        return []
    read = readings.time_ms[~np.isnan(register)], np.array(readings.device, np.str_)[~np.isnan(register)]
    return sorted(set(read[1].tolist()) - set(read[1][read[0] < time_ms].tolist()))


async def last_registers(series: Series, meters: Sequence[str], before_ms: int) -> dict[str, tuple[int, float]]:
    """What registers showed last before an instant: (begin of the UTC day it was read in, kWh).

    Raises:
        SeriesUnavailable: the store does not answer.
    """
    if not meters:
        return {}
    found = await series.windows(
        Kind.CABINET, meters, "energy_kwh", before_ms - LOOK_BACK_MS, before_ms, DAY_MS, Aggregate.LAST
    )
    return {
        name: (int(time_ms), float(kwh))
        for name, time_ms, kwh in zip(found.device, found.start_ms.tolist(), found.value.tolist(), strict=True)
    }
