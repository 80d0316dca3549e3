import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lamplighter_gateway.drivers.modbus.schedule import Schedule


def test_hastened_polls_are_made_at_once_and_again_when_they_were_due_anyway():
    schedule = Schedule([(key, 10.0) for key in "abcd"], 0.0)
    first = schedule.take(0.0)
    assert first is not None
    schedule.done(first.key, 0.0)
    schedule.hasten(1.0)
    early = []
    while (due := schedule.take(1.0)) is not None:
        early.append(due.key)
        schedule.done(due.key, 1.0)
    assert early == ["b", "c", "d", "a"]
    assert schedule.next_s() == 2.5
    late = schedule.take(2.5)
    assert late is not None
    assert late.key == "b"
    schedule.done("b", 2.5)
    assert schedule.next_s() == 5.0


def taken(schedule, now_s):
    due = schedule.take(now_s)
    assert due is not None
    return due


def next_s(schedule):
    time_s = schedule.next_s()
    assert time_s is not None
    return time_s


def test_first_polls_are_spread_over_the_period():
    schedule = Schedule([(name, 10.0) for name in "abcde"], 100.0)
    times = []
    for _ in range(5):
        now_s = next_s(schedule)
        times.append(now_s)
        schedule.done(taken(schedule, now_s).key, now_s)
    assert times == [100.0, 102.0, 104.0, 106.0, 108.0]


def test_nothing_is_due_before_its_time():
    schedule = Schedule([("a", 10.0)], 0.0)
    schedule.done(taken(schedule, 0.0).key, 0.5)
    assert schedule.take(9.9) is None
    assert taken(schedule, 10.0).key == "a"


def test_a_poll_keeps_its_phase():
    schedule = Schedule([("a", 10.0)], 0.0)
    for turn in range(5):
        due = taken(schedule, turn * 10.0 + 0.3)
        assert not due.missed
        schedule.done(due.key, turn * 10.0 + 0.4)
    assert schedule.next_s() == 50.0


def test_a_poll_much_too_late_is_marked():
    schedule = Schedule([("a", 10.0)], 0.0)
    assert not taken(schedule, 5.0).missed
    schedule.done("a", 5.0)
    assert taken(schedule, 15.1).missed


def test_period_zero_is_due_again_at_once_and_never_missed():
    schedule = Schedule([("a", 0.0), ("b", 0.0)], 0.0)
    order = []
    for now_s in range(6):
        due = taken(schedule, now_s)
        order.append(due.key)
        assert not due.missed
        schedule.done(due.key, now_s)
    assert order == ["a", "b"] * 3


def test_postponed_polls_wait_at_least_as_told():
    schedule = Schedule([("a", 0.0)], 0.0)
    schedule.postpone(taken(schedule, 0.0).key, 0.0, wait_s=0.0, at_least_s=1.0)
    assert schedule.next_s() == 1.0


@pytest.mark.parametrize(("wait_s", "due_s"), [(0.2, 1.0), (7.0, 7.0), (60.0, 10.0)])
def test_a_postponed_poll_is_due_when_told_and_no_later_than_a_period_on(wait_s, due_s):
    schedule = Schedule([("a", 10.0)], 0.0)
    schedule.postpone(taken(schedule, 0.0).key, 0.0, wait_s, at_least_s=1.0)
    assert schedule.next_s() == due_s


@settings(deadline=None)
@given(st.lists(st.sampled_from([0.0, 1.0, 5.0, 60.0]), min_size=2, max_size=20), st.floats(0.2, 3.0))
def test_an_overloaded_bus_is_shared_fairly(periods, cost_s):
    schedule = Schedule(list(enumerate(periods)), 0.0)
    served = dict.fromkeys(range(len(periods)), 0)
    last_s = dict.fromkeys(range(len(periods)), 0.0)
    now_s = 0.0
    for _ in range(40 * len(periods)):
        due = schedule.take(now_s)
        if due is None:
            now_s = next_s(schedule)
            continue
        period_s = periods[due.key]
        assert now_s - last_s[due.key] <= 2 * period_s + cost_s * (len(periods) + 1)
        now_s += cost_s
        served[due.key] += 1
        last_s[due.key] = now_s
        schedule.done(due.key, now_s)
    for period_s in set(periods):
        counts = [served[key] for key, own in enumerate(periods) if own == period_s]
        assert max(counts) - min(counts) <= 1
