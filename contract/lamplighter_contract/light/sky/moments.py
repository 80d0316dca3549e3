"""Moments of a night: a civil clock time, or the sun at an elevation."""

from datetime import time
from enum import StrEnum
from typing import Annotated, Final

import msgspec

from lamplighter_contract.light.sky.nights import Night
from lamplighter_contract.light.sky.sun import HORIZON_DEG

_MINUTE_MS: Final = 60_000

Clock = Annotated[time, msgspec.Meta(tz=False)]
Minutes = Annotated[float, msgspec.Meta(ge=0, le=720)]


class SunEvent(StrEnum):
    """The sun goes below an elevation, or comes back above it."""

    DUSK = "dusk"
    DAWN = "dawn"


class ClockMoment(msgspec.Struct, frozen=True, tag_field="by", tag="clock"):
    """A civil time `hh:mm:ss`: from 12:00:00 on in the evening of a night's date, before it the next morning."""

    at: Clock

    def __str__(self) -> str:
        """As a person says it."""
        return self.at.isoformat("minutes") if not self.at.second else self.at.isoformat("seconds")


class SunMoment(msgspec.Struct, frozen=True, tag_field="by", tag="sun", omit_defaults=True):
    """The sun at a geometric elevation, moved by an offset, then held within bounds.

    `horizon_within_min`: dusk at most so many minutes after sunset, dawn at most so many before sunrise; this also
    makes a moment of a sun that sets but does not reach the elevation. `earliest` and `latest` have the last word.
    """

    event: SunEvent
    elevation_deg: Annotated[float, msgspec.Meta(ge=-18, le=10)] = -3.0
    offset_min: Annotated[float, msgspec.Meta(ge=-720, le=720)] = 0.0
    horizon_within_min: Minutes | None = None
    earliest: Clock | None = None
    latest: Clock | None = None

    def __str__(self) -> str:
        """As a person says it."""
        offset = f" {self.offset_min:+g} min" if self.offset_min else ""
        return f"{self.event} at {self.elevation_deg:g}°{offset}"


Moment = ClockMoment | SunMoment


def instant_ms(moment: Moment, night: Night) -> int:
    """The instant of a moment in one night, epoch ms, always within it.

    A sun that stays above: dusk is the night's end and dawn its begin, whatever the bounds say. A sun that stays
    below: dusk is the begin and dawn the end, and bounds hold.
    """
    if isinstance(moment, ClockMoment):
        return night.within(night.clock_ms(moment.at))
    darkness = night.darkness(moment.elevation_deg)
    time_ms: float = darkness.dusk_ms if moment.event is SunEvent.DUSK else darkness.dawn_ms
    if night.start_ms < time_ms < night.end_ms:
        time_ms += moment.offset_min * _MINUTE_MS
    bounded_ms = _near_horizon(moment, night, time_ms)
    if darkness.never and bounded_ms == time_ms:
        return round(time_ms)
    return night.within(_by_clock(moment, night, bounded_ms))


def _near_horizon(moment: SunMoment, night: Night, time_ms: float) -> float:
    horizon = night.darkness(HORIZON_DEG)
    if moment.horizon_within_min is None or horizon.never:
        return time_ms
    within_ms = moment.horizon_within_min * _MINUTE_MS
    if moment.event is SunEvent.DUSK:
        return min(time_ms, horizon.dusk_ms + within_ms)
    return max(time_ms, horizon.dawn_ms - within_ms)


def _by_clock(moment: SunMoment, night: Night, time_ms: float) -> float:
    if moment.earliest is not None:
        time_ms = max(time_ms, night.clock_ms(moment.earliest))
    if moment.latest is not None:
        time_ms = min(time_ms, night.clock_ms(moment.latest))
    return time_ms
