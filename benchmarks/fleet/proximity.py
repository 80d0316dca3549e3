"""The rule in use elsewhere: a truck that was at a site and then stands far from every known place has dumped there.

As read in code of existing platforms: within 500 m, below 15 km/h for 180 s is at a place; one alarm in two hours.
"""

from typing import Final

import numpy as np

from benchmarks.fleet.judged import Found
from lamplighter_firmware_sim.trucks.weeks.week import Week

NEAR_M: Final = 500.0
SLOW_KMH: Final = 15.0
STAY_S: Final = 180.0
AGAIN_S: Final = 7_200.0


def proximity(week: Week) -> list[Found]:
    """Its alarms."""
    return [found for truck in range(week.trucks) for found in _truck(week, truck)]


def _truck(week: Week, truck: int) -> list[Found]:
    shown = week.shown.at(np.flatnonzero(week.truck == truck))
    near = {
        kind: np.min(
            [np.hypot(shown.east_m - one.east_m, shown.north_m - one.north_m) for one in week.chart.of(kind)], axis=0
        )
        < NEAR_M
        for kind in ("site", "ground", "wash", "parking", "service")
    }
    anywhere = np.any(list(near.values()), axis=0)
    found: list[Found] = []
    loaded, since_s, alarmed_s = False, None, -AGAIN_S
    for at, time_s in enumerate(shown.time_s.tolist()):
        if shown.speed_kmh[at] >= SLOW_KMH:
            since_s = None
            continue
        since_s = time_s if since_s is None else since_s
        if time_s - since_s <= STAY_S:
            continue
        if near["site"][at]:
            loaded = True
        elif near["ground"][at]:
            loaded = False
        elif loaded and not anywhere[at] and time_s - alarmed_s > AGAIN_S:
            alarmed_s = time_s
            found.append(Found(truck, "dump_outside", since_s, 1.0, time_s))
    return found
