"""Limits that were accepted for trucks, and what is known of a truck when one is judged. Pure.

A limit stays on disk until the truck's own status says that it is over: its end is a debt, not a timer.
"""

from dataclasses import dataclass
from enum import StrEnum
from math import inf
from typing import Final

from lamplighter_contract.truck.interlock import Known
from lamplighter_gateway.drivers.port import Point, Reading


class What(StrEnum):
    """What is limited."""

    SPEED = "speed"
    LIFT = "lift"


POINTS: Final = {What.SPEED: Point.SPEED_LIMIT, What.LIFT: Point.LIFT_LIMIT}
STATUS: Final = {What.SPEED: "speed_limited", What.LIFT: "lift_limited"}


LimitKey = tuple[str, What]
Outline = tuple[tuple[float, float], ...]  # latitude and longitude of each corner


@dataclass(frozen=True, slots=True)
class Limit:
    """One limit of one truck; `until` in civil, `expires` in real epoch ms. A released one is only a debt any more.

    `sent` is the last bound that went to the terminal and may be in force, `confirmed` the last one that its own
    status proved; None = none. Where nothing was ever sent, a limit that the truck shows is somebody else's. Within
    `closed` it is not tightened.
    """

    device: str
    what: What
    target: float
    until: int
    expires: int
    command: str
    seq: int
    released: bool = False
    sent: float | None = None
    confirmed: float | None = None
    closed: tuple[Outline, ...] = ()

    @property
    def key(self) -> LimitKey:
        """There is one limit of a kind for a truck: a newer one takes its place."""
        return self.device, self.what

    def due(self, civil_ms: int) -> bool:
        """True when it is to be over."""
        return self.released or civil_ms >= self.until


@dataclass(frozen=True, slots=True)
class Sight:
    """What a truck last told, and the clock it is judged by: `rate` civil seconds pass in a real one."""

    reading: Reading | None
    civil_ms: int
    wall_ms: int
    rate: float

    @property
    def seen_ms(self) -> int | None:
        """When it was where it said, in real epoch ms."""
        if self.reading is None:
            return None
        return round(self.wall_ms - (self.civil_ms - self.reading.time_ms) / self.rate)

    @property
    def age_s(self) -> float:
        """How long ago that was, in real seconds; without end where nothing is known."""
        return inf if self.seen_ms is None else abs(self.wall_ms - self.seen_ms) / 1000

    def shows(self, what: What) -> bool | None:
        """What its own status says of a limit; None = nothing."""
        value = None if self.reading is None else self.reading.values.get(STATUS[what])
        return value if isinstance(value, bool) else None


def within(outline: Outline, latitude: float, longitude: float) -> bool:
    """True inside an outline: a line to the east crosses its sides an odd number of times."""
    inside = False
    for (south, west), (north, east) in zip(outline, (*outline[1:], outline[0]), strict=True):
        if (south > latitude) != (north > latitude):
            inside ^= longitude < west + (latitude - south) / (north - south) * (east - west)
    return inside


def known(sight: Sight, limit: Limit) -> Known:
    """A truck as the interlock wants it."""
    values = {} if sight.reading is None else sight.reading.values
    limited = sight.shows(limit.what)
    latitude, longitude = values.get("latitude"), values.get("longitude")
    place = (latitude, longitude) if isinstance(latitude, float) and isinstance(longitude, float) else None
    speed, lift, ignition = values.get("speed_kmh"), values.get("lift"), values.get("ignition")
    return Known(
        seen_ms=None if place is None else sight.seen_ms,
        speed_kmh=float(speed) if isinstance(speed, int | float) else None,
        ignition=ignition if isinstance(ignition, bool) else None,
        lift=lift if isinstance(lift, str) else None,
        forbidden_place=place is not None and any(within(outline, *place) for outline in limit.closed),
        limit_kmh=limit.confirmed if limited and limit.what is What.SPEED else None,
        foreign=bool(limited) and limit.sent is None,
    )
