"""Weeks as columns: the same for the same seed, honest about what was done, and full of what misleads a judge."""

import numpy as np
import pytest

from lamplighter_firmware_sim.trucks.weeks.chart import draw
from lamplighter_firmware_sim.trucks.weeks.week import week


@pytest.fixture(scope="module")
def found():
    return week(3, trucks=20, days=2)


def test_equal_seeds_make_equal_weeks_and_others_other_ones(found):
    again, other = week(3, trucks=20, days=2), week(4, trucks=20, days=2)
    assert np.array_equal(again.shown.east_m, found.shown.east_m)
    assert again.done == found.done
    assert other.chart != found.chart


def test_every_place_of_a_town_lies_apart_from_the_others():
    for seed in range(20):
        squares = draw(np.random.default_rng(seed)).squares
        for at, one in enumerate(squares):
            assert all(other.away_m(one.east_m, one.north_m) > one.side_m / 2 for other in squares[at + 1 :])


def test_trucks_dump_where_they_must_not_and_show_it_by_lift_and_load(found):
    dumps = [one for one in found.done if one.deed.kind == "dump_outside"]
    assert dumps
    for one in dumps:
        mine = found.shown.at(np.flatnonzero(found.truck == one.truck))
        during = (mine.time_s >= one.deed.start_s) & (mine.time_s <= one.deed.end_s)
        assert (mine.speed_kmh[during] < 10).all()


def test_reports_come_late_twice_and_out_of_order(found):
    for truck in range(found.trucks):
        times = found.shown.time_s[found.truck == truck]
        if (np.diff(times) == 0).any() and (np.diff(times) < 0).any():
            break
    else:
        pytest.fail("no truck repeats itself or reports out of order")
    assert (found.shown.received_s - found.shown.time_s > 600).any() or (np.diff(found.shown.time_s) > 3_600).any()


def test_some_sensors_are_broken_and_say_so():
    many = week(6, trucks=60, days=1).shown
    assert {-1, -2} <= set(np.unique(np.r_[many.lift, many.load, many.cover]).tolist())


def test_with_a_dead_sensor_every_truck_has_exactly_one():
    dead = week(5, trucks=8, days=1, dead=True)
    assert len(dead.truck) == len(dead.shown.load)
    for truck in range(8):
        mine = dead.shown.at(np.flatnonzero(dead.truck == truck))
        assert set(np.unique(mine.cover).tolist()) <= {0, 1}
