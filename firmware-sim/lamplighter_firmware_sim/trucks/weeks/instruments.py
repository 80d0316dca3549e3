"""What a truck's instruments show of its life: noise, canyons, gaps, clocks, and sensors that broke."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.trucks.weeks.chart import Chart
from lamplighter_firmware_sim.trucks.weeks.life import DAY_S, EMPTY, FLAT, FULL, HALF, SHUT, UP, Life

Floats = NDArray[np.float64]
Codes = NDArray[np.int8]
BROKEN: Final = -2
SILENT: Final = -1
SENSORS: Final = ("lift", "load", "cover")
_PERIODS_S: Final = (15.0, 20.0, 30.0)


@dataclass(slots=True)
class Shown:
    """Reports of one truck in the order in which they came; seconds of the week, metres of the town."""

    time_s: Floats
    received_s: Floats
    east_m: Floats
    north_m: Floats
    speed_kmh: Floats
    odometer_km: Floats
    ignition: Codes
    lift: Codes
    cover: Codes
    load: Codes

    def at(self, chosen: NDArray[np.intp] | NDArray[np.bool_]) -> "Shown":
        """Some of them."""
        return Shown(*(getattr(self, name)[chosen] for name in Shown.__slots__))


def show(life: Life, rng: np.random.Generator, ills: dict[str, str]) -> Shown:
    """Reports of a week; `ills` says how a sensor is broken: coded, silent, low or high."""
    knots = np.array(life.rows)
    time_s = _times(knots, rng)
    at = np.searchsorted(knots[:, 0], time_s, side="right") - 1
    east_m = np.interp(time_s, knots[:, 0], knots[:, 1])
    north_m = np.interp(time_s, knots[:, 0], knots[:, 2])
    speed_kmh = _speeds(knots)[at]
    driven_km = np.r_[0.0, np.cumsum(np.hypot(np.diff(east_m), np.diff(north_m)))] / 1000
    states = knots[at, 3:].astype(np.int8)
    shown = Shown(
        time_s, time_s + rng.uniform(0.2, 2.0, len(time_s)), *_positions(life.chart, east_m, north_m, time_s, rng),
        np.maximum(0.0, speed_kmh + (speed_kmh > 0) * rng.normal(0, 0.8, len(time_s))), 10_000 + driven_km,
        states[:, 3], states[:, 0], states[:, 2], states[:, 1],
    )  # fmt: skip
    _break(shown, rng, ills)
    return _delivered(shown, rng)


def _times(knots: Floats, rng: np.random.Generator) -> Floats:
    """Evenly while the ignition is on, every few minutes while it is off."""
    period_s = float(rng.choice(_PERIODS_S))
    grid = np.arange(float(rng.uniform(0, period_s)), knots[-1, 0], period_s)
    running = knots[np.searchsorted(knots[:, 0], grid, side="right") - 1, 6] > 0
    seldom = np.arange(len(grid)) % max(1, round(300 / period_s)) == 0
    chosen: Floats = np.round(grid[running | seldom], 0)
    return chosen


def _speeds(knots: Floats) -> Floats:
    moved_m = np.hypot(np.diff(knots[:, 1]), np.diff(knots[:, 2]))
    speeds: Floats = np.r_[moved_m / np.maximum(np.diff(knots[:, 0]), 1e-9) * 3.6, 0.0]
    return speeds


def _positions(
    chart: Chart, east_m: Floats, north_m: Floats, time_s: Floats, rng: np.random.Generator
) -> tuple[Floats, Floats]:
    """A few metres of noise; between high houses echoes shift whole minutes by some tens of metres."""
    canyon = np.hypot(east_m, north_m) < chart.canyon_m
    minute = (time_s // 120).astype(int)
    shift = rng.normal(0, 28, (int(minute[-1]) + 1, 2))[minute] * canyon[:, None]
    noise = rng.normal(0, 4, (len(time_s), 2)) + shift
    wild = rng.random(len(time_s)) < 0.0003
    noise[wild] += rng.normal(0, 20_000, (int(wild.sum()), 2))
    return east_m + noise[:, 0], north_m + noise[:, 1]


def _break(shown: Shown, rng: np.random.Generator, ills: dict[str, str]) -> None:
    """Sensors that are broken all week, or from some day on; load sensors see things a report late, or flicker."""
    if rng.random() < 0.25:
        shown.load = np.r_[shown.load[:1], shown.load[:-1]]
    flicker = rng.random(len(shown.load)) < 0.0004
    shown.load = np.where(flicker, np.where(shown.load > EMPTY, EMPTY, FULL), shown.load).astype(np.int8)
    if rng.random() < 0.4:  # it knows no halves
        shown.load[shown.load == HALF] = FULL
    for sensor, how in ills.items():
        values = {"coded": BROKEN, "silent": SILENT, "low": EMPTY, "high": FULL if sensor == "load" else UP}
        since_s = 0.0 if rng.random() < 0.75 else float(rng.uniform(0, shown.time_s[-1]))
        getattr(shown, sensor)[shown.time_s >= since_s] = values[how]


def _delivered(shown: Shown, rng: np.random.Generator) -> Shown:
    """Losses, stored stretches, repeats, reports out of order, and a clock in the wrong zone now and then."""
    count = len(shown.time_s)
    kept = rng.random(count) > 0.004
    for start_s in rng.uniform(0, shown.time_s[-1], rng.poisson(shown.time_s[-1] / DAY_S * 0.5)):
        kept &= ~((shown.time_s > start_s) & (shown.time_s < start_s + rng.uniform(60, 600)))
    for start_s in rng.uniform(0, shown.time_s[-1], rng.poisson(0.4)):
        inside = (shown.time_s > start_s) & (shown.time_s < start_s + rng.uniform(600, 3_000))
        shown.received_s[inside] = start_s + 3_000
    if rng.random() < 0.05:
        start_s = float(rng.uniform(0, shown.time_s[-1]))
        wrong = (shown.time_s > start_s) & (shown.time_s < start_s + 1_800)
        shown.time_s = shown.time_s + wrong * float(rng.choice([-8, 8])) * 3_600
    order = np.arange(count, dtype=float)
    order[rng.random(count) < 0.002] += 1.5
    twice = np.flatnonzero(rng.random(count) < 0.005)
    rows = np.r_[np.flatnonzero(kept), twice[kept[twice]]]
    chosen: NDArray[np.intp] = rows[np.argsort(order[rows], kind="stable")]
    return shown.at(chosen)


def ills_of(rng: np.random.Generator, share: float) -> dict[str, str]:
    """Which sensors of a truck are broken, and how; `share` of all sensors are."""
    ways = {"lift": ("coded", "silent", "low", "high"), "load": ("coded", "silent", "low", "high")}
    ways["cover"] = ("coded", "silent", "low", "high")
    return {sensor: str(rng.choice(ways[sensor])) for sensor in SENSORS if rng.random() < share}


def one_dead(rng: np.random.Generator) -> dict[str, str]:
    """Exactly one of the two sensors that see dumping is dead."""
    sensor = str(rng.choice(["lift", "load"]))
    return {sensor: str(rng.choice(["coded", "silent", "low"] + (["high"] if sensor == "load" else [])))}


assert (FLAT, SHUT) == (EMPTY, EMPTY), "low means flat, shut and empty alike"
