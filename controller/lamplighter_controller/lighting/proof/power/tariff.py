"""Time-of-use tariffs as data, and bills: energy by band times its price."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from itertools import pairwise
from typing import Annotated, Final
from zoneinfo import ZoneInfo

import msgspec

from lamplighter_contract.light.sky.nights import local_ms
from lamplighter_controller.lighting.inventory import Day, Label

MINUTES: Final = 24 * 60
MONTHS: Final = tuple(range(1, 13))
UNPRICED: Final = ""

Clock = Annotated[str, msgspec.Meta(pattern=r"^([01]\d|2[0-3]):[0-5]\d$|^24:00$")]
Word = Annotated[str, msgspec.Meta(min_length=1, max_length=40)]
TariffName = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Price = Annotated[float, msgspec.Meta(ge=0, le=1_000)]
Month = Annotated[int, msgspec.Meta(ge=1, le=12)]


class Hours(msgspec.Struct, frozen=True, omit_defaults=True):
    """From one civil time until another (24:00: the end of the day) a band; in all months, or in those named."""

    band: Word
    begins: Clock
    ends: Clock
    months: Annotated[tuple[Month, ...], msgspec.Meta(max_length=12)] = ()


class Tariff(msgspec.Struct, frozen=True, omit_defaults=True):
    """Prices per kWh by band, in force from a day on; `id` is what supply points name as their tariff."""

    id: TariffName
    valid_from: Day
    currency: Word
    prices: Annotated[dict[Word, Price], msgspec.Meta(min_length=1, max_length=24)]
    hours: Annotated[tuple[Hours, ...], msgspec.Meta(min_length=1, max_length=200)]
    source: Label = ""


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of time of one local day in one band of a tariff; epoch ms."""

    start_ms: int
    end_ms: int
    day: str
    band: str


@dataclass(frozen=True, slots=True)
class Used:
    """Energy of one local day in one band."""

    day: str
    band: str
    kwh: float


@dataclass(frozen=True, slots=True)
class Charge:
    """One line of a bill; a price of None is one that nobody has set."""

    tariff: str
    band: str
    kwh: float
    price: float | None
    currency: str

    @property
    def cost(self) -> float | None:
        """What it comes to, None without a price."""
        return None if self.price is None else self.kwh * self.price


def faults(tariff: Tariff) -> tuple[str, ...]:
    """All that is wrong with a tariff: every minute of every month has to be in exactly one band that has a price."""
    found = [
        f"hours {number}: no price for {one.band!r}" for number, one in _numbered(tariff) if _unpriced(tariff, one)
    ]
    found += [
        f"hours {number}: {one.begins} is not before {one.ends}; part what passes midnight in two"
        for number, one in _numbered(tariff)
        if _minute(one.begins) >= _minute(one.ends)
    ]
    used = {one.band for one in tariff.hours}
    found += [f"prices: {band!r} has no hours" for band in tariff.prices if band not in used]
    try:
        date.fromisoformat(tariff.valid_from)
    except ValueError:
        found.append(f"valid_from: {tariff.valid_from} is no day")
    return (*found, *dict.fromkeys(fault for month in MONTHS for fault in _month_faults(tariff, month)))


def in_force(tariffs: Iterable[Tariff], name: str, day: date) -> Tariff | None:
    """The newest version of a tariff that is valid on a day."""
    there = [one for one in tariffs if one.id == name and one.valid_from <= day.isoformat()]
    return max(there, key=lambda one: one.valid_from, default=None)


def pieces(tariffs: Sequence[Tariff], name: str, start_ms: int, end_ms: int, zone: ZoneInfo) -> tuple[Piece, ...]:
    """A stretch of time parted by band, in order and without gaps; band `UNPRICED` where no version is valid."""
    found: list[Piece] = []
    day = datetime.fromtimestamp(start_ms / 1000, zone).date()
    while local_ms(day, time(0), zone) < end_ms:
        for begin_ms, until_ms, band in _of_day(in_force(tariffs, name, day), day, zone):
            low_ms, high_ms = max(begin_ms, start_ms), min(until_ms, end_ms)
            if low_ms < high_ms:
                found.append(Piece(low_ms, high_ms, day.isoformat(), band))
        day += timedelta(days=1)
    return tuple(found)


def charge(tariffs: Iterable[Tariff], name: str, used: Used) -> Charge:
    """A line of a bill by the prices of its day."""
    found = in_force(tariffs, name, date.fromisoformat(used.day))
    price = found.prices.get(used.band) if found else None
    return Charge(name, used.band, used.kwh, price, found.currency if found else "")


def _of_day(tariff: Tariff | None, day: date, zone: ZoneInfo) -> list[tuple[int, int, str]]:
    if tariff is None:
        return [(_at(day, 0, zone), _at(day, MINUTES, zone), UNPRICED)]
    those = sorted((one for one in tariff.hours if day.month in (one.months or MONTHS)), key=lambda one: one.begins)
    return [(_at(day, _minute(one.begins), zone), _at(day, _minute(one.ends), zone), one.band) for one in those]


def _at(day: date, minute: int, zone: ZoneInfo) -> int:
    after, minute = divmod(minute, MINUTES)
    return local_ms(day + timedelta(days=after), time(minute // 60, minute % 60), zone)


def _numbered(tariff: Tariff) -> list[tuple[int, Hours]]:
    return list(enumerate(tariff.hours, start=1))


def _unpriced(tariff: Tariff, one: Hours) -> bool:
    return one.band not in tariff.prices


def _minute(clock: str) -> int:
    hour, _, minute = clock.partition(":")
    return int(hour) * 60 + int(minute)


def _month_faults(tariff: Tariff, month: int) -> list[str]:
    """Times of a day in no band, or in several."""
    those = [one for one in tariff.hours if month in (one.months or MONTHS)]
    edges = sorted({0, MINUTES, *(_minute(each) for one in those for each in (one.begins, one.ends))})
    found = []
    for low, high in pairwise(edges):
        times = sum(_minute(one.begins) <= low < _minute(one.ends) for one in those)
        if times != 1:
            what = "in no band" if times == 0 else f"in {times} bands"
            found.append(f"month {month}: {_clock(low)} to {_clock(high)} is {what}")
    return found


def _clock(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"
