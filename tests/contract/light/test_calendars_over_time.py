"""Random calendars and plans over time: exactly one level at every instant, at the seams of days and clocks too."""

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.light.city.columns import columns_of
from lamplighter_contract.light.city.levels import levels_at
from lamplighter_contract.light.level import level
from lamplighter_contract.light.plans.calendars import Calendar
from lamplighter_contract.light.plans.plan import Assignment, Output, Plan, PlanOverride
from lamplighter_contract.light.plans.programs import Levels, Program, RoadClass, level_at, span_at
from lamplighter_contract.light.scenes import Cue, Scene
from lamplighter_contract.light.signals import Signal
from lamplighter_contract.light.sky.moments import ClockMoment
from lamplighter_contract.light.sky.nights import date_of_night, local_ms
from lamplighter_contract.light.view import View
from tests.contract.light.samples import FEW, HOUR_MS, LAMPS, NAMES, SAMPLE, ZONES, calendars, days, programs

FEWER = settings(FEW, max_examples=20)
PLACES = (*ZONES, ("America/New_York", 40.71, -74.0), ("Australia/Lord_Howe", -31.55, 159.08), ("UTC", 0.0, 0.0))
# Both days on which each zone that changes its clock does so, a leap day, year ends.
SEAMS = {
    "Europe/Berlin": (date(2025, 3, 30), date(2025, 10, 26)),
    "Europe/Oslo": (date(2025, 3, 30), date(2025, 10, 26)),
    "America/New_York": (date(2025, 3, 9), date(2025, 11, 2)),
    "Australia/Lord_Howe": (date(2025, 4, 6), date(2025, 10, 5)),  # by half an hour
}
EVERYWHERE = (date(2024, 2, 28), date(2024, 2, 29), date(2025, 2, 28), date(2025, 12, 31), date(2026, 1, 1))


@st.composite
def seams(draw):
    """A place and an instant close to a seam: midnight, noon, the hours of a clock change."""
    zone, latitude, longitude = draw(st.sampled_from(PLACES))
    day = draw(st.sampled_from((*EVERYWHERE, *SEAMS.get(zone, ()))) | days)
    clock = draw(st.sampled_from([time(0), time(12), time(1), time(2), time(2, 30), time(3)]))
    offset_ms = draw(st.sampled_from([-HOUR_MS, -1, 0, 1, HOUR_MS]) | st.integers(-HOUR_MS, HOUR_MS))
    return zone, latitude, longitude, local_ms(day, clock, ZoneInfo(zone)) + offset_ms


def plan_of(draw, zone, latitude, longitude):
    return Plan(
        "gw-1",
        1,
        9,
        zone,
        latitude,
        longitude,
        tuple(draw(programs(name)) for name in NAMES),
        (draw(calendars("c-0")),),
        assignments=(Assignment("c-0", draw(st.sampled_from(RoadClass)), devices=LAMPS[:2]),),
    )


@FEWER
@given(st.data(), seams())
def test_a_calendar_has_exactly_one_level_at_every_instant(data, seam):
    zone, latitude, longitude, now_ms = seam
    view = View(plan_of(data.draw, zone, latitude, longitude))
    tonight = view.tonight("c-0", now_ms)
    assert tonight.night.start_ms <= now_ms < tonight.night.end_ms
    its = view.member(LAMPS[0]).assignment
    assert its is not None
    spans = tonight.spans(its.road_class)
    covering = [
        index
        for index, span in enumerate(spans)
        if span.start_ms <= now_ms < (spans[index + 1].start_ms if index + 1 < len(spans) else tonight.night.end_ms)
    ]
    assert covering == [span_at(spans, now_ms)]
    decided = level(view, LAMPS[0], now_ms, {})
    assert decided.level_percent == level_at(spans, now_ms)
    assert decided.why.until_ms is not None
    assert now_ms < decided.why.until_ms <= tonight.night.end_ms


@FEWER
@given(st.data(), seams())
def test_nights_follow_each_other_without_gap_or_overlap(data, seam):
    zone, latitude, longitude, now_ms = seam
    view = View(plan_of(data.draw, zone, latitude, longitude))
    day = date_of_night(now_ms, view.place.zone)
    for number in range(-2, 3):
        this, following = (view.on("c-0", day + timedelta(days=number + more)) for more in (0, 1))
        assert this.night.end_ms == following.night.start_ms
        assert view.tonight("c-0", this.night.end_ms - 1) == this
        assert view.tonight("c-0", this.night.end_ms) == following
        noon = datetime.fromtimestamp(this.night.end_ms / 1000, view.place.zone)
        assert (noon.hour, noon.minute, noon.second) == (12, 0, 0)


@FEWER
@given(st.data(), seams())
def test_all_lamps_at_once_agree_with_one_at_every_seam(data, seam):
    zone, latitude, longitude, now_ms = seam
    plan = plan_of(data.draw, zone, latitude, longitude)
    extras = msgspec.structs.replace(
        plan,
        adaptive=SAMPLE.adaptive,
        groups=SAMPLE.groups,
        scenes=(
            Scene(
                "s", (Cue(0, 30, devices=LAMPS[:1]), Cue(60, 90, 30, devices=LAMPS[:1])), now_ms - 75_000, now_ms + 1
            ),
        ),
        outputs=(Output(80, 90, devices=LAMPS[1:2]),),
        overrides=(PlanOverride("o", 1, now_ms - 1, 55, now_ms + 1, devices=LAMPS[2:3]),),
    )
    given_signals = {name: Signal(name, value, now_ms + 1) for name, value in (("fog-north", 1.0), ("lux-north", 60.0))}
    views = [View(plan), View(extras)]
    columns = columns_of(views)
    together = levels_at(columns, now_ms, given_signals)
    devices = [(view, device) for view in views for device in view.members]
    assert len(devices) == len(columns.devices)
    for row, (view, device) in enumerate(devices):
        alone = level(View(view.plan), device, now_ms, given_signals)
        assert together.level_percent[row] == pytest.approx(alone.level_percent, abs=1e-3)
        assert (together.winner(row), together.beat(row)) == (alone.why.winner, alone.why.beat)
        assert together.sources[together.source[row]] == alone.why.source


CLOCKED = Program("clocked", Levels(100), ClockMoment(time(18)), ClockMoment(time(2, 30)))


@pytest.mark.parametrize(
    ("zone", "day", "length_h", "lit_h"),
    [
        ("Europe/Berlin", date(2025, 3, 30), 23, 8.0),  # 02:30 is left out: the moment of the change
        ("Europe/Berlin", date(2025, 10, 26), 25, 8.5),  # it comes twice: the first
        ("America/New_York", date(2025, 3, 9), 23, 8.0),
        ("America/New_York", date(2025, 11, 2), 25, 9.5),  # it comes once, after the hour that comes twice
        ("Australia/Lord_Howe", date(2025, 10, 5), 23.5, 8.0),
        ("Australia/Lord_Howe", date(2025, 4, 6), 24.5, 9.0),
    ],
)
def test_a_program_by_the_clock_on_the_nights_the_clock_changes(zone, day, length_h, lit_h):
    place = next(one for one in PLACES if one[0] == zone)
    view = View(Plan("gw-1", 1, 9, *place, (CLOCKED,), (Calendar("c", "clocked"),)))
    tonight = view.on("c", day - timedelta(days=1))
    spans = tonight.spans(None)
    assert [span.level_percent for span in spans] == [0, 100, 0]
    assert (tonight.night.end_ms - tonight.night.start_ms) / HOUR_MS == length_h
    assert (spans[2].start_ms - spans[1].start_ms) / HOUR_MS == lit_h
