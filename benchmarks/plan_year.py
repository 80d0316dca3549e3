"""A year of dusks and dawns for every lamp of a city, against the astral package on a sample of lamps."""

import time
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
from astral import Observer, SunDirection
from astral.sun import time_at_elevation

from benchmarks.figure import Effort, Figure
from benchmarks.machine import versions
from benchmarks.parts.city_plans import LATITUDES, LONGITUDES, ZONE
from lamplighter_contract.light.city.switch_times import (
    Floats,
    SwitchTimes,
    middles_ms,
    switch_times,
    switch_times_by_grid,
)
from lamplighter_contract.light.plans.presets import OFF, ON

LAMPS: Final = 100_000
SAMPLE: Final = 1_000
QUICK_SAMPLE: Final = 50
DAYS: Final = tuple(date(2026, 1, 1) + timedelta(days=number) for number in range(365))
RUNS: Final = 5


def run(effort: Effort) -> Iterator[Figure]:
    """The figures of plan-year."""
    draw = np.random.default_rng(1)
    latitudes, longitudes = draw.uniform(*LATITUDES, LAMPS), draw.uniform(*LONGITUDES, LAMPS)
    begun_cpu_s = time.process_time()
    measured = [_grid(latitudes, longitudes) for _ in range(RUNS)]
    cpu_s = (time.process_time() - begun_cpu_s) / RUNS
    seconds = float(np.median([spent_s for spent_s, _ in measured]))
    found = measured[-1][1]
    sample = round(effort.pick(SAMPLE, QUICK_SAMPLE))
    astral_s, apart_s = _astral(latitudes[:sample], longitudes[:sample], found)
    config = {
        "lamps": LAMPS,
        "nights": len(DAYS),
        "result_mib": round((found.dusk_s.nbytes + found.dawn_s.nbytes) / 2**20),
        "sample": sample,
        "quick": effort.quick,
        "versions": versions("lamplighter-contract", "numpy", "astral"),
    }
    slowest_s = max(spent_s for spent_s, _ in measured)
    times = {"runs": RUNS, "slowest_s": round(slowest_s, 3), "cpu_s": round(cpu_s, 3)}
    yield Figure("plan-year.seconds", seconds, "s", config={**config, **times})
    ratio = (astral_s / sample) / (seconds / LAMPS)
    peer = {"astral, s": round(astral_s, 2), "largest difference, s": round(apart_s, 1)}
    yield Figure("plan-year.vs_astral", ratio, "times", peer, config)
    error_s = _error_s(latitudes[:SAMPLE], longitudes[:SAMPLE], found)
    yield Figure("plan-year.error_s", error_s, "s", {"against": "the same formulas at each lamp's own place"}, config)


def _grid(latitudes: Floats, longitudes: Floats) -> tuple[float, SwitchTimes]:
    begun_s = time.perf_counter()
    middles = middles_ms(DAYS, ZoneInfo(ZONE))
    found = switch_times_by_grid(latitudes, longitudes, middles, ON.elevation_deg, OFF.elevation_deg)
    return time.perf_counter() - begun_s, found


def _error_s(latitudes: Floats, longitudes: Floats, found: SwitchTimes) -> float:
    exact = switch_times(latitudes, longitudes, found.middle_ms, ON.elevation_deg, OFF.elevation_deg)
    rows = len(latitudes)
    errors = [np.abs(found.dusk_s[:rows] - exact.dusk_s), np.abs(found.dawn_s[:rows] - exact.dawn_s)]
    return float(max(each.max() for each in errors))


def _astral(latitudes: Floats, longitudes: Floats, found: SwitchTimes) -> tuple[float, float]:
    """Seconds astral takes for these lamps, and the largest difference of a switch time, seconds.

    It is asked by UTC date: in China's zone, dusk and the dawn after it lie on the same one.
    """
    places = [Observer(*place) for place in zip(latitudes.tolist(), longitudes.tolist(), strict=True)]
    begun_s = time.perf_counter()
    dusks = [time_at_elevation(one, ON.elevation_deg, day, SunDirection.SETTING) for one in places for day in DAYS]
    dawns = [time_at_elevation(one, OFF.elevation_deg, day, SunDirection.RISING) for one in places for day in DAYS]
    spent_s = time.perf_counter() - begun_s
    apart_s = 0.0
    for theirs, ours in ((dusks, found.dusk_s), (dawns, found.dawn_s)):
        seconds = np.array([each.timestamp() for each in theirs]).reshape(len(places), -1)
        apart = seconds - (found.middle_ms / 1000 + ours[: len(places)])
        apart_s = max(apart_s, float(np.abs(apart).max()))
    return spent_s, apart_s
