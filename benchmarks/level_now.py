"""Levels and reasons of a million lamps at one instant, by programs, adaptive rules, a scene and overrides."""

import gc
import time
from collections.abc import Iterator
from typing import Final

import numpy as np

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from benchmarks.meter import BenchmarkError
from benchmarks.parts.city_plans import HOUR_MS, MIDDAY_MS, city_plans, signals
from lamplighter_contract.light.city.columns import Columns, columns_of
from lamplighter_contract.light.city.levels import levels_at
from lamplighter_contract.light.level import level
from lamplighter_contract.light.view import View

LAMPS: Final = 92  # behind one gateway of Jinan
FULL: Final = 10_870  # gateways: a million lamps
QUICK: Final = 1_087
HOURS: Final = (6, 6.25, 8.1, 9.5, 10.6, 14, 17, 20)  # after midday: dusk, scene, overrides, saving, dawn, day
_COMPARED: Final = 500


def run(effort: Effort) -> Iterator[Figure]:
    """The figure of level-now."""
    begun_s = time.perf_counter()
    views = [View(plan) for plan in city_plans(round(effort.pick(FULL, QUICK)), LAMPS)]
    columns = columns_of(views)
    built_s = time.perf_counter() - begun_s
    gc.collect()
    gc.freeze()  # the plans stay, and looking through them for garbage again and again would be measured instead
    try:
        first_s = _seconds(columns, MIDDAY_MS + HOUR_MS)
        begun_cpu_s = time.process_time()
        seconds = [_seconds(columns, MIDDAY_MS + round(hours * HOUR_MS)) for hours in HOURS]
        cpu_s = (time.process_time() - begun_cpu_s) / len(HOURS)
        scalar_us = _alone_us(views, columns)
    finally:
        gc.unfreeze()
    config = {
        "lamps": len(columns.devices),
        "gateways": len(views),
        "instants": len(HOURS),
        "slowest_s": round(max(seconds), 4),
        "cpu_s": round(cpu_s, 4),
        "first_of_the_night_s": round(first_s, 4),
        "plans_to_columns_s": round(built_s, 2),
        "quick": effort.quick,
        "versions": versions("lamplighter-contract", "numpy"),
    }
    value = float(np.median(seconds))
    together_us = value / len(columns.devices) * 1e6
    peer = {"one by one, µs/lamp": round(scalar_us, 2), "times": round(scalar_us / together_us)}
    yield Figure("level-now.seconds", value, "s", peer, config)


def _seconds(columns: Columns, now_ms: int) -> float:
    given = signals(now_ms)
    begun_s = time.perf_counter()
    levels_at(columns, now_ms, given)
    return time.perf_counter() - begun_s


def _alone_us(views: list[View], columns: Columns) -> float:
    """Microseconds for one lamp by the function gateways use; its levels and reasons must be the same.

    Raises:
        BenchmarkError: they are not.
    """
    now_ms = MIDDAY_MS + round(8.1 * HOUR_MS)
    given, together = signals(now_ms), levels_at(columns, now_ms, signals(now_ms))
    rows = range(0, len(columns.devices), max(len(columns.devices) // _COMPARED, 1))
    begun_s = time.perf_counter()
    alone = [level(views[row // LAMPS], columns.devices[row], now_ms, given) for row in rows]
    spent_s = time.perf_counter() - begun_s
    for row, one in zip(rows, alone, strict=True):
        same = abs((one.level_percent or 0) - together.level_percent[row]) < 1e-6
        if not same or one.why.winner is not together.winner(row):
            raise BenchmarkError(f"{columns.devices[row]}: {one} alone, {together.level_percent[row]} together")
    return spent_s / len(rows) * 1e6
