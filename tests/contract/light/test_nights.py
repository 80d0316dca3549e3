"""Nights, moments, programs and calendars: dates the clock makes awkward, polar suns, precedence."""

from datetime import UTC, date, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.light.plans.calendars import Calendar, Rule, program_of, rule_of
from lamplighter_contract.light.plans.programs import Levels, Program, RoadClass, Step, level_at, span_at, timeline
from lamplighter_contract.light.sky.moments import ClockMoment, SunEvent, SunMoment, instant_ms
from lamplighter_contract.light.sky.nights import Place, date_of_night, local_ms, night
from tests.contract.light.samples import days, programs

JINAN = Place(36.67, 117.0, ZoneInfo("Asia/Shanghai"))
BERLIN = Place(52.52, 13.4, ZoneInfo("Europe/Berlin"))
TROMSO = Place(69.65, 18.96, ZoneInfo("Europe/Oslo"))
APIA = Place(-13.83, -171.77, ZoneInfo("Pacific/Apia"))
HOUR_MS = 3_600_000


def clock(text: str) -> ClockMoment:
    return ClockMoment(time.fromisoformat(text))


def utc(time_ms: int) -> str:
    return datetime.fromtimestamp(time_ms / 1000, UTC).strftime("%m-%d %H:%M")


DUSK, DAWN = SunMoment(SunEvent.DUSK), SunMoment(SunEvent.DAWN, -4.5)
HALF = Program("half", Levels(100), DUSK, DAWN, (Step(clock("23:30"), Levels(50, {RoadClass.MAIN: 70}), 60),))


@pytest.mark.parametrize(
    ("place", "day", "hours"),
    [
        (JINAN, date(2025, 12, 31), 24),
        (JINAN, date(2024, 2, 29), 24),
        (BERLIN, date(2025, 3, 29), 23),
        (BERLIN, date(2025, 3, 30), 24),
        (BERLIN, date(2025, 10, 25), 25),
        (APIA, date(2011, 12, 29), 12),  # the day after was left out of this zone's calendar
        (APIA, date(2011, 12, 30), 12),
    ],
)
def test_a_night_lasts_from_noon_to_noon_whatever_the_clock_does(place, day, hours):
    this, following = night(day, place), night(day + timedelta(days=1), place)
    assert this.end_ms - this.start_ms == hours * HOUR_MS
    assert this.end_ms == following.start_ms


@pytest.mark.parametrize(
    ("day", "at", "expected"),
    [
        (date(2025, 3, 30), "01:59", "03-30 00:59"),
        (date(2025, 3, 30), "02:30", "03-30 01:00"),  # left out: the moment of the change
        (date(2025, 3, 30), "03:10", "03-30 01:10"),
        (date(2025, 10, 26), "02:30", "10-26 00:30"),  # twice: the first
        (date(2025, 10, 26), "03:00", "10-26 02:00"),
    ],
)
def test_civil_times_of_clock_changes(day, at, expected):
    assert utc(local_ms(day, time.fromisoformat(at), BERLIN.zone)) == expected


@settings(deadline=None)
@given(st.integers(946_684_800_000, 2_840_140_800_000), st.sampled_from([JINAN, BERLIN, TROMSO, APIA]))
def test_every_instant_lies_in_exactly_one_night(time_ms, place):
    day = date_of_night(time_ms, place.zone)
    this = night(day, place)
    assert this.start_ms <= time_ms < this.end_ms


def test_moments_are_bounded_by_horizon_and_clock():
    jinan = night(date(2025, 6, 21), JINAN)
    plain = instant_ms(SunMoment(SunEvent.DUSK, -6.0), jinan)
    sunset = instant_ms(SunMoment(SunEvent.DUSK, -0.833), jinan)
    assert plain - sunset > 25 * 60_000
    assert instant_ms(SunMoment(SunEvent.DUSK, -6.0, horizon_within_min=25), jinan) == sunset + 25 * 60_000
    assert instant_ms(SunMoment(SunEvent.DUSK, offset_min=-10), jinan) == instant_ms(DUSK, jinan) - 600_000
    assert utc(instant_ms(SunMoment(SunEvent.DUSK, latest=time(19, 0)), jinan)) == "06-21 11:00"
    assert utc(instant_ms(SunMoment(SunEvent.DAWN, earliest=time(6, 0)), jinan)) == "06-21 22:00"


def test_polar_day_is_off_and_polar_night_is_lit_throughout():
    summer, winter = night(date(2025, 6, 21), TROMSO), night(date(2025, 12, 21), TROMSO)
    everything_below_the_horizon = Program("w", Levels(100), SunMoment(SunEvent.DUSK, -0.833), DAWN)
    assert [span.level_percent for span in timeline(HALF, summer)] == [0]
    assert timeline(everything_below_the_horizon, winter)[0].level_percent == 100
    bounded = SunMoment(SunEvent.DUSK, latest=time(22, 0))
    assert instant_ms(bounded, summer) == summer.end_ms


def test_a_sun_that_sets_but_never_gets_to_the_elevation_can_be_bounded_by_the_horizon():
    lulea = night(date(2025, 6, 21), Place(65.0, 22.15, ZoneInfo("Europe/Stockholm")))
    dusk, dawn = (SunMoment(event, -6.0, horizon_within_min=5) for event in SunEvent)
    assert instant_ms(SunMoment(SunEvent.DUSK, -6.0), lulea) == lulea.end_ms
    assert 0 < instant_ms(dawn, lulea) - instant_ms(dusk, lulea) < 3 * HOUR_MS


def test_a_night_of_a_program_by_class_and_ramp():
    jinan = night(date(2025, 6, 21), JINAN)
    spans = timeline(HALF, jinan, RoadClass.MAIN)
    assert [(span.level_percent, span.source) for span in spans] == [
        (0, "before"),
        (100, "begin"),
        (70, "step 1"),
        (0, "after"),
    ]
    saving_ms = spans[2].start_ms
    assert utc(saving_ms) == "06-21 15:30"
    assert [level_at(spans, saving_ms + s * 1000) for s in (-1, 0, 30, 60, 61)] == [100, 100, 85, 70, 70]
    assert level_at(timeline(HALF, jinan, RoadClass.ALLEY), saving_ms + 60_000) == 50


@pytest.mark.parametrize(
    ("begins", "ends", "steps", "expected"),
    [
        ("18:00", "06:00", [("22:00", 50), ("05:00", 100)], [0, 100, 50, 100, 0]),
        ("23:00", "06:00", [("22:00", 50)], [0, 50, 0]),  # what was due before the begin is there at the begin
        ("18:00", "21:00", [("22:00", 50)], [0, 100, 0]),
        ("18:00", "06:00", [("22:00", 50), ("21:00", 80)], [0, 100, 80, 0]),  # overtaken
        ("06:00", "18:00", [], [0]),
        (None, None, [("00:00", 0)], [100, 0]),
    ],
)
def test_steps_follow_the_order_of_the_night(begins, ends, steps, expected):
    made = Program(
        "p",
        Levels(100),
        clock(begins) if begins else None,
        clock(ends) if ends else None,
        tuple(Step(clock(at), Levels(level)) for at, level in steps),
    )
    assert [span.level_percent for span in timeline(made, night(date(2025, 6, 21), JINAN))] == expected


def test_a_lit_period_lasts_its_minimum():
    short = Program("p", Levels(100), clock("20:00"), clock("20:02"), minimum_on_min=10)
    spans = timeline(short, night(date(2025, 6, 21), JINAN))
    assert spans[2].start_ms - spans[1].start_ms == 600_000


@settings(deadline=None)
@given(programs(), days, st.sampled_from([JINAN, BERLIN, TROMSO, APIA]), st.sampled_from(RoadClass), st.floats(0, 1))
def test_a_program_covers_every_night_exactly_once(program, day, place, road_class, share):
    this = night(day, place)
    spans = timeline(program, this, road_class)
    starts = [span.start_ms for span in spans]
    assert starts[0] == this.start_ms
    assert all(first < second for first, second in pairwise(starts))
    assert starts[-1] < this.end_ms
    time_ms = this.start_ms + int(share * (this.end_ms - this.start_ms - 1))
    index = span_at(spans, time_ms)
    assert starts[index] <= time_ms
    assert index + 1 == len(starts) or time_ms < starts[index + 1]
    assert 0 <= level_at(spans, time_ms) <= 100


CITY = Calendar(
    "city",
    "summer",
    (
        Rule("eve", "festival", dates=frozenset({"2026-02-16"})),
        Rule("national-day", "festival", holidays=frozenset({"golden-week"})),
        Rule("last-friday", "market", weekdays=frozenset({5}), occurrences=frozenset({-1})),
        Rule("leap", "leap", dates=frozenset({"--02-29"})),
        Rule("winter", "winter", "--10-01", "--03-31"),
        Rule("works", "works", "2025-06-01", "2025-06-03"),
    ),
    {"golden-week": frozenset({"--10-01", "--10-02", "2025-10-03"})},
)


@pytest.mark.parametrize(
    ("day", "program"),
    [
        (date(2026, 2, 16), "festival"),
        (date(2026, 10, 1), "festival"),
        (date(2026, 10, 3), "winter"),
        (date(2025, 10, 3), "festival"),
        (date(2025, 5, 30), "market"),
        (date(2025, 5, 23), "summer"),
        (date(2024, 2, 29), "leap"),
        (date(2025, 12, 31), "market" if date(2025, 12, 31).isoweekday() == 5 else "winter"),
        (date(2026, 1, 1), "winter"),
        (date(2025, 3, 31), "winter"),
        (date(2025, 4, 1), "summer"),
        (date(2025, 6, 3), "works"),
        (date(2026, 6, 3), "summer"),
    ],
)
def test_the_first_rule_that_matches_wins(day, program):
    assert program_of(CITY, day) == program


@settings(deadline=None)
@given(days, st.permutations(CITY.rules))
def test_whatever_the_order_the_first_match_wins(day, rules):
    shuffled = msgspec.structs.replace(CITY, rules=tuple(rules))
    found = rule_of(shuffled, day)
    alone = [rule for rule in rules if rule_of(msgspec.structs.replace(CITY, rules=(rule,)), day)]
    assert found == (alone[0] if alone else None)


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"id":"a","program":"p","start":"--02-30","end":"--03-01"}', "--02-30"),
        ('{"id":"a","program":"p","start":"2025-02-01"}', "go together"),
        ('{"id":"a","program":"p","start":"2025-03-01","end":"2025-02-01"}', "comes before"),
        ('{"id":"a","program":"p","start":"--03-01","end":"2025-02-01"}', "not of one form"),
        ('{"id":"a","program":"p","dates":["2025-02-29"]}', "2025-02-29"),
        ('{"id":"a","program":"p","dates":["25.2.2025"]}', "expected yyyy-mm-dd"),
        ('{"id":"a","program":"p","weekdays":[0]}', "weekdays"),
    ],
)
def test_days_that_are_none_are_named(text, says):
    with pytest.raises(msgspec.ValidationError, match=says):
        msgspec.json.decode(text, type=Rule)
