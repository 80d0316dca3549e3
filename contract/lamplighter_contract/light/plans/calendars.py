"""Calendars: which program runs in which night; the first rule that matches its date wins."""

import re
from calendar import monthrange
from datetime import date
from functools import lru_cache
from typing import Annotated, Final

import msgspec

from lamplighter_contract.light.plans.programs import Name

_YEARLY: Final = "--"
_FORM: Final = re.compile(r"(--|\d{4}-)(\d\d)-(\d\d)")
_LEAP_YEAR: Final = "2024-"

Day = Annotated[str, msgspec.Meta(min_length=7, max_length=10)]
Weekday = Annotated[int, msgspec.Meta(ge=1, le=7)]
Occurrence = Annotated[int, msgspec.Meta(ge=-1, le=5)]


class Rule(msgspec.Struct, frozen=True, omit_defaults=True):
    """A program for the nights that meet every condition given; a night is dated by the noon it begins at.

    Days are `yyyy-mm-dd`, or `--mm-dd` for every year; a yearly range may run over the year's end. `weekdays` from
    1 = Monday; `occurrences` of that weekday in its month, -1 the last. `dates` and `holidays` (names of the
    calendar's lists) are alternatives to each other.
    """

    id: Name
    program: Name
    start: Day | None = None
    end: Day | None = None
    weekdays: frozenset[Weekday] = frozenset()
    occurrences: frozenset[Occurrence] = frozenset()
    dates: Annotated[frozenset[Day], msgspec.Meta(max_length=400)] = frozenset()
    holidays: frozenset[Name] = frozenset()

    def __post_init__(self) -> None:
        """Refuse days that are none, and ranges that end before they start."""
        if (self.start is None) != (self.end is None):
            raise ValueError(f"rule {self.id}: start and end go together")
        if self.start is not None and self.end is not None:
            if check_day(self.start) != check_day(self.end):
                raise ValueError(f"rule {self.id}: start {self.start} and end {self.end} are not of one form")
            if self.start > self.end and not self.start.startswith(_YEARLY):
                raise ValueError(f"rule {self.id}: end {self.end} comes before start {self.start}")
        for day in self.dates:
            check_day(day)


class Calendar(msgspec.Struct, frozen=True, omit_defaults=True):
    """Rules by precedence, the program of all other nights, and lists of holidays by name."""

    id: Name
    default_program: Name
    rules: Annotated[tuple[Rule, ...], msgspec.Meta(max_length=400)] = ()
    holidays: dict[Name, Annotated[frozenset[Day], msgspec.Meta(max_length=400)]] = {}

    def __post_init__(self) -> None:
        """Refuse days that are none."""
        for days in self.holidays.values():
            for day in days:
                check_day(day)


def check_day(day: str) -> bool:
    """True for a day of every year, False for one of a certain year.

    Raises:
        ValueError: it is neither `yyyy-mm-dd` nor `--mm-dd`, or there is no such day.
    """
    form = _FORM.fullmatch(day)
    if form is None:
        raise ValueError(f"day is {day!r}, expected yyyy-mm-dd or --mm-dd")
    yearly = form[1] == _YEARLY
    try:
        date.fromisoformat((_LEAP_YEAR if yearly else form[1]) + f"{form[2]}-{form[3]}")
    except ValueError as error:
        raise ValueError(f"day is {day!r}: {error}") from error
    return yearly


def rule_of(calendar: Calendar, day: date) -> Rule | None:
    """The first rule that matches the night beginning at noon of that date; None: the default program runs."""
    return next((rule for rule in calendar.rules if matches(rule, calendar, day)), None)


def program_of(calendar: Calendar, day: date) -> str:
    """Id of the program of that night."""
    rule = rule_of(calendar, day)
    return calendar.default_program if rule is None else rule.program


def matches(rule: Rule, calendar: Calendar, day: date) -> bool:
    """True when the date meets every condition of the rule."""
    return (
        _in_range(rule, day)
        and (not rule.weekdays or day.isoweekday() in rule.weekdays)
        and (not rule.occurrences or not rule.occurrences.isdisjoint(_occurrences(day)))
        and (not (rule.dates or rule.holidays) or _listed(rule, calendar, day))
    )


def _in_range(rule: Rule, day: date) -> bool:
    if rule.start is None or rule.end is None:
        return True
    this = _forms(day)[rule.start.startswith(_YEARLY)]
    if rule.start <= rule.end:
        return rule.start <= this <= rule.end
    return this >= rule.start or this <= rule.end


def _listed(rule: Rule, calendar: Calendar, day: date) -> bool:
    forms = _forms(day)
    lists = [rule.dates, *(calendar.holidays.get(name, frozenset()) for name in rule.holidays)]
    return any(form in days for days in lists for form in forms)


@lru_cache(maxsize=1024)  # a city asks for the same night of thousands of gateways
def _forms(day: date) -> tuple[str, str]:
    """The date, and the day of every year, as rules write them."""
    return day.isoformat(), f"--{day.month:02}-{day.day:02}"


def _occurrences(day: date) -> set[int]:
    last = monthrange(day.year, day.month)[1]
    return {(day.day - 1) // 7 + 1} | ({-1} if day.day > last - 7 else set())
