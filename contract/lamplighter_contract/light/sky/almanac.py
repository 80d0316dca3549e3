"""A local table of sunrise and sunset, and where a computed sun strays from it (fail-safe rule L-6)."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time
from typing import Annotated, Final

import msgspec

from lamplighter_contract.light.sky.nights import Place, local_ms, night
from lamplighter_contract.light.sky.sun import HORIZON_DEG

BAND_MIN: Final = 10.0

Name = Annotated[str, msgspec.Meta(min_length=1, max_length=64)]
Day = Annotated[str, msgspec.Meta(pattern=r"^--(0[1-9]|1[0-2])-(0[1-9]|[12]\d|3[01])$")]
Clock = Annotated[time, msgspec.Meta(tz=False)]


class Row(msgspec.Struct, frozen=True):
    """A day of every year, with its civil times."""

    day: Day
    sunrise: Clock
    sunset: Clock


class Almanac(msgspec.Struct, frozen=True):
    """The days a city's table has."""

    id: Name
    rows: Annotated[tuple[Row, ...], msgspec.Meta(min_length=1, max_length=366)]

    def __post_init__(self) -> None:
        """Refuse days that are none."""
        for row in self.rows:
            _on(row, 2024)


@dataclass(frozen=True, slots=True)
class Stray:
    """A sun that is too far from the table."""

    day: date
    what: str
    computed: time
    table: time

    def __str__(self) -> str:
        """As a person reads it."""
        return (
            f"{self.what} is at {self.computed.isoformat('minutes')} by its position, at "
            f"{self.table.isoformat('minutes')} by the local table: more than {BAND_MIN:g} min apart"
        )


def strays(almanac: Almanac, place: Place, year: int) -> Iterator[Stray]:
    """Sunrises and sunsets at a place that are further from the table than the band; 29 February counts if there."""
    for row in almanac.rows:
        if row.day == "--02-29" and not _leaps(year):
            continue
        day = _on(row, year)
        evening = night(day, place).darkness(HORIZON_DEG).dusk_ms
        morning = night(date.fromordinal(day.toordinal() - 1), place).darkness(HORIZON_DEG).dawn_ms
        for what, computed_ms, table in (("sunrise", morning, row.sunrise), ("sunset", evening, row.sunset)):
            if abs(computed_ms - local_ms(day, table, place.zone)) > BAND_MIN * 60_000:
                computed = datetime.fromtimestamp(computed_ms / 1000, place.zone).time()
                yield Stray(day, what, computed, table)


def _on(row: Row, year: int) -> date:
    return date(year, int(row.day[2:4]), int(row.day[5:7]))


def _leaps(year: int) -> bool:
    return year % 4 == 0 and (year % 100 != 0 or year % 400 == 0)
