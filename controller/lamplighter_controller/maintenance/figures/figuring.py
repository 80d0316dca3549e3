"""Figures of orders by month and group, and the list behind each. Pure; bin counts over columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np

from lamplighter_controller.maintenance.figures.columns import By, Orders
from lamplighter_controller.maintenance.figures.definitions import MINUTE_MS, ORDER_FIGURES, Definition

PERCENT: Final = "%"


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure of one group in one month; `value` None when the denominator is nothing.

    `proof`: how many orders of the denominator each kind of proof stands behind.
    """

    figure: str
    by: str
    key: str
    month: str
    numerator: float
    denominator: float
    value: float | None
    unit: str
    proof: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Behind:
    """An order behind a figure, and what it adds to the numerator."""

    order: str
    numerator: float


def month_edges_ms(first: date, count: int, zone: str) -> tuple[list[str], np.ndarray[tuple[int], np.dtype[np.int64]]]:
    """Names of so many months from the one of `first` on, and the (count + 1,) civil epoch ms at which they begin."""
    numbers = [first.year * 12 + first.month - 1 + step for step in range(count + 1)]
    begins = [datetime(one // 12, one % 12 + 1, 1, tzinfo=ZoneInfo(zone)) for one in numbers]
    edges = np.array([round(one.timestamp() * 1000) for one in begins], np.int64)
    return [f"{one:%Y-%m}" for one in begins[:-1]], edges


def figures(orders: Orders, by: By, first: date, count: int, zone: str) -> list[Figure]:
    """Every figure of orders, for each group and month in which it has a denominator."""
    months, edges = month_edges_ms(first, count, zone)
    code, names = orders.group(by)
    found: list[Figure] = []
    for definition in ORDER_FIGURES.values():
        found += _figure(definition, orders, by, (code, names), months, edges)
    return found


def behind(orders: Orders, figure: str, by: By, key: str, month: str, zone: str) -> list[Behind]:
    """The list behind a figure: every order of its denominator."""
    first = date.fromisoformat(f"{month}-01")
    _, edges = month_edges_ms(first, 1, zone)
    counted = ORDER_FIGURES[figure].counted(orders)
    code, names = orders.group(by)
    mine = names.index(key) if key in names else -1
    here = counted.denominator & (counted.at_ms >= edges[0]) & (counted.at_ms < edges[1]) & (code == mine)
    ids = orders.names["id"]
    return [
        Behind(ids[orders.codes["id"][row]], float(counted.numerator[row])) for row in np.flatnonzero(here).tolist()
    ]


def _figure(
    definition: Definition,
    orders: Orders,
    by: By,
    group: tuple[np.ndarray[tuple[int], np.dtype[np.int32]], tuple[str, ...]],
    months: Sequence[str],
    edges: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> list[Figure]:
    counted = definition.counted(orders)
    code, names = group
    month = np.searchsorted(edges, counted.at_ms, side="right") - 1
    rows = counted.denominator & (month >= 0) & (month < len(months))
    cell = month[rows] * len(names) + code[rows]
    size = len(months) * len(names)
    denominator = np.bincount(cell, minlength=size)
    numerator = np.bincount(cell, counted.numerator[rows], minlength=size)
    kinds = orders.names["proof"]
    proven = orders.codes["proof"][rows].astype(np.int64)
    proved = orders.time("proved_ms")[rows] > 0
    proofs = np.bincount(cell[proved] * len(kinds) + proven[proved], minlength=size * len(kinds))
    places = np.flatnonzero(denominator)
    unit, scale = definition.unit, 100.0 if definition.unit == PERCENT else 1.0
    share = numerator[places] / denominator[places] * scale
    columns = (
        places.tolist(),
        numerator[places].tolist(),
        denominator[places].astype(np.float64).tolist(),
        share.tolist(),
        proofs.reshape(size, len(kinds))[places].tolist(),
    )
    mixes: dict[tuple[int, ...], Mapping[str, int]] = {}  # most groups share one of a few
    return [
        Figure(
            definition.name,
            by.value,
            names[place % len(names)],
            months[place // len(names)],
            above,
            below,
            value,
            unit,
            mixes.setdefault(tuple(mix), {kind: n for kind, n in zip(kinds, mix, strict=True) if n}),
        )
        for place, above, below, value, mix in zip(*columns, strict=True)
    ]


def lit_figure(by: str, key: str, month: str, lit_ms: float, dark_ms: float, coverage: Mapping[str, float]) -> Figure:
    """The lit rate of one group in one month; `coverage` is lamp-time in ms by kind of proof."""
    known_ms = lit_ms + dark_ms
    value = lit_ms / known_ms * 100 if known_ms else None
    minutes = {kind: round(time_ms / MINUTE_MS) for kind, time_ms in coverage.items() if time_ms}
    return Figure("lit_rate", by, key, month, lit_ms / MINUTE_MS, known_ms / MINUTE_MS, value, PERCENT, minutes)
