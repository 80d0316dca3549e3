"""A whole week of a fleet, reports and truth, from a seed."""

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from lamplighter_firmware_sim.trucks.weeks.chart import Chart, draw
from lamplighter_firmware_sim.trucks.weeks.instruments import Shown, ills_of, one_dead, show
from lamplighter_firmware_sim.trucks.weeks.life import Deed, Life, Ways, live

FAULTY: Final = 0.05


@dataclass(frozen=True, slots=True)
class Done:
    """A deed of a truck."""

    truck: int
    deed: Deed


@dataclass(frozen=True, slots=True)
class Week:
    """All reports in the order they came, `truck` beside each; `done` is the truth."""

    chart: Chart
    trucks: int
    days: int
    truck: NDArray[np.intp]
    shown: Shown
    done: tuple[Done, ...]


def week(seed: int, trucks: int, days: int = 7, *, dead: bool = False) -> Week:
    """Reports of a fleet; with `dead` each truck lost its lift or its load sensor, else 5 % of all sensors broke."""
    rng = np.random.default_rng((seed, trucks, days, dead))
    chart = draw(rng)
    parts, done = [], []
    for truck in range(trucks):
        own = np.random.default_rng((seed, truck, dead))
        life = Life(chart, own)
        live(life, days, Ways())
        ills = one_dead(own) if dead else ills_of(own, FAULTY)
        parts.append(show(life, own, ills))
        done += [Done(truck, deed) for deed in life.deeds]
    columns = [np.concatenate([getattr(part, name) for part in parts]) for name in Shown.__slots__]
    rows = np.repeat(np.arange(trucks), [len(part.time_s) for part in parts])
    return Week(chart, trucks, days, rows.astype(np.intp), Shown(*columns), tuple(done))
