"""Who decides a lamp's level, and what `why` says of it."""

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.level import Level, Override, Why, Winner
from lamplighter_contract.light.level import circuit_level, level
from lamplighter_contract.light.overrides import under_plan
from lamplighter_contract.light.signals import Signal
from lamplighter_contract.light.sky.nights import date_of_night
from lamplighter_contract.light.view import View
from tests.contract.light.samples import (
    FEW,
    HOUR_MS,
    LAMPS,
    MINUTE_MS,
    NOW_MS,
    SAMPLE,
    SHOW_MS,
    jinan_ms,
    plans,
    signals,
)

VIEW = View(SAMPLE)
DUSK_MS = VIEW.tonight("seasons", SHOW_MS).stages[1].start_ms


def signal(name: str, value: float | str, until_ms: int = 4_000_000_000_000) -> dict[str, Signal]:
    return {name: Signal(name, value, until_ms)}


FOG, LOW = signal("fog-north", 1), signal("traffic-1", "low")


@pytest.mark.parametrize(
    ("device", "at", "given_signals", "percent", "winner", "source", "beat"),
    [
        ("lamp-2", "2026-02-16 21:00", {}, 100, "emergency", "e-1", ["override", "program"]),
        ("lamp-1", "2026-02-16 21:00", FOG, 30, "override", "c-1", ["program"]),
        ("lamp-1", "2026-02-16 22:45", FOG, 30, "override", "c-1", ["adaptive", "program"]),
        ("lamp-1", "2026-02-16 23:00", {}, 60, "program", "step 1", []),
        ("lamp-1", "2026-02-16 23:00", FOG, 100, "adaptive", "fog", ["program"]),
        ("lamp-1", "2026-02-16 23:00", LOW, 40, "adaptive", "traffic", ["program"]),
        ("lamp-1", "2026-02-16 23:00", FOG | LOW, 100, "adaptive", "fog", ["program"]),
        ("lamp-3", "2026-02-16 20:00", LOW, 20, "scene", "spring-festival", ["adaptive", "program"]),
        ("lamp-3", "2026-02-16 20:01", {}, 20, "scene", "spring-festival", ["program"]),
        ("lamp-5", "2026-02-16 20:05", {}, 60, "scene", "spring-festival", ["program"]),
        ("lamp-3", "2026-02-16 20:10", {}, 100, "program", "begin", []),
        ("lamp-4", "2026-02-16 23:00", {}, 100, "program", "begin", []),
        ("lamp-5", "2026-02-16 23:00", {}, 50, "program", "step 1", []),
        ("lamp-1", "2026-02-17 12:00", FOG | LOW, 0, "program", "before", []),
        ("lamp-1", "2026-02-17 13:00", signal("lux-north", 10), 100, "adaptive", "storm", ["program"]),
        ("lamp-5", "2026-02-17 13:00", signal("lux-north", 10), 60, "adaptive", "storm", ["program"]),
        ("lamp-1", "2026-02-17 13:00", signal("lux-north", 50), 0, "program", "before", []),
        ("lamp-8", "2026-02-16 23:00", FOG, 100, "default", "", []),
        ("lamp-8", "2026-02-17 12:00", {}, 0, "default", "", []),
    ],
)
def test_the_highest_that_has_a_wish_decides(device, at, given_signals, percent, winner, source, beat):
    decided = level(VIEW, device, jinan_ms(at), given_signals)
    assert decided.level_percent == percent
    assert (decided.why.winner, decided.why.source) == (winner, source)
    assert list(decided.why.beat) == beat


@pytest.mark.parametrize(("minutes", "percent"), [(-21, 0), (-19, 100), (-1, 100)])
def test_clouds_bring_light_at_most_twenty_minutes_early(minutes, percent):
    assert level(VIEW, "lamp-3", DUSK_MS + minutes * MINUTE_MS, signal("lux-north", 50)).level_percent == percent


def test_why_names_calendar_rule_program_and_end():
    why = level(VIEW, "lamp-1", jinan_ms("2026-02-16 22:45"), {}).why
    assert (why.calendar, why.rule, why.program, why.program_percent) == ("seasons", "winter", "saving-winter", 60)
    assert why.until_ms == jinan_ms("2026-02-16 23:00")
    summer = level(VIEW, "lamp-1", jinan_ms("2026-07-01 22:00"), {}).why
    assert (summer.rule, summer.program, summer.until_ms) == ("default", "saving-summer", jinan_ms("2026-07-01 23:30"))


@pytest.mark.parametrize(
    ("given_signals", "says"),
    [
        ({}, "fog: no signal fog-north"),
        (signal("fog-north", 1, jinan_ms("2026-02-16 23:00")), "fog: signal fog-north has ended"),
        (signal("fog-north", "thick"), "fog: fog-north is 'thick', expected a number, 0 for no fog"),
        (signal("traffic-1", "unheard-of"), "traffic: traffic-1 is 'unheard-of', expected one of low, high"),
    ],
)
def test_a_rule_without_its_signal_falls_back_and_why_says_so(given_signals, says):
    decided = level(VIEW, "lamp-1", jinan_ms("2026-02-16 23:00"), given_signals)
    assert decided.level_percent == 60
    assert says in decided.why.unused


def test_an_adaptive_level_lasts_no_longer_than_its_signal():
    until_ms = jinan_ms("2026-02-16 23:10")
    decided = level(VIEW, "lamp-1", jinan_ms("2026-02-16 23:00"), signal("fog-north", 1, until_ms))
    assert decided.why.until_ms == until_ms


def test_light_output_is_scaled_last_and_stated_but_never_in_an_emergency():
    scaled = level(VIEW, "lamp-2", jinan_ms("2026-02-16 22:30"), {})
    assert scaled.level_percent == pytest.approx(30 * 0.8 * 0.9)
    assert (scaled.why.asked_percent, scaled.why.virtual_percent, scaled.why.constant_percent) == (30, 80, 90)
    assert level(VIEW, "lamp-2", jinan_ms("2026-02-16 21:00"), {}).level_percent == 100


def test_a_scene_ramps_between_its_cues_and_ends_by_itself():
    shown = [level(VIEW, "lamp-3", SHOW_MS + s * 1000, {}).level_percent for s in (0, 60, 75, 90, 599, 600)]
    assert shown == [20, 20, 60, 60, 60, 100]
    assert level(VIEW, "lamp-3", SHOW_MS, {}).why.until_ms == SHOW_MS + MINUTE_MS


def test_overrides_kept_apart_go_before_the_plan_own():
    now_ms = jinan_ms("2026-02-16 21:00")
    later = Override("c-9", 905, 1_771_240_000_000, "lamp-1", 55, now_ms + 1)
    assert level(VIEW, "lamp-1", now_ms, {}, ()).why.winner is Winner.PROGRAM
    assert level(VIEW, "lamp-1", now_ms, {}, [later]).level_percent == 55


records = st.lists(
    st.builds(
        Override,
        st.sampled_from(["a", "b", "c", "d"]),
        st.integers(890, 910),
        st.integers(0, 3),
        st.sampled_from(["lamp-1", "lamp-2"]),
        st.integers(0, 100).map(float),
        st.integers(SHOW_MS - 2, SHOW_MS + 2),
        st.booleans(),
    ),
    unique_by=lambda one: (one.id, one.device),
)


@settings(deadline=None)
@given(records, st.randoms())
def test_the_order_in_which_overrides_arrive_changes_nothing(arrived, random):
    shuffled = arrived.copy()
    random.shuffle(shuffled)
    assert level(VIEW, "lamp-1", SHOW_MS, {}, arrived) == level(VIEW, "lamp-1", SHOW_MS, {}, shuffled)
    assert set(under_plan(SAMPLE, arrived)) == set(under_plan(SAMPLE, shuffled))


def test_a_plan_ends_the_overrides_it_no_longer_lists_and_leaves_later_ones():
    gone = Override("c-0", 900, 1, "lamp-1", 10, SHOW_MS)
    stays = Override("c-2", 901, 2, "lamp-1", 20, SHOW_MS)
    found = {(one.id, one.device) for one in under_plan(SAMPLE, [gone, stays])}
    assert found == {("c-2", "lamp-1"), ("c-1", "lamp-1"), ("c-1", "lamp-2"), ("e-1", "lamp-2")}


def test_what_was_resumed_since_the_plan_was_made_stays_ended():
    found = {(one.id, one.device) for one in under_plan(SAMPLE, [], {"lamp-2": 950})}
    assert found == {("c-1", "lamp-1")}


@pytest.mark.parametrize(
    ("circuit", "offset_ms", "lamps", "percent"),
    [
        ("circuit-1", -16 * MINUTE_MS, {}, 0),
        ("circuit-1", -15 * MINUTE_MS, {}, 100),
        ("circuit-1", 2 * HOUR_MS, {}, 100),
        ("circuit-1", -3 * HOUR_MS, {"lamp-1": 30.0}, 100),
        ("circuit-1", -3 * HOUR_MS, {"lamp-1": 0.0}, 0),
        ("circuit-2", -MINUTE_MS, {}, 0),
        ("circuit-2", 0, {}, 100),
        ("circuit-2", 8 * HOUR_MS, {}, 0),
        ("circuit-3", -3 * HOUR_MS, {}, 100),
    ],
)
def test_circuits_close_before_dusk_and_open_after_dawn(circuit, offset_ms, lamps, percent):
    wanted = {lamp: Level(level_percent, Why(Winner.OVERRIDE)) for lamp, level_percent in lamps.items()}
    decided = circuit_level(VIEW, VIEW.circuits[circuit], DUSK_MS + offset_ms, wanted)
    assert decided.level_percent == percent
    if percent and lamps:
        assert (decided.why.winner, decided.why.source) == (Winner.OVERRIDE, "lamp-1")


def test_a_circuit_stays_closed_until_after_dawn():
    spans = VIEW.tonight("seasons", SHOW_MS).stages
    off_ms = spans[-1].start_ms
    circuit = VIEW.circuits["circuit-1"]
    shown = [circuit_level(VIEW, circuit, off_ms + m * MINUTE_MS, {}).level_percent for m in (0, 14, 15, 60)]
    assert shown == [100, 100, 0, 0]


def test_an_override_of_the_circuit_itself_decides():
    override = Override("c-5", 950, 1, "circuit-1", 0, SHOW_MS + 1)
    decided = circuit_level(
        VIEW, VIEW.circuits["circuit-1"], SHOW_MS, {"lamp-1": Level(100, Why(Winner.SCENE))}, [override]
    )
    assert (decided.level_percent, decided.why.winner) == (0, Winner.OVERRIDE)


@FEW
@given(st.data(), st.integers(-400 * 24 * 60, 400 * 24 * 60))
def test_every_lamp_has_exactly_one_level_at_every_instant(data, minutes):
    now_ms = NOW_MS + minutes * MINUTE_MS
    view = View(data.draw(plans(now_ms)))
    given_signals = data.draw(signals(now_ms))
    for device in LAMPS:
        decided = level(view, device, now_ms, given_signals)
        assert decided.level_percent is not None
        assert 0 <= decided.level_percent <= 100
        assert decided.why.winner not in decided.why.beat
        assert decided.why.until_ms is None or decided.why.until_ms > now_ms
        assert decided == level(View(view.plan), device, now_ms, given_signals)


@FEW
@given(st.data(), st.sampled_from(["Asia/Shanghai", "Europe/Berlin", "America/New_York"]))
def test_no_gap_at_noon_midnight_or_a_clock_change(data, zone):
    now_ms = data.draw(st.sampled_from([NOW_MS, jinan_ms("2025-10-26 08:00"), jinan_ms("2025-12-31 23:00")]))
    view = View(msgspec.structs.replace(data.draw(plans(now_ms)), zone=zone))
    before = None
    for step in range(-26, 27):
        tonight = view.tonight("c-0", now_ms + step * HOUR_MS)
        assert tonight.night.date == date_of_night(now_ms + step * HOUR_MS, view.place.zone)
        if before is not None and before.night != tonight.night:
            assert before.night.end_ms == tonight.night.start_ms
        before = tonight
