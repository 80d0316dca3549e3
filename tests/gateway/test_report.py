from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_contract.quantities import QUANTITIES, Kind
from lamplighter_gateway.config.model import Device, Reporting
from lamplighter_gateway.drivers.port import Reading
from lamplighter_gateway.profiles.model import JsonField, JsonMap, Profile
from lamplighter_gateway.report import Change, Reporter, change

INTERVAL_S, HEARTBEAT_S = 60.0, 900.0


def profile():
    fields = [("power_w", 1.0), ("voltage_v", 2.0), ("switched_on", None)]
    read = tuple(JsonField(QUANTITIES[Kind.LAMP][name], name, deadband=band) for name, band in fields)
    return Profile("p", Kind.LAMP, {}, (), mqtt=JsonMap("a/{address}", None, None, 60, read))


def reporter(interval_s=INTERVAL_S):
    return Reporter([Device("lamp-1", "bus", profile())], Reporting(interval_s, HEARTBEAT_S, compress=False))


def reading(power_w=50.0, *, on=True, quality=0, time_ms=0):
    return Reading("lamp-1", Kind.LAMP, time_ms, {"power_w": power_w, "voltage_v": 230.0, "switched_on": on}, quality)


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ({"power_w": 50.0}, {"power_w": 51.0}, Change.NONE),
        ({"power_w": 50.0}, {"power_w": 51.1}, Change.BEYOND_DEADBAND),
        ({"power_w": 50.0}, {"power_w": None}, Change.BEYOND_DEADBAND),
        ({"power_w": None}, {"power_w": 50.0}, Change.BEYOND_DEADBAND),
        ({"power_w": None}, {"power_w": None}, Change.NONE),
        ({}, {"power_w": 0.0}, Change.BEYOND_DEADBAND),
        ({"switched_on": True}, {"switched_on": False}, Change.PROMPT),
        ({"power_w": 50.0, "switched_on": True}, {"power_w": 0.0, "switched_on": False}, Change.PROMPT),
        ({"starts": 4}, {"starts": 5}, Change.PROMPT),
    ],
)
def test_what_counts_as_a_change(old, new, expected):
    assert change(old, new, profile().deadbands) is expected


def test_the_first_reading_is_told():
    assert reporter().offer([reading()], 0.0) == [reading()]


def test_an_unknown_device_is_not_told():
    assert reporter().offer([replace(reading(), device="stranger")], 0.0) == []


def test_a_level_read_back_alone_makes_the_other_values_no_news():
    under_test = reporter()
    under_test.offer([reading(50.0)], 0.0)
    alone = Reading("lamp-1", Kind.LAMP, 0, {"switched_on": False})
    assert under_test.offer([alone], 5.0) == [alone]
    assert under_test.offer([reading(50.0, on=False)], 10.0) == []


def test_noise_within_the_deadband_is_told_once_per_heartbeat():
    under_test = reporter()
    told = [now for now in range(0, 2000, 10) if under_test.offer([reading(50.0 + now % 20 / 20)], now)]
    assert told == [0, 900, 1800]


def test_a_slow_drift_is_told_when_it_has_left_the_deadband():
    under_test = reporter(interval_s=10.0)
    told = [now for now in range(0, 300, 10) if under_test.offer([reading(50.0 + now / 100)], now)]
    assert told == [0, 110, 220]


def test_a_change_within_the_interval_waits_and_then_the_newest_is_told():
    under_test = reporter()
    under_test.offer([reading(50.0)], 0.0)
    assert under_test.offer([reading(80.0)], 10.0) == []
    assert under_test.offer([reading(70.0)], 20.0) == []
    assert under_test.overdue(59.9) == []
    assert under_test.overdue(60.0) == [reading(70.0)]
    assert under_test.overdue(120.0) == []


def test_a_change_that_went_back_is_still_told():
    under_test = reporter()
    under_test.offer([reading(50.0)], 0.0)
    under_test.offer([reading(80.0)], 10.0)
    under_test.offer([reading(50.0)], 20.0)
    assert under_test.overdue(60.0) == [reading(50.0)]


def test_a_flag_does_not_wait_for_the_interval():
    under_test = reporter()
    under_test.offer([reading()], 0.0)
    assert under_test.offer([reading(on=False)], 2.0) == [reading(on=False)]


def test_a_flapping_flag_is_told_at_most_once_a_second():
    under_test = reporter()
    told = 0
    for step in range(100):
        told += len(under_test.offer([reading(on=step % 2 == 0)], step / 10))
        told += len(under_test.overdue(step / 10))
    assert told <= 11


def test_a_flag_overtakes_a_waiting_number():
    under_test = reporter()
    under_test.offer([reading()], 0.0)
    under_test.offer([reading(90.0)], 0.1)
    under_test.offer([reading(90.0, on=False)], 0.2)
    assert under_test.overdue(1.0) == [reading(90.0, on=False)]
    assert under_test.overdue(60.0) == []


def test_a_change_of_quality_is_told():
    under_test = reporter()
    under_test.offer([reading()], 0.0)
    assert under_test.offer([reading(quality=16)], 60.0) == [reading(quality=16)]


@settings(deadline=None)
@given(
    st.lists(
        st.tuples(st.floats(0.1, 40), st.floats(0, 200), st.booleans()),
        min_size=1,
        max_size=60,
    )
)
def test_no_change_beyond_the_deadband_is_withheld_longer_than_the_interval(steps):
    under_test = reporter()
    now_s, last_told, told_at_s, flag_moved = 0.0, None, 0.0, False
    withheld = False
    for pause_s, power_w, on in steps:
        now_s += pause_s
        fresh = reading(power_w, on=on)
        flag_moved = flag_moved or (last_told is not None and last_told["switched_on"] is not on)
        for told in [*under_test.overdue(now_s), *under_test.offer([fresh], now_s)]:
            assert last_told is None or flag_moved or now_s - told_at_s >= INTERVAL_S
            last_told, told_at_s, flag_moved = told.values, now_s, told.values["switched_on"] is not on
        assert last_told is not None
        withheld = change(last_told, fresh.values, profile().deadbands) is not Change.NONE
        assert not withheld or now_s - told_at_s < INTERVAL_S
    assert not withheld or under_test.overdue(told_at_s + INTERVAL_S)


def test_a_dark_lamp_is_told_of_at_the_pace_of_the_day():
    pace = Reporting(INTERVAL_S, HEARTBEAT_S, compress=False, day_interval_s=300, day_heartbeat_s=3600)
    under_test = Reporter([Device("lamp-1", "bus", profile())], pace)

    def told(level):
        values = {"power_w": 50.0, "voltage_v": 230.0, "level_percent": level}
        return [now for now in range(0, 7201, 60) if under_test.offer([replace(reading(), values=values)], now)]

    assert told(0) == [0, 3600, 7200]
    under_test = Reporter([Device("lamp-1", "bus", profile())], pace)
    assert told(60) == list(range(0, 7201, 900))


def test_readings_are_gathered_but_for_one_that_presses():
    under_test = Reporter([Device("lamp-1", "bus", profile())], Reporting(0, HEARTBEAT_S, compress=False, gather_s=60))
    under_test.offer([reading(50.0)], 0.0)
    assert under_test.presses(1.0)
    under_test.offer([reading(70.0)], 5.0)
    assert [now for now in range(2, 70) if under_test.presses(now)] == [61]
    under_test.offer([reading(70.0, on=False)], 80.0)
    assert under_test.presses(80.0)
    assert not under_test.presses(81.0)
