"""What comes from outside, drawn for the whole campaign beforehand: mains voltage, rain, air."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.campaign.network import Network
from lamplighter_firmware_sim.campaign.programs import DAY_MS

Array = NDArray[np.float64]
Index = NDArray[np.int64]

_SOURCE_V: Final = 231.5


@dataclass(frozen=True, slots=True)
class Sag:
    """A dip of one transformer's voltage by `depth` (0.06 to 0.14 of it)."""

    transformer: int
    start_ms: int
    end_ms: int
    depth: float


@dataclass(frozen=True, slots=True)
class Storm:
    """Hours of rain with bad radio."""

    start_ms: int
    end_ms: int
    rain_mm_h: float
    loss: float


@dataclass(frozen=True)
class Surroundings:
    """One row per step: `cabinet_v` (steps, cabinets, 3), `air_c` and `rain_mm_h` (steps,)."""

    step_ms: Index
    cabinet_v: Array
    air_c: Array
    rain_mm_h: Array


def surroundings_of(
    random: np.random.Generator, network: Network, step_ms: Index, sags: list[Sag], storms: list[Storm]
) -> Surroundings:
    """Voltage of every cabinet and phase, and the weather."""
    steps, cabinets = len(step_ms), network.size.cabinets
    hour = (step_ms % DAY_MS) / 3_600_000
    daily = -4.5 * np.exp(-(((hour - 11.7) / 2.2) ** 2)) + 2.5 * np.sin(2 * np.pi * (hour - 13.5) / 24)
    at_transformer = _wandering(random, (steps, network.transformers), 0.93, 1.3)
    at_cabinet = _wandering(random, (steps, cabinets, 3), 0.8, 0.5)
    voltage = _SOURCE_V + daily[:, None] + at_transformer
    for sag in sags:
        during = (step_ms + 300_000 >= sag.start_ms) & (step_ms < sag.end_ms)
        voltage[during, sag.transformer] *= 1 - sag.depth
    offset = random.normal(0, 0.8, (cabinets, 3))
    return Surroundings(
        step_ms=step_ms,
        cabinet_v=voltage[:, network.cabinet_transformer, None] + at_cabinet + offset,
        air_c=7 + 6 * np.sin(2 * np.pi * (hour - 2) / 24) + _wandering(random, (steps,), 0.99, 2.0),
        rain_mm_h=_rain(step_ms, storms),
    )


def _rain(step_ms: Index, storms: list[Storm]) -> Array:
    rain = np.zeros(len(step_ms))
    for storm in storms:
        rain[(step_ms >= storm.start_ms) & (step_ms < storm.end_ms)] = storm.rain_mm_h
    return rain


def _wandering(random: np.random.Generator, shape: tuple[int, ...], keep: float, spread: float) -> Array:
    """An AR(1) walk along the first axis with this standard deviation."""
    walk = np.empty(shape)
    walk[0] = random.normal(0, spread, shape[1:])
    fresh = random.normal(0, spread * np.sqrt(1 - keep * keep), shape)
    for step in range(1, shape[0]):
        walk[step] = keep * walk[step - 1] + fresh[step]
    return walk
