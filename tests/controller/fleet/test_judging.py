"""Stories of trucks, and what may be said of them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from lamplighter_controller.fleet.judging.fixes import FAULT, UNKNOWN, in_turn
from lamplighter_controller.fleet.judging.trips import TripState
from tests.controller.fleet.days import Day, fixes, found, judge

SENSORS = ("lift", "load")


def loaded_at_the_site(**now):
    """A truck that stood at the site long enough, and was loaded."""
    day = Day()
    day.now |= now
    day.stand(200)
    if day.now["load"] >= 0 and "load" not in now:
        day.now["load"] = 2
    return day.stand(30)


def dumped(day, seconds=60):
    """Raise the body, let the load go, lower it again."""
    works = {name: day.now[name] >= 0 for name in SENSORS}
    day.stand(seconds, **({"lift": 1} if works["lift"] else {}))
    day.stand(20, **({"load": 0} if works["load"] else {}))
    return day.stand(60, **({"lift": 0} if works["lift"] else {}))


def test_an_honest_day_has_no_finding_and_its_work_is_followed():
    day = loaded_at_the_site().drive(10_000, 0, 28.0)
    dumped(day).drive(1_000, 2_000, 45.0).stand(120).drive(0, 0, 45.0)
    judging = judge()
    assert found(judging.judge(fixes(day))) == []
    assert judging.trips.state[0] in (TripState.EMPTY_RUN, TripState.LOADING)


@pytest.mark.parametrize(
    ("dead", "limits"),
    [
        ({}, True),
        ({"lift": FAULT}, True),
        ({"lift": UNKNOWN}, True),
        ({"load": FAULT}, False),
        ({"load": UNKNOWN}, False),
    ],
)
def test_a_load_dumped_in_a_field_is_told_once_even_with_a_dead_sensor(dead, limits):
    """By the lift alone it is told, and surely enough for a person to look at, not for a limit."""
    day = loaded_at_the_site(**dead).drive(7_000, 5_000, 28.0)
    dumped(day, 90).drive(0, 0, 45.0)
    judged = judge().judge(fixes(day))
    assert found(judged) == ["dump_outside"]
    assert (judged[0].score >= 0.9) is limits
    assert judged[0].evidence["standing_s"] >= 20 or judged[0].evidence["raised_s"] >= 20


@pytest.mark.parametrize(
    ("speed_kmh", "changes", "expected"),
    [
        (28.0, {"cover": 1}, ["cover_open"]),
        (28.0, {"cover": UNKNOWN}, []),
        (28.0, {"cover": FAULT}, []),
        (28.0, {"lift": 1}, ["lift_in_motion"]),
        (28.0, {"lift": FAULT}, []),
        (70.0, {}, ["overspeed"]),
    ],
)
def test_how_a_loaded_truck_is_driven(speed_kmh, changes, expected):
    day = loaded_at_the_site().drive(3_000, -3_000, speed_kmh, **changes)
    assert found(judge().judge(fixes(day))) == expected


@pytest.mark.parametrize(("standing_s", "score"), [(0, 0.85), (30, 1.0)])
def test_a_cover_that_opens_at_speed_may_be_a_cable_that_broke(standing_s, score):
    day = loaded_at_the_site().drive(3_000, -3_000, 28.0).stand(standing_s).drive(6_000, -3_000, 28.0, cover=1)
    [began] = [one for one in judge().judge(fixes(day)) if one.first_ms]
    assert (began.kind, began.score) == ("cover_open", score)


def test_a_zone_has_a_limit_of_its_own_and_forty_is_too_fast_by_a_school():
    day = Day().drive(5_000, 0, 40.0)
    [finding] = [one for one in judge().judge(fixes(day)) if one.first_ms]
    assert (finding.kind, finding.place, finding.evidence["limit_kmh"]) == ("overspeed", "school", 30.0)


def test_a_place_that_is_closed_is_told_with_its_name_and_its_end():
    day = Day().drive(5_000, 3_000, 30.0).stand(120).drive(8_000, 6_000, 30.0)
    judged = [one for one in judge().judge(fixes(day)) if one.kind == "no_go"]
    assert [(one.place, one.last_ms is None) for one in judged] == [("old-town", True), (None, False)]


def test_an_empty_body_lifted_to_be_washed_or_mended_is_no_dump():
    day = Day().drive(1_000, 2_000).stand(120, lift=1).stand(60, lift=0)
    day.drive(4_000, 6_000).stand(300, lift=1).stand(60, lift=0)
    assert found(judge().judge(fixes(day))) == []


def test_a_body_that_is_up_for_a_quarter_of_an_hour_is_mended_whatever_the_load_sensor_hides():
    day = loaded_at_the_site(load=UNKNOWN).drive(7_000, 5_000, 28.0)
    day.stand(60).stand(900, lift=1).stand(60, lift=0).drive(0, 0, 45.0)
    assert found(judge().judge(fixes(day))) == []


def test_who_loads_again_without_having_dumped_anywhere_is_asked_about_it():
    day = loaded_at_the_site().drive(6_000, 6_000, 40.0).drive(0, 0, 40.0).stand(240)
    assert found(judge().judge(fixes(day))) == ["missing_dump"]


def test_a_jump_is_told_and_believed_only_when_it_lasts():
    day = Day().stand(60)
    day.east_m, day.north_m = 80_000, 0
    day.report(0.0)
    day.east_m = 0
    day.stand(60)
    assert found(judge().judge(fixes(day))) == []
    day.east_m = 80_000
    day.stand(60)
    assert found(judge().judge(fixes(day))) == ["position_jump"]


def test_a_silence_over_which_a_truck_went_far_is_a_gap_and_one_at_rest_is_none():
    day = Day().stand(60).away(1_800).stand(60).drive(300, 0, 30.0).away(1_200)
    day.east_m += 6_000
    day.stand(60)
    assert found(judge().judge(fixes(day))) == ["position_gap"]


def test_a_position_that_stands_while_the_odometer_runs_is_frozen():
    day = Day().stand(60)
    for _ in range(100):
        day.odometer_km += 0.05
        day.report(30.0)
    assert found(judge().judge(fixes(day))) == ["position_frozen"]


def test_where_a_truck_with_a_frozen_position_dumps_nobody_knows():
    day = loaded_at_the_site()
    frozen = Day(1, day.east_m, day.north_m, day.time_ms, dict(day.now), odometer_km=day.odometer_km)
    frozen.truck = 0
    for _ in range(90):
        frozen.odometer_km += 0.1
        frozen.report(0.0)
    dumped(frozen)
    assert found(judge().judge(fixes(day, frozen))) == ["position_frozen"]


def test_a_sensor_that_says_raised_at_speed_for_minutes_is_broken_and_lifts_nothing_any_more():
    day = Day().drive(8_000, 6_000, 45.0, lift=1)
    kinds = found(judge().judge(fixes(day)))
    assert kinds[0] == "lift_in_motion"
    assert "sensor_contradiction" in kinds


def test_positions_that_are_not_known_judge_nobody():
    day = Day().drive(3_000, -3_000, 90.0)
    reports = fixes(day)
    reports.latitude[:] = float("nan")
    assert found(judge().judge(reports)) == []


@given(st.lists(st.tuples(st.integers(0, 3), st.integers(0, 50)), max_size=40))
def test_steps_hold_each_truck_once_and_in_order_of_time(pairs):
    days = [Day(truck=truck, time_ms=1_000_000 + 1_000 * at).report(10.0) for truck, at in pairs]
    seen: dict[int, int] = {}
    count = 0
    for step in in_turn(fixes(*days)):
        assert len(set(step.truck.tolist())) == len(step)
        for truck, time_ms in zip(step.truck.tolist(), step.time_ms.tolist(), strict=True):
            assert time_ms >= seen.get(truck, 0)
            seen[truck] = time_ms
            count += 1
    assert count == len(pairs)


def test_trucks_judged_together_are_judged_as_if_alone():
    bad = loaded_at_the_site().drive(7_000, 5_000, 28.0)
    dumped(bad)
    good = Day(truck=1).drive(3_000, -3_000, 40.0)
    judged = judge(2).judge(fixes(bad, good))
    assert [(one.truck, str(one.kind)) for one in judged if one.first_ms] == [(0, "dump_outside")]


def test_a_load_that_goes_a_report_after_the_body_is_down_is_a_dump_all_the_same():
    day = loaded_at_the_site().drive(7_000, 5_000, 28.0)
    day.stand(60, lift=1).stand(10, lift=0).stand(60, load=0).drive(0, 0, 28.0)
    assert found(judge().judge(fixes(day))) == ["dump_outside"]


def test_a_load_sensor_that_flickers_unloads_nothing():
    day = loaded_at_the_site(lift=FAULT).drive(7_000, 5_000, 28.0)
    day.stand(60).stand(10, load=0).stand(120, load=2).drive(10_000, 0, 28.0)
    dumped(day).stand(20).report(0.0, load=2).report(0.0, load=0).drive(0, 0, 28.0)
    assert found(judge().judge(fixes(day))) == []


def round_trip(day):
    """Loaded at the site, dumped at the ground, back again."""
    works = {name: day.now[name] >= 0 for name in SENSORS}
    day.stand(200, cover=1).stand(30, cover=0, **({"load": 2} if works["load"] else {}))
    dumped(day.drive(10_000, 0, 28.0))
    return day.drive(0, 0, 28.0)


@pytest.mark.parametrize("stuck", [{"lift": 0}, {"load": 0}, {"load": 2}])
def test_a_sensor_that_keeps_silent_at_the_ground_is_known_to_be_dead(stuck):
    day = Day()
    [(name, value)] = stuck.items()
    for wrong in (False, False, False, True):
        at = len(day.rows)
        round_trip(day) if not wrong else dumped(
            day.stand(200, cover=1).stand(30, cover=0, load=2).drive(7_000, 5_000, 28.0), 90
        ).drive(0, 0, 28.0)
        for row in day.rows[at:]:
            row[6][name] = value
    assert found(judge().judge(fixes(day))) == ["dump_outside"]


def test_a_cover_sensor_that_did_not_see_the_loading_accuses_nobody():
    day = round_trip(round_trip(Day()))
    for row in day.rows:
        row[6]["cover"] = 1
    assert found(judge().judge(fixes(day))) == []


def test_a_clock_from_tomorrow_moves_no_truck():
    day = Day().stand(60)
    reports = fixes(day)
    tomorrow = Day(time_ms=day.time_ms + 86_400_000, east_m=300_000.0).stand(60)
    wrong = fixes(tomorrow)
    wrong.received_ms[:] = day.time_ms
    judging = judge()
    judging.judge(reports)
    assert found(judging.judge(wrong)) == []
    assert judging.track.time_ms[0] == reports.time_ms[-1]
