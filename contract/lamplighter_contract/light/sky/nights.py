"""A night: from noon of one local date to noon of the next, at one place, in UTC."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache
from typing import Final
from zoneinfo import ZoneInfo

from lamplighter_contract.light.sky.sun import falls

NOON: Final = time(12)
_DAY: Final = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Place:
    """Where a night is seen: WGS-84 degrees and the civil zone."""

    latitude: float
    longitude: float
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class Darkness:
    """From `dusk_ms` until `dawn_ms` the sun stands below an elevation, epoch ms UTC.

    They always exist and lie within the night. Where the sun stays below, darkness is the whole night; where it stays
    above, dusk is the night's end and dawn its begin, so that dusk comes after dawn.
    """

    dusk_ms: int
    dawn_ms: int

    @property
    def never(self) -> bool:
        """True when the sun stays above."""
        return self.dusk_ms >= self.dawn_ms


@dataclass(frozen=True)
class Night:
    """Noon to noon, `start_ms` until `end_ms`; 23 or 25 hours long when the clock changes."""

    date: date
    place: Place
    start_ms: int
    end_ms: int
    known: dict[float, Darkness] = field(default_factory=dict, compare=False, repr=False)

    def darkness(self, below_deg: float) -> Darkness:
        """When the sun stands below an elevation; computed once."""
        found = self.known.get(below_deg)
        if found is None:
            found = self.known[below_deg] = self._darkness(below_deg)
        return found

    def clock_ms(self, clock: time) -> int:
        """Epoch ms of a civil time of this night: from 12:00 on of its date, before 12:00 of the next."""
        return local_ms(self.date if clock >= NOON else self.date + _DAY, clock, self.place.zone)

    def within(self, time_ms: float) -> int:
        """The nearest instant of the night."""
        return min(max(round(time_ms), self.start_ms), self.end_ms)

    def _darkness(self, below_deg: float) -> Darkness:
        middle_ms = (self.start_ms + self.end_ms) / 2
        found = falls(middle_ms, self.place.latitude, self.place.longitude, below_deg)
        return darkness_of(self, found.dusk_ms, found.dawn_ms, found.sets, found.rises, found.dark)


def darkness_of(night: Night, dusk_ms: float, dawn_ms: float, sets: bool, rises: bool, dark: bool) -> Darkness:
    """What `sun.falls` found for the middle of a night, as that night sees it."""
    if not dark:
        return Darkness(night.end_ms, night.start_ms)
    return Darkness(
        night.within(dusk_ms) if sets else night.start_ms,
        night.within(dawn_ms) if rises else night.end_ms,
    )


def night(day: date, place: Place) -> Night:
    """The night that begins at noon of a local date."""
    return Night(day, place, local_ms(day, NOON, place.zone), local_ms(day + _DAY, NOON, place.zone))


def date_of_night(time_ms: int, zone: ZoneInfo) -> date:
    """The local date at whose noon the night around an instant began."""
    day = datetime.fromtimestamp(time_ms / 1000, zone).date()
    while time_ms < local_ms(day, NOON, zone):
        day -= _DAY
    return day


@lru_cache(maxsize=1024)  # a city asks for the same civil times of thousands of gateways
def local_ms(day: date, clock: time, zone: ZoneInfo) -> int:
    """Epoch ms of a civil time.

    What comes twice when a clock is put back means the first; what is left out when it is put forward means the
    moment of the change, so that the order of civil times is never turned round.
    """
    first = datetime.combine(day, clock, zone).replace(fold=0)
    first_s, second_s = first.timestamp(), first.replace(fold=1).timestamp()
    if second_s < first_s:
        return _change_s(round(second_s), round(first_s), zone) * 1000
    return round(first_s * 1000)


def _change_s(before_s: int, after_s: int, zone: ZoneInfo) -> int:
    """The first second with the later second's offset from UTC."""
    wanted = _offset(after_s, zone)
    while after_s - before_s > 1:
        middle_s = (before_s + after_s) // 2
        before_s, after_s = (before_s, middle_s) if _offset(middle_s, zone) == wanted else (middle_s, after_s)
    return after_s


def _offset(time_s: int, zone: ZoneInfo) -> timedelta | None:
    return datetime.fromtimestamp(time_s, UTC).astimezone(zone).utcoffset()
