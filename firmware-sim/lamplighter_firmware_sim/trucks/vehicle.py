"""The physics of one truck: motion along its way, body, cover, load, and the limits its own controller enforces. Pure.

Nothing from outside brakes it: a limit only takes torque away, and the truck rolls down to it.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from lamplighter_firmware_sim.trucks.roads import Leg, Point

GAIN_KMH_PER_S: Final = 2.2
BRAKE_KMH_PER_S: Final = 4.5
ROLL_KMH_PER_S: Final = 1.6  # without torque
LIFT_DEG_PER_S: Final = 2.5
HIGHEST_DEG: Final = 48.0
SLIDES_DEG: Final = 25.0  # from here on the load slides
SLIDE_PER_S: Final = 0.06
RAISED_DEG: Final = 5.0


@dataclass(slots=True)
class Vehicle:
    """One truck now; `legs` is the rest of its way. `lift_to_deg` is where the driver's lever is."""

    point: Point
    legs: list[Leg] = field(default_factory=list)
    speed_kmh: float = 0.0
    heading_deg: float = 0.0
    odometer_km: float = 20_000.0
    ignition: bool = False
    load: float = 0.0  # share of its capacity
    cover_open: bool = False
    lift_deg: float = 0.0
    lift_to_deg: float = 0.0
    limit_kmh: float = 0.0  # 0: none
    lift_limited: bool = False
    hurry: float = 1.0  # how much faster than honest the driver goes

    @property
    def raised(self) -> bool:
        """Whether the body is up."""
        return self.lift_deg > RAISED_DEG

    @property
    def arrived(self) -> bool:
        """Whether it stands at the end of its way."""
        return not self.legs and self.speed_kmh == 0.0

    def go(self, legs: Sequence[Leg]) -> None:
        """Take another way."""
        self.legs = list(legs)

    def lever(self, degrees: float) -> None:
        """Raise or lower; a lift limit keeps a flat body from being raised, and never one from being lowered."""
        if self.lift_limited and not self.raised and degrees > 0:
            return
        self.lift_to_deg = degrees

    def step(self, seconds: float) -> None:
        """Let time pass; at most a few seconds."""
        self._move(seconds)
        change = LIFT_DEG_PER_S * seconds
        self.lift_deg += max(-change, min(change, self.lift_to_deg - self.lift_deg))
        if self.lift_deg > SLIDES_DEG:
            self.load = max(0.0, self.load - SLIDE_PER_S * seconds)

    def _move(self, seconds: float) -> None:
        wanted_kmh = self._wanted()
        capped_kmh = min(wanted_kmh, self.limit_kmh) if self.limit_kmh else wanted_kmh
        if self.speed_kmh <= capped_kmh:
            self.speed_kmh = min(capped_kmh, self.speed_kmh + GAIN_KMH_PER_S * seconds)
        else:  # the driver brakes for the road; for a limit it only rolls
            rate = BRAKE_KMH_PER_S if self.speed_kmh > wanted_kmh else ROLL_KMH_PER_S
            self.speed_kmh = max(capped_kmh, self.speed_kmh - rate * seconds)
        self._forward(self.speed_kmh / 3.6 * seconds)

    def _wanted(self) -> float:
        """What the driver wants: the pace of the road, slow enough to stop at the end of the way."""
        if not self.legs or not self.ignition:
            return 0.0
        left_m = math.dist(self.point, self.legs[0].end) + sum(leg.length_m for leg in self.legs[1:3])
        if len(self.legs) > 3:
            return self.legs[0].pace_kmh * self.hurry
        stopping_kmh = math.sqrt(2 * left_m * BRAKE_KMH_PER_S * 3.6) * 0.7
        return min(self.legs[0].pace_kmh * self.hurry, max(3.0, stopping_kmh))

    def _forward(self, metres: float) -> None:
        self.odometer_km += metres / 1000 if self.legs else 0.0
        while self.legs and metres > 0:
            end = self.legs[0].end
            left_m = math.dist(self.point, end)
            if left_m > metres:
                self._turn(end)
                share = metres / left_m
                east, north = (a + (b - a) * share for a, b in zip(self.point, end, strict=True))
                self.point = east, north
                return
            self.point, metres = end, metres - left_m
            self.legs.pop(0)
        if not self.legs:
            self.speed_kmh = 0.0

    def _turn(self, end: Point) -> None:
        self.heading_deg = math.degrees(math.atan2(end[0] - self.point[0], end[1] - self.point[1])) % 360
