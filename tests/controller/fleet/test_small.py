"""Permits by day and hour, codes, terminals' states carried into another judge, what is told of limits."""

from datetime import datetime
from zoneinfo import ZoneInfo

import numpy as np
import pytest

from lamplighter_controller.fleet.judging.violations import Class
from lamplighter_controller.fleet.limits.unlocking import code_of
from lamplighter_controller.fleet.live.carrying import put_state, state_of
from lamplighter_controller.fleet.policies.policy import Policy, read, tried
from lamplighter_controller.fleet.register.holding import holding, holds
from lamplighter_controller.fleet.register.things import Permit, Weekday
from lamplighter_controller.fleet.violations.book import Book
from lamplighter_controller.fleet.violations.violation import Violation
from tests.controller.fleet.days import Day, fixes, judge


@pytest.mark.parametrize(("counter", "code"), [(0, "755224"), (1, "287082"), (2, "359152"), (9, "520489")])
def test_codes_are_those_of_the_rfc(counter, code):
    assert code_of(b"12345678901234567890", counter) == code


def local(year, month, day, hour=0, minute=0):
    return datetime(year, month, day, hour, minute, tzinfo=ZoneInfo("Asia/Shanghai"))


def permit(**more):
    return Permit("p", "truck", "site", "ground", "2026-11-01", "2026-11-30", **more)


@pytest.mark.parametrize(
    ("more", "now", "expected"),
    [
        ({}, local(2026, 11, 20, 12), True),
        ({}, local(2026, 12, 1), False),
        ({"suspended": True}, local(2026, 11, 20, 12), False),
        ({"start": "22:00", "end": "05:00"}, local(2026, 11, 20, 23), True),
        ({"start": "22:00", "end": "05:00"}, local(2026, 11, 20, 12), False),
        ({"start": "22:00", "end": "05:00", "days": (Weekday.FRI,)}, local(2026, 11, 21, 4), True),
        ({"start": "22:00", "end": "05:00", "days": (Weekday.FRI,)}, local(2026, 11, 20, 4), False),
    ],
)
def test_a_permit_holds_on_its_days_and_within_its_hours(more, now, expected):
    assert holds(permit(**more), now) is expected
    assert holding([permit(**more)], now, suspended=True) is None


def test_what_was_seen_of_a_truck_goes_on_in_another_row_of_another_judge():
    before = judge(2)
    before.judge(fixes(Day(truck=1).stand(200, load=2)))
    after = judge(3)
    put_state(after, state_of(before), np.array([1, -1, 0]))
    assert after.sensors.loaded.tolist() == [2, -1, -1]
    assert after.track.time_ms[0] == before.track.time_ms[1] > 0
    assert after.track.time_ms[1] == 0


def violation(first_ms, last_ms, truck="a", kind=Class.COVER_OPEN, **more):
    return Violation(f"{truck}-{first_ms}", truck, "red", kind.value, 1.0, first_ms, last_ms, 0, 0, **more)


def test_a_trial_counts_who_would_have_been_limited_and_how_often():
    policy = Policy("cover", (Class.COVER_OPEN,), "!", limit_kmh=30.0, patience_s=30, for_s=600)
    told = [
        violation(0, 20_000),
        violation(100_000, 200_000),
        violation(150_000, 160_000),
        violation(900_000, 990_000),
        violation(0, 90_000, "b"),
        violation(0, 90_000, "c", late=True),
        violation(0, 90_000, "d", Class.OVERSPEED),
    ]
    trial = tried(policy, told, 2_000_000)
    assert (trial.trucks, trial.times) == (2, 3)


@pytest.mark.parametrize(
    ("change", "where"),
    [
        ({}, []),
        ({"limit_kmh": 5}, ["limit_kmh"]),
        ({"limit_kmh": None}, ["limit_kmh"]),
        ({"what": "lift"}, ["limit_kmh"]),
        ({"what": "lift", "limit_kmh": None}, []),
        ({"classes": ["flying"], "text": "", "colour": "red", "for_s": 9e9}, ["classes", "text", "colour", "for_s"]),
    ],
)
def test_everything_wrong_with_a_policy_is_told_at_once(change, where):
    values = {"id": "cover", "classes": ["cover_open"], "text": "!", "limit_kmh": 30} | change
    found = read(values)
    assert ([] if isinstance(found, Policy) else sorted(one.where for one in found)) == sorted(where)
    nothing = read({})
    assert not isinstance(nothing, Policy)
    assert {one.where for one in nothing} == {"id", "classes", "text", "limit_kmh"}


def test_the_same_episode_told_again_is_no_other_one():
    book = Book()
    first = book.begun(violation(1_000, None), 1_000)
    assert first is not None
    assert first.new
    assert book.begun(violation(1_000, None), 1_000) is None
    over = book.ended("a", "cover_open", 9_000)
    assert over is not None
    assert over.violation.last_ms == 9_000
    assert book.begun(violation(1_000, 9_000), 9_000) is None
    again = book.begun(violation(60_000, None), 60_000)
    assert again is not None
    assert (again.new, again.violation.times, again.violation.last_ms) == (False, 2, None)
    assert book.ended("a", "cover_open", 70_000) is not None
    later = book.begun(violation(7_000_000, None), 7_000_000)
    assert later is not None
    assert later.new
