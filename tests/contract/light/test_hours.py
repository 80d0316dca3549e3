"""Lit hours of a year against the table worked out for Jinan."""

from datetime import date, time

import msgspec
import pytest

from lamplighter_contract.light.plans.calendars import Calendar, Rule
from lamplighter_contract.light.plans.hours import lit_nights, shortest_and_longest
from lamplighter_contract.light.plans.programs import Levels, Program, RoadClass, Step
from lamplighter_contract.light.sky.moments import ClockMoment, SunEvent, SunMoment
from lamplighter_contract.light.view import View
from tests.contract.light.samples import SAMPLE


def year_of(calendar: Calendar, *programs: Program, road_class: RoadClass | None = None):
    plan = msgspec.structs.replace(SAMPLE, programs=programs, calendars=(calendar,), circuits=(), assignments=())
    return lit_nights(View(plan), calendar.id, road_class, date(2025, 1, 1), 365)


@pytest.mark.parametrize(
    ("dusk_deg", "dawn_deg", "hours"), [(-0.833, -0.833, 4311), (-3, -3, 4170), (-3, -4, 4137), (-6, -6, 3974)]
)
def test_hours_of_a_year_in_jinan(dusk_deg, dawn_deg, hours):
    program = Program("p", Levels(100), SunMoment(SunEvent.DUSK, dusk_deg), SunMoment(SunEvent.DAWN, dawn_deg))
    year = year_of(Calendar("c", "p"), program)
    assert sum(one.lit_h for one in year) == pytest.approx(hours, abs=5)
    shortest, longest = shortest_and_longest(year)
    assert abs(shortest.day - date(2025, 6, 21)).days <= 3
    assert abs(longest.day - date(2025, 12, 21)).days <= 3


def test_saving_mode_of_the_published_practice_lasts_as_long_as_was_worked_out():
    """2,314 hours at the low level: with every lamp at half of it, 28 % of 4,137 hours are saved."""
    on, off, low = SunMoment(SunEvent.DUSK, -3.0), SunMoment(SunEvent.DAWN, -4.0), Levels(50)
    summer = Program("summer", Levels(100), on, off, (Step(ClockMoment(time(23, 30)), low),))
    before_off = SunMoment(SunEvent.DAWN, -4.0, offset_min=-60)
    winter = Program(
        "winter", Levels(100), on, off, (Step(ClockMoment(time(22, 30)), low), Step(before_off, Levels(100)))
    )
    year = year_of(Calendar("c", "summer", (Rule("w", "winter", "--10-01", "--03-31"),)), summer, winter)
    low_h = sum(one.lit_h - one.full_h for one in year) * 2
    assert low_h == pytest.approx(2314, abs=12)


def test_a_ramp_counts_half():
    steps = (Step(ClockMoment(time(23)), Levels(0), 3600),)
    one = year_of(Calendar("c", "p"), Program("p", Levels(100), ClockMoment(time(20)), ClockMoment(time(5)), steps))[0]
    assert (one.lit_h, one.full_h) == (3, 3.5)
